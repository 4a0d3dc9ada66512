//! Cuts a batch into chunks and segments by its shape in memory and a device's limits. Pure: no
//! device is asked.
//!
//! A batch is cut into *chunks* of whole rows, each of which is uploaded, raced and read back at
//! once. A row that fits into no chunk is a chunk of its own and is cut into *segments* of
//! categories, one pass each, with the outcome so far carried over. A row with too many draws for a
//! chunk is in several chunks.

use std::ops::Range;

use super::layout::{Device, Layout, Races, has_groups};
use crate::noise::bits::OCTET;
use crate::noise::groups::SPAN;
use crate::shaders::Kernel;

/// The most logits, counted once a draw, that one dispatch evaluates: systems stop a dispatch that
/// takes seconds, and so many logits take half a second on a software adapter (Mesa 25's lavapipe,
/// two cores).
pub(super) const MAX_WORK: usize = 1 << 27;

/// The most categories of a row for each invocation of the workgroup that finds the row's first k
/// alone: 2¹² octets, or 2⁸ half-spans. The shaders say how many iterations of loops these take.
const MAX_OF_WORKGROUP: usize = 1 << 15;

/// A row's start is rounded up to this many bytes, which a device can load at once.
const ALIGNMENT: usize = 16;

/// The memory that a device can bind, and how much of it the sampler may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// The most bytes of logits that are uploaded at once, and of everything else that a chunk
    /// takes.
    pub(crate) chunk_bytes: u64,
    /// The largest storage buffer that can be bound, and allocated, in bytes.
    pub(crate) binding_bytes: u64,
    /// The device that layouts are made for.
    pub(crate) device: Device,
}

impl Limits {
    /// The most bytes that a chunk takes of anything: of logits, row ids, outcomes and results.
    pub(crate) fn most_bytes(&self) -> u64 {
        self.chunk_bytes.min(self.binding_bytes)
    }
}

/// The results that are written for each race.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// The draw.
    Draws,
    /// The draw and its key.
    Keys,
    /// For each segment the draws, and then the sums of the parts of each row.
    Scores,
    /// The sums of rows, with the place of the draws left unwritten.
    Sums,
    /// For each segment, the categories that may be among the first k of the race.
    TopK(u32),
}

impl Output {
    /// True if every segment of a row has a result of its own; false if the row has a single one.
    pub(crate) fn is_of_segments(self) -> bool {
        self.has_sums() || matches!(self, Self::TopK(_))
    }

    /// True if rows are summed.
    pub(crate) fn has_sums(self) -> bool {
        matches!(self, Self::Scores | Self::Sums)
    }
}

/// The shape of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) rows: usize,
    pub(crate) categories: usize,
    pub(crate) row_stride: usize,
    /// The size of a logit, 2 or 4.
    pub(crate) logit_bytes: usize,
    pub(crate) draws: u32,
    pub(crate) greedy: bool,
    /// Whether rows have options of their own.
    pub(crate) own: bool,
    pub(crate) output: Output,
}

/// The bytes of a row's id, and of its id and all of its own options.
const ROW_ID: usize = 8;
const ROW_OPTIONS: usize = 24;

/// How a batch is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    shape: Shape,
    /// The distance between rows on the device, in logits.
    pub(crate) row_stride: usize,
    /// True if every row starts at a multiple of 16 bytes on the device.
    pub(crate) aligned: bool,
    /// How the races of a pass are laid out.
    pub(crate) layout: Layout,
    /// The rows of a chunk, and the draws from each.
    rows: usize,
    draws: u32,
    /// The number of categories of a pass: whole octets or, in a long row, whole spans, unless it is all of them.
    segment: usize,
}

