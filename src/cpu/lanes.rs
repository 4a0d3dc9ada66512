//! The contract's arithmetic without a branch: the compiler turns plain loops over these functions into
//! vector instructions.
//!
//! Words of 32 bits lie in 64-bit lanes, because their products need 64 bits.

use crate::noise::gumbel::{LN1P, LN2, SEEN, TAIL};
use crate::noise::order::NEG_INFINITY;

pub(super) const LOW: u64 = 0xffff_ffff;
/// The bits of 2⁵² as an `f64`. From there on neighbouring floats are 1 apart, so that the bits `UNITS |
/// word` are the float 2⁵² + word.
const UNITS: u64 = 0x4330_0000_0000_0000;
/// 1.5·2⁵². Added to a float of up to ±2⁵¹, this number rounds the float to an integer, ties to even, and
/// leaves the integer in the lowest bits.
pub(super) const TO_INTEGER: f64 = 6_755_399_441_055_744.0;

/// The product of two 0.32 fractions.
#[inline(always)]
pub(super) fn mul_high(a: u64, b: u64) -> u64 {
    ((a & LOW) * (b & LOW)) >> 32
}

#[inline(always)]
fn alternating(words: &[u32], x: u64) -> u64 {
    words[1..].iter().fold(words[0].into(), |sum, &word| u64::from(word) - mul_high(sum, x))
}

#[inline(always)]
fn ln1p(f: u64) -> u64 {
    let f = f & u64::from(SEEN);
    f - mul_high(f, mul_high(f, alternating(&LN1P, f)))
}

/// ln(−ln(1 − p) / p), a 0.32 fraction, for 64 bits of noise with p below ½.
#[inline(always)]
pub(super) fn tail(v: u64) -> u64 {
    let x = (v >> 31) & u64::from(SEEN);
    mul_high(x, alternating(&TAIL, !x & LOW))
}

/// The number of leading zeros of n > 0, from the exponent of a float: few vector instruction sets can count
/// them.
#[inline(always)]
pub(super) fn leading_zeros(n: u64) -> u64 {
    let high = n >> 32;
    let (word, of_one) = if high != 0 { (high, 1023 + 31) } else { (n & LOW, 1023 + 63) };
    // the word as a float, exactly
    let float = f64::from_bits(UNITS | word) - f64::from_bits(UNITS);
    of_one - (float.to_bits() >> 52)
}

/// −ln(n / 2⁶⁵) for n > 0, in units of 2⁻³²: the logarithm that [`gumbel`](crate::noise::gumbel) takes,
/// without a branch.
#[inline(always)]
fn neg_ln(n: u64) -> u64 {
    let zeros = leading_zeros(n);
    let f = ((n << (zeros & 63)) >> 31) & LOW;
    (zeros + 2) * u64::from(LN2) - ln1p(f)
}

/// −ln p if p is below ½, and otherwise −ln(1 − p), in units of 2⁻³².
#[inline(always)]
pub(super) fn outer(v: u64) -> u64 {
    neg_ln(2 * (if is_low(v) { v } else { !v }) + 1)
}

/// The Gumbel value of noise with this [`outer`] logarithm and [`tail`].
#[inline(always)]
pub(super) fn gumbel_of(v: u64, outer: u64, tail: u64) -> i64 {
    let inner = neg_ln(outer).wrapping_sub(33 * u64::from(LN2));
    let low = low_gumbel_of(outer, tail);
    let high = ((inner as i64) + (1 << 7)) >> 8;
    if is_low(v) { low } else { high }
}

/// The Gumbel value of noise with this [`outer`] logarithm and [`tail`], if p is below ½.
#[inline(always)]
pub(super) fn low_gumbel_of(outer: u64, tail: u64) -> i64 {
    ((outer.wrapping_sub(tail) as i64) + (1 << 7)) >> 8
}

/// Whether p is below ½.
#[inline(always)]
pub(super) fn is_low(v: u64) -> bool {
    v < 1 << 63
}

/// Logits are [near](near_fixed) 0 if their product with the scale is below this in magnitude.
pub(super) const NEAR: f64 = (1u64 << 27) as f64;

/// [`fixed`](crate::noise::order::fixed) of a logit whose product with the scale is below [`NEAR`] in
/// magnitude: the product of two `f32` is exact in `f64`, and is rounded once. For other logits the result
/// means nothing.
#[inline(always)]
pub(super) fn near_fixed(logit: f32, units: f64) -> i64 {
    let rounded = f64::from(logit) * units + TO_INTEGER;
    rounded.to_bits().wrapping_sub(TO_INTEGER.to_bits()) as i64
}

/// The bits of a logit's magnitude, but 0 for −∞. The result for +∞ and NaN is greater than that for any
/// finite logit.
#[inline(always)]
pub(super) fn magnitude(logit: f32) -> u32 {
    let bits = logit.to_bits();
    if bits == NEG_INFINITY { 0 } else { bits & 0x7fff_ffff }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::gumbel::gumbel;
    use crate::noise::order::{Scale, fixed};
    use crate::noise::philox::philox4x32_10;

    fn words() -> impl Iterator<Item = u64> {
        let random = (0..200_000).map(|i| philox4x32_10([i, 0, 0, 9], [3, 4]));
        let random = random.map(|[a, b, c, _]| (u64::from(a) << 32 | u64::from(b)) >> (c % 64));
        let edges = (0..64).flat_map(|i| [1 << i, (1 << i) - 1, !(1 << i), u64::MAX << i]);
        random.chain(edges)
    }

    #[test]
    fn gumbel_values_are_the_contracts() {
        for v in words().flat_map(|v| [v, !v]) {
            assert_eq!(gumbel_of(v, outer(v), tail(v)), i64::from(gumbel(v)), "{v:#x}");
        }
    }

    #[test]
    fn near_logits_are_the_contracts() {
        let mut near = 0;
        for v in words() {
            let logit = f32::from_bits(v as u32);
            for temperature in [1.0, 0.7, 3.0, Scale::MIN_TEMPERATURE, Scale::MAX_TEMPERATURE] {
                let scale = Scale::from_temperature(temperature).unwrap();
                let factor = f64::from(scale.reciprocal());
                if (f64::from(logit) * factor).abs() < NEAR {
                    let got = near_fixed(logit, factor * (1u64 << 24) as f64);
                    assert_eq!(got, fixed(logit.to_bits(), scale), "{logit} at {temperature}");
                    near += 1;
                }
            }
        }
        assert!(near > 100_000);
    }
}
