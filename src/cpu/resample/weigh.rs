//! From log-weights in f64 to running sums of integer weights.

use super::super::simd::{Isa, Simd, Task};
use crate::error::Error;
use crate::noise::exp::{NOTHING_FROM, log2_floor, weight};
use crate::noise::gumbel::UNIT;
use crate::options::{Stored, Value};

/// The number of weights that are computed before they are added up.
const BLOCK: usize = 128;

/// Two numbers that [`weigh`] finds on its way, beside the running sums.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weighed {
    /// The largest log-weight.
    pub(crate) most: f64,
    /// The sum of the squares of all integer weights. Weights are at most 2^(62 − ⌊log₂ n⌋), so that the sum is below
    /// 2¹²⁶.
    pub(crate) squares: u128,
}

/// Writes the running sums of the weights of particles with these log-weights.
///
/// # Errors
/// [`Error::UndrawableRow`] if a log-weight is NaN or +∞, or if all are −∞.
pub(crate) fn weigh(isa: Isa, log_weights: &[f64], sums: &mut [u64]) -> Result<Weighed, Error> {
    let Largest { most, valid } = isa.run(FindLargest(log_weights));
    if !valid || most == f64::NEG_INFINITY {
        // there is always a reason
        let reason = f64::undrawable(log_weights.iter().copied()).unwrap_or(f32::NOTHING);
        return Err(Error::UndrawableRow { row: 0, reason });
    }
    let squares = isa.run(Weights { log_weights, most, sums });
    Ok(Weighed { most, squares })
}

struct FindLargest<'a>(&'a [f64]);

struct Largest {
    most: f64,
    /// Whether all log-weights are below +∞, and none is NaN.
    valid: bool,
}

impl Task for FindLargest<'_> {
    type Output = Largest;

    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> Largest {
        const LANES: usize = 16;
        let mut most = [f64::NEG_INFINITY; LANES];
        let mut valid = [true; LANES];
        let (blocks, rest) = self.0.as_chunks::<LANES>();
        for block in blocks {
            for i in 0..LANES {
                most[i] = if block[i] > most[i] { block[i] } else { most[i] };
                valid[i] &= block[i] < f64::INFINITY;
            }
        }
        for (i, &x) in rest.iter().enumerate() {
            most[i] = if x > most[i] { x } else { most[i] };
            valid[i] &= x < f64::INFINITY;
        }
        let most = most.into_iter().fold(f64::NEG_INFINITY, f64::max);
        Largest { most, valid: valid.into_iter().all(|valid| valid) }
    }
}

struct Weights<'a> {
    log_weights: &'a [f64],
    most: f64,
    sums: &'a mut [u64],
}

impl Task for Weights<'_> {
    type Output = u128;

    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> u128 {
        let Self { log_weights, most, sums } = self;
        let log2 = log2_floor(log_weights.len() as u32);
        let (mut sum, mut squares) = (0, 0);
        for (log_weights, sums) in log_weights.chunks(BLOCK).zip(sums.chunks_mut(BLOCK)) {
            for (sum, &log_weight) in sums.iter_mut().zip(log_weights) {
                *sum = integer_weight(log_weight, most, log2);
            }
            for weight in sums {
                squares += u128::from(*weight) * u128::from(*weight);
                sum += *weight;
                *weight = sum;
            }
        }
        squares
    }
}

/// The integer weight of a log-weight: that of [`weight`] for its distance from the largest, which is rounded to units of
/// 2⁻²⁴, ties to even.
#[inline(always)]
fn integer_weight(log_weight: f64, most: f64, log2_particles: u32) -> u64 {
    /// Added to an integer, `INTEGER` leaves it in the lowest bits, and rounds what is no integer.
    const INTEGER: f64 = (1u64 << 52) as f64;
    const NOTHING: f64 = NOTHING_FROM as f64;
    let units = (most - log_weight) * UNIT as f64;
    let units = if units < NOTHING { units } else { NOTHING };
    weight((units + INTEGER).to_bits() & 0xffff_ffff, log2_particles)
}
