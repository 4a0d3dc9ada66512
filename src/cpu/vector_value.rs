//! The values of rows as vectors: logits of three types, weights and counts.
//!
//! All algorithms compare floats first, in one of two units: a logit, or the binary logarithm of a weight.
//! This logarithm comes in two qualities. The *rough* logarithm is the weight's exponent and mantissa read as
//! one number, and costs a conversion: it is at most [`ROUGH`] too small for a normal weight, and never too
//! small for any other. The filter takes the rough one. The *accurate* logarithm has a polynomial on top, and
//! is within [`ACCURATE_ERROR`]. Bounds on keys are made from the accurate one, and allow for that error
//! times 1/temperature.
//!
//! Neither logarithm bounds a weight that is subnormal or invalid: such weights are not
//! [bounded](VectorValue::is_bounded), and are evaluated exactly.

use bytemuck::TransparentWrapper;
use half::{bf16, f16};

mod greatest;

pub(super) use greatest::Greatest;

use super::lanes::{NEAR, magnitude, near_fixed};
use super::restrict::cut::Weigh;
use super::simd::{ONE, Simd, widen};
use crate::filter::POWER;
use crate::noise::bits::OCTET;
use crate::noise::gumbel::UNIT;
use crate::noise::order::Scale;
use crate::options::{Chance, Positive, Value, Widen};

/// The most by which log₂(1 + f) exceeds f, and a little.
const ROUGH: f32 = 0.0862;
/// The most by which the accurate logarithm may be off, in powers; tested.
const ACCURATE_ERROR: f32 = 1.0 / 1024.0;
/// The exponent of 1, as it stands in a float.
const BIAS: i32 = 127 << 23;
/// The bits of the least normal number, and of infinity.
const LEAST: i32 = 1 << 23;
const INFINITE: i32 = 255 << 23;
/// The number of units in a power of two when a float's bits, halved, are read as exponent and mantissa: 2²².
const HALVED: f32 = 4_194_304.0;
/// The least rough logarithm of an invalid weight. Those of the very largest weights are rounded up to this.
const HUGE: f32 = 128.0 * HALVED;

/// A type of values that rows may have.
pub(super) trait VectorValue: Greatest<Wide: Weigh> {
    /// The values of `S::OCTETS` octets in the unit of [`slope`](Self::slope), to within
    /// [`ACCURATE_ERROR`] of a power where they are bounded. −∞ where the probability is 0.
    fn accurate<S: Simd>(s: S, values: &[Self]) -> [S::Floats; 4];
    /// The values in the unit of [`rough_slope`](Self::rough_slope), too small by at most
    /// [`rough_error`](Self::rough_error). A bounded value is too large by a rounding at most, which is much
    /// less.
    fn rough<S: Simd>(s: S, values: &[Self]) -> [S::Floats; 4];
    /// Whether all values of a tile are bounded or of probability 0. May be false for the largest weights.
    fn all_bounded<S: Simd>(s: S, values: &[Self], accurate: [S::Floats; 4]) -> bool;
    /// Whether no value of a tile is invalid, given what [`rough`](Self::rough) returns for the tile. May be
    /// false for the largest weights. Invalid logits pass every cutoff, and need not be looked for.
    fn all_valid<S: Simd>(s: S, rough: [S::Floats; 4]) -> bool;
    /// Whether a filter has to look for invalid values.
    const CHECK_VALID: bool;
    /// Whether floats bound this value, if the value can be drawn.
    fn is_bounded(self) -> bool;
    /// The float of this value, as [`accurate`](Self::accurate) gives it for many values.
    fn float(self) -> f32;
    /// The factor from accurate floats to the unit of the filter.
    fn slope(scale: Scale) -> f32 {
        scale.reciprocal() * (POWER * Self::LOG2)
    }
    /// The factor from rough floats to the unit of the filter.
    fn rough_slope(scale: Scale) -> f32 {
        Self::slope(scale)
    }
    /// The most by which accurate floats may be off, in the unit of the filter.
    fn accurate_error(_: Scale) -> f32 {
        0.0
    }
    /// The most by which rough floats may be too small, in the unit of the filter.
    fn rough_error(_: Scale) -> f32 {
        0.0
    }
    /// An integer in the order of values that can be drawn.
    fn ordered(self) -> i32;
    /// Writes [`Value::fixed`] of several values. The result for a value that cannot be drawn means nothing.
    #[inline(always)]
    fn fixed_all(values: &[Self], scale: Scale, to: &mut [i64]) {
        for (to, value) in to.iter_mut().zip(values) {
            *to = if value.chance() == Chance::Some { value.fixed(scale) } else { 0 };
        }
    }
}

