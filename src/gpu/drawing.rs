//! Races on their way through the ring, for draws, keys, the top k and sums.

use std::ops::Range;

use bytemuck::bytes_of;

use crate::error::Error;
use crate::job::Job;
use crate::shaders::Kernel;

use super::guard::Guard;
use super::kernel::{KernelOptions, Kernels, Pass, Passes};
use super::plan::{Chunk, Output, Plan};
use super::ring::{Input, Kind, Memory, RowValues, Sections, Workload};

/// Sections of the input.
const PASS: usize = 0;
const ROW_IDS: usize = 1;
const LOGITS: usize = 2;

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
        let options = KernelOptions { format, vec4: plan.aligned, each: false, immediates: false };
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
        Kind::Races
    }

    fn sections(&self) -> Sections {
        sections(self.plan, self.job.explicit_ids().is_some())
    }

    fn bind(&self, device: &wgpu::Device, memory: Memory<'_>) -> Vec<wgpu::BindGroup> {
        let [pass, row_ids, logits] = [PASS, ROW_IDS, LOGITS].map(|section| memory.input(section));
        let bound = [pass, logits, row_ids, memory.scratch(0), memory.output(0)];
        vec![self.kernels.bind_plain(device, bound)]
    }

    fn fill(&self, step: &Step, input: &mut Input<'_>) -> Result<(), wgpu::MapRangeError> {
        let Self { job, plan, filter, .. } = self;
        let Step { chunk, segment, .. } = step;
        input.write(PASS, bytes_of(&Pass::new(job, plan, chunk, segment.clone(), *filter)))?;
        if let Some(ids) = job.explicit_ids() {
            input.write_ids(ROW_IDS, &ids[chunk.rows.clone()])?;
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
pub(super) fn sections(plan: &Plan, explicit_ids: bool) -> Sections {
    let row_ids = if explicit_ids { 8 * plan.rows() as u64 } else { 8 };
    // whole words of 16 bytes, since the shader loads the last one whole too
    let logits = (plan.logits_bytes() as u64).next_multiple_of(16);
    Sections {
        input: [size_of::<Pass>() as u64, row_ids, logits, 0, 0],
        scratch: [16 * (plan.outcomes() as u64).max(1), 0, 0, 0],
        output: [4 * plan.most_words() as u64, 0],
    }
}
