//! Resampling: ancestors of particles from the running sums of their integer weights.
//!
//! Systematic and stratified resampling put one point into each of n strata of the sum. The points are in order, and so
//! are the sums: how many points lie below a sum follows from the stratum in which the sum lies, and from the points of
//! two strata. So no search is needed, and hardly a branch depends on the weights.

use std::ops::Range;

use rayon::current_num_threads;

use super::bound::RoundKeys;
use super::cdf::{Races, Uniforms};
use super::simd::Isa;
use super::threads::{Division, in_chunks};
use crate::error::Error;
use crate::options::{Resampling, RowIds};

mod residual;
mod weigh;

pub(crate) use weigh::{Weighed, weigh};

const DIVISION: Division = Division::WEIGHING;

/// The noise of a call: what a position's uniform number is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Noise<'a> {
    pub(crate) seed: u64,
    pub(crate) ids: RowIds<'a>,
    pub(crate) draw: u32,
}

impl Noise<'_> {
    /// Writes the uniform numbers of the positions `first ..`.
    fn uniforms(&self, isa: Isa, first: usize, uniforms: &mut [u64]) {
        let Self { seed, ids, draw } = *self;
        let races = Races { ids, first_row: 0, first_draw: draw, draws: 1 };
        isa.run(Uniforms { keys: RoundKeys::new(seed), races, first, uniforms });
    }
}

/// Writes the ancestor of each position. The sum of all weights must not be 0.
pub(crate) fn resample(
    isa: Isa,
    sums: &[u64],
    scheme: Resampling,
    noise: &Noise<'_>,
    ancestors: &mut [u32],
) -> Result<(), Error> {
    if ancestors.is_empty() {
        return Ok(());
    }
    if scheme == Resampling::Residual {
        return residual::resample(isa, sums, noise, ancestors);
    }
    let strata = Strata::new(sums[sums.len() - 1], ancestors.len());
    let parallel = !DIVISION.is_small(ancestors.len() + sums.len()) && current_num_threads() > 1;
    let len = if parallel { DIVISION.at_once(1) } else { ancestors.len() };
    if scheme == Resampling::Systematic {
        let mut first = [0];
        noise.uniforms(isa, 0, &mut first);
        let start = strata.within(first[0]);
        let points = Systematic { strata, start, before: (start >> 64) as f64 };
        in_chunks(ancestors, len, parallel, |i, ancestors| {
            place(sums, &points, i * len, ancestors);
        });
    } else {
        in_chunks(ancestors, len, parallel, |i, ancestors| {
            let mut points = Stratified::new(strata);
            for (first, ancestors) in (i * len..).step_by(BLOCK).zip(ancestors.chunks_mut(BLOCK)) {
                points.fill(isa, noise, first, ancestors.len());
                place(sums, &points, first, ancestors);
            }
        });
    }
    Ok(())
}

/// Points in ascending order, all of them below the sum of all weights.
trait Points {
    /// The point of a position.
    fn at(&self, position: usize) -> u64;
    /// The number of points below a sum. Points of a block of positions know their block alone: the result is any number up to
    /// the block's first position if none of its points is below the sum, and any number from its last position on if all are.
    fn below(&self, sum: u64) -> usize;
}

/// Writes the ancestors of the positions `first ..`.
#[inline(always)]
fn place<P: Points>(sums: &[u64], points: &P, first: usize, ancestors: &mut [u32]) {
    let particle_of = |point: u64| sums.partition_point(|&sum| sum <= point);
    let least = particle_of(points.at(first));
    let last = particle_of(points.at(first + ancestors.len() - 1));
    let most = ancestors.len() - 1;
    let mut begin = 0;
    for (particle, &sum) in (least as u32..).zip(&sums[least..last]) {
        let end = points.below(sum).saturating_sub(first).min(most);
        give(ancestors, begin..end, particle);
        begin = end;
    }
    ancestors[begin..].fill(last as u32);
}

