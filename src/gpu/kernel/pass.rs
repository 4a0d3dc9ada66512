//! The uniform that controls the kernels of races and sums.

use std::ops::Range;

use bytemuck::{Pod, Zeroable};

use crate::filter::Filter;
use crate::gpu::layout::Layout;
use crate::gpu::plan::{Chunk, Output, Plan};
use crate::job::{Job, Temperature};
use crate::noise::order::Scale;
use crate::options::ValueFormat;

/// The uniform `Pass` of `shaders/kernel/run.wgsl`, field by field.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Pass {
    pub(in crate::gpu) seed: [u32; 2],
    pub(in crate::gpu) first_row: [u32; 2],
    pub(in crate::gpu) rows: u32,
    pub(in crate::gpu) draws: u32,
    pub(in crate::gpu) first_draw: u32,
    pub(in crate::gpu) first_category: u32,
    pub(in crate::gpu) categories: u32,
    pub(in crate::gpu) first_logit: u32,
    pub(in crate::gpu) row_stride: u32,
    pub(in crate::gpu) source_rows: u32,
    pub(in crate::gpu) lanes: u32,
    pub(in crate::gpu) parts: u32,
    pub(in crate::gpu) part_octets: u32,
    pub(in crate::gpu) draws_at_once: u32,
    pub(in crate::gpu) flags: u32,
    pub(in crate::gpu) scale: u32,
    pub(in crate::gpu) slope: f32,
    pub(in crate::gpu) clamp_bits: u32,
    pub(in crate::gpu) record: u32,
    pub(in crate::gpu) k: u32,
}

pub(in crate::gpu) const UNFILTERED: u32 = 1;
pub(super) const CONTINUED: u32 = 2;
pub(in crate::gpu) const UNFINISHED: u32 = 4;
pub(in crate::gpu) const EACH_ID: u32 = 8;
pub(in crate::gpu) const EACH_SEED: u32 = 16;
pub(in crate::gpu) const EACH_TEMPERATURE: u32 = 32;
pub(in crate::gpu) const EACH_FIRST_DRAW: u32 = 64;
pub(in crate::gpu) const GATHERED: u32 = 128;
pub(super) const KEYED: u32 = 256;
pub(in crate::gpu) const SUMMED: u32 = 512;
pub(in crate::gpu) const WITH_LOG_PROBS: u32 = 1024;
pub(in crate::gpu) const WITH_LOGSUMEXPS: u32 = 2048;

/// Returns the flag if the condition holds, and 0 otherwise.
pub(in crate::gpu) fn flag(on: bool, flag: u32) -> u32 {
    if on { flag } else { 0 }
}

/// Returns the low and the high word of a number.
pub(in crate::gpu) fn words(n: u64) -> [u32; 2] {
    [n as u32, (n >> 32) as u32]
}

impl Pass {
    /// Returns the uniform with the fields that layout, format and temperature decide. `record` is
    /// 1, and all other fields are 0.
    pub(in crate::gpu) fn laid_out(
        layout: &Layout,
        format: ValueFormat,
        temperature: Temperature,
    ) -> Self {
        let scale = match temperature {
            Temperature::Greedy => Scale::ONE,
            Temperature::Scaled(scale) => scale,
        };
        let Filter { slope, lowest } = Filter::new(scale, format.log2());
        Self {
            lanes: layout.lanes,
            parts: layout.parts,
            part_octets: layout.part_octets,
            draws_at_once: layout.draws_at_once,
            scale: scale.reciprocal().to_bits(),
            slope,
            clamp_bits: (-lowest).to_bits(),
            record: 1,
            ..Self::zeroed()
        }
    }

    /// The uniform for a segment of a chunk of a job.
    pub(crate) fn new(
        job: &Job<'_>,
        plan: &Plan,
        chunk: &Chunk,
        segment: Range<usize>,
        filter: bool,
    ) -> Self {
        let rows = chunk.rows.len() as u32;
        Self {
            seed: words(job.seed),
            first_row: words(job.row_ids.id(chunk.rows.start)),
            rows,
            draws: chunk.draws.len() as u32,
            first_draw: job.first_draw + chunk.draws.start,
            first_category: segment.start as u32,
            categories: segment.len() as u32,
            row_stride: plan.row_stride as u32,
            source_rows: rows,
            record: plan.record() as u32,
            k: plan.k(),
            flags: flag(job.explicit_ids().is_some(), EACH_ID)
                | flag(job.own.seeds.is_some(), EACH_SEED)
                | flag(job.own.temperatures.is_some(), EACH_TEMPERATURE)
                | flag(job.own.first_draws.is_some(), EACH_FIRST_DRAW)
                | flag(!filter, UNFILTERED)
                | flag(plan.output() == Output::Keys, KEYED)
                | flag(plan.sums(chunk) > 0, SUMMED)
                | flag(segment.start > 0, CONTINUED)
                | flag(segment.end < job.logits.categories(), UNFINISHED),
            ..Self::laid_out(&plan.layout, job.logits.format(), job.temperature)
        }
    }
}
