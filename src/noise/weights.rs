//! Fixed-point logarithms of positive weights, which take the place of a logit in a key.
//!
//! A weight w is an unnormalised probability itself, and its logit is ln w. No float logarithm may decide a draw, so
//! the logarithm here uses integers: w = 2^e·(1 + f) gives ln w = e·ln 2 + ln(1 + f), with the polynomial of the
//! [noise](super::gumbel). Before its rounding to units of 2⁻²⁴, the result is within 0.3 units of the true logarithm
//! (0.05 for weights from 2⁻²⁰ to 2²⁰), as ln 2 has 32 bits and e goes up to 149.
//!
//! Weights of `f32` are read as bit patterns: subnormal ones count for what they are, also on devices
//! that flush them. Counts are 32-bit integers.

use super::gumbel::{LN2, ln1p};
use super::order::{Scale, scaled64};

/// The bits of −0, which is a weight of zero as well.
const NEGATIVE_ZERO: u32 = 1 << 31;

/// True for the bits of a weight that leaves its row without a draw: NaN, infinite or negative.
#[inline(always)]
pub const fn is_invalid_weight(bits: u32) -> bool {
    bits >= 0x7f80_0000 && bits != NEGATIVE_ZERO
}

/// True for the bits of a weight that is never drawn: zero, of either sign.
#[inline(always)]
pub const fn is_zero_weight(bits: u32) -> bool {
    bits & 0x7fff_ffff == 0
}

/// ln(2^power·(1 + f)) times the scale, for the 0.32 fraction f = `fraction`: rounded to the nearest unit of 2⁻²⁴, ties
/// to even.
#[inline(always)]
pub fn fixed_ln(power: i32, fraction: u32, scale: Scale) -> i64 {
    let powers = power.unsigned_abs() as u64 * LN2 as u64;
    let rest = ln1p(fraction) as u64;
    // the rest is below ln 2
    let magnitude = if power < 0 { powers - rest } else { powers + rest };
    scaled64(magnitude, -32, power < 0, scale)
}

/// The logarithm of a valid weight of `f32` that is not zero, times the scale, in units of 2⁻²⁴.
///
/// ```
/// use gumbel::noise::order::Scale;
/// use gumbel::noise::weights::fixed_weight;
/// let units = |weight: f32| fixed_weight(weight.to_bits(), Scale::ONE);
/// assert_eq!(units(1.0), 0);
/// assert_eq!(units(8.0), (8f64.ln() * 2f64.powi(24)).round() as i64);
/// ```
#[inline(always)]
pub fn fixed_weight(bits: u32, scale: Scale) -> i64 {
    let exponent = (bits >> 23 & 0xff) as i32;
    let fraction = bits & 0x7f_ffff;
    let zeros = fraction.leading_zeros();
    // a subnormal weight is its fraction in units of 2^-149; the shifts take out the leading one
    let (power, fraction) = if exponent == 0 {
        (31 - zeros as i32 - 149, (fraction << (zeros & 31)) << 1)
    } else {
        (exponent - 127, fraction << 9)
    };
    fixed_ln(power, fraction, scale)
}

/// The logarithm of a count that is not zero, times the scale, in units of 2⁻²⁴.
#[inline(always)]
pub fn fixed_count(count: u32, scale: Scale) -> i64 {
    let zeros = count.leading_zeros();
    fixed_ln(31 - zeros as i32, (count << (zeros & 31)) << 1, scale)
}

/// The key of a weight of `f32` at temperature 0: an integer in the order of the weights.
#[inline(always)]
pub const fn greedy_weight(bits: u32) -> i64 {
    ((bits & 0x7fff_ffff) as i64) << 32
}

