//! Arrays of the crate ndarray: logits from where an array has them, and draws into an array.
//!
//! `cargo run --release --example ndarray`
//!
//! The points are of three groups, normal around three means, and nothing but the points is known. In each round the group of
//! each point is drawn, given the means so far, and each mean becomes that of the points that were drawn into its
//! group (stochastic EM). The logits are an array of `f64` with a row for each point, which array expressions
//! compute, and a call reads the logits there. Neither the order of an array in memory nor a view of the array needs a copy.

use std::error::Error;

use gumbel::{Logits, PhiloxRng, SampleOptions, Sampler, Sequence};
use ndarray::{Array1, Array2, ArrayView2, Axis, NewAxis, ShapeBuilder, array, s};
use rand::distr::Distribution;
use rand_distr::StandardNormal;

const POINTS: usize = 30_000;
const MEANS: [f64; 3] = [-3.0, 0.0, 2.5];
const ROUNDS: usize = 50;

fn main() -> Result<(), Box<dyn Error>> {
    let noise = StandardNormal.sample_iter(PhiloxRng::new(1)).take(POINTS);
    let points: Array1<f64> = (0..).zip(noise).map(|(i, x): (_, f64)| MEANS[i % 3] + x).collect();

    let sampler = Sampler::auto();
    let (options, mut sequence) = (SampleOptions::default(), Sequence::new(42));
    let mut means = array![-1.0, 0.0, 1.0];
    let mut groups = Array1::<u32>::zeros(POINTS);
    for _ in 0..ROUNDS {
        let logits = log_densities(&points, &means);
        let memory = groups.as_slice_mut().ok_or("draws need memory without gaps")?;
        sampler.sample_rows_into(
            rows(&logits, &logits.view())?,
            &sequence.take(&options)?,
            memory,
        )?;
        means = means_of(&points, &groups);
    }
    println!("the means are {MEANS:?}, and those of the groups {means:.2}");
    let furthest = (&means - &array![-3.0, 0.0, 2.5]).abs().fold(0.0, |a: f64, b| a.max(*b));
    assert!(furthest < 0.1, "a mean is off by {furthest}");

    // an array that lies column by column draws what the same array draws row by row
    let by_row = log_densities(&points, &means);
    let mut by_column = Array2::zeros(by_row.raw_dim().f());
    by_column.assign(&by_row);
    assert_eq!((by_row.strides(), by_column.strides()), (&[3, 1][..], &[1, POINTS as isize][..]));
    let draws = sampler.sample_rows(rows(&by_row, &by_row.view())?, &options)?;
    assert_eq!(sampler.sample_rows(rows(&by_column, &by_column.view())?, &options)?, draws);

    // and a view what a copy of the view draws: every second point from 1000 on, and two of the groups
    let view = by_column.slice(s![1000..;2, ..2]);
    let copy = view.to_owned();
    let draws = sampler.sample_rows(rows(&by_column, &view)?, &options)?;
    assert_eq!(draws, sampler.sample_rows(rows(&copy, &copy.view())?, &options)?);
    println!("rows, columns and a view draw the same on the {sampler}");
    Ok(())
}

/// The rows of a view of an array, for a call that reads the rows where the array has them.
fn rows<'a>(
    array: &'a Array2<f64>,
    view: &ArrayView2<'_, f64>,
) -> Result<Logits<'a>, Box<dyn Error>> {
    let memory = array.as_slice_memory_order().ok_or("the array is not in one piece")?;
    let before = view.as_ptr().addr().wrapping_sub(memory.as_ptr().addr()) / size_of::<f64>();
    let memory = memory.get(before..).ok_or("the view is of another array")?;
    // a view that runs backwards has a negative stride, which is an error here
    let stride = |axis| usize::try_from(view.stride_of(Axis(axis)));
    Ok(Logits::with_strides(memory, view.nrows(), view.ncols(), stride(0)?, stride(1)?)?)
}

/// For each point (row) and group (column) the logarithm of the density, but for a constant.
fn log_densities(points: &Array1<f64>, means: &Array1<f64>) -> Array2<f64> {
    let distances = &points.slice(s![.., NewAxis]) - &means.slice(s![NewAxis, ..]);
    distances.mapv_into(|distance| -distance * distance / 2.0)
}

/// The mean of the points of each group.
fn means_of(points: &Array1<f64>, groups: &Array1<u32>) -> Array1<f64> {
    let (mut sums, mut counts) = (Array1::<f64>::zeros(3), Array1::<f64>::zeros(3));
    for (point, &group) in points.iter().zip(groups) {
        sums[group as usize] += point;
        counts[group as usize] += 1.0;
    }
    sums / counts
}
