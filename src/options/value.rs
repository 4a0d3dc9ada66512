//! Types of values: logits of three types, weights and counts.
//!
//! The public items of this file are reachable from this crate alone: they seal the traits [`Logit`](super::Logit) and
//! [`Weight`](super::Weight).

use bytemuck::TransparentWrapper;
use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

use super::rows::{Data, Owned, Rows};
use crate::error::Undrawable;
use crate::noise::cdf::{weight_of_count, weight_of_f32};
use crate::noise::exp::weight;
use crate::noise::order::{NEG_INFINITY, Scale, fixed, greedy_key, is_invalid};
use crate::noise::weights::{
    fixed_count, fixed_weight, greedy_count, greedy_weight, is_invalid_weight, is_zero_weight,
};

/// Whether the category of a value can be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chance {
    /// The category can be drawn.
    Some,
    /// The probability of the category is 0.
    None,
    /// The value is invalid, and its row has no draw.
    Invalid,
}

/// A type of values that engines draw from, of which a row has one for each category.
pub trait Value: Copy + Send + Sync + 'static {
    /// The value of a category of probability 0.
    const NEVER: Self;
    /// The type of 32 bits that has all numbers of this type.
    type Wide: Value<Wide = Self::Wide>;
    /// log₂ of the factor by which a probability grows when the CPU engine's float value grows by 1: log₂e for logits,
    /// and 1 for weights, for which the float value is a binary logarithm.
    const LOG2: f32;
    /// Why a row has no draw if all of its categories have probability 0.
    const NOTHING: Undrawable;
    /// What values of this type are called.
    const NAME: &'static str;

    /// The rows as [`Data`].
    fn data(rows: Rows<'_, Self>) -> Data<'_>;
    /// The vector for values of this type.
    fn vector(owned: &mut Owned) -> &mut Vec<Self>;
    /// The memory of some values as bytes, in the machine's order.
    fn bytes(values: &[Self]) -> &[u8];
    /// Whether the category can be drawn.
    fn chance(self) -> Chance;
    /// The logarithm of the value's unnormalised probability, times the scale, in units of 2⁻²⁴. The category must be
    /// one that can be drawn.
    fn fixed(self, scale: Scale) -> i64;
    /// The value's key at temperature 0. The category must be one that can be drawn.
    fn greedy(self) -> i64;
    /// The value's integer weight, which the sums of an inverse CDF add up. `most` is the largest value of its row,
    /// which must have a draw.
    fn integer_weight(self, most: Self, scale: Scale, log2_categories: u32) -> u64;
    /// The logarithm of the value's unnormalised probability, −∞ for probability 0.
    fn log_weight(self) -> f64;
    /// The value as a word: words are in the order of values.
    fn word(self) -> u32;
    /// The value of a word, which must be between those of two values that are valid.
    fn of_word(word: u32) -> Self::Wide;
    /// The value itself, as a number.
    fn number(self) -> f64;
    /// Why a row with this value, which must be invalid, has no draw.
    fn reason(self, category: usize) -> Undrawable;
}

/// The bit of a float's sign.
const SIGN: u32 = 1 << 31;

/// The integer weight of a value, from the distance of its logarithm from that of `most`, the largest value of its row.
#[inline(always)]
fn weight_below<T: Value>(value: T, most: T, scale: Scale, log2_categories: u32) -> u64 {
    if value.chance() == Chance::None {
        return 0;
    }
    let difference = (most.fixed(scale) as u64).wrapping_sub(value.fixed(scale) as u64);
    weight(difference, log2_categories)
}

/// A type of logits.
pub trait Widen: Copy + Send + Sync + 'static {
    /// −∞.
    const NEG_INFINITY: Self;
    /// The logit as an `f32`: the same number or infinity, or a NaN.
    fn widen(self) -> f32;
    /// Widens several values into memory of the same length.
    fn widen_all(values: &[Self], to: &mut [f32]);
    /// The rows as [`Data`].
    fn rows(rows: Rows<'_, Self>) -> Data<'_>;
    /// The vector for logits of this type.
    fn logits(owned: &mut Owned) -> &mut Vec<Self>;
    /// The memory of some values as bytes, in the machine's order.
    fn memory(values: &[Self]) -> &[u8];
}

