//! Memory on a device for soft samples, and what runs on it.

use bytemuck::{Pod, Zeroable};

use super::plan::{Chunk, Plan};
use crate::error::Error;
use crate::gpu::GpuSampler;
use crate::gpu::guard::{Doing, Guard};
use crate::gpu::kernel::{
    EACH_ID, Form, Kernels, Pass, Passes, UNFILTERED, UNFINISHED, bind_at, flag, words,
};
use crate::job::soften::Softening;

/// The uniform `Soft` of `shaders/kernel/soften.wgsl`, field by field.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
struct Soft {
    fall: f32,
    reach: f32,
    strips: u32,
    pulls: u32,
}

impl Soft {
    fn new(softening: &Softening<'_>, plan: &Plan, pulls: bool) -> Self {
        let fall = softening.fall();
        // a weight is no smaller than the smallest normal float; no two keys are 2⁶⁴ − 2⁵⁶ apart, and for
        // −∞ the shader takes what is 2⁶⁴ as a float
        let reach = (126.0 / fall).min(2f64.powi(64));
        let (fall, reach) = (fall as f32, reach as f32);
        Self { fall, reach, strips: plan.strips, pulls: pulls.into() }
    }
}

/// Memory on the device for the chunks of a call, and what runs on it.
pub(super) struct Room {
    pub(super) plan: Plan,
    passes: Passes,
    pipelines: [wgpu::ComputePipeline; 3],
    races: wgpu::BindGroup,
    soft: wgpu::BindGroup,
    pass: wgpu::Buffer,
    logits: wgpu::Buffer,
    row_ids: wgpu::Buffer,
    weights: wgpu::Buffer,
    cotangents: wgpu::Buffer,
    sums: wgpu::Buffer,
    gradients: wgpu::Buffer,
    readback: wgpu::Buffer,
    sums_readback: wgpu::Buffer,
}

impl Room {
    /// For samples, or for gradients if there are cotangents.
    pub(super) async fn new(
        sampler: &GpuSampler,
        softening: &Softening<'_>,
        cotangents: Option<&[f32]>,
    ) -> Result<Self, Error> {
        use wgpu::BufferUsages as Usage;
        let GpuSampler { guard, kernels, limits, queue, .. } = sampler;
        let plan = Plan::new(softening, limits)?;
        let passes = passes(guard, kernels, &plan, softening).await?;
        let format = softening.job.logits.format();
        let group = limits.device.crowd;
        let pipelines = kernels.soft(guard, format, plan.aligned, group).await?;

        let pulls = cotangents.is_some();
        let races = plan.races() as u64;
        let (floats, sums) = (4 * plan.floats() as u64, 8 * plan.sums() as u64);
        let results = if pulls { 4 * plan.gradients() as u64 } else { floats };
        let input = Usage::STORAGE | Usage::COPY_DST;
        let output = Usage::STORAGE | Usage::COPY_SRC;
        let back = Usage::COPY_DST | Usage::MAP_READ;
        let uniform = Usage::UNIFORM | Usage::COPY_DST;
        let pass = guard.buffer("the uniform", size_of::<Pass>() as u64, uniform).await?;
        let soft = guard.buffer("the uniform", size_of::<Soft>() as u64, uniform).await?;
        let logits = guard.buffer("the logits", plan.logits_bytes() as u64, input).await?;
        let ids = if softening.job.explicit_ids().is_some() { 8 * plan.rows as u64 } else { 8 };
        let row_ids = guard.buffer("the row ids", ids, input).await?;
        let outcomes = plan.outcomes() as u64 * 16;
        let outcomes = guard.buffer("the outcomes", outcomes, Usage::STORAGE).await?;
        let draws = guard.buffer("the draws", 4 * races, Usage::STORAGE).await?;
        let weights = guard.buffer("the weights", floats, output).await?;
        let some = |bytes| if pulls { bytes } else { 4 };
        let cotangents = guard.buffer("the cotangents", some(floats), input).await?;
        let gradients = guard.buffer("the gradients", some(results), output).await?;
        let sums = guard.buffer("the sums", sums, output).await?;
        let readback = guard.buffer("the results read back", results, back).await?;
        let sums_readback = guard.buffer("the sums read back", sums.size(), back).await?;

        let layout = kernels.soft_layout()?;
        let device = guard.device();
        let bind = || {
            let of = wgpu::Buffer::as_entire_buffer_binding;
            let plain = [of(&pass), of(&logits), of(&row_ids), of(&outcomes), of(&draws)];
            let own = [of(&soft), of(&weights), of(&cotangents), of(&sums), of(&gradients)];
            let bound: Vec<_> =
                (0..4).zip(plain[..4].iter().cloned()).chain((5..).zip(own)).collect();
            (kernels.bind_plain(device, plain), bind_at(device, layout, &bound))
        };
        let (races, group) = guard.checked(Doing::Drawing, bind).await?;
        let told = Soft::new(softening, &plan, pulls);
        let tell = || queue.write_buffer(&soft, 0, bytemuck::bytes_of(&told));
        guard.checked(Doing::Drawing, tell).await?;
        Ok(Self {
            plan,
            passes,
            pipelines,
            races,
            soft: group,
            pass,
            logits,
            row_ids,
            weights,
            cotangents,
            sums,
            gradients,
            readback,
            sums_readback,
        })
    }

