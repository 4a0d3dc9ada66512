//! The definition of resampling.

use crate::error::{Error, Undrawable};
use crate::noise::bits::{Stream, uniform_bits, uniform_block};
use crate::noise::cdf::point;
use crate::noise::exp::{NOTHING_FROM, log2_floor, weight};
use crate::noise::gumbel::UNIT;
use crate::options::{Resampling, SampleOptions};

/// The integer weights of particles with these log-weights.
///
/// A log-weight that lies d below the largest has the weight that [`weight`] gives for d in units of 2⁻²⁴, rounded to
/// the nearest, ties to even.
///
/// # Errors
/// [`Error::UndrawableRow`] if a log-weight is NaN or +∞, or if all are −∞.
pub fn particle_weights(log_weights: &[f64]) -> Result<Vec<u64>, Error> {
    let most = log_weights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let undrawable = |reason| Err(Error::UndrawableRow { row: 0, reason });
    if let Some(category) = log_weights.iter().position(|x| x.is_nan()) {
        return undrawable(Undrawable::Nan { category });
    }
    if let Some(category) = log_weights.iter().position(|x| *x == f64::INFINITY) {
        return undrawable(Undrawable::PositiveInfinity { category });
    }
    if most == f64::NEG_INFINITY {
        return undrawable(Undrawable::NothingDrawable);
    }
    let log2 = log2_floor(log_weights.len() as u32);
    let of = |x: &f64| {
        let units = ((most - x) * UNIT as f64).round_ties_even();
        // the conversion saturates
        weight((units as u64).min(NOTHING_FROM), log2)
    };
    Ok(log_weights.iter().map(of).collect())
}

/// The ancestor of each of n positions: [`Particles::resample`](crate::Particles::resample) for these weights, whose sum
/// W is not 0 and below 2⁶³.
///
/// Position i has the uniform number uᵢ, of 64 bits, of draw `first_draw` of the row with id i. The width of a stratum is
/// Δ = ⌊W·2⁶⁴/n⌋.
/// * Systematic: the point of position i is ⌊(i·Δ + ⌊u₀·Δ/2⁶⁴⌋) / 2⁶⁴⌋.
/// * Stratified: the point of position i is ⌊(i·Δ + ⌊uᵢ·Δ/2⁶⁴⌋) / 2⁶⁴⌋.
/// * Residual: particle j has the first ⌊n·wⱼ/W⌋ positions after those of the particles before it. For the positions that
///   are left, particle j has weight ⌊(n·wⱼ mod W) / 2ˢ⌋, and the point of position i is [`point`] of uᵢ and the sum of
///   these weights. Without the division the sum would be r·W, where r is the number of positions that are left; s is the
///   least number with r·W < 2⁶³⁺ˢ.
///
/// The ancestor of a position is the first particle at which the sum of the weights so far exceeds the point.
pub fn resample(
    weights: &[u64],
    scheme: Resampling,
    options: &SampleOptions<'_>,
    n: usize,
) -> Vec<u32> {
    let uniform = |i: usize| {
        let stream = Stream::new(options.seed, options.row_ids.id(i), options.first_draw);
        uniform_bits(uniform_block(stream), options.first_draw)
    };
    let total: u64 = weights.iter().sum();
    let positions = n as u128;
    let width = (u128::from(total) << 64).checked_div(positions).unwrap_or(0);
    // ⌊u·Δ / 2⁶⁴⌋, whose product has up to 191 bits
    let within = |u: u64| {
        let (high, low) = (width >> 64, width & u128::from(u64::MAX));
        u128::from(u) * high + ((u128::from(u) * low) >> 64)
    };
    let stratum = |i: usize| width * i as u128;
    match scheme {
        Resampling::Systematic => {
            let start = if n > 0 { within(uniform(0)) } else { 0 };
            (0..n).map(|i| find(weights, ((stratum(i) + start) >> 64) as u64)).collect()
        }
        Resampling::Stratified => {
            let point = |i| ((stratum(i) + within(uniform(i))) >> 64) as u64;
            (0..n).map(|i| find(weights, point(i))).collect()
        }
        Resampling::Residual => {
            let mut ancestors = Vec::new();
            let mut left = Vec::new();
            for (j, &weight) in (0..).zip(weights) {
                let expected = positions * u128::from(weight);
                let copies = expected / u128::from(total);
                ancestors.extend((0..copies).map(|_| j));
                left.push((expected % u128::from(total)) as u64);
            }
            let sum = u128::from(total) * (n - ancestors.len()) as u128;
            let shift = (0..).find(|s| sum >> s < 1 << 63).unwrap_or(0);
            left.iter_mut().for_each(|weight| *weight >>= shift);
            let sum = left.iter().sum();
            let drawn = (ancestors.len()..n).map(|i| find(&left, point(uniform(i), sum)));
            let drawn: Vec<_> = drawn.collect();
            ancestors.extend(drawn);
            ancestors
        }
    }
}

/// The first particle at which the sum of the weights so far exceeds the point.
fn find(weights: &[u64], point: u64) -> u32 {
    let mut sum = 0;
    let exceeds = weights.iter().position(|&weight| {
        sum += weight;
        sum > point
    });
    exceeds.map_or(u32::MAX, |category| category as u32)
}
