//! Rows of `f64`, which are drawn from as rows of `f32` relative to their largest value.
//!
//! Between neighbouring `f32` near 10⁷ lies 1, and near 10⁸ lie 8: rounding a logit to `f32` there would round away what
//! decides a draw. So a row of `f64` is first made relative, and then rounded. With m the largest value of a row,
//! its *relative* row is, by definition,
//!
//! | row | relative row |
//! |---|---|
//! | logits x | (x − m) rounded to `f64`, and then to `f32` |
//! | weights w | w·2⁻ᵉ rounded to `f32`, where 2ᵉ⁺¹²⁶ ≤ m < 2ᵉ⁺¹²⁷ |
//!
//! and draws are those of the relative row. Within these limits neither step changes a probability but by its rounding: a
//! relative logit is within 2⁻²⁴ of itself, so that the logits near the largest are the most accurate, and a relative
//! weight is so too. In numpy a relative row of logits is `(x - x.max()).astype('f4')`.
//!
//! **Limits.** What has a chance keeps it: where a result would be −∞ or 0, as `f32` has no such number, it is the least
//! `f32` above.
//!
//! | | keep fewer bits | count as the smallest |
//! |---|---|---|
//! | logits | | lower than the largest by more than 3.4·10³⁸, which no temperature makes likely |
//! | weights | below 2⁻²⁵² of the largest, which is 1.4·10⁻⁷⁶ | below 2⁻²⁷⁶ of it, which is 8.2·10⁻⁸⁴ |
//!
//! The largest weight lies near the end of `f32` so that these are so small. They matter only in what depends on small
//! weights alone, as the later places of a race do, and at high temperatures: at 100 the smallest weight counts a seventh of
//! the largest. Logits that are the logarithms of such weights have no such limit.
//!
//! A row with a NaN, a +∞ or a negative weight has no draw, and its relative row has a NaN.
//!
//! Subtraction, multiplication by a power of two and rounding are the same on every machine (IEEE 754). The host makes
//! rows relative for all engines; so this file has no shader.

use super::gumbel::UNIT;
use super::order::{Best, FAR, Scale, fixed};

/// The logit of a relative row. `largest` is the largest logit of the row that is not NaN.
///
/// ```
/// use gumbel::noise::relative::relative_logit;
/// assert_eq!(relative_logit(1e15 + 0.5, 1e15 + 1.0), -0.5);
/// // never drawn, and drawn only where nothing else can be
/// assert_eq!(relative_logit(f64::NEG_INFINITY, 0.0), f32::NEG_INFINITY);
/// assert_eq!(relative_logit(-1e300, 0.0), f32::MIN);
/// ```
#[inline(always)]
pub fn relative_logit(logit: f64, largest: f64) -> f32 {
    // NaN for a NaN, and for +∞ less +∞
    let difference = logit - largest;
    let least = f64::from(f32::MIN);
    let relative = if difference < least { least } else { difference };
    if logit == f64::NEG_INFINITY { f32::NEG_INFINITY } else { relative as f32 }
}

/// What is added to the keys of a relative row to make them keys of the row: `shift`, which was taken away from the
/// logarithms of probabilities, times the scale, in units of 2⁻²⁴. Beyond 2³¹ it is a code, as
/// [`fixed`] has for logits.
pub fn key_shift(shift: f64, scale: Scale) -> i64 {
    let scaled = shift * f64::from(scale.reciprocal());
    if scaled.abs() < FAR {
        (scaled * UNIT as f64).round_ties_even() as i64
    } else {
        let single = shift.clamp(f32::MIN.into(), f32::MAX.into()) as f32;
        fixed(single.to_bits(), scale)
    }
}

/// The key of the row, from that of the relative row. Keys that would be beyond all keys are the least key.
#[inline(always)]
pub fn shifted_key(key: i64, key_shift: i64) -> i64 {
    // no key of a category is that of no category
    key.saturating_add(key_shift).max(Best::NONE.key + 1)
}

/// True for a weight that leaves its row without a draw: NaN, infinite or negative.
#[inline(always)]
pub fn is_invalid_f64_weight(weight: f64) -> bool {
    !(0.0..f64::INFINITY).contains(&weight)
}

/// The exponent of the largest weight of a relative row: the largest at which no rounding gives an infinity.
const OF_LARGEST: i32 = 126;

/// The power of two, 2ᵉ, that the weights of a relative row are relative to.
#[derive(Clone, Copy, Debug)]
pub struct Power {
    exponent: i32,
    /// Two factors, whose product is 2⁻ᵉ: neither overflows, and the first product is exact where the second counts.
    factors: [f64; 2],
}

/// 2^exponent, for an exponent from −1022 to 1023.
#[inline(always)]
fn two_to(exponent: i32) -> f64 {
    f64::from_bits(((1023 + exponent) as u64) << 52)
}

/// The power of two of a row whose largest weight is `largest`, which is 126 powers below it. For a row without a draw, any.
#[inline(always)]
pub fn power_of(largest: f64) -> Power {
    let bits = largest.to_bits() & (u64::MAX >> 1);
    let exponent = match (bits >> 52) as i32 {
        // subnormal: the fraction is the weight in units of 2^-1074
        0 => 63 - (bits | 1).leading_zeros() as i32 - 1074,
        biased => biased - 1023,
    };
    let exponent = exponent - OF_LARGEST;
    // 2^-(e/2) twice, but for the odd one
    let half = exponent / 2;
    Power { exponent, factors: [two_to(-half), two_to(half - exponent)] }
}

impl Power {
    /// The weight of a relative row.
    ///
    /// ```
    /// use gumbel::noise::relative::power_of;
    /// let power = power_of(3e-300);
    /// let [small, large] = [1e-300, 3e-300].map(|weight| power.relative_weight(weight));
    /// assert!((2f32.powi(126)..2f32.powi(127)).contains(&large) && (large / small - 3.0).abs() < 1e-6);
    /// ```
    #[inline(always)]
    pub fn relative_weight(self, weight: f64) -> f32 {
        let relative = weight * self.factors[0] * self.factors[1];
        // the least number of f32
        let least = f64::from(f32::from_bits(1));
        let rounded = (if relative < least { least } else { relative }) as f32;
        if weight == 0.0 {
            0.0
        } else if is_invalid_f64_weight(weight) {
            f32::NAN
        } else {
            rounded
        }
    }

    /// The natural logarithm of the power, which a relative weight's logarithm lacks.
    pub fn ln(self) -> f64 {
        f64::from(self.exponent) * std::f64::consts::LN_2
    }
}

#[cfg(test)]
mod tests;
