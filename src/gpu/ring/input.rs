//! The input of a slot while the host writes it.

use std::ops::Range;

use super::rows::{RowValues, copy_bytes};
use super::sections::{SECTION, start};

/// The largest gap, in bytes, between two written ranges that are copied to the device as one: for
/// a larger gap two copies are better.
const GAP: u64 = 2 * SECTION;

/// The input of a step, which an operation writes section by section in their order.
#[derive(Debug)]
pub(in crate::gpu) struct Input<'a> {
    upload: &'a wgpu::Buffer,
    sections: &'a [u64],
    holds: &'a mut Option<Range<usize>>,
    written: Vec<Range<u64>>,
}

impl<'a> Input<'a> {
    pub(super) fn new(
        upload: &'a wgpu::Buffer,
        sections: &'a [u64],
        holds: &'a mut Option<Range<usize>>,
    ) -> Self {
        Self { upload, sections, holds, written: Vec::with_capacity(2) }
    }

    /// True unless the slot holds the values of these rows already; from now on the slot holds
    /// them.
    pub(in crate::gpu) fn lacks(&mut self, rows: &Range<usize>) -> bool {
        let lacks = self.holds.as_ref() != Some(rows);
        if lacks {
            *self.holds = Some(rows.clone());
        }
        lacks
    }

    /// Writes bytes to the beginning of a section.
    pub(in crate::gpu) fn write(
        &mut self,
        section: usize,
        bytes: &[u8],
    ) -> Result<(), wgpu::MapRangeError> {
        copy_bytes(self.section(section, bytes.len()), bytes)
    }

    /// Writes row ids, low words first, whatever the host's order.
    pub(in crate::gpu) fn write_ids(
        &mut self,
        section: usize,
        ids: &[u64],
    ) -> Result<(), wgpu::MapRangeError> {
        let mut view = self.section(section, 8 * ids.len()).get_mapped_range_mut()?;
        let (bytes, _) = view.slice(..8 * ids.len()).into_chunks::<8>();
        bytes.write_iter(ids.iter().map(|id| id.to_le_bytes()));
        Ok(())
    }

    /// Writes the values of rows.
    pub(in crate::gpu) fn write_rows(
        &mut self,
        section: usize,
        rows: &RowValues<'_>,
    ) -> Result<(), wgpu::MapRangeError> {
        rows.copy(self.section(section, rows.bytes()))
    }

    /// Returns the first `bytes` bytes of a section, which are about to be written, and records
    /// them as written.
    fn section(&mut self, section: usize, bytes: usize) -> wgpu::BufferSlice<'a> {
        debug_assert!(bytes as u64 <= self.sections[section], "a section is too small");
        let start = start(self.sections, section);
        let range = start..start + (bytes as u64).next_multiple_of(4);
        match self.written.last_mut() {
            Some(last) if (last.end..=last.end + GAP).contains(&start) => last.end = range.end,
            _ => self.written.push(range.clone()),
        }
        self.upload.slice(range)
    }

    /// The ranges of bytes that were written, with small gaps between them.
    pub(super) fn written(self) -> Vec<Range<u64>> {
        self.written
    }
}