/// The key of a count at temperature 0: an integer in the order of the counts.
#[inline(always)]
pub const fn greedy_count(count: u32) -> i64 {
    (count as i64) << 31
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::gumbel::UNIT;

    fn error(units: i64, weight: f64) -> f64 {
        (units as f64 - weight.ln() * UNIT as f64).abs()
    }

    /// Weights of every exponent with the fractions around which rounding changes, and a million others.
    fn weights() -> impl Iterator<Item = f32> {
        let edges = (0..255u32).flat_map(|exponent| {
            [0, 1, 2, 0x3f_ffff, 0x40_0000, 0x7f_fffe, 0x7f_ffff].map(|f| exponent << 23 | f)
        });
        let others = (0..1_000_000u32).map(|i| i.wrapping_mul(2_654_435_761) >> 1);
        let bits = edges.chain(others).filter(|&bits| bits > 0 && bits < 0x7f80_0000);
        bits.map(f32::from_bits)
    }

    #[test]
    fn the_logarithm_is_near_the_true_one() {
        let mut worst = [0f64; 2];
        for weight in weights() {
            let error = error(fixed_weight(weight.to_bits(), Scale::ONE), f64::from(weight));
            let usual = (1e-6..1e6).contains(&weight);
            worst[usize::from(usual)] = worst[usize::from(usual)].max(error);
        }
        println!("worst, in units: {worst:?}");
        assert!(worst[0] < 0.8 && worst[1] < 0.55);
    }

    #[test]
    fn the_logarithm_of_a_count_is_near_the_true_one() {
        let edges = (0..32).flat_map(|i| [(1u32 << i) - 1, 1 << i, (1 << i) + 1]);
        let others = (0..1_000_000u32).map(|i| i.wrapping_mul(2_654_435_761) | 1);
        for count in edges.chain(others).chain([u32::MAX]).filter(|&count| count > 0) {
            let units = fixed_count(count, Scale::ONE);
            assert!(error(units, f64::from(count)) < 0.6, "{count}");
            // the same number as a float
            if count < 1 << 24 {
                assert_eq!(units, fixed_weight((count as f32).to_bits(), Scale::ONE), "{count}");
            }
        }
    }

    #[test]
    fn larger_weights_have_no_smaller_logarithm() {
        let mut last = i64::MIN;
        for exponent in 0..255u32 {
            for step in 0..4096u32 {
                let bits = exponent << 23 | step << 11 | step & 3;
                if bits > 0 {
                    let units = fixed_weight(bits, Scale::ONE);
                    assert!(units >= last, "{bits:x}");
                    last = units;
                }
            }
        }
    }

    #[test]
    fn a_temperature_divides_the_logarithm() {
        for temperature in [0.25f32, 2.0, 1024.0, 2f32.powi(-20)] {
            let scale = Scale::from_temperature(temperature).unwrap();
            for weight in weights().step_by(97) {
                let units = fixed_weight(weight.to_bits(), scale) as f64;
                let expected = f64::from(weight).ln() / f64::from(temperature) * UNIT as f64;
                let tolerance = 0.5 + 0.3 / f64::from(temperature);
                assert!((units - expected).abs() < tolerance, "{weight} at {temperature}");
            }
        }
    }

    #[test]
    fn validity_is_read_from_the_bits() {
        for valid in [0.0, -0.0, 1.0, f32::MAX, f32::from_bits(1)] {
            assert!(!is_invalid_weight(valid.to_bits()), "{valid}");
            assert_eq!(is_zero_weight(valid.to_bits()), valid == 0.0);
        }
        for invalid in [-1.0, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, -f32::NAN, -1e-45] {
            assert!(is_invalid_weight(invalid.to_bits()), "{invalid}");
        }
    }

    #[test]
    fn greedy_keys_are_in_the_order_of_the_weights() {
        assert!(greedy_weight(f32::MAX.to_bits()) > greedy_weight(1f32.to_bits()));
        assert!(greedy_weight(1) > 0 && greedy_weight(NEGATIVE_ZERO) == 0);
        assert!(greedy_count(u32::MAX) > greedy_count(u32::MAX - 1) && greedy_count(1) > 0);
    }
}
