//! A batch of rows of values of any format.

use std::ops::Range;

use super::logits::{Logits, ValueFormat};
use super::rows::{Data, Rows, Value, with_rows};
use crate::error::Error;

/// A batch of rows to draw from: [`Logits`](super::Logits) or [`Weights`](super::Weights), both of which convert into a
/// `Batch`.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    data: Data<'a>,
}

impl<'a> Batch<'a> {
    pub(super) fn from_rows<T: Value>(rows: Rows<'a, T>) -> Self {
        Self { data: T::data(rows) }
    }

    /// The type of the values.
    pub fn format(&self) -> ValueFormat {
        match self.data {
            Data::F32(_) => ValueFormat::F32,
            Data::F16(_) => ValueFormat::F16,
            Data::Bf16(_) => ValueFormat::Bf16,
            Data::Weights(_) => ValueFormat::Weights,
            Data::Counts(_) => ValueFormat::Counts,
        }
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        with_rows!(self.data, rows => rows.rows)
    }

    /// The number of categories in each row.
    pub fn categories(&self) -> usize {
        with_rows!(self.data, rows => rows.categories)
    }

    /// The distance from one row's first value to the next row's, in values.
    pub fn row_stride(&self) -> usize {
        // only a job's rows are gathered
        self.apart().unwrap_or(self.categories())
    }

    /// The distance from one row's first value to the next row's, in values; `None` if rows are gathered.
    pub(crate) fn apart(&self) -> Option<usize> {
        with_rows!(self.data, rows => rows.row_stride())
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
        Ok(with_rows!(self.data, rows => Self::from_rows(rows.gathered(indices))))
    }

    /// If rows are gathered, the batch from which they are, and which row of that each row is.
    pub(crate) fn sources(&self) -> Option<(Self, &'a [u32])> {
        with_rows!(self.data, rows => {
            rows.sources().map(|(rows, indices)| (Self::from_rows(rows), indices))
        })
    }

    /// Some of the rows.
    pub(crate) fn part(&self, rows: Range<usize>) -> Self {
        with_rows!(self.data, all => Self::from_rows(all.part(rows)))
    }

    /// The values of the row at position `row` as bytes, in the machine's order.
    ///
    /// # Panics
    /// If `row` is not below [`rows`](Self::rows).
    pub fn bytes_of_row(&self, row: usize) -> &'a [u8] {
        self.row_bytes(row, 0..self.categories())
    }

    /// The rows as logits, or `None` if they are weights or counts.
    pub fn logits(&self) -> Option<Logits<'a>> {
        Logits::from_batch(*self)
    }

    /// The rows in their own type.
    pub(crate) fn data(&self) -> Data<'a> {
        self.data
    }

    /// The row at position `row` as a batch of its own, or `None` if there is no such row.
    #[cfg(feature = "rand")]
    pub(crate) fn only(&self, row: usize) -> Option<Self> {
        let is_there = row < self.rows();
        is_there.then(|| self.part(row..row + 1))
    }

    /// The values of some categories of the row at position `row` as bytes, in the machine's order.
    pub(crate) fn row_bytes(&self, row: usize, categories: Range<usize>) -> &'a [u8] {
        with_rows!(self.data, rows => Value::bytes(&rows.row(row)[categories]))
    }

    /// The memory from the first value of row `first` to the last one of row `first + count − 1`. Rows must not be
    /// gathered.
    #[cfg(any(test, feature = "gpu"))]
    pub(crate) fn span_bytes(&self, first: usize, count: usize) -> &'a [u8] {
        with_rows!(self.data, rows => Value::bytes(rows.span(first, count)))
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
