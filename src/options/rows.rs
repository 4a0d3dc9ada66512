//! Rows of values of one type, and rows of any of the types.
//!
//! The public items of this file are reachable from this crate alone: they seal the traits [`Logit`](super::Logit) and
//! [`Weight`](super::Weight).

use std::ops::Range;

use bytemuck::TransparentWrapper;
use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

use crate::error::{Error, Undrawable};
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

/// A type of values, of which a row has one for each category.
pub trait Value: Copy + Send + Sync + 'static {
    /// The value of a category of probability 0.
    const NEVER: Self;
    /// log₂ of the factor by which a probability grows when the CPU engine's float value grows by 1: log₂e for logits,
    /// and 1 for weights, for which the float value is a binary logarithm.
    const LOG2: f32;
    /// Why a row has no draw if all of its categories have probability 0.
    const NOTHING: Undrawable;
    /// What values of this type are called.
    const NAME: &'static str;

    /// The rows as [`Data`].
    fn data(rows: Rows<'_, Self>) -> Data<'_>;
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
    /// Why a row with this value, which must be invalid, has no draw.
    fn reason(self, category: usize) -> Undrawable;
}

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
    /// The memory of some values as bytes, in the machine's order.
    fn memory(values: &[Self]) -> &[u8];
}

impl<T: Widen> Value for T {
    const NEVER: Self = T::NEG_INFINITY;
    const LOG2: f32 = std::f32::consts::LOG2_E;
    const NOTHING: Undrawable = Undrawable::NothingDrawable;
    const NAME: &'static str = "logits";

    fn data(rows: Rows<'_, Self>) -> Data<'_> {
        T::rows(rows)
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
    const NEVER: Self = Self(0.0);
    const LOG2: f32 = 1.0;
    const NOTHING: Undrawable = Undrawable::NoWeight;
    const NAME: &'static str = "weights";

    fn data(rows: Rows<'_, Self>) -> Data<'_> {
        Data::Weights(rows)
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
    fn reason(self, category: usize) -> Undrawable {
        Undrawable::InvalidWeight { category, weight: self.0 }
    }
}

/// A count is a weight too.
impl Value for u32 {
    const NEVER: Self = 0;
    const LOG2: f32 = 1.0;
    const NOTHING: Undrawable = Undrawable::NoWeight;
    const NAME: &'static str = "counts";

    fn data(rows: Rows<'_, Self>) -> Data<'_> {
        Data::Counts(rows)
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
    fn reason(self, _: usize) -> Undrawable {
        // every count is valid
        Self::NOTHING
    }
}

/// Rows of one type.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a, T> {
    data: &'a [T],
    pub(super) rows: usize,
    pub(super) categories: usize,
    row_stride: usize,
    /// If rows are gathered, which row of the memory each row is, and the number of rows in memory.
    gathered: Option<(&'a [u32], usize)>,
}

impl<'a, T: Value> Rows<'a, T> {
    /// Rows that follow each other without a gap.
    pub(super) fn dense(data: &'a [T], categories: usize) -> Result<Self, Error> {
        check_categories(categories)?;
        if !data.len().is_multiple_of(categories) {
            return Err(Error::UnevenRows { what: T::NAME, categories, got: data.len() });
        }
        let (rows, row_stride) = (data.len() / categories, categories);
        Ok(Self { data, rows, categories, row_stride, gathered: None })
    }

    pub(super) fn strided(
        data: &'a [T],
        rows: usize,
        categories: usize,
        row_stride: usize,
    ) -> Result<Self, Error> {
        check_categories(categories)?;
        let expected = match rows.checked_sub(1) {
            None => 0,
            Some(before) => before as u128 * row_stride as u128 + categories as u128,
        };
        if expected > data.len() as u128 {
            let (what, got) = (T::NAME, data.len());
            return Err(Error::LogitsLength { what, rows, categories, row_stride, expected, got });
        }
        Ok(Self { data, rows, categories, row_stride, gathered: None })
    }

    /// The rows at these positions, in this order. Each of them must be the position of a row.
    pub(super) fn gathered(self, indices: &'a [u32]) -> Self {
        debug_assert!(self.gathered.is_none(), "rows are gathered once");
        Self { rows: indices.len(), gathered: Some((indices, self.rows)), ..self }
    }

    /// If rows are gathered, the rows in memory, and which of them each row is.
    pub(super) fn sources(&self) -> Option<(Self, &'a [u32])> {
        let (indices, rows) = self.gathered?;
        Some((Self { rows, gathered: None, ..*self }, indices))
    }

    pub(crate) fn categories(&self) -> usize {
        self.categories
    }

    /// The distance in memory from one row's first value to the next row's; `None` if rows are gathered.
    pub(crate) fn row_stride(&self) -> Option<usize> {
        self.gathered.is_none().then_some(self.row_stride)
    }

    /// The values of the row at position `row`.
    pub(crate) fn row(&self, row: usize) -> &'a [T] {
        assert!(row < self.rows, "row {row} of {}", self.rows);
        let row = self.gathered.map_or(row, |(indices, _)| indices[row] as usize);
        &self.data[row * self.row_stride..][..self.categories]
    }

    /// Some of the rows.
    pub(super) fn part(&self, rows: Range<usize>) -> Self {
        assert!(rows.end <= self.rows, "rows {rows:?} of {}", self.rows);
        let count = rows.len();
        match self.gathered {
            Some((indices, of)) => {
                Self { rows: count, gathered: Some((&indices[rows], of)), ..*self }
            }
            // there may be no values behind the last row's
            None if count == 0 => Self { data: &[], rows: 0, ..*self },
            None => Self { data: &self.data[rows.start * self.row_stride..], rows: count, ..*self },
        }
    }

    /// The memory from the first value of row `first` to the last one of row `first + count − 1`. Rows must not be
    /// gathered.
    pub(crate) fn span(&self, first: usize, count: usize) -> &'a [T] {
        debug_assert!(self.gathered.is_none(), "gathered rows have no memory of their own");
        &self.data[first * self.row_stride..][..(count - 1) * self.row_stride + self.categories]
    }
}

/// Rows of any of the types.
#[derive(Clone, Copy, Debug)]
pub enum Data<'a> {
    /// Singles.
    F32(Rows<'a, f32>),
    /// Halves.
    F16(Rows<'a, f16>),
    /// The upper halves of singles.
    Bf16(Rows<'a, bf16>),
    /// Weights in single precision.
    Weights(Rows<'a, Positive>),
    /// Counts.
    Counts(Rows<'a, u32>),
}

/// Evaluates an expression with the rows of a `Data`, whatever their type.
macro_rules! with_rows {
    ($data:expr, $rows:pat => $do:expr) => {
        match $data {
            Data::F32($rows) => $do,
            Data::F16($rows) => $do,
            Data::Bf16($rows) => $do,
            Data::Weights($rows) => $do,
            Data::Counts($rows) => $do,
        }
    };
}
pub(crate) use with_rows;

fn check_categories(categories: usize) -> Result<(), Error> {
    // the last of 2^32 - 1 categories is u32::MAX - 1, and u32::MAX the sentinel
    if categories == 0 || categories > u32::MAX as usize {
        return Err(Error::Categories { got: categories });
    }
    Ok(())
}
