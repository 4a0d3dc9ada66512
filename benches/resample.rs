//! Resampling of a particle filter: from 10⁶ log-weights to 10⁶ ancestors, beside systematic resampling in ten lines of
//! Rust, and beside independent draws.
//!
//!     RAYON_NUM_THREADS=1 cargo bench --bench resample
//!
//! The ways run in turn, and the minima are compared, since the machines are shared. Prints a table in Markdown. Without
//! `--bench`, which cargo bench passes, every way runs once and nothing is timed.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on ends")]

use std::hint::black_box;
use std::time::Duration;

mod common;

use common::{Way, is_timed, minima, normal};
use gumbel::{CpuSampler, Logits, Method, Particles, Resampling, SampleOptions, reference};
use rand::distr::Distribution;
use rand_distr::weighted::WeightedAliasIndex;

const PARTICLES: usize = 1_000_000;
/// The time for all ways together.
const ALL: Duration = Duration::from_secs(20);

fn main() {
    let timed = is_timed();
    let n = if timed { PARTICLES } else { 1000 };
    // how well particles explain something: squares of roughly normal numbers
    let log_weight = |i: usize| {
        let (normal, word) = normal(i);
        // bytes alone would make few different numbers
        -(normal + f64::from(word) / 2f64.powi(32) / 147.8).powi(2)
    };
    let log_weights: Vec<f64> = (0..n).map(log_weight).collect();
    let singles: Vec<f32> = log_weights.iter().map(|&x| x as f32).collect();
    let options = SampleOptions::default().with_seed(7);
    let particles = Particles::new(&log_weights).unwrap();
    let mut ancestors = vec![0; n];
    if !timed {
        let weights = reference::particle_weights(&log_weights).unwrap();
        let expected = reference::resample(&weights, Resampling::Systematic, &options, n);
        particles.resample_into(Resampling::Systematic, &options, &mut ancestors).unwrap();
        assert_eq!(ancestors, expected);
    }
    let cells = std::cell::RefCell::new((particles, ancestors));
    let by = |scheme| {
        let (particles, ancestors) = &mut *cells.borrow_mut();
        particles.weigh(&log_weights).unwrap();
        particles.resample_into(scheme, &options, ancestors).unwrap();
        black_box(ancestors);
    };
    let mut ways: Vec<Way<'_>> = vec![
        ("weights alone", Box::new(|| cells.borrow_mut().0.weigh(&log_weights).unwrap())),
        ("systematic", Box::new(|| by(Resampling::Systematic))),
        ("stratified", Box::new(|| by(Resampling::Stratified))),
        ("residual", Box::new(|| by(Resampling::Residual))),
        (
            "systematic, ten lines",
            Box::new(|| {
                ten_lines(&log_weights, &mut cells.borrow_mut().1);
            }),
        ),
        (
            "independent, inverse CDF",
            Box::new(|| {
                let options = options.with_draws(n as u32).with_method(Method::InverseCdf);
                let logits = Logits::new(&singles, n).unwrap();
                let ancestors = &mut cells.borrow_mut().1;
                CpuSampler::new().sample_rows_into(logits, &options, ancestors).unwrap();
            }),
        ),
        (
            "independent, alias table of rand_distr",
            Box::new(|| {
                let weights: Vec<f64> = log_weights.iter().map(|x| x.exp()).collect();
                let alias = WeightedAliasIndex::new(weights).unwrap();
                let mut rng = gumbel::PhiloxRng::new(7);
                let ancestors = &mut cells.borrow_mut().1;
                ancestors.iter_mut().for_each(|to| *to = alias.sample(&mut rng) as u32);
            }),
        ),
    ];
    let best = minima(&mut ways, timed.then_some(ALL));
    if timed {
        println!("| 10⁶ from 10⁶ | ms |\n|---|---|");
        for ((name, _), time) in ways.iter().zip(best) {
            println!("| {name} | {:.1} |", time * 1e3);
        }
    }
}

/// Systematic resampling as one writes it, in f64.
fn ten_lines(log_weights: &[f64], ancestors: &mut [u32]) {
    let most = log_weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = log_weights.iter().map(|x| (x - most).exp()).collect();
    let step = weights.iter().sum::<f64>() / ancestors.len() as f64;
    let (mut point, mut sum, mut particle) = (0.3 * step, weights[0], 0);
    for ancestor in ancestors {
        while point > sum && particle + 1 < weights.len() {
            particle += 1;
            sum += weights[particle];
        }
        *ancestor = particle as u32;
        point += step;
    }
}
