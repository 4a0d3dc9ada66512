//! The filter: decides from a category's coarse bits alone whether the category can still win.
//!
//! Float arithmetic takes part in a draw only in this filter and in the CPU engine's bounds, and it only ever discards.
//! Without the filter the draws are the same, but slower. The functions on single categories exist for the comparison
//! with the shader's twin and for tests; the vector form is in `cpu/bound.rs`.
//!
//! **Why it holds.** E = −ln(1 − p) ≥ p ≥ coarse/2¹⁶, so G = −ln E ≤ −ln(coarse/2¹⁶). A category
//! can reach the best key B so far only if logit/T − ln(coarse/2¹⁶) ≥ B, that is, if
//!
//! log₂ coarse ≤ (logit/T − B)·log₂e + 16.
//!
//! In place of the left side the filter takes something smaller, the exponent and mantissa of `coarse` as a float, read
//! as one number: with coarse = 2ⁿ(1 + f) that number is n + f ≤ n + log₂(1 + f). A float's bit pattern is just this
//! number, (n + f + 127)·2²³. So the left side costs two conversions and no logarithm, and all scores are in units of
//! 2⁻²³ of a power of two.
//!
//! **Slack.** In whole powers of two: where the two sides are within 128 of each other, |logit/T·log₂e| ≤ |cutoff| +
//! 128, so that the roundings of slope, product, cutoff and difference are below 2⁻²¹·(|cutoff| + 271), and the
//! conversion of the mantissa is off by at most 2⁻¹⁷. [`cutoff_at`] lowers the cutoff by 2⁻²⁰·|cutoff| + 2⁻¹⁰, which
//! covers these errors, the rounding of the logit to 2⁻²⁴, and the 2⁻²⁴ by which G may exceed its true value. Where the
//! sides are further apart no rounding matters.

//! **From the top down** ([`noise::groups`](crate::noise::groups)) an alarm rings at E = E₁ + E₂, with the first alarm of
//! its group at E₁ = −ln(1 − u)/16 and its own E₂ = −ln(1 − q), which is 0 for the first itself. In units of 2⁻³², E₁ is
//! at least the 28 leading bits of u, and E₂ at least the high word of q: `least_noise`, which takes the place
//! of the coarse bits. V's rounding, and the relative 2⁻²⁴ by which P may be off, change E by less than the slack covers.
//! Two more roundings, of a number of 28 bits and of the subtraction of 16 powers, are off by at most 2⁻¹⁶ of a power.

#[cfg(any(test, feature = "gpu"))]
use crate::noise::order::Scale;

/// The constants with which the logits and coarse bits of a call are compared with a best key.
#[cfg(any(test, feature = "gpu"))]
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Filter {
    /// 2²³·log₂e / T: the factor from a logit to the unit of the filter (2²³ / T for a logarithm to base 2).
    pub(crate) slope: f32,
    /// The least logit: lower ones are raised to it, so that their product with the slope is finite.
    pub(crate) lowest: f32,
}

/// A power of two in the unit of the filter.
pub(crate) const POWER: f32 = 8_388_608.0;
/// 2¹⁰⁰: a product of slope and logit is no less than −2¹⁰⁰.
#[cfg(any(test, feature = "gpu"))]
const CLAMP: f32 = f32::from_bits((127 + 100) << 23);
/// A cutoff that discards nothing, as it is below every upper score.
#[cfg(test)]
const OPEN: f32 = -2.0 * CLAMP;

#[cfg(any(test, feature = "gpu"))]
impl Filter {
    /// Returns the filter for values of this scale. A unit of a value is `log2` powers of two: log₂e for a logit.
    #[inline]
    pub(crate) fn new(scale: Scale, log2: f32) -> Self {
        let slope = scale.reciprocal() * (POWER * log2);
        Self { slope, lowest: -(CLAMP / slope).min(f32::MAX) }
    }

    /// The upper score of a category: the most that its key can be, in the unit of the filter. It consists of the terms
    /// of the inequality that depend on the category. +∞ or NaN if the logit is +∞ or NaN.
    #[cfg(test)]
    pub(crate) fn upper_score(self, logit: f32, coarse: u32) -> f32 {
        self.scaled(logit) - log2_low(coarse)
    }

    /// The logit in the unit of the filter.
    #[cfg(test)]
    fn scaled(self, logit: f32) -> f32 {
        // not f32::max, which would turn a NaN into a number
        let logit = if logit < self.lowest { self.lowest } else { logit };
        logit * self.slope
    }

