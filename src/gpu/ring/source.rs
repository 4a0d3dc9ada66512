//! From the caller's memory to where a device reads it.

use std::ops::Range;

#[cfg(not(target_family = "wasm"))]
use rayon::prelude::*;

use crate::job::Job;

use super::super::plan::{Chunk, Plan};

/// Larger copies are made in pieces of about this size, which threads share.
const COPY_BYTES: usize = 1 << 20;

/// The logits of a pass in the caller's memory.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) job: &'a Job<'a>,
    pub(super) plan: &'a Plan,
    pub(super) chunk: &'a Chunk,
    pub(super) segment: &'a Range<usize>,
}

impl Source<'_> {
    /// Copies so many bytes to where the kernel will find them; a piece at a time, and on several
    /// threads if there are many.
    pub(super) fn copy(
        self,
        to: wgpu::BufferSlice<'_>,
        bytes: usize,
    ) -> Result<(), wgpu::MapRangeError> {
        // pieces start at multiples of 8 bytes, as maps must, and of rows
        let piece = if self.plan.moves_rows() {
            let rows = (COPY_BYTES / self.plan.row_bytes()).next_multiple_of(8).max(8);
            rows * self.plan.row_bytes()
        } else {
            COPY_BYTES
        };
        let views = (0..bytes).step_by(piece).map(|start| {
            let end = bytes.min(start + piece);
            let mapped = to.slice(start as u64..(end as u64).next_multiple_of(4));
            Ok((mapped.get_mapped_range_mut()?, start..end))
        });
        let views: Vec<(wgpu::BufferViewMut, Range<usize>)> = views.collect::<Result<_, _>>()?;
        let fill = |(mut view, bytes): (wgpu::BufferViewMut, Range<usize>)| {
            self.copy_piece(view.slice(..bytes.len()), bytes);
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

    /// Copies the bytes of this range, counted on the device.
    fn copy_piece(self, mut to: wgpu::WriteOnly<'_, [u8]>, bytes: Range<usize>) {
        let (logits, rows) = (&self.job.logits, &self.chunk.rows);
        if self.plan.cuts_rows() {
            to.copy_from_slice(&logits.row_bytes(rows.start, self.segment.clone())[bytes]);
        } else if self.plan.moves_rows() {
            let apart = self.plan.row_bytes();
            let first = rows.start + bytes.start / apart;
            for (i, row) in (first..rows.end).take(bytes.len().div_ceil(apart)).enumerate() {
                let from = logits.row_bytes(row, 0..logits.categories());
                to.slice(i * apart..i * apart + from.len()).copy_from_slice(from);
            }
        } else {
            to.copy_from_slice(&logits.span_bytes(rows.start, rows.len())[bytes]);
        }
    }
}
