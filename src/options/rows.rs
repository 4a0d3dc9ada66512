//! Rows of logits of one type, and of any.
//!
//! What is public here can be reached from this crate alone: it seals the trait
//! [`Logit`](super::Logit).

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

use crate::error::Error;

/// What the crate asks of a type of logits.
pub trait Known: Copy + Send + Sync + 'static {
    /// The rows, as some of any type.
    fn data(rows: Rows<'_, Self>) -> Data<'_>;
    /// The same number, or the same infinity, or a NaN.
    fn widen(self) -> f32;
    /// The memory of some logits.
    fn bytes(logits: &[Self]) -> &[u8];
}

impl Known for f32 {
    fn data(rows: Rows<'_, Self>) -> Data<'_> {
        Data::F32(rows)
    }
    fn widen(self) -> f32 {
        self
    }
    fn bytes(logits: &[Self]) -> &[u8] {
        bytemuck::cast_slice(logits)
    }
}

impl Known for f16 {
    fn data(rows: Rows<'_, Self>) -> Data<'_> {
        Data::F16(rows)
    }
    fn widen(self) -> f32 {
        self.to_f32()
    }
    fn bytes(logits: &[Self]) -> &[u8] {
        bytemuck::cast_slice(logits.reinterpret_cast())
    }
}

impl Known for bf16 {
    fn data(rows: Rows<'_, Self>) -> Data<'_> {
        Data::Bf16(rows)
    }
    fn widen(self) -> f32 {
        self.to_f32()
    }
    fn bytes(logits: &[Self]) -> &[u8] {
        bytemuck::cast_slice(logits.reinterpret_cast())
    }
}

/// Rows of one type.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a, T> {
    data: &'a [T],
    pub(super) rows: usize,
    pub(super) categories: usize,
    pub(super) row_stride: usize,
}

impl<'a, T: Known> Rows<'a, T> {
    /// Rows that follow each other without a gap.
    pub(super) fn dense(data: &'a [T], categories: usize) -> Result<Self, Error> {
        check_categories(categories)?;
        if !data.len().is_multiple_of(categories) {
            return Err(Error::UnevenRows { categories, got: data.len() });
        }
        Ok(Self { data, rows: data.len() / categories, categories, row_stride: categories })
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
            let got = data.len();
            return Err(Error::LogitsLength { rows, categories, row_stride, expected, got });
        }
        Ok(Self { data, rows, categories, row_stride })
    }

    pub(crate) fn categories(&self) -> usize {
        self.categories
    }

    pub(crate) fn row_stride(&self) -> usize {
        self.row_stride
    }

    /// The logits of the row at position `row`.
    pub(crate) fn row(&self, row: usize) -> &'a [T] {
        assert!(row < self.rows, "row {row} of {}", self.rows);
        &self.data[row * self.row_stride..][..self.categories]
    }

    /// As many categories, of `rows` rows in `f32`.
    pub(crate) fn as_f32<'b>(
        &self,
        data: &'b [f32],
        rows: usize,
        row_stride: usize,
    ) -> Rows<'b, f32> {
        Rows { data, rows, categories: self.categories, row_stride }
    }

    /// The memory from the first logit of row `first` to the last one of row `first + count − 1`.
    pub(crate) fn span(&self, first: usize, count: usize) -> &'a [T] {
        &self.data[first * self.row_stride..][..(count - 1) * self.row_stride + self.categories]
    }
}

/// Rows of any type.
#[derive(Clone, Copy, Debug)]
pub enum Data<'a> {
    /// Singles.
    F32(Rows<'a, f32>),
    /// Halves.
    F16(Rows<'a, f16>),
    /// The upper halves of singles.
    Bf16(Rows<'a, bf16>),
}

/// Does the same with rows of any type.
macro_rules! with_rows {
    ($data:expr, $rows:pat => $do:expr) => {
        match $data {
            Data::F32($rows) => $do,
            Data::F16($rows) => $do,
            Data::Bf16($rows) => $do,
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
