//! A batch of rows of values of any format.

use std::ops::Range;

use bytemuck::TransparentWrapper;

use super::logits::{Logits, ValueFormat};
use super::rows::{Data, Owned, Rows, Stock, with_rows, with_stock};
use super::stored::Stored;
use super::value::Value;
use crate::error::Error;

/// A batch of rows to draw from: [`Logits`](super::Logits) or [`Weights`](super::Weights), both of which convert into a
/// `Batch`.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    stock: Stock<'a>,
}

impl<'a> Batch<'a> {
    pub(super) fn from_rows<T: Stored>(rows: Rows<'a, T>) -> Self {
        Self { stock: T::stock(rows) }
    }

    /// `rows` rows of what values of this format are drawn from, with their first values `row_stride` apart. There
    /// must be so many values.
    pub(crate) fn from_owned(
        values: &'a Owned,
        format: ValueFormat,
        rows: usize,
        categories: usize,
        row_stride: usize,
    ) -> Self {
        Self { stock: Stock::InPlace(values.rows(format, rows, categories, row_stride)) }
    }

    /// The type of the values.
    pub fn format(&self) -> ValueFormat {
        match self.stock {
            Stock::InPlace(data) | Stock::Spread(data) => match data {
                Data::F32(_) => ValueFormat::F32,
                Data::F16(_) => ValueFormat::F16,
                Data::Bf16(_) => ValueFormat::Bf16,
                Data::Weights(_) => ValueFormat::Weights,
                Data::Counts(_) => ValueFormat::Counts,
            },
            Stock::F64(_) => ValueFormat::F64,
            Stock::WeightsF64(_) => ValueFormat::WeightsF64,
        }
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        with_stock!(self.stock, rows => rows.rows())
    }

    /// The number of categories in each row.
    pub fn categories(&self) -> usize {
        with_stock!(self.stock, rows => rows.categories())
    }

    /// The distance from one row's first value to the next row's, in values.
    pub fn row_stride(&self) -> usize {
        // only a job's rows are gathered
        self.apart().unwrap_or(self.categories())
    }

    /// The distance from one value of a row to the next, in values.
    pub fn category_stride(&self) -> usize {
        with_stock!(self.stock, rows => rows.category_stride())
    }

    /// The distance from one row's first value to the next row's, in values; `None` if rows are gathered.
    pub(crate) fn apart(&self) -> Option<usize> {
        with_stock!(self.stock, rows => rows.row_stride())
    }

    /// The rows at these positions, in this order.
    ///
    /// # Errors
    /// [`Error::RowIndex`] for the first position that is none of a row.
    pub(crate) fn gathered(self, indices: &'a [u32]) -> Result<Self, Error> {
        let rows = self.rows();
        if let Some(at) = indices.iter().position(|&index| index as usize >= rows) {
            return Err(Error::RowIndex { row: at, got: indices[at], rows });
        }
        Ok(self.gathered_again(indices))
    }

    /// The rows at these positions, all of which are known to be those of rows.
    pub(crate) fn gathered_again(self, indices: &'a [u32]) -> Self {
        with_stock!(self.stock, rows => Self::from_rows(rows.gathered(indices)))
    }

    /// If rows are gathered, the batch from which they are, and which row of that each row is.
    pub(crate) fn sources(&self) -> Option<(Self, &'a [u32])> {
        with_stock!(self.stock, rows => {
            rows.sources().map(|(rows, indices)| (Self::from_rows(rows), indices))
        })
    }

    /// Whether the rows overlap in memory, so that a copy of them takes more memory than they do.
    pub(crate) fn overlap(&self) -> bool {
        with_stock!(self.stock, rows => rows.overlap())
    }

    /// Some of the rows.
    pub(crate) fn part(&self, rows: Range<usize>) -> Self {
        with_stock!(self.stock, all => Self::from_rows(all.part(rows)))
    }

    /// The values of the row at position `row` as bytes, in the machine's order; `None` if the values do not lie side by
    /// side.
    ///
    /// # Panics
    /// If `row` is not below [`rows`](Self::rows).
    pub fn bytes_of_row(&self, row: usize) -> Option<&'a [u8]> {
        match self.stock {
            Stock::InPlace(_) => Some(self.row_bytes(row, 0..self.categories())),
            Stock::F64(rows) if rows.category_stride() == 1 => {
                Some(bytemuck::cast_slice(rows.row(row)))
            }
            Stock::WeightsF64(rows) if rows.category_stride() == 1 => {
                Some(bytemuck::cast_slice(TransparentWrapper::peel_slice(rows.row(row))))
            }
            Stock::Spread(_) | Stock::F64(_) | Stock::WeightsF64(_) => None,
        }
    }

    /// The rows as logits, or `None` if they are weights or counts.
    pub fn logits(&self) -> Option<Logits<'a>> {
        Logits::from_batch(*self)
    }

    /// The rows in their own type, wherever their values lie.
    pub(crate) fn stock(&self) -> Stock<'a> {
        self.stock
    }

    /// Whether engines read the rows where they are.
    pub(crate) fn is_in_place(&self) -> bool {
        matches!(self.stock, Stock::InPlace(_))
    }

    /// The rows in their own type. They must be [in place](Self::is_in_place).
    pub(crate) fn data(&self) -> Data<'a> {
        match self.stock {
            Stock::InPlace(data) => data,
            _ => unreachable!("rows that are not in place are copied before an engine gets them"),
        }
    }

    /// The row at position `row` as a batch of its own, or `None` if there is no such row.
    #[cfg(feature = "rand")]
    pub(crate) fn only(&self, row: usize) -> Option<Self> {
        let is_there = row < self.rows();
        is_there.then(|| self.part(row..row + 1))
    }

    /// The values of some categories of the row at position `row` as bytes, in the machine's order. The rows must be in
    /// place.
    pub(crate) fn row_bytes(&self, row: usize, categories: Range<usize>) -> &'a [u8] {
        with_rows!(self.data(), rows => Value::bytes(&rows.row(row)[categories]))
    }

    /// The memory from the first value of row `first` to the last one of row `first + count − 1`. Rows must not be
    /// gathered.
    #[cfg(any(test, feature = "gpu"))]
    pub(crate) fn span_bytes(&self, first: usize, count: usize) -> &'a [u8] {
        with_rows!(self.data(), rows => Value::bytes(rows.span(first, count)))
    }
}

#[cfg(test)]
mod tests {
    use half::f16;

    use super::*;
    use crate::options::Logits;

    /// Rows of three values, four apart: the memory of several rows includes the values between them.
    #[test]
    fn the_memory_of_rows_is_theirs() {
        let numbers: Vec<u16> = (0..11).collect();
        let halves: Vec<_> = numbers.iter().map(|&bits| f16::from_bits(bits)).collect();
        let logits = Batch::from(Logits::strided(&halves, 3, 3, 4).unwrap());
        let bytes = |range: Range<usize>| bytemuck::cast_slice::<u16, u8>(&numbers[range]);
        assert_eq!(logits.row_bytes(2, 0..3), bytes(8..11));
        assert_eq!(logits.row_bytes(1, 1..2), bytes(5..6));
        assert_eq!(logits.span_bytes(1, 2), bytes(4..11));
        assert_eq!(logits.span_bytes(0, 1), bytes(0..3));

        let singles = [0.5, 1.5, 2.5];
        let logits = Batch::from(Logits::new(&singles, 1).unwrap());
        assert_eq!(logits.row_bytes(1, 0..1), 1.5f32.to_ne_bytes());
        assert_eq!(logits.span_bytes(1, 2), bytemuck::cast_slice::<f32, u8>(&singles[1..]));
    }
}
