//! The filter: from a category's coarse bits alone, whether it can still win.
//!
//! It is the one place with float arithmetic, and it only ever discards. Without it the same draws
//! come out, more slowly.
//!
//! **Why it holds.** E = −ln(1 − p) ≥ p ≥ coarse/2¹⁶, so G = −ln E ≤ −ln(coarse/2¹⁶). A category
//! can reach the best key B so far only if logit/T − ln(coarse/2¹⁶) ≥ B, that is, if
//!
//! log₂ coarse ≤ (logit/T − B)·log₂e + 16.
//!
//! For the left side the filter takes something smaller, the exponent and mantissa of `coarse` as a
//! float, read as one number: with coarse = 2ⁿ(1 + f) that is n + f ≤ n + log₂(1 + f). A float's bit
//! pattern is just this number, (n + f + 127)·2²³, so it costs two conversions and no logarithm, and
//! everything is counted in 2⁻²³ of a power of two.
//!
//! **Slack.** In whole powers of two: where the two sides are within 128 of each other, |logit/T·log₂e| ≤ |floor| + 128,
//! so that the roundings of slope, product, floor and difference are below 2⁻²¹·(|floor| + 128),
//! and the conversion of the mantissa is off by at most 2⁻¹⁷. [`Filter::new`] lowers the floor by
//! 2⁻²⁰·|floor| + 2⁻¹⁰, which covers them, the rounding of the logit to 2⁻²⁴ and the 2⁻²⁴ by which
//! G may exceed its true value. Where the sides are further apart no rounding matters.

use crate::noise::order::{Best, Scale};

/// What is discarded, given the best key so far.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Filter {
    /// 2²³·log₂e / T: what turns a logit into the unit of the filter.
    slope: f32,
    /// Logits count as no less than this, so that their product with the slope is finite.
    lowest: f32,
    /// The best key, less 16 powers of two and the slack, less the bias of a float's exponent.
    floor: f32,
}

/// A power of two in the unit of the filter.
const POWER: f32 = 8_388_608.0;
/// No product of slope and logit counts as less than −2¹⁰⁰,
const REACH: f32 = f32::from_bits((127 + 100) << 23);
/// so that this floor discards nothing.
const OPEN: f32 = -2.0 * REACH;

impl Filter {
    /// The filter given the best so far. It discards nothing while there is none.
    #[inline]
    pub fn new(scale: Scale, best: Best) -> Self {
        let slope = scale.reciprocal() * (POWER * std::f32::consts::LOG2_E);
        Self { slope, lowest: -(REACH / slope).min(f32::MAX), floor: floor(best.key) }
    }

    /// How far the category is above the floor: negative only if it cannot win, +∞ or NaN if its
    /// logit is.
    #[inline(always)]
    pub fn margin(self, logit: f32, coarse: u32) -> f32 {
        // not f32::max, which would turn a NaN into a number
        let logit = if logit < self.lowest { self.lowest } else { logit };
        logit * self.slope - self.floor - log2_low(coarse)
    }

    /// What a margin says: false only if the category cannot win. True for a logit of NaN or +∞.
    #[inline(always)]
    pub fn admits(margin: f32) -> bool {
        !matches!(margin.partial_cmp(&0.0), Some(std::cmp::Ordering::Less))
    }

    /// How the category compares with others, whatever the best so far: at least roughly, the one
    /// with the highest standing has the largest key.
    #[inline(always)]
    pub fn standing(self, logit: f32, coarse: u32) -> f32 {
        Self { floor: 0.0, ..self }.margin(logit, coarse)
    }
}

#[inline(always)]
fn floor(key: i64) -> f32 {
    // Beyond 2^31 keys are not on the linear scale. Such rows are not worth a filter.
    if key.unsigned_abs() >= 1 << 55 {
        return OPEN;
    }
    // the words of the key one by one: 23 and 24 bits, which a float holds exactly
    let key = (key >> 32) as f32 * 256.0 + (key as u32 >> 8) as f32 * 2f32.powi(-16);
    let floor = key * (POWER * std::f32::consts::LOG2_E);
    floor - (floor.abs() * 2f32.powi(-20) + POWER * 2f32.powi(-10)) - POWER * (16.0 + 127.0)
}

/// At most (log₂ coarse + 127)·2²³; 0 for coarse = 0, where p may be as small as 2⁻⁶⁵.
#[inline(always)]
fn log2_low(coarse: u32) -> f32 {
    // both conversions are of numbers below 2^31
    (coarse as f32).to_bits() as i32 as f32
}

#[cfg(test)]
mod tests;