/// The rows and draws that are raced and read back at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// The positions of the rows in the batch.
    pub(crate) rows: Range<usize>,
    /// The draws, counted from the call's first.
    pub(crate) draws: Range<u32>,
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
        let bytes = shape.logit_bytes;
        let most_bytes = limits.most_bytes() as usize;
        // a segment begins with an octet, and in a long row with a span
        let groups = has_groups(shape.categories);
        let whole_octets = if groups { SPAN } else { OCTET };
        let at_once = (most_bytes / bytes).max(whole_octets);
        let row_stride = row_stride(shape);
        let whole = match shape.output {
            // the iterations of a workgroup grow with the segment
            Output::TopK(_) => {
                at_once.min(MAX_OF_WORKGROUP * limits.device.teams.shared_workgroup as usize)
            }
            _ => at_once,
        };
        let segment = if shape.categories > whole {
            whole / whole_octets * whole_octets
        } else {
            shape.categories
        };
        let cut = segment < shape.categories;

        // the bytes of a race in a buffer of the chunk: of its record or, if its row is cut, of two
        // outcomes, which are 32
        let sums = if shape.output.has_sums() { 2 } else { 0 };
        let record = record(shape.output, segment) + sums;
        let draws_fit = most_bytes / if cut { 32.max(4 * record) } else { 4 * record };
        let work = MAX_WORK / shape.categories;
        let races = draws_fit.min(work).max(1);
        let draws = (shape.draws as usize).min(races);
        let rows = if cut || draws < shape.draws as usize {
            1
        } else {
            let logits_fit =
                (at_once - shape.categories).checked_div(row_stride).map_or(usize::MAX, |n| n + 1);
            let of_row = if shape.own { ROW_OPTIONS } else { ROW_ID };
            (races / draws).min(logits_fit).min(most_bytes / of_row).max(1)
        };
        let rows = rows.min(shape.rows);
        let draws = draws as u32;
        let plan = |rows, draws| {
            let greedy = shape.greedy;
            let races = Races { rows, categories: segment, draws, greedy, groups };
            let aligned = row_stride.is_multiple_of(ALIGNMENT / bytes);
            let layout = layout(shape.output, races, limits);
            Self { shape, row_stride, aligned, layout, rows, draws, segment }
        };
        // this loop has a turn only where chunks are small for a row that has to be cut into many
        // parts
        let (mut rows, mut draws) = (rows, draws);
        while rows * draws as usize > 1 && !plan(rows, draws).fits(limits) {
            (rows, draws) = if rows > 1 { (rows / 2, draws) } else { (1, draws / 2) };
        }
        plan(rows, draws)
    }

    /// True if the results and the outcomes of a chunk each take no more than a chunk may.
    fn fits(&self, limits: Limits) -> bool {
        let most_bytes = limits.most_bytes() as usize;
        4 * self.most_words() <= most_bytes && 16 * self.outcomes() <= most_bytes
    }

    /// True if rows are cut into several passes.
    pub(crate) fn cuts_rows(&self) -> bool {
        self.segment < self.shape.categories
    }

    /// True if a merge pass follows each pass.
    pub(crate) fn merges(&self) -> bool {
        let races = !matches!(self.shape.output, Output::TopK(_) | Output::Sums);
        races && (self.cuts_rows() || self.layout.is_cut())
    }

    /// The results that are written for each race.
    pub(crate) fn output(&self) -> Output {
        self.shape.output
    }

    /// The number of words that are written for each race.
    pub(crate) fn record(&self) -> usize {
        record(self.shape.output, self.segment)
    }

    /// The number of words that are written for a chunk, or for a segment of its row.
    pub(crate) fn words(&self, chunk: &Chunk) -> usize {
        chunk.races() * self.record() + 2 * self.sums(chunk)
    }

    /// The most words that are written for a chunk.
    pub(crate) fn most_words(&self) -> usize {
        self.words(&Chunk { rows: 0..self.rows, draws: 0..self.draws })
    }

    /// The number of sums, of two words each, that are written for a chunk. Only a chunk with the
    /// first draws of its rows has sums.
    pub(crate) fn sums(&self, chunk: &Chunk) -> usize {
        let summed = self.shape.output.has_sums() && chunk.draws.start == 0;
        if summed { chunk.rows.len() * self.sums_of_row() } else { 0 }
    }

    /// The number of sums for each row, or for a segment of the row.
    pub(crate) fn sums_of_row(&self) -> usize {
        self.layout.parts as usize
    }

    /// The k of the first k, if they are wanted; otherwise 1.
    pub(crate) fn k(&self) -> u32 {
        match self.shape.output {
            Output::TopK(k) => k,
            _ => 1,
        }
    }

    /// True if a pass with this segment has a result.
    pub(crate) fn has_result(&self, segment: &Range<usize>) -> bool {
        self.shape.output.is_of_segments() || segment.end == self.shape.categories
    }

    /// The number of words of all results; `None` if there are too many.
    pub(crate) fn all_words(&self) -> Option<usize> {
        let segments = if self.shape.output.is_of_segments() { self.segments().count() } else { 1 };
        let races = self.shape.rows.checked_mul(self.shape.draws as usize)?;
        let sums = if self.shape.output.has_sums() { 2 * self.sums_of_row() } else { 0 };
        let sums = self.shape.rows.checked_mul(sums)?;
        races.checked_mul(self.record())?.checked_add(sums)?.checked_mul(segments)
    }

    /// The chunks, in the order of the draws in the result.
    pub(crate) fn chunks(&self) -> impl Iterator<Item = Chunk> + use<> {
        let plan = *self;
        (0..plan.shape.rows).step_by(plan.rows).flat_map(move |row| {
            let rows = row..plan.shape.rows.min(row + plan.rows);
            (0..plan.shape.draws).step_by(plan.draws as usize).map(move |draw| {
                let draws = draw..plan.shape.draws.min(draw.saturating_add(plan.draws));
                Chunk { rows: rows.clone(), draws }
            })
        })
    }

    /// The passes: the segments of each chunk.
    pub(crate) fn steps(&self) -> impl Iterator<Item = (Chunk, Range<usize>)> + use<> {
        let plan = *self;
        plan.chunks()
            .flat_map(move |chunk| plan.segments().map(move |segment| (chunk.clone(), segment)))
    }

    /// The categories of each pass.
    pub(crate) fn segments(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let (categories, segment) = (self.shape.categories, self.segment);
        (0..categories).step_by(segment).map(move |c| c..categories.min(c + segment))
    }

    /// The bytes of logits that are uploaded at once, at most.
    pub(crate) fn logits_bytes(&self) -> usize {
        self.bytes_of(self.rows, self.segment)
    }

    /// The bytes from the first logit of some rows to the last.
    pub(crate) fn bytes_of(&self, rows: usize, categories: usize) -> usize {
        ((rows - 1) * self.row_stride + categories) * self.shape.logit_bytes
    }

    /// The distance between rows on the device, in bytes.
    pub(crate) fn row_bytes(&self) -> usize {
        self.row_stride * self.shape.logit_bytes
    }

    /// The races of a chunk, at most.
    pub(crate) fn races(&self) -> usize {
        self.rows * self.draws as usize
    }

    /// The outcomes of a pass, at most: one for each part of a race, and one that is carried over.
    pub(crate) fn outcomes(&self) -> usize {
        if self.merges() { self.races() * (self.layout.parts as usize + 1) } else { 0 }
    }

    /// The rows of a chunk, at most.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }
}

