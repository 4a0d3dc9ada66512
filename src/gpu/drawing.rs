//! Races on their way through the ring, for draws, keys, the top k and sums.

use std::ops::Range;

use bytemuck::bytes_of;

use crate::error::Error;
use crate::job::{Job, OwnOptions};
use crate::shaders::Kernel;

use super::guard::Guard;
use super::kernel::{KernelOptions, Kernels, Pass, Passes};
use super::plan::{Chunk, Output, Plan};
use super::ring::{Input, Kind, Memory, RowValues, Sections, Workload};

/// Sections of the input.
const PASS: usize = 0;
const ROW_IDS: usize = 1;
const LOGITS: usize = 2;
/// The sections of the options of rows: a section for each option.
const SEEDS: usize = 3;
const TEMPERATURES: usize = 4;
const FIRST_DRAWS: usize = 5;

/// A planned job and where its results go.
#[derive(Debug)]
pub(super) struct Drawing<'a> {
    job: &'a Job<'a>,
    plan: &'a Plan,
    kernels: &'a Kernels,
    passes: Passes,
    filter: bool,
    words: &'a mut [u32],
}

/// A pass: a segment of a chunk.
#[derive(Debug)]
pub(super) struct Step {
    chunk: Chunk,
    segment: Range<usize>,
    /// The words of the call's result that this pass writes. If only a row's last segment has a
    /// result, the earlier segments write none.
    result: Range<usize>,
}

impl<'a> Drawing<'a> {
    pub(super) async fn new(
        (guard, kernels, filter): (&Guard, &'a Kernels, bool),
        job: &'a Job<'a>,
        plan: &'a Plan,
        words: &'a mut [u32],
    ) -> Result<Self, Error> {
        let format = job.logits.format();
        let each = !job.own.are_none();
        let options = KernelOptions { each, ..KernelOptions::new(format, plan.aligned) };
        let mut passes = kernels.passes(guard, &plan.layout, options, plan.merges()).await?;
        if plan.output() == Output::Scores && plan.layout.kernel != Kernel::Score {
            passes.sums = Some(kernels.sums(guard, &plan.layout, options).await?);
        }
        Ok(Self { job, plan, kernels, passes, filter, words })
    }

    /// The passes, in the order of their results.
    pub(super) fn steps(&self) -> impl Iterator<Item = Step> + use<> {
        let plan = *self.plan;
        let mut next = 0;
        plan.steps().map(move |(chunk, segment)| {
            let words = if plan.has_result(&segment) { plan.words(&chunk) } else { 0 };
            let result = next..next + words;
            next = result.end;
            Step { chunk, segment, result }
        })
    }
}

impl Workload for Drawing<'_> {
    type Step = Step;

    fn kind(&self) -> Kind {
        if self.job.own.are_none() { Kind::Races } else { Kind::RacesOfRows }
    }

    fn sections(&self) -> Sections {
        sections(self.plan, self.job.explicit_ids().is_some(), self.job.own)
    }

    fn bind(&self, device: &wgpu::Device, memory: Memory<'_>) -> Vec<wgpu::BindGroup> {
        let [pass, row_ids, logits] = [PASS, ROW_IDS, LOGITS].map(|section| memory.input(section));
        let plain = [pass, logits, row_ids, memory.scratch(0), memory.output(0)];
        if self.job.own.are_none() {
            return vec![self.kernels.bind_plain(device, plain)];
        }
        // the host has gathered the rows, so that no kernel reads row indices; any buffer stands for them
        let own = [SEEDS, TEMPERATURES, FIRST_DRAWS, SEEDS].map(|section| memory.input(section));
        vec![self.kernels.bind_each(device, plain, own)]
    }

    fn fill(&self, step: &Step, input: &mut Input<'_>) -> Result<(), wgpu::MapRangeError> {
        let Self { job, plan, filter, .. } = self;
        let Step { chunk, segment, .. } = step;
        input.write(PASS, bytes_of(&Pass::new(job, plan, chunk, segment.clone(), *filter)))?;
        if let Some(ids) = job.explicit_ids() {
            input.write_ids(ROW_IDS, &ids[chunk.rows.clone()])?;
        }
        let OwnOptions { seeds, temperatures, first_draws } = job.own;
        if let Some(seeds) = seeds {
            input.write_ids(SEEDS, &seeds[chunk.rows.clone()])?;
        }
        if let Some(temperatures) = temperatures {
            input.write(TEMPERATURES, bytemuck::cast_slice(&temperatures[chunk.rows.clone()]))?;
        }
        if let Some(first_draws) = first_draws {
            input.write(FIRST_DRAWS, bytemuck::cast_slice(&first_draws[chunk.rows.clone()]))?;
        }
        if input.lacks(&chunk.rows) || plan.cuts_rows() {
            let (rows, categories) = (chunk.rows.clone(), segment.clone());
            let (batch, apart) = (job.logits, plan.row_bytes());
            input.write_rows(LOGITS, &RowValues { batch, rows, categories, apart })?;
        }
        Ok(())
    }

    fn encode(
        &self,
        step: &Step,
        encoder: &mut wgpu::CommandEncoder,
        _: Memory<'_>,
        groups: &[wgpu::BindGroup],
    ) {
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
            label: Some("gumbel draws"),
            timestamp_writes: None,
        });
        let (rows, draws) = (step.chunk.rows.len(), step.chunk.draws.len());
        self.passes.encode(&mut pass, &groups[0], &self.plan.layout, rows, draws, None);
    }

    fn results(&self, step: &Step) -> [u64; 2] {
        [4 * step.result.len() as u64, 0]
    }

    fn take(&mut self, step: &Step, [words, _]: [&[u32]; 2]) {
        self.words[step.result.clone()].copy_from_slice(words);
    }
}

/// The bytes that a plan needs in each section of the ring's buffers.
pub(super) fn sections(plan: &Plan, explicit_ids: bool, own: OwnOptions<'_>) -> Sections {
    // a binding cannot be empty
    let of_rows = |given, bytes| if given { bytes * plan.rows() as u64 } else { 8 };
    let of_own = |given, bytes| if own.are_none() { 0 } else { of_rows(given, bytes).max(8) };
    let row_ids = of_rows(explicit_ids, 8);
    // whole words of 16 bytes, since the shader loads the last one whole too
    let logits = (plan.logits_bytes() as u64).next_multiple_of(16);
    Sections {
        input: [
            size_of::<Pass>() as u64,
            row_ids,
            logits,
            of_own(own.seeds.is_some(), 8),
            of_own(own.temperatures.is_some(), 4),
            of_own(own.first_draws.is_some(), 4),
        ],
        scratch: [16 * (plan.outcomes() as u64).max(1), 0, 0, 0],
        output: [4 * plan.most_words() as u64, 0],
    }
}
