//! What a [`Truncation`](crate::Truncation) compares: shares of integer sums, by integer arithmetic alone.
//!
//! Categories are in the order of K, the [fixed-point](super::order::fixed) logit times the reciprocal of the
//! temperature at which they are cut. A share p of a sum S of [integer weights](super::exp::weight) is the real number
//! p·S: p is an `f32`, so that p·S is a multiple of a power of two, and comparing it with an integer is exact. No
//! threshold depends on the order in which weights are added up, or on how a device rounds.

use super::order::Scale;
use super::weights::fixed_weight;

/// The least integer that is at least share·total: a sum of integer weights is less than share·total if and only if it
/// is less than this. The share is from 0 to 1.
///
/// ```
/// use gumbel::noise::cuts::share_of;
/// assert_eq!(share_of(0.5, 7), 4);
/// assert_eq!(share_of(0.5, 8), 4);
/// // 0.9 as an f32 is a little less than 9/10
/// assert_eq!(share_of(0.9, 1 << 60), 1_037_629_326_658_371_584);
/// assert_eq!(share_of(f32::from_bits(1), u64::MAX), 1);
/// ```
#[inline(always)]
pub const fn share_of(share: f32, total: u64) -> u64 {
    let (mantissa, power) = super::cdf::parts_of_f32(share.to_bits());
    let product = mantissa as u128 * total as u128;
    // share·total = product·2^power, and the power is negative for shares of 1 and less
    let down = -power as u32;
    if down >= 128 {
        return (product > 0) as u64;
    }
    let floor = product >> down;
    (floor + (floor << down < product) as u128) as u64
}

/// The largest distance of K from the largest of its row with which a category has at least this share of the largest
/// probability, in units of 2⁻²⁴: −ln(share), by the [logarithm of weights](super::weights), rounded to the nearest unit.
/// The share is above 0, and 1 at most.
///
/// ```
/// use gumbel::noise::cuts::distance_of;
/// assert_eq!(distance_of(1.0), 0);
/// assert_eq!(distance_of(0.5), (0.5f64.ln() * -16777216.0).round() as u64);
/// ```
#[inline(always)]
pub fn distance_of(share: f32) -> u64 {
    fixed_weight(share.to_bits(), Scale::ONE).min(0).unsigned_abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against fractions of whole numbers: shares of all exponents, totals of all sizes.
    #[test]
    fn shares_are_exact() {
        for exponent in 0..=149 {
            for mantissa in [1u32, 3, 0xff_ffff, 0x80_0001] {
                let share = f64::from(mantissa) * 2f64.powi(-exponent);
                if share > 1.0 || f64::from(share as f32) != share {
                    continue;
                }
                for total in [0u64, 1, 2, 3, 1000, (1 << 62) + 5, u64::MAX] {
                    let got = share_of(share as f32, total);
                    // got - 1 < mantissa·total/2^exponent <= got, in 128 bits where that is enough
                    let product = u128::from(mantissa) * u128::from(total);
                    if exponent < 64 {
                        let scaled = |x: u64| u128::from(x) << exponent;
                        assert!(scaled(got) >= product, "{share} of {total}");
                        assert!(got == 0 || scaled(got - 1) < product, "{share} of {total}");
                    } else {
                        let expected = (product >> 64).div_ceil(1 << (exponent - 64).min(100));
                        let rest = product & u128::from(u64::MAX) > 0;
                        let expected = expected.max(u128::from(rest || product > 0));
                        assert!(u128::from(got).abs_diff(expected) <= 1, "{share} of {total}");
                    }
                }
            }
        }
    }

    #[test]
    fn distances_are_logarithms() {
        for share in [1.0, 0.999, 0.1, 0.05, 1e-3, 1e-20, f32::MIN_POSITIVE, f32::from_bits(1)] {
            let exact = -f64::from(share).ln() * f64::from(1 << 24);
            assert!((distance_of(share) as f64 - exact).abs() <= 1.0, "{share}");
        }
    }
}
