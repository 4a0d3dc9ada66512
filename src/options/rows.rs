//! Rows of values of one type, and rows of any of the types.

use std::ops::Range;

use half::{bf16, f16};

use super::logits::ValueFormat;
use super::stored::{PositiveF64, Stored};
use super::value::Positive;
use crate::error::Error;

/// Rows of one type.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a, T> {
    data: &'a [T],
    rows: usize,
    categories: usize,
    row_stride: usize,
    category_stride: usize,
    /// If rows are gathered, which row of the memory each row is, and the number of rows in memory.
    gathered: Option<(&'a [u32], usize)>,
}

impl<'a, T: Stored> Rows<'a, T> {
    /// Rows that follow each other without a gap.
    pub(super) fn dense(data: &'a [T], categories: usize) -> Result<Self, Error> {
        check_categories(categories)?;
        if !data.len().is_multiple_of(categories) {
            return Err(Error::UnevenRows { what: T::NAME, categories, got: data.len() });
        }
        Self::with_strides(data, data.len() / categories, categories, [categories, 1])
    }

    /// Rows whose first values, and whose neighbouring values, are as far apart as `strides` says.
    pub(super) fn with_strides(
        data: &'a [T],
        rows: usize,
        categories: usize,
        strides: [usize; 2],
    ) -> Result<Self, Error> {
        check_categories(categories)?;
        let [row_stride, category_stride] = strides;
        let last = |count: usize, stride: usize| (count as u128 - 1) * stride as u128;
        let expected = match rows {
            0 => 0,
            // each product is below 2^128, and where their sum is not, no slice is long enough
            _ => last(rows, row_stride)
                .saturating_add(last(categories, category_stride))
                .saturating_add(1),
        };
        if expected > data.len() as u128 {
            let (what, got) = (T::NAME, data.len());
            return Err(Error::LogitsLength {
                what,
                rows,
                categories,
                row_stride,
                category_stride,
                expected,
                got,
            });
        }
        // the distance between the categories of a single one does not matter
        let category_stride = if categories == 1 { 1 } else { category_stride };
        Ok(Self { data, rows, categories, row_stride, category_stride, gathered: None })
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

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn categories(&self) -> usize {
        self.categories
    }

    /// The distance in memory from one row's first value to the next row's; `None` if rows are gathered.
    pub(crate) fn row_stride(&self) -> Option<usize> {
        self.gathered.is_none().then_some(self.row_stride)
    }

    /// The distance in memory from a value to that of the next category.
    pub(crate) fn category_stride(&self) -> usize {
        self.category_stride
    }

    /// Whether the rows overlap in memory, so that a copy of them takes more memory than they do.
    pub(crate) fn overlap(&self) -> bool {
        self.rows.checked_mul(self.categories).is_none_or(|values| values > self.data.len())
    }

    /// Where the row at position `row` begins in memory.
    fn start(&self, row: usize) -> usize {
        assert!(row < self.rows, "row {row} of {}", self.rows);
        self.gathered.map_or(row, |(indices, _)| indices[row] as usize) * self.row_stride
    }

    /// The values of the row at position `row`, which must lie side by side.
    #[inline(always)]
    pub(crate) fn row(&self, row: usize) -> &'a [T] {
        debug_assert_eq!(self.category_stride, 1, "the values of a row lie side by side");
        &self.data[self.start(row)..][..self.categories]
    }

    /// The values of some categories of the row at position `row`, wherever they lie.
    #[inline(always)]
    pub(crate) fn values(
        &self,
        row: usize,
        categories: Range<usize>,
    ) -> impl ExactSizeIterator<Item = T> + Clone + use<'a, T> {
        let (data, stride) = (self.data, self.category_stride);
        let start = self.start(row);
        categories.map(move |category| data[start + category * stride])
    }

    /// The value of a category of the row at position `row`.
    #[inline(always)]
    pub(crate) fn value(&self, row: usize, category: usize) -> T {
        assert!(category < self.categories, "category {category} of {}", self.categories);
        self.data[self.start(row) + category * self.category_stride]
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

/// Memory for values of any of the types. Values fill one of the vectors.
#[derive(Clone, Debug, Default)]
pub struct Owned {
    pub(super) singles: Vec<f32>,
    pub(super) halves: Vec<f16>,
    pub(super) upper_halves: Vec<bf16>,
    pub(super) weights: Vec<Positive>,
    pub(super) counts: Vec<u32>,
}

impl Owned {
    /// Rows of what values of this format are drawn from, whose first values are `row_stride` apart. There must be so
    /// many values.
    pub(super) fn rows(
        &self,
        format: ValueFormat,
        rows: usize,
        categories: usize,
        row_stride: usize,
    ) -> Data<'_> {
        fn of<T>(data: &[T], [rows, categories, row_stride]: [usize; 3]) -> Rows<'_, T> {
            Rows { data, rows, categories, row_stride, category_stride: 1, gathered: None }
        }
        let shape = [rows, categories, row_stride];
        match format {
            ValueFormat::F32 | ValueFormat::F64 => Data::F32(of(&self.singles, shape)),
            ValueFormat::F16 => Data::F16(of(&self.halves, shape)),
            ValueFormat::Bf16 => Data::Bf16(of(&self.upper_halves, shape)),
            ValueFormat::Weights | ValueFormat::WeightsF64 => {
                Data::Weights(of(&self.weights, shape))
            }
            ValueFormat::Counts => Data::Counts(of(&self.counts, shape)),
        }
    }
}

/// The rows of a batch, as they lie in the caller's memory.
#[derive(Clone, Copy, Debug)]
pub enum Stock<'a> {
    /// Rows that engines read where they are.
    InPlace(Data<'a>),
    /// Rows whose values do not lie side by side.
    Spread(Data<'a>),
    /// Logits in double precision.
    F64(Rows<'a, f64>),
    /// Weights in double precision.
    WeightsF64(Rows<'a, PositiveF64>),
}

/// Evaluates an expression with the rows of a `Stock`, whatever their type.
macro_rules! with_stock {
    ($stock:expr, $rows:pat => $do:expr) => {
        match $stock {
            Stock::InPlace(data) | Stock::Spread(data) => with_rows!(data, $rows => $do),
            Stock::F64($rows) => $do,
            Stock::WeightsF64($rows) => $do,
        }
    };
}
pub(crate) use with_stock;

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
