//! The greatest value of each group of categories, for [noise from the top down](crate::cpu::top_down).
//!
//! A maximum is all that a group's upper score needs, so it is taken of the values as they lie in memory: of floats for
//! logits, and of words for weights and counts, which then take a single logarithm for each group.
//!
//! A logit that leaves its row without a draw shows: +∞ is the greatest, and NaNs are flagged. A weight with a sign, an
//! infinite one and a NaN have greater words than all others. An [unsound](Greatest::are_sound) maximum shows an invalid
//! weight or −0, which is a weight of 0; the values are then checked one by one.

use bytemuck::TransparentWrapper;
use half::{bf16, f16};

use super::{INFINITE, ROUGH, VectorValue, fine_log2_of_bits};
use crate::cpu::simd::{Aligned, MAX_TILE, Simd};
use crate::filter::POWER;
use crate::options::{Positive, Value};

/// The operations on values by which the greatest of a group is found, and the members of a group that may win.
pub(in crate::cpu) trait Greatest: Value {
    /// Values, lane by lane, as they are compared.
    type Raw<S: Simd>: Copy;
    /// A bound on single values, for [`reaches`](Self::reaches).
    type Least: Copy;

    /// Loads four vectors of neighbouring values.
    fn load<S: Simd>(s: S, values: &[Self]) -> [Self::Raw<S>; 4];
    /// [`NEVER`](Value::NEVER) in all lanes.
    fn nevers<S: Simd>(s: S) -> Self::Raw<S>;
    /// The greater of each pair; either if one is NaN.
    fn greater<S: Simd>(s: S, a: Self::Raw<S>, b: Self::Raw<S>) -> Self::Raw<S>;
    /// Flags with those of the NaNs among these values, if [`greater`](Self::greater) may lose NaNs.
    fn flag<S: Simd>(s: S, nans: S::NanFlags, values: [Self::Raw<S>; 4]) -> S::NanFlags;
    /// False if the greatest values have to be found again, without −0 and invalid values. May be false for the largest
    /// weights.
    fn are_sound<S: Simd>(s: S, greatest: [Self::Raw<S>; 2]) -> bool;
    /// The floats of the greatest values in the unit of [`slope`](VectorValue::slope): too small by
    /// [`accurate_error`](VectorValue::accurate_error) at most, whatever they are, and −∞ where there is nothing to
    /// draw.
    fn floats<S: Simd>(s: S, greatest: Self::Raw<S>) -> S::Floats;
    /// The bound for values whose [`float`](VectorValue::float) is at least this one.
    fn least(float: f32) -> Self::Least;
    /// True if the float of this value is not below the bound, and for invalid values other than negative NaNs. May be
    /// true for values that are a little below.
    fn reaches(self, least: Self::Least) -> bool;
}

/// Implements [`Greatest`] for a type of logits.
macro_rules! logits {
    ($type:ty) => {
        impl Greatest for $type {
            type Raw<S: Simd> = S::Floats;
            type Least = f32;
            #[inline(always)]
            fn load<S: Simd>(s: S, values: &[Self]) -> [S::Floats; 4] {
                Self::accurate(s, values)
            }
            #[inline(always)]
            fn nevers<S: Simd>(s: S) -> S::Floats {
                s.all(f32::NEG_INFINITY)
            }
            #[inline(always)]
            fn greater<S: Simd>(s: S, a: S::Floats, b: S::Floats) -> S::Floats {
                s.larger(a, b)
            }
            #[inline(always)]
            fn flag<S: Simd>(s: S, nans: S::NanFlags, [a, b, c, d]: [S::Floats; 4]) -> S::NanFlags {
                s.flag_nans(s.flag_nans(nans, a, b), c, d)
            }
            #[inline(always)]
            fn are_sound<S: Simd>(_: S, _: [S::Floats; 2]) -> bool {
                true
            }
            #[inline(always)]
            fn floats<S: Simd>(_: S, greatest: S::Floats) -> S::Floats {
                greatest
            }
            #[inline(always)]
            fn least(float: f32) -> f32 {
                // −∞ reaches no bound
                if float > f32::MIN { float } else { f32::MIN }
            }
            #[inline(always)]
            #[expect(clippy::neg_cmp_op_on_partial_ord, reason = "a NaN reaches every bound")]
            fn reaches(self, least: f32) -> bool {
                !(self.float() < least)
            }
        }
    };
}

logits!(f32);
logits!(f16);
logits!(bf16);

