//! Soft samples and their gradients on their way through the ring.

use bytemuck::{Pod, Zeroable, bytes_of};
use rayon::prelude::*;

use super::plan::{Chunk, Plan};
use crate::error::Error;
use crate::gpu::Gpu;
use crate::gpu::kernel::{
    EACH_ID, KernelOptions, Kernels, Pass, Passes, UNFILTERED, UNFINISHED, bind_at, flag, words,
};
use crate::gpu::ring::{Input, Kind, Memory, RowValues, Sections, Workload};
use crate::job::soften::Softening;

/// The uniform `Soft` of `shaders/kernel/soften.wgsl`, field by field.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Soft {
    fall: f32,
    largest_gap: f32,
    strips: u32,
    vjp: u32,
}

impl Soft {
    fn new(softening: &Softening<'_>, plan: &Plan, vjp: bool) -> Self {
        let fall = softening.fall();
        // a weight below the smallest normal float counts as 0; no two keys are 2⁶⁴ − 2⁵⁶ apart,
        // and the shader gives a logit of −∞ a gap that is 2⁶⁴ as a float
        let largest_gap = (126.0 / fall).min(2f64.powi(64));
        let (fall, largest_gap) = (fall as f32, largest_gap as f32);
        Self { fall, largest_gap, strips: plan.strips, vjp: vjp.into() }
    }
}

/// The results that are asked for, and the memory for them.
#[derive(Debug)]
pub(super) enum Wanted<'a> {
    Samples(&'a mut [f32]),
    Gradients { cotangents: &'a [f32], gradients: &'a mut [f32] },
}

/// Sections of the input.
const PASS: usize = 0;
const SOFT: usize = 1;
const ROW_IDS: usize = 2;
const LOGITS: usize = 3;
const COTANGENTS: usize = 4;
/// Sections of the scratch memory; the last two for gradients alone.
const OUTCOMES: usize = 0;
const UNUSED: usize = 1;
const SUMS: usize = 2;
const WEIGHTS: usize = 3;

/// A planned call for samples or gradients.
#[derive(Debug)]
pub(super) struct SoftWork<'a> {
    softening: &'a Softening<'a>,
    pub(super) plan: Plan,
    kernels: &'a Kernels,
    layout: &'a wgpu::BindGroupLayout,
    passes: Passes,
    pipelines: [wgpu::ComputePipeline; 3],
    soft: Soft,
    filter: bool,
    wanted: Wanted<'a>,
}

impl<'a> SoftWork<'a> {
    pub(super) async fn new(
        sampler: &'a Gpu,
        softening: &'a Softening<'a>,
        wanted: Wanted<'a>,
    ) -> Result<Self, Error> {
        let Gpu { guard, kernels, limits, filter, .. } = sampler;
        let plan = Plan::new(softening, limits)?;
        let format = softening.job.logits.format();
        let options = KernelOptions::new(format, plan.aligned);
        // the pass of a chunk's races, which leave their winners, and the merge if rows are cut
        // into parts
        let passes = kernels.passes(guard, &plan.layout, options, plan.layout.is_cut()).await?;
        let of_rows = (format, plan.aligned, plan.layout.has_groups());
        let pipelines = kernels.soft(guard, of_rows, limits.device.teams.shared_workgroup).await?;
        let soft = Soft::new(softening, &plan, matches!(wanted, Wanted::Gradients { .. }));
        let (layout, filter) = (kernels.soft_layout()?, *filter);
        Ok(Self { softening, plan, kernels, layout, passes, pipelines, soft, filter, wanted })
    }

    fn vjp(&self) -> bool {
        matches!(self.wanted, Wanted::Gradients { .. })
    }

    fn pass_of(&self, chunk: &Chunk) -> Pass {
        let (job, plan) = (&self.softening.job, &self.plan);
        let rows = chunk.rows.len() as u32;
        let unfiltered = if self.filter { 0 } else { UNFILTERED };
        Pass {
            seed: words(job.seed),
            first_row: words(job.row_ids.id(chunk.rows.start)),
            rows,
            draws: chunk.draws.len() as u32,
            first_draw: job.first_draw + chunk.draws.start,
            categories: self.plan.categories as u32,
            row_stride: plan.row_stride as u32,
            source_rows: rows,
            // the races leave their winners instead of draws
            flags: UNFINISHED | unfiltered | flag(job.explicit_ids().is_some(), EACH_ID),
            ..Pass::laid_out(&plan.layout, job.logits.format(), job.temperature)
        }
    }
}

