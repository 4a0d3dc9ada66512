//! From a call to chunks that fit into a device's buffers. Pure: no device is asked.

use std::borrow::Cow;
use std::ops::Range;

use crate::error::Error;
use crate::gpu::layout::{Layout, Races, grid};
use crate::gpu::plan::Limits;
use crate::job::soften::Softening;
use crate::options::Batch;

/// The most octets that an invocation weighs: as many iterations of a loop, of which some drivers allow
/// 65,535, and so many floats that are added up one by one.
const STRIP_OCTETS: usize = 256;
/// The most strips of a race, unless it has more octets than they may have: iterations as well, and each
/// strip should have a few octets.
const STRIPS: usize = 512;
/// The most draws of a row in a chunk: iterations as well.
const DRAWS: usize = 1 << 15;
/// The most races in a chunk: their outcomes take 64 bytes each at most.
const RACES: usize = 1 << 20;
/// A row's start is rounded up to this many bytes, which a device can load at once.
const ALIGNMENT: usize = 16;

/// How a call is cut.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) categories: usize,
    /// The rows of a chunk, and the draws from each, at most.
    pub(super) rows: usize,
    draws: usize,
    all: (usize, u32),
    /// The distance between rows on the device, in logits.
    pub(super) row_stride: usize,
    /// True if every row starts at a multiple of 16 bytes on the device.
    pub(super) aligned: bool,
    logit_bytes: usize,
    /// How the races of a chunk are laid out.
    pub(super) layout: Layout,
    /// The invocations that weigh a race.
    pub(super) strips: u32,
    crowd: u32,
    workgroups: u32,
}

/// What is on the device at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    /// Positions of rows in the batch.
    pub(super) rows: Range<usize>,
    /// Draws, counted from the call's first.
    pub(super) draws: Range<u32>,
    /// The draws of each row of the call.
    of: usize,
}

impl Chunk {
    pub(super) fn races(&self) -> usize {
        self.rows.len() * self.draws.len()
    }

    /// Where its samples are among the call's: several rows have all of their draws.
    pub(super) fn floats(&self, categories: usize) -> Range<usize> {
        let first = self.rows.start * self.of + self.draws.start as usize;
        first * categories..(first + self.races()) * categories
    }
}

impl Plan {
    /// The plan for a call with at least one row.
    pub(super) fn new(softening: &Softening<'_>, limits: &Limits) -> Result<Self, Error> {
        let logits = &softening.job.logits;
        let (rows, categories, draws) = (logits.rows(), logits.categories(), softening.job.draws);
        let logit_bytes = logits.format().bytes();
        // a row is padded to whole loads
        let row_stride = categories.next_multiple_of(ALIGNMENT / logit_bytes);
        let most = limits.binding_bytes as usize / size_of::<f32>();
        if row_stride > most {
            return Err(Error::RowTooLong { operation: "soft samples", categories, most });
        }
        let floats =
            (limits.chunk_bytes.min(limits.binding_bytes) as usize / size_of::<f32>()).max(8);
        let races = (floats / row_stride).min(RACES).min(limits.binding_bytes as usize / 64).max(1);
        let in_chunk = (draws as usize).min(races).min(DRAWS);
        let rows_in_chunk =
            if in_chunk < draws as usize { 1 } else { (races / in_chunk).min(rows).max(1) };
        let races =
            Races { rows: rows_in_chunk, categories, draws: in_chunk as u32, greedy: false };
        let octets = categories.div_ceil(8);
        let busy = limits.device.teams.busy_lanes / (rows_in_chunk * in_chunk);
        let strips = busy.min(STRIPS).max(octets.div_ceil(STRIP_OCTETS)).min(octets);
        Ok(Self {
            categories,
            rows: rows_in_chunk,
            draws: in_chunk,
            all: (rows, draws),
            row_stride,
            aligned: true,
            logit_bytes,
            layout: Layout::new(races, limits.device),
            strips: strips as u32,
            crowd: limits.device.teams.crowd,
            workgroups: limits.device.workgroups,
        })
    }

    /// The chunks, in the order of their samples.
    pub(super) fn chunks(&self) -> impl Iterator<Item = Chunk> + use<> {
        let Self { rows: at_once, draws: draws_at_once, all: (rows, draws), .. } = *self;
        (0..rows).step_by(at_once).flat_map(move |row| {
            let rows = row..rows.min(row + at_once);
            (0..draws).step_by(draws_at_once).map(move |draw| {
                let draws_of = draw..draws.min(draw.saturating_add(draws_at_once as u32));
                Chunk { rows: rows.clone(), draws: draws_of, of: draws as usize }
            })
        })
    }

    /// The races of a chunk, at most.
    pub(super) fn races(&self) -> usize {
        self.rows * self.draws
    }

    /// The samples' floats of a chunk, at most.
    pub(super) fn floats(&self) -> usize {
        self.races() * self.categories
    }

    /// The gradients' floats of a chunk, at most.
    pub(super) fn gradients(&self) -> usize {
        self.rows * self.categories
    }

    /// The sums of a chunk, at most: of strips, and of whole races.
    pub(super) fn sums(&self) -> usize {
        self.races() * (self.strips as usize + 1)
    }

    /// The outcomes of a chunk, at most.
    pub(super) fn outcomes(&self) -> usize {
        self.races() * (self.layout.parts as usize + 1)
    }

    /// The bytes of a chunk's logits, at most.
    pub(super) fn logits_bytes(&self) -> usize {
        self.rows * self.row_stride * self.logit_bytes
    }

    /// The logits of some rows as they lie on the device: copied, unless they lie like that already.
    pub(super) fn bytes_of<'a>(&self, logits: &Batch<'a>, rows: &Range<usize>) -> Cow<'a, [u8]> {
        if logits.row_stride() == self.row_stride && self.categories == self.row_stride {
            return logits.span_bytes(rows.start, rows.len()).into();
        }
        let row_bytes = self.row_stride * self.logit_bytes;
        let mut bytes = vec![0; rows.len() * row_bytes];
        for (row, to) in rows.clone().zip(bytes.chunks_exact_mut(row_bytes)) {
            let from = logits.row_bytes(row, 0..self.categories);
            to[..from.len()].copy_from_slice(from);
        }
        bytes.into()
    }

    /// Workgroups along x and y for so many invocations.
    pub(super) fn workgroups(&self, invocations: usize) -> [u32; 2] {
        grid(invocations.div_ceil(self.crowd as usize), self.workgroups)
    }
}

#[cfg(test)]
mod tests;
