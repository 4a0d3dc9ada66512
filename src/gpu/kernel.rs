//! The pipeline of `shaders/race.wgsl`: what is bound to it, and the uniform that tells it what to do.

use bytemuck::{Pod, Zeroable};

use crate::filter::Filter;
use crate::job::{Job, Temperature};
use crate::noise::order::Scale;

use super::plan::{Chunk, Plan};

/// The uniform `Pass` of `shaders/race.wgsl`, field by field.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C)]
pub(crate) struct Pass {
    seed: [u32; 2],
    first_row: [u32; 2],
    rows: u32,
    draws: u32,
    first_draw: u32,
    first_category: u32,
    categories: u32,
    row_stride: u32,
    lanes: u32,
    flags: u32,
    scale: u32,
    slope: f32,
    lowest: f32,
    unused: u32,
}

const EXPLICIT_IDS: u32 = 1;
const GREEDY: u32 = 2;
const UNFILTERED: u32 = 4;
const CONTINUED: u32 = 8;
const UNFINISHED: u32 = 16;

impl Pass {
    /// The uniform for a segment of a chunk of a job.
    pub(crate) fn new(
        job: &Job<'_>,
        plan: &Plan,
        chunk: &Chunk,
        segment: std::ops::Range<usize>,
        filter: bool,
    ) -> Self {
        let flag = |on: bool, flag: u32| if on { flag } else { 0 };
        let scale = match job.temperature {
            Temperature::Greedy => Scale::ONE,
            Temperature::Scaled(scale) => scale,
        };
        let Filter { slope, lowest } = Filter::new(scale);
        Self {
            seed: words(job.seed),
            first_row: words(job.row_ids.id(chunk.rows.start)),
            rows: chunk.rows.len() as u32,
            draws: chunk.draws.len() as u32,
            first_draw: job.first_draw + chunk.draws.start,
            first_category: segment.start as u32,
            categories: segment.len() as u32,
            row_stride: plan.row_stride as u32,
            lanes: plan.lanes,
            flags: flag(job.explicit_ids().is_some(), EXPLICIT_IDS)
                | flag(job.temperature == Temperature::Greedy, GREEDY)
                | flag(!filter, UNFILTERED)
                | flag(segment.start > 0, CONTINUED)
                | flag(segment.end < job.logits.categories(), UNFINISHED),
            scale: scale.reciprocal().to_bits(),
            slope,
            lowest,
            unused: 0,
        }
    }
}

fn words(n: u64) -> [u32; 2] {
    [n as u32, (n >> 32) as u32]
}

/// What is bound to the pipeline, in the order of the bindings.
pub(crate) fn bind_group_layout(device: &wgpu::Device) -> wgpu::BindGroupLayout {
    let entry = |binding, ty| wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None },
        count: None,
    };
    let storage = |read_only| wgpu::BufferBindingType::Storage { read_only };
    device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: Some("gumbel race"),
        entries: &[
            entry(0, wgpu::BufferBindingType::Uniform),
            entry(1, storage(true)),
            entry(2, storage(true)),
            entry(3, storage(false)),
            entry(4, storage(false)),
        ],
    })
}

/// The pipeline of `shaders/race.wgsl` in one variant.
pub(crate) fn pipeline(
    device: &wgpu::Device,
    layout: &wgpu::BindGroupLayout,
    source: &str,
) -> wgpu::ComputePipeline {
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: Some("gumbel race"),
        source: wgpu::ShaderSource::Wgsl(source.into()),
    });
    let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: Some("gumbel race"),
        bind_group_layouts: &[Some(layout)],
        immediate_size: 0,
    });
    device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some("gumbel race"),
        layout: Some(&layout),
        module: &module,
        entry_point: Some("race"),
        compilation_options: wgpu::PipelineCompilationOptions::default(),
        cache: None,
    })
}

#[cfg(test)]
mod tests;