impl Workload for SoftWork<'_> {
    type Step = Chunk;

    fn kind(&self) -> Kind {
        if self.vjp() { Kind::Gradients } else { Kind::Samples }
    }

    fn sections(&self) -> Sections {
        sections(&self.plan, self.softening.job.explicit_ids().is_some(), self.vjp())
    }

    fn bind(&self, device: &wgpu::Device, memory: Memory<'_>) -> Vec<wgpu::BindGroup> {
        let [pass, soft, row_ids, logits, cotangents] =
            [PASS, SOFT, ROW_IDS, LOGITS, COTANGENTS].map(|section| memory.input(section));
        let [outcomes, unused] = [OUTCOMES, UNUSED].map(|section| memory.scratch(section));
        let (sums, weights, gradients) = if self.vjp() {
            (memory.scratch(SUMS), memory.scratch(WEIGHTS), memory.output(0))
        } else {
            (memory.output(0), memory.output(1), unused.clone())
        };
        let plain = [pass, logits, row_ids, outcomes, unused];
        let inputs = (0..4).zip(plain[..4].iter().cloned());
        let own = (5..).zip([soft, weights, cotangents, sums, gradients]);
        let bound: Vec<_> = inputs.chain(own).collect();
        vec![self.kernels.bind_plain(device, plain), bind_at(device, self.layout, &bound)]
    }

    fn fill(&self, chunk: &Chunk, input: &mut Input<'_>) -> Result<(), wgpu::MapRangeError> {
        let (job, plan) = (&self.softening.job, &self.plan);
        input.write(PASS, bytes_of(&self.pass_of(chunk)))?;
        input.write(SOFT, bytes_of(&self.soft))?;
        if let Some(ids) = job.explicit_ids() {
            input.write_ids(ROW_IDS, &ids[chunk.rows.clone()])?;
        }
        if input.lacks(&chunk.rows) {
            let (rows, categories) = (chunk.rows.clone(), 0..plan.categories);
            let (batch, apart) = (job.logits, plan.row_bytes());
            input.write_rows(LOGITS, &RowValues { batch, rows, categories, apart })?;
        }
        if let Wanted::Gradients { cotangents, .. } = &self.wanted {
            let of_chunk = &cotangents[chunk.floats(plan.categories)];
            input.write(COTANGENTS, bytemuck::cast_slice(of_chunk))?;
        }
        Ok(())
    }

    fn encode(
        &self,
        chunk: &Chunk,
        encoder: &mut wgpu::CommandEncoder,
        _: Memory<'_>,
        groups: &[wgpu::BindGroup],
    ) {
        let plan = &self.plan;
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
            label: Some("gumbel soft samples"),
            timestamp_writes: None,
        });
        let (rows, draws) = (chunk.rows.len(), chunk.draws.len());
        self.passes.encode(&mut pass, &groups[0], &plan.layout, rows, draws, None);
        pass.set_bind_group(0, &groups[1], &[]);
        let strips = chunk.races() * plan.strips as usize;
        let sizes = [strips, chunk.races(), rows * plan.categories];
        let kernels = if self.vjp() { 3 } else { 1 };
        for (pipeline, invocations) in self.pipelines.iter().zip(sizes).take(kernels) {
            pass.set_pipeline(pipeline);
            let [x, y] = plan.workgroups(invocations);
            pass.dispatch_workgroups(x, y, 1);
        }
    }

    fn results(&self, chunk: &Chunk) -> [u64; 2] {
        let categories = self.plan.categories;
        if self.vjp() {
            [4 * (chunk.rows.len() * categories) as u64, 0]
        } else {
            let strips = chunk.races() * self.plan.strips as usize;
            [8 * strips as u64, 4 * (chunk.races() * categories) as u64]
        }
    }

    /// Takes a chunk's results, and applies the factor that is left to the host: one of each
    /// sample, or one of the whole call.
    fn take(&mut self, chunk: &Chunk, results: [&[u32]; 2]) {
        let Plan { categories, strips, .. } = self.plan;
        let (rows, slope) = (chunk.rows.clone(), self.softening.slope());
        let [first, second] = results.map(bytemuck::cast_slice::<u32, f32>);
        match &mut self.wanted {
            Wanted::Samples(samples) => {
                let samples = &mut samples[chunk.floats(categories)];
                let sums = first.par_chunks_exact(2 * strips as usize);
                samples
                    .par_chunks_exact_mut(categories)
                    .zip(second.par_chunks_exact(categories))
                    .zip(sums)
                    .with_min_len(GRAIN.div_ceil(categories))
                    .for_each(|((sample, weights), sums)| normalize(sample, weights, sums));
            }
            Wanted::Gradients { gradients, .. } => {
                let gradients = &mut gradients[rows.start * categories..rows.end * categories];
                let is_first = chunk.draws.start == 0;
                let each = gradients.par_iter_mut().zip(first).with_min_len(GRAIN);
                each.for_each(|(x, &part)| {
                    let before = if is_first { 0.0 } else { f64::from(*x) };
                    // in f64, where the slope is finite: 0 stays 0
                    *x = (before + f64::from(part) * slope) as f32;
                });
            }
        }
    }
}

/// The fewest floats that a thread takes at once.
const GRAIN: usize = 1 << 14;

/// Makes a sample of its weights, divided by their sum; NaNs for a race without a draw. `sums` has
/// two floats for each strip: a sum of weights, and a sum that is not used here.
fn normalize(sample: &mut [f32], weights: &[f32], sums: &[f32]) {
    let sum: f64 = sums.iter().step_by(2).map(|&sum| f64::from(sum)).sum();
    // the drawn category's weight alone is 1
    let scale = if sum >= 0.5 { (1.0 / sum) as f32 } else { f32::NAN };
    sample.iter_mut().zip(weights).for_each(|(y, weight)| *y = weight * scale);
}

/// The bytes that a plan needs in each section of the ring's buffers.
pub(super) fn sections(plan: &Plan, explicit_ids: bool, vjp: bool) -> Sections {
    let uniforms = [size_of::<Pass>() as u64, size_of::<Soft>() as u64];
    let row_ids = if explicit_ids { 8 * plan.rows as u64 } else { 8 };
    let logits = plan.logits_bytes() as u64;
    let (weights, sums) = (4 * plan.floats() as u64, 8 * plan.sums(vjp) as u64);
    let outcomes = 16 * plan.outcomes() as u64;
    let input = |cotangents| [uniforms[0], uniforms[1], row_ids, logits, cotangents, 0];
    // for buffers that the layout has and no kernel of this kind reads
    let unused = 16;
    if vjp {
        Sections {
            input: input(weights),
            scratch: [outcomes, unused, sums, weights],
            output: [4 * plan.gradients() as u64, 0],
        }
    } else {
        Sections {
            input: input(unused),
            scratch: [outcomes, unused, 0, 0],
            output: [sums, weights],
        }
    }
}

#[cfg(test)]
mod tests;