/// Gives positions to a particle. A few of the positions after them, which the particles after it will be given, may get its
/// number too: most particles have few positions, and then no branch depends on how many.
#[inline(always)]
fn give(ancestors: &mut [u32], positions: Range<usize>, particle: u32) {
    const FEW: usize = 4;
    let Range { start, end } = positions;
    match ancestors[start..].first_chunk_mut::<FEW>() {
        Some(few) => {
            *few = [particle; FEW];
            if end > start + FEW {
                ancestors[start + FEW..end].fill(particle);
            }
        }
        None => ancestors[start..end].fill(particle),
    }
}

/// The strata into which the sum of all weights is cut, in units of 2⁻⁶⁴ weights.
#[derive(Clone, Copy)]
struct Strata {
    width: u128,
    /// The number of strata for a unit of a sum, to the accuracy of an f64.
    of_unit: f64,
}

impl Strata {
    fn new(total: u64, n: usize) -> Self {
        let width = (u128::from(total) << 64) / n as u128;
        Self { width, of_unit: n as f64 / total as f64 }
    }

    /// How far into its stratum the point of a uniform number lies.
    #[inline(always)]
    fn within(&self, uniform: u64) -> u128 {
        let (high, low) = ((self.width >> 64) as u64, self.width as u64);
        let of_low = (u128::from(uniform) * u128::from(low)) >> 64;
        u128::from(uniform) * u128::from(high) + of_low
    }
}

/// A sum, which is below 2⁶³: then this is one instruction.
#[inline(always)]
fn float(sum: u64) -> f64 {
    sum as i64 as f64
}

/// The integer nearest to a number below 2⁵¹; 0 for a negative one.
#[inline(always)]
fn nearest(x: f64) -> usize {
    const INTEGER: f64 = (1u64 << 52) as f64;
    ((x.max(0.0) + INTEGER).to_bits() & ((1 << 52) - 1)) as usize
}

/// Points at the same distance from each other.
struct Systematic {
    strata: Strata,
    start: u128,
    /// The first point, in whole weights.
    before: f64,
}

impl Points for Systematic {
    #[inline(always)]
    fn at(&self, position: usize) -> u64 {
        // a product of 64 bits and 128, of which no more than 127 count
        ((self.start + self.strata.width * position as u128) >> 64) as u64
    }

    #[inline(always)]
    fn below(&self, sum: u64) -> usize {
        // The rounding error is far below a half. So all points before this one are below the sum, and none after it.
        let near = nearest((float(sum) - self.before) * self.strata.of_unit);
        near + usize::from(self.at(near) < sum)
    }
}

/// The positions whose points are in memory at once: in a near cache, with as many sums and ancestors.
const BLOCK: usize = 1 << 11;

/// A point in each stratum of a block of positions.
struct Stratified {
    strata: Strata,
    /// The first position of the block.
    first: usize,
    /// The points in whole weights, between a 0 and a u64::MAX.
    points: [u64; BLOCK + 2],
}

impl Stratified {
    fn new(strata: Strata) -> Self {
        Self { strata, first: 0, points: [0; BLOCK + 2] }
    }

    /// Makes the points of so many positions.
    #[inline(always)]
    fn fill(&mut self, isa: Isa, noise: &Noise<'_>, first: usize, positions: usize) {
        let strata = self.strata;
        self.first = first;
        self.points[positions + 1] = u64::MAX;
        let points = &mut self.points[1..=positions];
        noise.uniforms(isa, first, points);
        let mut stratum = strata.width * first as u128;
        for point in points {
            *point = ((stratum + strata.within(*point)) >> 64) as u64;
            stratum += strata.width;
        }
    }
}

impl Points for Stratified {
    #[inline(always)]
    fn at(&self, position: usize) -> u64 {
        self.points[position - self.first + 1]
    }

    /// The sum is above the block's first point.
    #[inline(always)]
    fn below(&self, sum: u64) -> usize {
        // The rounding error is far below a half. So all points before the two of this stratum and the one before it are
        // below the sum, and none after them.
        let near = nearest(float(sum) * self.strata.of_unit);
        let near = near.saturating_sub(self.first).min(BLOCK);
        let is_below = |i: usize| usize::from(self.points[i] < sum);
        // a 0 stands before the first point
        (self.first + near + is_below(near) + is_below(near + 1)) - 1
    }
}
