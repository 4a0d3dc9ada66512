//! The door to the values of rows.
//!
//! No algorithm behind this door reads a row's memory. An algorithm is given [`RowValues`], which return whole tiles, single
//! values and parts of themselves. So a row of which some categories cannot be drawn is one more implementation of this trait
//! ([`restrict`](super::restrict) has it): a value that is cut away reads as
//! [`Value::NEVER`](crate::options::Value::NEVER), and every algorithm behind the door, and every proof about it,
//! holds unchanged. Rows as they lie in memory cost nothing: their tiles are slices of that memory.
//!
//! Algorithms for many rows take [`Rows`], so copies of the rows if these are restricted. Code that makes copies of rows, finds
//! where rows are cut, tests drafts or looks at shards reads the memory of rows itself.
//!
//! Values that are never drawn fill up the last tile of a row. [`top_down`](super::top_down) fills up the last groups of a row
//! in the same way.

use std::ops::{Deref, Range};

use super::simd::{Aligned, MAX_TILE, Simd};
use super::threads::results;
use super::vector_value::VectorValue;
use crate::noise::bits::OCTET;
use crate::options::{Chance, Rows, Stored, Value, Widen};

/// A tile that has been made whole. Its first `S::OCTETS * OCTET` values are the tile.
pub(super) type Padded<T> = Aligned<[T; MAX_TILE * OCTET]>;

/// The values of a row, or of a part of a row, as algorithms get them.
pub(super) trait RowValues: Copy + Send + Sync {
    type Value: VectorValue;
    /// The values of one or more whole tiles, in memory.
    type Tile: Deref<Target = [Self::Value]>;

    /// The number of categories.
    fn len(self) -> usize;
    /// The value of the category at a position, `NEVER` if it is cut away.
    fn value(self, at: usize) -> Self::Value;
    /// The values one by one.
    fn iter(self) -> impl Iterator<Item = Self::Value>;
    /// The values at these positions.
    fn part(self, range: Range<usize>) -> Self;
    /// `len` values from position `at` on; the row must have so many.
    fn tile(self, at: usize, len: usize) -> Self::Tile;
    /// All complete tiles of `len` values, in their order.
    fn tiles(self, len: usize) -> impl Iterator<Item = Self::Tile>;
    /// Writes all values to memory of the same length.
    fn copy_to(self, to: &mut [Self::Value]);
    /// Writes all logits to memory of the same length.
    fn widen_to(self, to: &mut [f32])
    where
        Self::Value: Widen;

    /// The values after the complete [tiles](Self::tiles) of `len` values.
    #[inline(always)]
    fn after_tiles(self, len: usize) -> Self {
        let end = self.len();
        self.part(end - end % len..end)
    }

    /// An incomplete tile, filled up with values that are never drawn.
    #[inline(always)]
    fn padded(self) -> Padded<Self::Value> {
        let mut whole = Aligned([Self::Value::NEVER; MAX_TILE * OCTET]);
        self.copy_to(&mut whole.0[..self.len()]);
        whole
    }

    /// Parts of `len` values, the last of which may have fewer.
    #[inline(always)]
    fn parts(self, len: usize) -> impl Iterator<Item = Self> {
        let end = self.len();
        (0..end).step_by(len).map(move |at| self.part(at..end.min(at + len)))
    }

    /// What `work` makes of the first category and the values of each [part](Self::parts) of `len` values, on the threads
    /// of the current pool.
    fn of_parts<R: Send>(self, len: usize, work: impl Fn(u32, Self) -> R + Sync) -> Vec<R> {
        let end = self.len();
        results(end.div_ceil(len), &|i| {
            let first = i * len;
            work(first as u32, self.part(first..end.min(first + len)))
        })
    }

    /// Asks for the values, which will be read soon.
    #[inline(always)]
    fn prefetch<S: Simd>(self, _: S) {}

    /// Whether one of the values leaves the row without a draw.
    #[inline(always)]
    fn has_invalid(self) -> bool {
        self.iter().any(|value| value.chance() == Chance::Invalid)
    }
}

/// Values as they lie in memory.
impl<'a, T: VectorValue> RowValues for &'a [T] {
    type Value = T;
    type Tile = &'a [T];

