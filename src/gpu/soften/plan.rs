//! Cuts a call into chunks that fit into a device's buffers. Pure: no device is asked.

use std::ops::Range;

use crate::error::Error;
use crate::gpu::layout::{HALF_OCTETS, Layout, Races, grid, halves, has_groups};
use crate::gpu::plan::Limits;
use crate::job::soften::Softening;

/// The most octets of which an invocation computes the weights. An octet is an iteration of a loop or, in a long row, up
/// to three, of which some drivers allow 65,535, and so many floats are added up one by one.
const STRIP_OCTETS: usize = 256;
/// The most strips of a race, unless its octets need more. A strip is an iteration of a loop as
/// well, and should have a few octets.
const STRIPS: usize = 512;
/// The most draws of a row in a chunk. A draw is an iteration of a loop as well.
const DRAWS: usize = 1 << 15;
/// The most races in a chunk.
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
    /// The number of strips of a race: of invocations that share its categories.
    pub(super) strips: u32,
    shared_workgroup: u32,
    workgroups: u32,
}

/// The rows and draws that are on the device at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chunk {
    /// The positions of the rows in the batch.
    pub(super) rows: Range<usize>,
    /// The draws, counted from the call's first.
    pub(super) draws: Range<u32>,
    /// The number of draws of each row in the call.
    of: usize,
}

impl Chunk {
    pub(super) fn races(&self) -> usize {
        self.rows.len() * self.draws.len()
    }

    /// The range of the chunk's samples among the call's floats. It has no gaps, since a chunk of
    /// several rows has all of their draws.
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
        // an invocation takes octets or, in a long row, half-spans
        let groups = has_groups(categories);
        let (units, strip) = if groups {
            (halves(categories), STRIP_OCTETS / HALF_OCTETS)
        } else {
            (categories.div_ceil(8), STRIP_OCTETS)
        };
        // the bytes that are written for a race: of its weights, and of the sums of its strips and
        // of itself
        let most_strips = units.min(STRIPS.max(units.div_ceil(strip)));
        let of_race = size_of::<f32>() * row_stride + 8 * (most_strips + 1);
        let most_bytes = limits.most_bytes();
        let races = (most_bytes as usize / of_race).clamp(1, RACES);
        let in_chunk = (draws as usize).min(races).min(DRAWS);
        let rows_in_chunk =
            if in_chunk < draws as usize { 1 } else { (races / in_chunk).min(rows).max(1) };
        let races = Races {
            rows: rows_in_chunk,
            categories,
            draws: in_chunk as u32,
            greedy: false,
            groups,
        };
        let busy = limits.device.teams.busy_invocations / (rows_in_chunk * in_chunk);
        let strips = busy.min(STRIPS).max(units.div_ceil(strip)).min(units);
        let device = limits.device.with_memory_for_parts(rows_in_chunk * in_chunk, most_bytes);
        Ok(Self {
            categories,
            rows: rows_in_chunk,
            draws: in_chunk,
            all: (rows, draws),
            row_stride,
            aligned: true,
            logit_bytes,
            layout: Layout::new(races, device),
            strips: strips as u32,
            shared_workgroup: limits.device.teams.shared_workgroup,
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

    /// The most floats of a chunk's samples.
    pub(super) fn floats(&self) -> usize {
        self.races() * self.categories
    }

    /// The most floats of a chunk's gradients.
    pub(super) fn gradients(&self) -> usize {
        self.rows * self.categories
    }

    /// The most sums of a chunk: those of strips and, for gradients (`vjp`), those of whole races.
    pub(super) fn sums(&self, vjp: bool) -> usize {
        self.races() * (self.strips as usize + usize::from(vjp))
    }

    /// The outcomes of a chunk, at most: one for each part of a race, and one for what they are merged to.
    pub(super) fn outcomes(&self) -> usize {
        let merged = usize::from(self.layout.is_cut());
        self.races() * (self.layout.parts as usize + merged)
    }

    /// The bytes of a chunk's logits, at most.
    pub(super) fn logits_bytes(&self) -> usize {
        self.rows * self.row_stride * self.logit_bytes
    }

    /// The distance between rows on the device, in bytes.
    pub(super) fn row_bytes(&self) -> usize {
        self.row_stride * self.logit_bytes
    }

    /// The numbers of workgroups along x and y for this many invocations.
    pub(super) fn workgroups(&self, invocations: usize) -> [u32; 2] {
        grid(invocations.div_ceil(self.shared_workgroup as usize), self.workgroups)
    }
}

#[cfg(test)]
mod tests;