/// Implements [`VectorValue`] for a type of logits.
macro_rules! logits {
    ($type:ty, $load:ident, $single:expr) => {
        impl VectorValue for $type {
            const CHECK_VALID: bool = false;
            #[inline(always)]
            fn accurate<S: Simd>(s: S, values: &[Self]) -> [S::Floats; 4] {
                let lanes = 2 * S::OCTETS;
                [
                    s.$load(values),
                    s.$load(&values[lanes..]),
                    s.$load(&values[2 * lanes..]),
                    s.$load(&values[3 * lanes..]),
                ]
            }
            #[inline(always)]
            fn rough<S: Simd>(s: S, values: &[Self]) -> [S::Floats; 4] {
                Self::accurate(s, values)
            }
            #[inline(always)]
            fn all_bounded<S: Simd>(s: S, _: &[Self], accurate: [S::Floats; 4]) -> bool {
                Self::all_valid(s, accurate)
            }
            #[inline(always)]
            fn all_valid<S: Simd>(s: S, rough: [S::Floats; 4]) -> bool {
                s.all_below(rough, s.all(f32::INFINITY))
            }
            #[inline(always)]
            fn is_bounded(self) -> bool {
                self.chance() != Chance::Invalid
            }
            #[inline(always)]
            fn float(self) -> f32 {
                let single: fn(Self) -> f32 = $single;
                single(self)
            }
            #[inline(always)]
            fn fixed_all(values: &[Self], scale: Scale, to: &mut [i64]) {
                let factor = f64::from(scale.reciprocal());
                let mut farthest = 0;
                for (to, value) in to.iter_mut().zip(values) {
                    let logit = value.widen();
                    farthest = farthest.max(magnitude(logit));
                    *to = near_fixed(logit, factor * UNIT as f64);
                }
                // false for a NaN, too
                let all_near = f64::from(f32::from_bits(farthest)) * factor < NEAR;
                if !all_near {
                    for (to, value) in to.iter_mut().zip(values) {
                        let some = value.chance() == Chance::Some;
                        *to = if some { value.fixed(scale) } else { 0 };
                    }
                }
            }
            #[inline(always)]
            fn ordered(self) -> i32 {
                // the order of the floats; both zeros are 0
                let bits = self.widen().to_bits();
                let magnitude = (bits & 0x7fff_ffff) as i32;
                if (bits as i32) < 0 { -magnitude } else { magnitude }
            }
        }
    };
}

logits!(f32, floats, |x| x);
// the conversion of the crate `half` looks for an instruction each time
logits!(f16, floats_of_f16, |x| widen(x));
logits!(bf16, floats_of_bf16, |x| x.to_f32());

/// log₂ m − (m − 1), for m from 1 to 2, as a polynomial of m. Highest power first. From
/// `scripts/derive_bounds.py`.
const EXCESS: [f32; 4] = [0.158_243_9, -1.051_854, 2.047_853, -1.153_606];

/// The binary logarithms of normal weights from their exponents and mantissas alone, in units of 2⁻²³ of a
/// power. For negative, infinite and NaN weights the result is 128 powers or more, or −127 or less.
#[inline(always)]
fn linear_log2<S: Simd>(s: S, weights: S::Floats) -> S::Floats {
    linear_log2_of_bits(s, s.bits(weights))
}

#[inline(always)]
fn linear_log2_of_bits<S: Simd>(s: S, bits: S::Ints) -> S::Floats {
    s.to_floats(s.sub_ints(bits, s.all_ints(BIAS)))
}

/// The binary logarithms of normal weights, in powers: from exponents and mantissas, with a polynomial on
/// top.
#[inline(always)]
fn fine_log2<S: Simd>(s: S, weights: S::Floats) -> S::Floats {
    fine_log2_of_bits(s, s.bits(weights))
}