    /// Hands a chunk to the device, with its cotangents if there are such.
    pub(super) async fn run(
        &self,
        sampler: &GpuSampler,
        softening: &Softening<'_>,
        chunk: &Chunk,
        cotangents: Option<&[f32]>,
    ) -> Result<(), Error> {
        let (guard, queue) = (&sampler.guard, &sampler.queue);
        let pass = self.pass_of(softening, chunk, sampler.filter);
        let logits = self.plan.bytes_of(&softening.job.logits, &chunk.rows);
        let submit = || {
            queue.write_buffer(&self.pass, 0, bytemuck::bytes_of(&pass));
            queue.write_buffer(&self.logits, 0, &logits);
            if let Some(ids) = softening.job.explicit_ids() {
                let ids: Vec<_> = ids[chunk.rows.clone()].iter().map(|&id| words(id)).collect();
                queue.write_buffer(&self.row_ids, 0, bytemuck::cast_slice(&ids));
            }
            if let Some(cotangents) = cotangents {
                queue.write_buffer(&self.cotangents, 0, bytemuck::cast_slice(cotangents));
            }
            queue.submit([self.commands(guard.device(), chunk, cotangents.is_some())])
        };
        guard.checked(Doing::Drawing, submit).await?;
        Ok(())
    }

    fn pass_of(&self, softening: &Softening<'_>, chunk: &Chunk, filter: bool) -> Pass {
        let (job, plan) = (&softening.job, &self.plan);
        let rows = chunk.rows.len() as u32;
        let unfiltered = if filter { 0 } else { UNFILTERED };
        Pass {
            seed: words(job.seed),
            first_row: words(job.row_ids.id(chunk.rows.start)),
            rows,
            draws: chunk.draws.len() as u32,
            first_draw: job.first_draw + chunk.draws.start,
            categories: softening.categories() as u32,
            row_stride: plan.row_stride as u32,
            source_rows: rows,
            // the races leave their winners instead of draws
            flags: UNFINISHED | unfiltered | flag(job.explicit_ids().is_some(), EACH_ID),
            ..Pass::laid_out(&plan.layout, job.temperature)
        }
    }

    fn commands(&self, device: &wgpu::Device, chunk: &Chunk, pulls: bool) -> wgpu::CommandBuffer {
        let plan = &self.plan;
        let mut encoder = device.create_command_encoder(&Default::default());
        let mut pass = encoder.begin_compute_pass(&Default::default());
        let (rows, draws) = (chunk.rows.len(), chunk.draws.len());
        self.passes.encode(&mut pass, &self.races, &plan.layout, rows, draws, None);
        let categories = plan.categories;
        let strips = chunk.races() * plan.strips as usize;
        let sizes = [strips, chunk.races(), rows * categories];
        let kernels = if pulls { 3 } else { 1 };
        for (pipeline, invocations) in self.pipelines.iter().zip(sizes).take(kernels) {
            pass.set_pipeline(pipeline);
            pass.set_bind_group(0, &self.soft, &[]);
            let [x, y] = plan.workgroups(invocations);
            pass.dispatch_workgroups(x, y, 1);
        }
        drop(pass);
        if pulls {
            let bytes = 4 * (rows * categories) as u64;
            encoder.copy_buffer_to_buffer(&self.gradients, 0, &self.readback, 0, bytes);
        } else {
            let bytes = 4 * (chunk.races() * categories) as u64;
            encoder.copy_buffer_to_buffer(&self.weights, 0, &self.readback, 0, bytes);
            let bytes = 8 * strips as u64;
            encoder.copy_buffer_to_buffer(&self.sums, 0, &self.sums_readback, 0, bytes);
        }
        encoder.finish()
    }

    /// Waits for what was handed over, and copies its results and, if asked, its sums.
    pub(super) async fn read(
        &self,
        guard: &Guard,
        results: &mut [f32],
        sums: Option<&mut [[f32; 2]]>,
    ) -> Result<(), Error> {
        let read = async |what, buffer: &wgpu::Buffer, words: &mut [u32]| {
            let slice = buffer.slice(..4 * words.len() as u64);
            let mapping = guard.map(what, slice, wgpu::MapMode::Read, None).await?;
            guard.finish(mapping).await?;
            guard.take(what, slice, words).await
        };
        read("the results", &self.readback, bytemuck::cast_slice_mut(results)).await?;
        if let Some(sums) = sums {
            read("the sums", &self.sums_readback, bytemuck::cast_slice_mut(sums)).await?;
        }
        Ok(())
    }
}

/// The races of a chunk, up to the merge that leaves their winners.
async fn passes(
    guard: &Guard,
    kernels: &Kernels,
    plan: &Plan,
    softening: &Softening<'_>,
) -> Result<Passes, Error> {
    let format = softening.job.logits.format();
    let form = Form { format, vec4: plan.aligned, each: false, immediates: false };
    kernels.passes(guard, &plan.layout, form, true).await
}

#[cfg(test)]
mod tests;
