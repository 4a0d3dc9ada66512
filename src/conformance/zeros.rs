//! Rows in which what an engine compares is 0. Floats that are next to it may be taken for 0, so that nothing may be kept
//! in their least bits.

use std::f64::consts::LN_2;

use super::{Case, Data, normal};
use crate::noise::bits::Stream;
use crate::noise::groups::noise;
use crate::noise::gumbel::{UNIT, gumbel};

/// Short rows, which one invocation of a device takes, a few, or a workgroup.
const SHAPES: [(usize, usize); 6] =
    [(2000, 2), (1000, 16), (65, 16), (65, 24), (65, 100), (40, 1000)];

/// All cases.
pub(super) fn cases() -> impl Iterator<Item = Case> {
    SHAPES.into_iter().flat_map(|(rows, categories)| {
        [
            of("the best key is 0", (rows, categories), |noise| -key(noise), 0.05),
            // others must not reach the cutoff that this one sets
            of("the best score is 0", (rows, categories), logarithm_of_coarse_bits, 1.0),
        ]
    })
}

/// A case in which one category of a row has about this logit, by its noise, and the others are this far behind, or twice.
fn of(
    name: &'static str,
    (rows, categories): (usize, usize),
    logit: fn(u64) -> f64,
    behind: f64,
) -> Case {
    let mut case = Case::new(name, rows, categories, normal);
    let seed = case.options.seed;
    let value = |i: usize| {
        let (row, category) = (i / categories, i % categories);
        let noise = noise(Stream::new(seed, row as u64, 0), category as u32, categories);
        let first = category == row * 7 % categories;
        let less = if first { 0.0 } else { behind * (1.0 + (i % 11) as f64 / 10.0) };
        (logit(noise) - less) as f32
    };
    case.data = Data::F32((0..rows * categories).map(value).collect());
    case
}

/// G of this noise.
fn key(noise: u64) -> f64 {
    f64::from(gumbel(noise)) / UNIT as f64
}

/// The logit whose upper score is 0 with the coarse bits of this noise; see `filter.rs`.
fn logarithm_of_coarse_bits(noise: u64) -> f64 {
    let coarse = (noise >> 48) as f32;
    f64::from(coarse.to_bits()) / f64::from(1 << 23) * LN_2
}