/// The binary logarithms of weights with these bits, which are those of a positive number or 0; −∞ for 0. For a
/// subnormal weight the logarithm is too large by up to 22 powers.
#[inline(always)]
fn log2_of_bits<S: Simd>(s: S, bits: S::Ints) -> S::Floats {
    // a word below 2³¹ has a sign after the subtraction of 1 only if it is 0
    let is_zero = s.to_floats(s.shift_right::<31>(s.sub_ints(bits, s.all_ints(1))));
    let low = s.mul_add(is_zero, s.all(-f32::MAX), fine_log2_of_bits(s, bits));
    // subtracted twice, as the first difference is finite
    s.mul_add(is_zero, s.all(-f32::MAX), low)
}

/// A weight that is at most that of every float from `float` on: −∞ and numbers below all weights give 0.
///
/// A weight's exponent and mantissa, read as one number, are at most [`ROUGH`] less than its logarithm, and an accurate
/// logarithm is off by less than 0.002.
#[inline(always)]
fn least_weight(float: f32) -> f32 {
    let bits = (float - (ROUGH + 0.004) + 127.0) * POWER;
    // the conversion of a float beyond the range, or of NaN, is the end of the range, or 0
    f32::from_bits((bits as u32).min(INFINITE as u32))
}

impl Greatest for Positive {
    type Raw<S: Simd> = S::Ints;
    type Least = u32;
    #[inline(always)]
    fn load<S: Simd>(s: S, values: &[Self]) -> [S::Ints; 4] {
        words(s, bytemuck::cast_slice(Self::peel_slice(values)))
    }
    #[inline(always)]
    fn nevers<S: Simd>(s: S) -> S::Ints {
        s.all_ints(0)
    }
    #[inline(always)]
    fn greater<S: Simd>(s: S, a: S::Ints, b: S::Ints) -> S::Ints {
        s.larger_words(a, b)
    }
    #[inline(always)]
    fn flag<S: Simd>(_: S, nans: S::NanFlags, _: [S::Ints; 4]) -> S::NanFlags {
        nans
    }
    #[inline(always)]
    fn are_sound<S: Simd>(s: S, [a, b]: [S::Ints; 2]) -> bool {
        let halved = s.to_floats(s.halved(s.larger_words(a, b)));
        s.all_below([halved; 4], s.all((INFINITE >> 1) as f32))
    }
    #[inline(always)]
    fn floats<S: Simd>(s: S, greatest: S::Ints) -> S::Floats {
        log2_of_bits(s, greatest)
    }
    #[inline(always)]
    fn least(float: f32) -> u32 {
        least_weight(float).to_bits().max(1)
    }
    #[inline(always)]
    fn reaches(self, least: u32) -> bool {
        self.0.to_bits() >= least
    }
}

impl Greatest for u32 {
    type Raw<S: Simd> = S::Ints;
    type Least = u32;
    #[inline(always)]
    fn load<S: Simd>(s: S, values: &[Self]) -> [S::Ints; 4] {
        words(s, bytemuck::cast_slice(values))
    }
    #[inline(always)]
    fn nevers<S: Simd>(s: S) -> S::Ints {
        s.all_ints(0)
    }
    #[inline(always)]
    fn greater<S: Simd>(s: S, a: S::Ints, b: S::Ints) -> S::Ints {
        s.larger_words(a, b)
    }
    #[inline(always)]
    fn flag<S: Simd>(_: S, nans: S::NanFlags, _: [S::Ints; 4]) -> S::NanFlags {
        nans
    }
    #[inline(always)]
    fn are_sound<S: Simd>(_: S, _: [S::Ints; 2]) -> bool {
        true
    }
    #[inline(always)]
    fn floats<S: Simd>(s: S, greatest: S::Ints) -> S::Floats {
        let Aligned(counts) = &mut Aligned([0; 2 * MAX_TILE]);
        s.store_ints(greatest, counts);
        let floats = s.floats_of_counts(bytemuck::cast_slice(counts));
        log2_of_bits(s, s.bits(floats))
    }
    #[inline(always)]
    fn least(float: f32) -> u32 {
        // a weight of 2³² or more is reached by no count; the conversion makes it the largest count
        (least_weight(float) as u32).max(1)
    }
    #[inline(always)]
    fn reaches(self, least: u32) -> bool {
        self >= least
    }
}

/// Four vectors of words.
#[inline(always)]
fn words<S: Simd>(s: S, words: &[i32]) -> [S::Ints; 4] {
    let lanes = 2 * S::OCTETS;
    [
        s.ints(words),
        s.ints(&words[lanes..]),
        s.ints(&words[2 * lanes..]),
        s.ints(&words[3 * lanes..]),
    ]
}

#[cfg(test)]
mod tests;