    /// The cutoff of the least key that a category can have, whatever its fine bits.
    ///
    /// p < q = (coarse + 1)/2¹⁶, and −ln(1 − q) ≤ q/(1 − q), so G·log₂e ≥ 16 − log₂(coarse + 1) + log₂(1 − q). Up to
    /// coarse + 1 = 2¹² the last term is −0.094 at least, and [`log2_low`] falls short of the logarithm by 0.0861 at
    /// most, which with the slack of [`cutoff_at`] is less than the 0.25 that are subtracted here. For larger coarse
    /// bits G is −3.82 at least, which is −5.52 powers of two.
    #[cfg(test)]
    pub(crate) fn sure_cutoff(self, logit: f32, coarse: u32) -> f32 {
        let high = if coarse >= 4096 { POWER * 149.0 } else { log2_low(coarse + 1) };
        let sure = self.scaled(logit) - high;
        // beyond 2^30, as in cutoff_of
        if sure.is_nan() || sure.abs() >= POWER * 2f32.powi(30) {
            return OPEN;
        }
        sure - sure.abs() * 2f32.powi(-19) - POWER * 0.25
    }

    /// The most that the key of a member of a group can be if no alarm of the group rings before `noise`.
    #[cfg(test)]
    pub(crate) fn upper_score_in_group(self, logit: f32, noise: f32) -> f32 {
        self.scaled(logit) - log2_low_of(noise)
    }

    /// The cutoff of the least key that a category can have whose alarm rings before `noise`.
    ///
    /// With u and q below 1/16, −ln(1 − x) ≤ 1.033 x, which is 0.047 of a power; with u below ½ and q below 2⁻⁵ it is
    /// ≤ 1.387 x, or 0.472 of a power. [`log2_low_of`] falls short of the logarithm by 0.0861 at most, so that with the
    /// slack of [`cutoff_at`] 0.25 and 0.625 are enough. All noise below 2²⁴ is of the first kind, and below 2²⁷ of the
    /// second. Every other E is at most 65·ln 2 + 61·ln 2/16, less than 2⁶: 2²² in the unit of coarse bits, which is 149
    /// powers with the bias.
    #[cfg(test)]
    pub(crate) fn sure_cutoff_in_group(self, logit: f32, noise: f32) -> f32 {
        let high = if noise > 2f32.powi(27) { POWER * 149.0 } else { log2_low_of(noise) };
        let sure = self.scaled(logit) - high;
        // beyond 2^30, as in cutoff_of
        if sure.is_nan() || sure.abs() >= POWER * 2f32.powi(30) {
            return OPEN;
        }
        let slack = if noise > 2f32.powi(24) { 0.625 } else { 0.25 };
        sure - sure.abs() * 2f32.powi(-19) - POWER * slack
    }
}

/// In units of 2⁻³², the noise before which no alarm rings, of the leading bits of its group's first alarm and of the high
/// word of its own noise, which is 0 for the first alarm.
#[cfg(test)]
pub(crate) fn least_noise(leading_bits: u32, own: u32) -> f32 {
    // 31 bits, as some devices convert words from 2^31 on wrongly
    leading_bits as i32 as f32 + (own >> 1) as i32 as f32 * 2.0
}

/// The noise before which the alarm rings of which this is the least noise. The sum of 28 and 31 bits may lack 1 and 2,
/// and roundings are covered as in the least noise.
#[cfg(test)]
pub(crate) fn most_noise(least: f32) -> f32 {
    least + 4.0
}

/// At most (log₂(noise/2¹⁶) + 127)·2²³, for noise in units of 2⁻³².
#[cfg(test)]
fn log2_low_of(noise: f32) -> f32 {
    noise.to_bits() as i32 as f32 - POWER * 16.0
}

/// The upper score below which no category can win against the best so far: the best key, less 16
/// powers of two and the slack, less the bias of a float's exponent.
#[cfg(test)]
pub(crate) fn cutoff_of(key: i64) -> f32 {
    // Beyond 2^31 keys are not on the linear scale. Such rows are not worth a filter.
    if key.unsigned_abs() >= 1 << 55 { OPEN } else { cutoff_at(from_key(key)) }
}

/// A key in the unit of the filter.
#[inline(always)]
pub(crate) fn from_key(key: i64) -> f32 {
    // the words of the key one by one: 23 and 24 bits, which a float holds exactly
    let key = (key >> 32) as f32 * 256.0 + (key as u32 >> 8) as f32 * 2f32.powi(-16);
    key * (POWER * std::f32::consts::LOG2_E)
}

/// The upper score below which no category can win against a key, in the unit of the filter.
#[inline(always)]
pub(crate) fn cutoff_at(key: f32) -> f32 {
    key - (key.abs() * 2f32.powi(-20) + POWER * 2f32.powi(-10)) - POWER * (16.0 + 127.0)
}

/// False only if a category of this upper score cannot win. True for a logit of NaN or +∞.
#[cfg(test)]
pub(crate) fn passes(cutoff: f32, upper_score: f32) -> bool {
    // not `upper_score >= cutoff`, which is false for a NaN
    !matches!(upper_score.partial_cmp(&cutoff), Some(std::cmp::Ordering::Less))
}

/// At most (log₂ coarse + 127)·2²³; 0 for coarse = 0, where p may be as small as 2⁻⁶⁵.
#[cfg(test)]
fn log2_low(coarse: u32) -> f32 {
    // both conversions are of numbers below 2^31
    (coarse as f32).to_bits() as i32 as f32
}

#[cfg(test)]
mod tests;
