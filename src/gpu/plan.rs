//! From a shape and a device's limits to chunks, passes and workgroups. Pure: no device is asked.
//!
//! A batch is cut into *chunks* of whole rows, each of which is uploaded, raced and read back at
//! once. A row that fits into no binding, or that has more octets than the lanes of a race may
//! take, is a chunk of its own and is cut into *segments* of categories, one pass each, with the
//! outcome so far carried over. A row with too many draws for a chunk is taken several times.

use std::ops::Range;

/// The most octets that an invocation takes in one pass; see `shaders/race.wgsl`.
pub(crate) const MAX_OCTETS_PER_LANE: usize = 2048;

/// The most logits, counted once a draw, that one dispatch evaluates: systems stop a dispatch that
/// takes seconds, and this is half a second on a software adapter (Mesa 25's lavapipe, two cores).
const MAX_WORK: usize = 1 << 27;

/// Chunks of logits and draws are at most this large, so that memory stays small beside the batch.
const CHUNK_BYTES: u64 = 64 << 20;

/// What a device can do, and what the sampler has been told to use of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// The largest storage buffer that can be bound, and allocated, in bytes.
    pub(crate) binding_bytes: u64,
    /// The most workgroups along one dimension of a dispatch.
    pub(crate) workgroups: u32,
    /// The invocations of a workgroup, a power of two.
    pub(crate) workgroup_size: u32,
}

impl Limits {
    /// The limits of a device, for workgroups of the given size.
    pub(crate) fn new(limits: &wgpu::Limits, workgroup_size: u32) -> Self {
        let binding = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size);
        Self {
            binding_bytes: binding.min(CHUNK_BYTES),
            workgroups: limits.max_compute_workgroups_per_dimension,
            workgroup_size,
        }
    }
}

/// The shape of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) rows: usize,
    pub(crate) categories: usize,
    pub(crate) row_stride: usize,
    pub(crate) draws: u32,
}

/// How a batch is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    shape: Shape,
    limits: Limits,
    /// The distance between rows on the device, in logits.
    pub(crate) row_stride: usize,
    /// The rows of a chunk, and the draws from each.
    rows: usize,
    draws: u32,
    /// The categories of a pass, a multiple of eight unless all of them.
    segment: usize,
    /// The invocations that share a race, a power of two.
    pub(crate) lanes: u32,
}

/// What is uploaded, raced and read back at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// Positions of rows in the batch.
    pub(crate) rows: Range<usize>,
    /// Draws, counted from the call's first.
    pub(crate) draws: Range<u32>,
    /// Workgroups along x and y.
    pub(crate) workgroups: [u32; 2],
}

impl Chunk {
    /// The number of races.
    pub(crate) fn races(&self) -> usize {
        self.rows.len() * self.draws.len()
    }
}

impl Plan {
    /// The plan for a shape with at least one row.
    pub(crate) fn new(shape: Shape, limits: Limits) -> Self {
        let words = (limits.binding_bytes / 4) as usize;
        let octets = shape.categories.div_ceil(8);
        let lanes = octets.next_power_of_two().min(limits.workgroup_size as usize);

        // A gap between rows is uploaded only while it is shorter than the rows.
        let gaps = shape.row_stride > 2 * shape.categories;
        let row_stride = if gaps { shape.categories } else { shape.row_stride };

        let per_pass = (lanes * 8 * MAX_OCTETS_PER_LANE).min(words / 8 * 8);
        let segment = shape.categories.min(per_pass);

        // What a chunk's draws, outcomes and row ids need is at most 16 bytes a race, but outcomes
        // are kept only of cut rows.
        let draws_words = if segment < shape.categories { words / 4 } else { words };
        let work = (MAX_WORK / shape.categories).max(1);
        let workgroups = (limits.workgroups as usize).saturating_mul(limits.workgroups as usize);
        let races_at_once = workgroups.saturating_mul(limits.workgroup_size as usize / lanes);
        let races = draws_words.min(work).min(races_at_once).max(1);

        let draws = (shape.draws as usize).min(races);
        let rows = if segment < shape.categories || draws < shape.draws as usize {
            1
        } else {
            let logits_fit =
                (words - shape.categories).checked_div(row_stride).map_or(usize::MAX, |n| n + 1);
            // an explicit row id takes two words
            (races / draws).min(logits_fit).min(words / 2).max(1)
        };
        Self {
            shape,
            limits,
            row_stride,
            rows: rows.min(shape.rows),
            draws: draws as u32,
            segment,
            lanes: lanes as u32,
        }
    }

    /// True if a row's gap to the next is left out when it is uploaded.
    pub(crate) fn packs_rows(&self) -> bool {
        self.row_stride != self.shape.row_stride
    }

    /// True if rows are cut into several passes.
    pub(crate) fn cuts_rows(&self) -> bool {
        self.segment < self.shape.categories
    }

    /// The chunks, in the order of the draws in the result.
    pub(crate) fn chunks(&self) -> impl Iterator<Item = Chunk> + use<> {
        let plan = *self;
        let races_per_workgroup = (plan.limits.workgroup_size / plan.lanes) as usize;
        (0..plan.shape.rows).step_by(plan.rows).flat_map(move |row| {
            let rows = row..plan.shape.rows.min(row + plan.rows);
            (0..plan.shape.draws).step_by(plan.draws as usize).map(move |draw| {
                let draws = draw..plan.shape.draws.min(draw.saturating_add(plan.draws));
                let rows = rows.clone();
                let workgroups = (rows.len() * draws.len()).div_ceil(races_per_workgroup);
                let x = workgroups.min(plan.limits.workgroups as usize);
                let workgroups = [x as u32, workgroups.div_ceil(x) as u32];
                Chunk { rows, draws, workgroups }
            })
        })
    }

    /// The categories of each pass.
    pub(crate) fn segments(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let (categories, segment) = (self.shape.categories, self.segment);
        (0..categories).step_by(segment).map(move |c| c..categories.min(c + segment))
    }

    /// The words of logits that a chunk uploads at once, at most.
    pub(crate) fn logits_words(&self) -> usize {
        if self.cuts_rows() {
            self.segment
        } else {
            (self.rows - 1) * self.row_stride + self.segment
        }
    }

    /// The races of a chunk, at most.
    pub(crate) fn races(&self) -> usize {
        self.rows * self.draws as usize
    }

    /// The rows of a chunk, at most.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }
}

#[cfg(test)]
mod tests;