impl<T: Widen> Value for T {
    type Wide = f32;
    const NEVER: Self = T::NEG_INFINITY;
    const LOG2: f32 = std::f32::consts::LOG2_E;
    const NOTHING: Undrawable = Undrawable::NothingDrawable;
    const NAME: &'static str = "logits";

    fn data(rows: Rows<'_, Self>) -> Data<'_> {
        T::rows(rows)
    }
    fn vector(owned: &mut Owned) -> &mut Vec<Self> {
        T::logits(owned)
    }
    fn bytes(values: &[Self]) -> &[u8] {
        T::memory(values)
    }
    #[inline(always)]
    fn chance(self) -> Chance {
        match self.widen().to_bits() {
            NEG_INFINITY => Chance::None,
            bits if is_invalid(bits) => Chance::Invalid,
            _ => Chance::Some,
        }
    }
    #[inline(always)]
    fn fixed(self, scale: Scale) -> i64 {
        fixed(self.widen().to_bits(), scale)
    }
    #[inline(always)]
    fn greedy(self) -> i64 {
        greedy_key(self.widen().to_bits())
    }
    #[inline(always)]
    fn integer_weight(self, most: Self, scale: Scale, log2_categories: u32) -> u64 {
        weight_below(self, most, scale, log2_categories)
    }
    fn log_weight(self) -> f64 {
        self.widen().into()
    }
    #[inline(always)]
    fn word(self) -> u32 {
        let bits = self.widen().to_bits();
        if bits >> 31 == 1 { SIGN - (bits & !SIGN) } else { bits | SIGN }
    }
    #[inline(always)]
    fn of_word(word: u32) -> f32 {
        f32::from_bits(if word < SIGN { (SIGN - word) | SIGN } else { word & !SIGN })
    }
    fn number(self) -> f64 {
        self.widen().into()
    }
    fn reason(self, category: usize) -> Undrawable {
        if self.widen().is_nan() {
            Undrawable::Nan { category }
        } else {
            Undrawable::PositiveInfinity { category }
        }
    }
}

impl Widen for f32 {
    const NEG_INFINITY: Self = Self::NEG_INFINITY;
    #[inline(always)]
    fn widen(self) -> f32 {
        self
    }
    fn widen_all(values: &[Self], to: &mut [f32]) {
        to.copy_from_slice(values);
    }
    fn rows(rows: Rows<'_, Self>) -> Data<'_> {
        Data::F32(rows)
    }
    fn logits(owned: &mut Owned) -> &mut Vec<Self> {
        &mut owned.singles
    }
    fn memory(values: &[Self]) -> &[u8] {
        bytemuck::cast_slice(values)
    }
}

impl Widen for f16 {
    const NEG_INFINITY: Self = Self::NEG_INFINITY;
    #[inline(always)]
    fn widen(self) -> f32 {
        self.to_f32()
    }
    fn widen_all(values: &[Self], to: &mut [f32]) {
        values.convert_to_f32_slice(to);
    }
    fn rows(rows: Rows<'_, Self>) -> Data<'_> {
        Data::F16(rows)
    }
    fn logits(owned: &mut Owned) -> &mut Vec<Self> {
        &mut owned.halves
    }
    fn memory(values: &[Self]) -> &[u8] {
        bytemuck::cast_slice(values.reinterpret_cast())
    }
}

impl Widen for bf16 {
    const NEG_INFINITY: Self = Self::NEG_INFINITY;
    #[inline(always)]
    fn widen(self) -> f32 {
        self.to_f32()
    }
    fn widen_all(values: &[Self], to: &mut [f32]) {
        values.convert_to_f32_slice(to);
    }
    fn rows(rows: Rows<'_, Self>) -> Data<'_> {
        Data::Bf16(rows)
    }
    fn logits(owned: &mut Owned) -> &mut Vec<Self> {
        &mut owned.upper_halves
    }
    fn memory(values: &[Self]) -> &[u8] {
        bytemuck::cast_slice(values.reinterpret_cast())
    }
}

/// A weight of `f32`: not a logit, but the unnormalised probability itself.
#[derive(Clone, Copy, Debug, bytemuck::TransparentWrapper)]
#[repr(transparent)]
pub struct Positive(pub(crate) f32);

impl From<Positive> for f64 {
    fn from(weight: Positive) -> Self {
        weight.0.into()
    }
}

impl Value for Positive {
    type Wide = Self;
    const NEVER: Self = Self(0.0);
    const LOG2: f32 = 1.0;
    const NOTHING: Undrawable = Undrawable::NoWeight;
    const NAME: &'static str = "weights";

