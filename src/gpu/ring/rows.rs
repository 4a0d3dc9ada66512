//! Copies rows from the caller's memory to where a device reads them.

use std::ops::Range;

#[cfg(not(target_family = "wasm"))]
use rayon::prelude::*;

use crate::options::Batch;

/// Larger copies are made in pieces of about this size, which threads share.
const COPY_BYTES: usize = 1 << 20;
/// Maps start at multiples of this many bytes.
const MAP_ALIGNMENT: usize = 8;

/// Some categories of some rows of a batch, and how far apart the rows are to lie on the device.
#[derive(Clone, Debug)]
pub(in crate::gpu) struct RowValues<'a> {
    pub(in crate::gpu) batch: Batch<'a>,
    /// Positions of rows in the batch.
    pub(in crate::gpu) rows: Range<usize>,
    pub(in crate::gpu) categories: Range<usize>,
    /// The bytes from the start of a row on the device to the start of the next.
    pub(in crate::gpu) apart: usize,
}

impl RowValues<'_> {
    /// The bytes on the device, from the first value of the first row to the last value of the last.
    pub(super) fn bytes(&self) -> usize {
        (self.rows.len() - 1) * self.apart + self.categories.len() * self.batch.format().bytes()
    }

    /// True if the rows are copied one by one, since they are further apart or closer together in memory than
    /// on the device.
    fn are_moved(&self) -> bool {
        let bytes = self.batch.apart().map(|apart| apart * self.batch.format().bytes());
        self.rows.len() > 1 && bytes != Some(self.apart)
    }

    /// Copies the rows to where the kernel finds them.
    pub(super) fn copy(&self, to: wgpu::BufferSlice<'_>) -> Result<(), wgpu::MapRangeError> {
        let piece = if self.are_moved() {
            // a piece has whole rows, and starts where a map may
            let together = if self.apart.is_multiple_of(MAP_ALIGNMENT) { 1 } else { MAP_ALIGNMENT };
            let rows = (COPY_BYTES / self.apart).next_multiple_of(together).max(together);
            rows * self.apart
        } else {
            COPY_BYTES
        };
        copy_in_pieces(to, self.bytes(), piece, |to, bytes| self.copy_piece(to, bytes))
    }

    /// Copies the bytes of a range that is counted on the device, from the first row's start.
    fn copy_piece(&self, mut to: wgpu::WriteOnly<'_, [u8]>, bytes: Range<usize>) {
        let Self { batch, rows, categories, apart } = self;
        if self.are_moved() {
            let first = rows.start + bytes.start / apart;
            for (i, row) in (first..rows.end).take(bytes.len().div_ceil(*apart)).enumerate() {
                let from = batch.row_bytes(row, categories.clone());
                to.slice(i * apart..i * apart + from.len()).copy_from_slice(from);
            }
        } else if rows.len() == 1 {
            to.copy_from_slice(&batch.row_bytes(rows.start, categories.clone())[bytes]);
        } else {
            to.copy_from_slice(&batch.span_bytes(rows.start, rows.len())[bytes]);
        }
    }
}

/// Copies bytes as they are.
pub(super) fn copy_bytes(
    to: wgpu::BufferSlice<'_>,
    from: &[u8],
) -> Result<(), wgpu::MapRangeError> {
    copy_in_pieces(to, from.len(), COPY_BYTES, |mut to, bytes| to.copy_from_slice(&from[bytes]))
}

/// Fills `bytes` bytes, a piece at a time, and on several threads if there are many pieces.
fn copy_in_pieces(
    to: wgpu::BufferSlice<'_>,
    bytes: usize,
    piece: usize,
    fill: impl Fn(wgpu::WriteOnly<'_, [u8]>, Range<usize>) + Sync,
) -> Result<(), wgpu::MapRangeError> {
    let views = (0..bytes).step_by(piece).map(|start| {
        let end = bytes.min(start + piece);
        let mapped = to.slice(start as u64..(end as u64).next_multiple_of(4));
        Ok((mapped.get_mapped_range_mut()?, start..end))
    });
    let views: Vec<(wgpu::BufferViewMut, Range<usize>)> = views.collect::<Result<_, _>>()?;
    let fill = |(mut view, bytes): (wgpu::BufferViewMut, Range<usize>)| {
        fill(view.slice(..bytes.len()), bytes);
    };
    // in a browser, maps belong to one thread
    #[cfg(not(target_family = "wasm"))]
    if views.len() > 1 {
        views.into_par_iter().for_each(fill);
        return Ok(());
    }
    views.into_iter().for_each(fill);
    Ok(())
}