#[inline(always)]
fn fine_log2_of_bits<S: Simd>(s: S, bits: S::Ints) -> S::Floats {
    let m = s.mantissas(bits);
    let mut excess = s.all(EXCESS[0]);
    for &word in &EXCESS[1..] {
        excess = s.mul_add(excess, m, s.all(word));
    }
    s.mul_add(linear_log2_of_bits(s, bits), s.all(1.0 / POWER), excess)
}

/// The binary logarithms of weights from their exponents and mantissas alone, in units of 2⁻²² of a power.
/// The result for a negative number is larger than for any weight.
#[inline(always)]
fn rough_log2<S: Simd>(s: S, weights: S::Floats) -> S::Floats {
    // a sign bit, shifted right, makes a word larger than those of all weights
    let halved = s.halved(s.bits(weights));
    s.to_floats(s.sub_ints(halved, s.all_ints(BIAS >> 1)))
}

/// Whether all weights are normal. (False for the very largest.)
#[inline(always)]
fn all_normal<S: Simd>(s: S, weights: [S::Floats; 4]) -> bool {
    // after subtraction of the least normal number's bits, the words of numbers that are not normal are,
    // unsigned, greater than those of all normal numbers
    let mut most = s.all_ints(0);
    for weights in weights {
        most = s.larger_words(most, s.sub_ints(s.bits(weights), s.all_ints(LEAST)));
    }
    s.all_below([s.to_floats(s.halved(most)); 4], s.all(((INFINITE - LEAST) >> 1) as f32))
}

/// Whether all weights are normal or 0. Zeros fill up the octet in which a row ends.
#[inline(always)]
fn all_normal_or_zero<S: Simd>(s: S, weights: [S::Floats; 4]) -> bool {
    let mut rough = weights;
    let mut missing = weights;
    for (rough, missing) in rough.iter_mut().zip(&mut missing) {
        // `is_zero` means nothing for a negative number, but its rough logarithm is above those of all
        // weights
        let is_zero = is_zero(s, *rough);
        *rough = rough_log2(s, *rough);
        *missing = s.sub(s.all(-126.0 * HALVED), *rough);
        *missing = s.mul_add(is_zero, s.all(-2.0 * HALVED), *missing);
    }
    s.all_below(missing, s.all(1.0)) && s.all_below(rough, s.all(HUGE))
}

/// 1 for the weights that are 0, and 0 for others.
#[inline(always)]
fn is_zero<S: Simd>(s: S, weights: S::Floats) -> S::Floats {
    // 2¹²⁷ here and 2²³ below make the least subnormal 2, and 1 − 2 is below 0
    let large = s.mul_add(weights, s.all(f32::from_bits(254 << 23)), s.all(0.0));
    s.larger(s.mul_add(large, s.all(-POWER), s.all(1.0)), s.all(0.0))
}

/// −∞ for the weights that are 0.
#[inline(always)]
fn without_zeros<S: Simd>(s: S, log2: S::Floats, weights: S::Floats) -> S::Floats {
    let is_zero = is_zero(s, weights);
    let low = s.mul_add(is_zero, s.all(-f32::MAX), log2);
    // subtracted twice, as the first difference is finite
    s.mul_add(is_zero, s.all(-f32::MAX), low)
}

/// The accurate logarithms of four vectors of weights, some of which may be 0 unless `all_normal`.
#[inline(always)]
fn accurate<S: Simd>(s: S, weights: [S::Floats; 4], all_normal: bool) -> [S::Floats; 4] {
    let mut found = weights;
    for x in &mut found {
        *x = fine_log2(s, *x);
    }
    if !all_normal {
        for (x, weights) in found.iter_mut().zip(weights) {
            *x = without_zeros(s, *x, weights);
        }
    }
    found
}