fn layout(output: Output, races: Races, limits: Limits) -> Layout {
    let teams = races.rows * races.draws as usize;
    let device = limits.device.with_memory_for_parts(teams, limits.most_bytes());
    match output {
        Output::TopK(_) => Layout::of_workgroups(Kernel::TopK, races, device),
        // a sum takes no noise
        Output::Sums => {
            Layout::new(Races { groups: false, ..races }, device).with_sums(Kernel::Sums)
        }
        Output::Scores => Layout::new(races, device).with_sums(Kernel::Score),
        Output::Draws | Output::Keys => Layout::new(races, device),
    }
}

/// The number of words that are written for each race.
fn record(output: Output, segment: usize) -> usize {
    match output {
        Output::Draws | Output::Scores | Output::Sums => 1,
        Output::Keys => 3,
        Output::TopK(k) => 1 + 3 * (4 * k as usize + 64).min(segment.next_multiple_of(8)),
    }
}

/// The distance between rows on the device, in logits.
///
/// Rows are moved apart to where 16 bytes can be loaded at once, if that adds no more than a
/// quarter, and moved together if the gaps between them are longer than the rows.
fn row_stride(shape: Shape) -> usize {
    let Shape { categories, row_stride, .. } = shape;
    let align = ALIGNMENT / shape.logit_bytes;
    let padded = categories.next_multiple_of(align);
    if row_stride > 2 * categories || row_stride == categories {
        if padded - categories <= categories / 4 { padded } else { categories }
    } else {
        row_stride
    }
}

#[cfg(test)]
mod tests;