    #[inline(always)]
    fn len(self) -> usize {
        <[T]>::len(self)
    }
    #[inline(always)]
    fn value(self, at: usize) -> T {
        self[at]
    }
    #[inline(always)]
    fn iter(self) -> impl Iterator<Item = T> {
        <[T]>::iter(self).copied()
    }
    #[inline(always)]
    fn part(self, range: Range<usize>) -> Self {
        &self[range]
    }
    #[inline(always)]
    fn tile(self, at: usize, len: usize) -> &'a [T] {
        &self[at..][..len]
    }
    #[inline(always)]
    fn tiles(self, len: usize) -> impl Iterator<Item = &'a [T]> {
        self.chunks_exact(len)
    }
    #[inline(always)]
    fn copy_to(self, to: &mut [T]) {
        to.copy_from_slice(self);
    }
    #[inline(always)]
    fn widen_to(self, to: &mut [f32])
    where
        T: Widen,
    {
        T::widen_all(self, to);
    }
    #[inline(always)]
    fn parts(self, len: usize) -> impl Iterator<Item = Self> {
        self.chunks(len)
    }
    #[inline(always)]
    fn prefetch<S: Simd>(self, s: S) {
        s.prefetch(self);
    }
}

/// The values of `count` rows from `first` on, if they lie in memory as whole tiles, with no gap between rows; otherwise
/// `None`.
#[inline(always)]
pub(super) fn in_place<'a, S: Simd, T: Stored>(
    _: S,
    rows: Rows<'a, T>,
    first: usize,
    count: usize,
) -> Option<&'a [T]> {
    let categories = rows.categories();
    let dense = categories.is_multiple_of(OCTET) && rows.row_stride() == Some(categories);
    let whole = (count * categories / OCTET).is_multiple_of(S::OCTETS);
    (dense && whole).then(|| rows.span(first, count))
}

/// Short rows of one length side by side. Each begins with an octet of its own; where a row ends within an
/// octet, values that are never drawn fill up the octet.
#[repr(align(64))]
pub(super) struct SideBySide<T, const OCTETS: usize> {
    values: [[T; OCTET]; OCTETS],
    categories: usize,
}

impl<T: VectorValue, const OCTETS: usize> SideBySide<T, OCTETS> {
    /// Memory for rows of this number of categories.
    #[inline(always)]
    pub(super) fn new(categories: usize) -> Self {
        Self { values: [[T::NEVER; OCTET]; OCTETS], categories }
    }

    /// The number of octets in a row.
    #[inline(always)]
    fn octets(&self) -> usize {
        self.categories.div_ceil(OCTET)
    }

    /// The memory of the row at a position.
    #[inline(always)]
    fn of_row(&mut self, at: usize) -> &mut [T] {
        let octets = self.octets();
        &mut self.values[at * octets..][..octets].as_flattened_mut()[..self.categories]
    }

    /// Puts a row at a position.
    #[inline(always)]
    pub(super) fn put<V: RowValues<Value = T>>(&mut self, at: usize, row: V) {
        row.copy_to(self.of_row(at));
    }

    /// All values, with the values that are never drawn between the rows.
    #[inline(always)]
    pub(super) fn values(&self) -> &[T] {
        self.values.as_flattened()
    }
}

impl<const OCTETS: usize> SideBySide<f32, OCTETS> {
    /// Widens a row of logits of any type into a position, and returns the widened logits.
    #[inline(always)]
    pub(super) fn put_widened<V: RowValues<Value: Widen>>(&mut self, at: usize, row: V) -> &[f32] {
        let to = self.of_row(at);
        row.widen_to(to);
        to
    }

    /// Widens a part of a row, at most a row's length of it, into the memory's beginning, and fills up its
    /// last octet.
    #[inline(always)]
    pub(super) fn put_part_widened<V: RowValues<Value: Widen>>(&mut self, part: V) {
        let (row, padding) = self.values.as_flattened_mut().split_at_mut(part.len());
        part.widen_to(row);
        let missing = part.len().next_multiple_of(OCTET) - part.len();
        padding[..missing].fill(f32::NEG_INFINITY);
    }
}

#[cfg(test)]
pub(super) mod tests;