/// The functions that weights and counts share. `$single` turns one value into a float, and `$ordered` into
/// an integer in the order of the values.
macro_rules! single_weights {
    ($single:expr, $ordered:expr) => {
        #[inline(always)]
        fn is_bounded(self) -> bool {
            let single: fn(Self) -> f32 = $single;
            (0x80_0000..0x7f80_0000).contains(&single(self).to_bits())
        }
        #[inline(always)]
        fn float(self) -> f32 {
            let single: fn(Self) -> f32 = $single;
            let bits = single(self).to_bits() as i32;
            let m = f32::from_bits((bits & 0x7f_ffff | ONE) as u32);
            let excess = EXCESS[1..].iter().fold(EXCESS[0], |sum, &word| sum * m + word);
            (bits - BIAS) as f32 / POWER + excess
        }
        #[inline(always)]
        fn accurate_error(scale: Scale) -> f32 {
            Self::slope(scale) * ACCURATE_ERROR
        }
        #[inline(always)]
        fn rough_error(scale: Scale) -> f32 {
            Self::slope(scale) * ROUGH
        }
        #[inline(always)]
        fn ordered(self) -> i32 {
            let ordered: fn(Self) -> i32 = $ordered;
            ordered(self)
        }
    };
}

impl VectorValue for Positive {
    const CHECK_VALID: bool = true;
    #[inline(always)]
    fn accurate<S: Simd>(s: S, values: &[Self]) -> [S::Floats; 4] {
        let weights = of_weights(s, values);
        accurate(s, weights, all_normal(s, weights))
    }
    #[inline(always)]
    fn rough<S: Simd>(s: S, values: &[Self]) -> [S::Floats; 4] {
        let mut found = of_weights(s, values);
        for x in &mut found {
            *x = rough_log2(s, *x);
        }
        found
    }
    #[inline(always)]
    fn all_bounded<S: Simd>(s: S, values: &[Self], _: [S::Floats; 4]) -> bool {
        let of_tile = &values[..S::OCTETS * OCTET];
        let weights = of_weights(s, values);
        all_normal(s, weights)
            || all_normal_or_zero(s, weights)
            || of_tile.iter().all(|x| x.chance() == Chance::None || x.is_bounded())
    }
    #[inline(always)]
    fn all_valid<S: Simd>(s: S, rough: [S::Floats; 4]) -> bool {
        s.all_below(rough, s.all(HUGE))
    }
    #[inline(always)]
    fn rough_slope(scale: Scale) -> f32 {
        Self::slope(scale) / HALVED
    }
    single_weights!(|weight| weight.0, |weight| weight.0.to_bits() as i32);
}

/// Every count can be drawn or is 0: there are no invalid values to look for.
impl VectorValue for u32 {
    const CHECK_VALID: bool = false;
    #[inline(always)]
    fn accurate<S: Simd>(s: S, values: &[Self]) -> [S::Floats; 4] {
        let counts = of_counts(s, values);
        let mut missing = counts;
        for missing in &mut missing {
            *missing = s.sub(s.all(1.0), *missing);
        }
        accurate(s, counts, s.all_below(missing, s.all(1.0)))
    }
    #[inline(always)]
    fn rough<S: Simd>(s: S, values: &[Self]) -> [S::Floats; 4] {
        let mut found = of_counts(s, values);
        for x in &mut found {
            *x = linear_log2(s, *x);
        }
        found
    }
    #[inline(always)]
    fn all_bounded<S: Simd>(_: S, _: &[Self], _: [S::Floats; 4]) -> bool {
        true
    }
    #[inline(always)]
    fn all_valid<S: Simd>(_: S, _: [S::Floats; 4]) -> bool {
        true
    }
    #[inline(always)]
    fn rough_slope(scale: Scale) -> f32 {
        Self::slope(scale) / POWER
    }
    // counts are rounded to 24 bits as floats: so the integers decide their order
    single_weights!(|count| count as f32, |count| (count ^ 1 << 31) as i32);
}

#[inline(always)]
fn of_weights<S: Simd>(s: S, values: &[Positive]) -> [S::Floats; 4] {
    f32::accurate(s, Positive::peel_slice(values))
}

#[inline(always)]
fn of_counts<S: Simd>(s: S, values: &[u32]) -> [S::Floats; 4] {
    let lanes = 2 * S::OCTETS;
    [
        s.floats_of_counts(values),
        s.floats_of_counts(&values[lanes..]),
        s.floats_of_counts(&values[2 * lanes..]),
        s.floats_of_counts(&values[3 * lanes..]),
    ]
}

#[cfg(test)]
mod tests;
