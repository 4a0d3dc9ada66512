//! Logits as fixed-point numbers, keys, and which of two candidates wins.
//!
//! A key is a 64-bit integer in [units](super::gumbel::UNIT) of 2⁻²⁴: the logit, divided by the
//! temperature and rounded once, plus the Gumbel noise. The largest key wins and ties go to the
//! lowest category, so no rounding of a float sum ever decides.
//!
//! Logits are read as bit patterns. −0 is +0 and subnormal numbers count for what they are, also
//! on devices that flush them.

/// The factor by which [`fixed`] multiplies: a temperature's reciprocal, as the bits of a positive
/// normal `f32`.
///
/// The logit is multiplied exactly and the product is rounded once, to 2⁻²⁴, so that the
/// multiplication neither rounds twice nor overflows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale(u32);

impl Scale {
    /// Temperature 1.
    pub const ONE: Self = Self(1f32.to_bits());

    /// The smallest temperature that is not 0: 2⁻¹⁰⁰. Below it, a subnormal logit could matter.
    pub const MIN_TEMPERATURE: f32 = f32::from_bits((127 - 100) << 23);
    /// The largest temperature: 2¹⁰⁰.
    pub const MAX_TEMPERATURE: f32 = f32::from_bits((127 + 100) << 23);

    /// The scale of a temperature, or `None` outside
    /// [`MIN_TEMPERATURE`](Self::MIN_TEMPERATURE) ..= [`MAX_TEMPERATURE`](Self::MAX_TEMPERATURE).
    pub fn from_temperature(temperature: f32) -> Option<Self> {
        (Self::MIN_TEMPERATURE..=Self::MAX_TEMPERATURE)
            .contains(&temperature)
            .then(|| Self((1.0 / temperature).to_bits()))
    }

    /// The reciprocal of the temperature.
    pub fn reciprocal(self) -> f32 {
        f32::from_bits(self.0)
    }
}

/// The bits of −∞, the logit of probability 0.
pub const NEG_INFINITY: u32 = f32::NEG_INFINITY.to_bits();

/// True for the bits of a NaN or of +∞: a row with such a logit has no draw.
#[inline(always)]
pub const fn is_invalid(bits: u32) -> bool {
    (bits & 0x7fff_ffff) > 0x7f80_0000 || bits == 0x7f80_0000
}

/// The exponent from which on the fixed-point scale counts codes instead of units: that of 2³¹.
const CODES_FROM: i32 = 31;

/// The magnitude of a scaled logit from which on the fixed-point scale counts codes: the difference of two codes is not
/// that of the logits.
pub const FAR: f64 = (1u64 << CODES_FROM) as f64;

/// The product of a finite logit and the scale, rounded to the nearest unit of 2⁻²⁴, ties to even.
///
/// From ±2³¹ on, neighbouring `f32` logits are further apart than the noise is wide (2⁷ against
/// 48.9), and only their order matters. There the result counts 26-bit mantissas, 2³⁰ units apart,
/// so that every logit up to the largest finite one keeps its order, and its distance from its
/// neighbours exceeds the noise: the result never saturates. |result| < 2⁶³ − 2⁵⁵.
#[inline(always)]
pub const fn fixed(logit: u32, scale: Scale) -> i64 {
    let exponent = (logit >> 23 & 0xff) as i32;
    let fraction = logit & 0x7f_ffff;
    // logit = ±mantissa·2^(power of the logit); subnormal numbers lack the leading one
    let (mantissa, power) =
        if exponent == 0 { (fraction, -149) } else { (fraction | 0x80_0000, exponent - 150) };
    scaled64(mantissa as u64, power, logit >> 31 == 1, scale)
}

/// ±magnitude·2^power times the scale, rounded as [`fixed`] rounds. The magnitude is below 2⁴⁰;
/// where the result comes near the codes, the magnitude has 24 bits or more.
#[inline(always)]
pub const fn scaled64(magnitude: u64, power: i32, negative: bool, scale: Scale) -> i64 {
    let product = magnitude * (scale.0 & 0x7f_ffff | 0x80_0000) as u64;
    // the product's unit as a power of two, counted from 2^-24
    let shift = power + (scale.0 >> 23) as i32 - 150 + 24;

    let length = 64 - product.leading_zeros() as i32;
    // the exponent of the leading bit of the scaled number
    let leading = length - 1 + shift - 24;
    let magnitude = if product == 0 {
        0
    } else if leading >= CODES_FROM {
        // a product this large has 32 bits or more
        let mantissa26 = product >> (length - 26);
        ((leading - CODES_FROM) as u64 * (1 << 25) + mantissa26) << 30
    } else if shift >= 0 {
        product << shift
    } else if shift > -64 {
        let down = -shift as u32;
        let floor = product >> down;
        let rest = product << (64 - down);
        let up = rest > 1 << 63 || (rest == 1 << 63 && floor & 1 == 1);
        floor + up as u64
    } else {
        0
    };
    if negative { -(magnitude as i64) } else { magnitude as i64 }
}

/// The key of a category that can be drawn: its scaled logit plus its noise.
#[inline(always)]
pub const fn key(logit: u32, scale: Scale, gumbel: i32) -> i64 {
    fixed(logit, scale) + gumbel as i64
}

/// The key at temperature 0: an integer in the order of the `f32` values, −0 and +0 being equal.
#[inline(always)]
pub const fn greedy_key(logit: u32) -> i64 {
    let magnitude = ((logit & 0x7fff_ffff) as i64) << 32;
    if logit >> 31 == 1 { -magnitude } else { magnitude }
}

/// The number that a key stands for: the inverse of [`fixed`] at temperature 1. −∞ for the key of
/// [`Best::NONE`].
///
/// ```
/// use gumbel::noise::order::{Scale, fixed, number};
/// for logit in [0.0, -1.5, 1e9, 3e38] {
///     assert_eq!(number(fixed(f32::to_bits(logit), Scale::ONE)), f64::from(logit));
/// }
/// ```
pub fn number(key: i64) -> f64 {
    let magnitude = key.unsigned_abs();
    let linear = 1u64 << (24 + CODES_FROM);
    let number = if key == Best::NONE.key {
        f64::INFINITY
    } else if magnitude < linear {
        magnitude as f64 / (1u64 << 24) as f64
    } else {
        // the noise is less than half of the distance between codes
        let code = (magnitude + (1 << 29)) >> 30;
        let mantissa26 = (code & ((1 << 25) - 1)) + (1 << 25);
        mantissa26 as f64 * 2f64.powi((code >> 25) as i32 - 1 + CODES_FROM - 25)
    };
    if key < 0 { -number } else { number }
}

/// The winner so far: the category with the largest key, and the lowest such category.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Best {
    /// The winner's key.
    pub key: i64,
    /// The winner, or [`NO_CATEGORY`](Self::NO_CATEGORY).
    pub category: u32,
}

impl Best {
    /// The category of [`NONE`](Self::NONE): no category.
    pub const NO_CATEGORY: u32 = u32::MAX;

    /// The state before the first candidate.
    pub const NONE: Self = Self { key: i64::MIN, category: Self::NO_CATEGORY };

    /// True if `self` wins against `other`.
    #[inline(always)]
    pub const fn beats(self, other: Self) -> bool {
        self.key > other.key || (self.key == other.key && self.category < other.category)
    }

    /// The winner of the two, in whatever order they come.
    #[inline(always)]
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        if other.beats(self) { other } else { self }
    }
}

#[cfg(test)]
mod tests;
