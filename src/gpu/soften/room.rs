//! Memory on a device for soft samples, and what runs on it.

use std::sync::PoisonError;

use bytemuck::{Pod, Zeroable};

use super::memory::{Memory, Sizes};
use super::plan::{Chunk, Plan};
use crate::error::Error;
use crate::gpu::Gpu;
use crate::gpu::guard::{Doing, Guard};
use crate::gpu::kernel::{
    EACH_ID, Form, Kernels, Pass, Passes, UNFILTERED, UNFINISHED, flag, words,
};
use crate::job::soften::Softening;

/// The uniform `Soft` of `shaders/kernel/soften.wgsl`, field by field.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Soft {
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

/// A call's chunks, memory on the device for them, and what runs on it.
pub(super) struct Room {
    pub(super) plan: Plan,
    passes: Passes,
    pipelines: [wgpu::ComputePipeline; 3],
    memory: Memory,
}

impl Room {
    /// For samples, or for gradients if it `pulls`; in the memory of the calls before if that will do, and
    /// otherwise in what would do for them too.
    pub(super) async fn enter(
        sampler: &Gpu,
        softening: &Softening<'_>,
        pulls: bool,
    ) -> Result<Self, Error> {
        let Gpu { guard, kernels, limits, queue, .. } = sampler;
        let plan = Plan::new(softening, limits)?;
        let passes = passes(guard, kernels, &plan, softening).await?;
        let format = softening.job.logits.format();
        let pipelines =
            kernels.soft(guard, format, plan.aligned, limits.device.teams.crowd).await?;
        let needed = Sizes::new(&plan, softening, pulls);
        let kept = sampler.soft.lock().unwrap_or_else(PoisonError::into_inner).take();
        let sizes = match kept {
            Some(memory) if memory.sizes.suffice(&needed) => Ok(memory),
            // which is given back here, before more is asked for
            Some(memory) => Err(memory.sizes.joined(needed)),
            None => Err(needed),
        };
        let memory = match sizes {
            Ok(memory) => memory,
            Err(sizes) => match Memory::new(guard, kernels, sizes).await {
                // there may still be room for this call alone
                Err(Error::OutOfMemory { .. }) if sizes != needed => {
                    Memory::new(guard, kernels, needed).await?
                }
                made => made?,
            },
        };
        let told = Soft::new(softening, &plan, pulls);
        let tell = || queue.write_buffer(&memory.soft, 0, bytemuck::bytes_of(&told));
        guard.checked(Doing::Drawing, tell).await?;
        Ok(Self { plan, passes, pipelines, memory })
    }

    /// Keeps the memory for the next call.
    pub(super) fn leave(self, sampler: &Gpu) {
        *sampler.soft.lock().unwrap_or_else(PoisonError::into_inner) = Some(self.memory);
    }

    /// Hands a chunk to the device, with its cotangents if there are such.
    pub(super) async fn run(
        &self,
        sampler: &Gpu,
        softening: &Softening<'_>,
        chunk: &Chunk,
        cotangents: Option<&[f32]>,
    ) -> Result<(), Error> {
        let (guard, queue) = (&sampler.guard, &sampler.queue);
        let pass = self.pass_of(softening, chunk, sampler.filter);
        let logits = self.plan.bytes_of(&softening.job.logits, &chunk.rows);
        let submit = || {
            queue.write_buffer(&self.memory.pass, 0, bytemuck::bytes_of(&pass));
            queue.write_buffer(&self.memory.logits, 0, &logits);
            if let Some(ids) = softening.job.explicit_ids() {
                let ids: Vec<_> = ids[chunk.rows.clone()].iter().map(|&id| words(id)).collect();
                queue.write_buffer(&self.memory.row_ids, 0, bytemuck::cast_slice(&ids));
            }
            if let Some(cotangents) = cotangents {
                queue.write_buffer(&self.memory.cotangents, 0, bytemuck::cast_slice(cotangents));
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
            ..Pass::laid_out(&plan.layout, job.logits.format(), job.temperature)
        }
    }

    fn commands(&self, device: &wgpu::Device, chunk: &Chunk, pulls: bool) -> wgpu::CommandBuffer {
        let plan = &self.plan;
        let mut encoder = device.create_command_encoder(&Default::default());
        let mut pass = encoder.begin_compute_pass(&Default::default());
        let (rows, draws) = (chunk.rows.len(), chunk.draws.len());
        self.passes.encode(&mut pass, &self.memory.races, &plan.layout, rows, draws, None);
        let categories = plan.categories;
        let strips = chunk.races() * plan.strips as usize;
        let sizes = [strips, chunk.races(), rows * categories];
        let kernels = if pulls { 3 } else { 1 };
        for (pipeline, invocations) in self.pipelines.iter().zip(sizes).take(kernels) {
            pass.set_pipeline(pipeline);
            pass.set_bind_group(0, &self.memory.kernels, &[]);
            let [x, y] = plan.workgroups(invocations);
            pass.dispatch_workgroups(x, y, 1);
        }
        drop(pass);
        if pulls {
            let bytes = 4 * (rows * categories) as u64;
            encoder.copy_buffer_to_buffer(
                &self.memory.gradients,
                0,
                &self.memory.readback,
                0,
                bytes,
            );
        } else {
            let bytes = 4 * (chunk.races() * categories) as u64;
            encoder.copy_buffer_to_buffer(&self.memory.weights, 0, &self.memory.readback, 0, bytes);
            let bytes = 8 * strips as u64;
            encoder.copy_buffer_to_buffer(
                &self.memory.sums,
                0,
                &self.memory.sums_readback,
                0,
                bytes,
            );
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
        read("the results", &self.memory.readback, bytemuck::cast_slice_mut(results)).await?;
        if let Some(sums) = sums {
            read("the sums", &self.memory.sums_readback, bytemuck::cast_slice_mut(sums)).await?;
        }
        Ok(())
    }
}

/// The races of a chunk, which leave their winners, and the merge if rows are cut into parts.
async fn passes(
    guard: &Guard,
    kernels: &Kernels,
    plan: &Plan,
    softening: &Softening<'_>,
) -> Result<Passes, Error> {
    let format = softening.job.logits.format();
    let form = Form { format, vec4: plan.aligned, each: false, immediates: false };
    kernels.passes(guard, &plan.layout, form, plan.layout.is_cut()).await
}

#[cfg(test)]
mod tests;