    fn data(rows: Rows<'_, Self>) -> Data<'_> {
        Data::Weights(rows)
    }
    fn vector(owned: &mut Owned) -> &mut Vec<Self> {
        &mut owned.weights
    }
    fn bytes(values: &[Self]) -> &[u8] {
        bytemuck::cast_slice(Self::peel_slice(values))
    }
    #[inline(always)]
    fn chance(self) -> Chance {
        match self.0.to_bits() {
            bits if is_zero_weight(bits) => Chance::None,
            bits if is_invalid_weight(bits) => Chance::Invalid,
            _ => Chance::Some,
        }
    }
    #[inline(always)]
    fn fixed(self, scale: Scale) -> i64 {
        fixed_weight(self.0.to_bits(), scale)
    }
    #[inline(always)]
    fn greedy(self) -> i64 {
        greedy_weight(self.0.to_bits())
    }
    #[inline(always)]
    fn integer_weight(self, most: Self, scale: Scale, log2_categories: u32) -> u64 {
        // at temperature 1 weights are added up as they are, times a power of two
        match scale {
            Scale::ONE => weight_of_f32(self.0.to_bits(), most.0.to_bits(), log2_categories),
            scale => weight_below(self, most, scale, log2_categories),
        }
    }
    fn log_weight(self) -> f64 {
        f64::from(self.0).abs().ln()
    }
    #[inline(always)]
    fn word(self) -> u32 {
        // a zero may be negative
        if is_zero_weight(self.0.to_bits()) { 0 } else { self.0.to_bits() }
    }
    #[inline(always)]
    fn of_word(word: u32) -> Self {
        Self(f32::from_bits(word))
    }
    fn number(self) -> f64 {
        self.0.into()
    }
    fn reason(self, category: usize) -> Undrawable {
        Undrawable::InvalidWeight { category, weight: self.0.into() }
    }
}

/// A count is a weight too.
impl Value for u32 {
    type Wide = Self;
    const NEVER: Self = 0;
    const LOG2: f32 = 1.0;
    const NOTHING: Undrawable = Undrawable::NoWeight;
    const NAME: &'static str = "counts";

    fn data(rows: Rows<'_, Self>) -> Data<'_> {
        Data::Counts(rows)
    }
    fn vector(owned: &mut Owned) -> &mut Vec<Self> {
        &mut owned.counts
    }
    fn bytes(values: &[Self]) -> &[u8] {
        bytemuck::cast_slice(values)
    }
    #[inline(always)]
    fn chance(self) -> Chance {
        if self == 0 { Chance::None } else { Chance::Some }
    }
    #[inline(always)]
    fn fixed(self, scale: Scale) -> i64 {
        fixed_count(self, scale)
    }
    #[inline(always)]
    fn greedy(self) -> i64 {
        greedy_count(self)
    }
    #[inline(always)]
    fn integer_weight(self, most: Self, scale: Scale, log2_categories: u32) -> u64 {
        match scale {
            Scale::ONE => weight_of_count(self),
            scale => weight_below(self, most, scale, log2_categories),
        }
    }
    fn log_weight(self) -> f64 {
        f64::from(self).ln()
    }
    #[inline(always)]
    fn word(self) -> u32 {
        self
    }
    #[inline(always)]
    fn of_word(word: u32) -> Self {
        word
    }
    fn number(self) -> f64 {
        self.into()
    }
    fn reason(self, _: usize) -> Undrawable {
        // every count is valid
        Self::NOTHING
    }
}
