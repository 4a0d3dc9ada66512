//! Resampling: ancestors of particles from the running sums of their integer weights.
//!
//! Systematic and stratified resampling put one point into each of n strata of the sum. The points are in order, and so
//! are the sums: how many points lie below a sum follows from the stratum in which the sum lies, and from the points of
//! two strata. So no search is needed, and no branch depends on the weights.

use rayon::current_num_threads;

use super::bound::RoundKeys;
use super::cdf::{Races, Uniforms};
use super::simd::Isa;
use super::threads::{Division, in_chunks};
use crate::error::Error;
use crate::job::zeroed;
use crate::options::RowIds;
use crate::particles::Resampling;

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
    let n = ancestors.len();
    let strata = Strata::new(sums[sums.len() - 1], n);
    if scheme == Resampling::Systematic {
        let mut first = [0];
        noise.uniforms(isa, 0, &mut first);
        let start = strata.within(first[0]);
        place(sums, &Systematic { strata, start, before: (start >> 64) as f64 }, ancestors);
    } else {
        let mut points = zeroed(n).ok_or(Error::NoMemoryForPoints { positions: n })?;
        strata.stratified(isa, noise, &mut points);
        place(sums, &Stratified { strata, points: &points }, ancestors);
    }
    Ok(())
}

/// Points in ascending order, all of them below the sum of all weights.
trait Points: Sync {
    /// The point of a position.
    fn at(&self, position: usize) -> u64;
    /// The number of points below a sum.
    fn below(&self, sum: u64) -> usize;
}

/// Writes the ancestor of each position, on several threads if there are many.
fn place<P: Points>(sums: &[u64], points: &P, ancestors: &mut [u32]) {
    let len = DIVISION.at_once(1);
    let parallel = !DIVISION.is_small(ancestors.len() + sums.len()) && current_num_threads() > 1;
    let len = if parallel { len } else { ancestors.len() };
    in_chunks(ancestors, len, parallel, |i, ancestors| {
        place_some(sums, points, i * len, ancestors);
    });
}

/// Writes the ancestors of the positions `first ..`.
fn place_some<P: Points>(sums: &[u64], points: &P, first: usize, ancestors: &mut [u32]) {
    let particle_of = |point: u64| sums.partition_point(|&sum| sum <= point);
    let least = particle_of(points.at(first));
    let last = particle_of(points.at(first + ancestors.len() - 1));
    ancestors.fill(0);
    // A particle's first position gets its number. So do the numbers of particles before it that have no position, but
    // these are overwritten.
    let most = ancestors.len() - 1;
    let mut head = 0;
    for (particle, &sum) in (least as u32..).zip(&sums[least..last]) {
        ancestors[head] = particle;
        head = points.below(sum).saturating_sub(first).min(most);
    }
    ancestors[head] = last as u32;
    let mut largest = 0;
    for ancestor in ancestors {
        largest = largest.max(*ancestor);
        *ancestor = largest;
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

    /// Writes the points of stratified resampling, in whole weights.
    fn stratified(&self, isa: Isa, noise: &Noise<'_>, points: &mut [u64]) {
        let len = DIVISION.at_once(1);
        in_chunks(points, len, !DIVISION.is_small(points.len()), |i, points| {
            let first = i * len;
            noise.uniforms(isa, first, points);
            let mut stratum = self.width * first as u128;
            for point in points {
                *point = ((stratum + self.within(*point)) >> 64) as u64;
                stratum += self.width;
            }
        });
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

/// A point in each stratum.
struct Stratified<'a> {
    strata: Strata,
    points: &'a [u64],
}

impl Points for Stratified<'_> {
    #[inline(always)]
    fn at(&self, position: usize) -> u64 {
        self.points[position]
    }

    #[inline(always)]
    fn below(&self, sum: u64) -> usize {
        // The rounding error is far below a half. So all points before the two of this stratum and the one before it are
        // below the sum, and none after them.
        let near = nearest(float(sum) * self.strata.of_unit);
        let before = near.saturating_sub(1);
        let is_below = |stratum: usize| self.points.get(stratum).is_some_and(|&point| point < sum);
        before + usize::from(is_below(before)) + usize::from(near > before && is_below(near))
    }
}
