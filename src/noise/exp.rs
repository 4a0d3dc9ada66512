//! Integer weights of logits: e to the scaled logit, by integer arithmetic alone.
//!
//! An inverse CDF adds weights up. Sums of integers do not depend on their order, so that every device and every number
//! of threads gets the same sums.
//!
//! Let d ≥ 0 be the distance of a category's [fixed](super::order::fixed) logit from the largest of its row, in units
//! of 2⁻²⁴, and L = ⌊log₂ categories⌋. The weight is *defined* here, as the nearest integer to 2^(62 − L)·m·2⁻ᵏ, where
//! d·log₂e = k + f with an integer k and a fraction f, and m is 2⁻ᶠ as [`exp2_neg`] computes it. The largest weight is
//! 2^(62 − L) exactly, and the sum of all weights is less than 2⁶³.
//!
//! **Accuracy.** m is within 2⁻³⁰ of itself. A weight never increases with d, as a unit of d changes the weight by 2⁻²⁴
//! of itself.
//!
//! **Resolution.** A category with less than 2^−(63 − L) of the probability of the most probable category has weight 0:
//! 2⁻⁵⁴ with 1,000 categories, 2⁻⁴⁴ with a million, 2⁻³² with 2³² − 1. All roundings together move no more probability
//! than categories·2^−(63 − L) of that of the most probable category.
//!
//! The coefficients come from `scripts/derive_exp.py`.

use super::wide::{mul_high, mul_wide};

/// log₂e in units of 2⁻⁶³, the low word first.
const LOG2_E: [u32; 2] = [0x5c17_f0bc, 0xb8aa_3b29];

/// The words of Q(f) = (1 − 2⁻ᶠ) / f on [0, 1], highest power first. Error: 0.5·2⁻³². Each word is shifted up until its
/// leading bit is set, so that the roundings of nearly all Horner steps are negligible.
const EXP2: [u32; 7] =
    [0xbda5_a379, 0x9c1f_fe34, 0xae51_609a, 0x9d90_6a32, 0xe358_126e, 0xf5fd_ef2c, 0xb172_17f8];

/// By how many bits less a word is shifted up than the word before it.
const SHIFTS: [u32; 6] = [4, 3, 3, 2, 2, 2];

/// The distance from which on every weight is 0: 64, in units of 2⁻²⁴.
pub(crate) const NOTHING_FROM: u64 = 1 << 30;

/// ⌊log₂ n⌋ of a number of categories n > 0.
#[inline(always)]
pub const fn log2_floor(n: u32) -> u32 {
    31 - n.leading_zeros()
}

/// 2⁻ᶠ of a 0.32 fraction f, in units of 2⁻³²: 2³¹ − 2 to 2³².
#[inline(always)]
pub const fn exp2_neg(f: u32) -> u64 {
    let mut sum = EXP2[0];
    let mut i = 0;
    while i < SHIFTS.len() {
        sum = EXP2[i + 1].wrapping_sub(mul_high(sum, f) >> SHIFTS[i]);
        i += 1;
    }
    (1 << 32) - mul_high(sum, f) as u64
}

/// The weight of a category whose fixed-point logit lies `difference` below the largest of its row. The row has
/// 2^`log2_categories` categories or more, but fewer than twice as many.
///
/// ```
/// use gumbel::noise::exp::{log2_floor, weight};
/// use gumbel::noise::gumbel::UNIT;
/// let log2_categories = log2_floor(1000);
/// assert_eq!(weight(0, log2_categories), 1 << 53);
/// let odds = weight(UNIT as u64, log2_categories) as f64 / (1u64 << 53) as f64;
/// assert!((odds - (-1f64).exp()).abs() < 1e-9);
/// ```
#[inline(always)]
pub const fn weight(difference: u64, log2_categories: u32) -> u64 {
    if difference >= NOTHING_FROM {
        return 0;
    }
    let d = difference as u32;
    // d·log2(e) in units of 2^-55
    let (low, high) = mul_wide(d, LOG2_E[1]);
    let y = ((high as u64) << 32 | low as u64) + mul_high(d, LOG2_E[0]) as u64;
    let shift = (y >> 55) as u32 + log2_categories;
    if shift > 63 {
        return 0;
    }
    let twice = (exp2_neg((y >> 23) as u32) << 31) >> shift;
    (twice + 1) >> 1
}

#[cfg(test)]
mod tests;
