//! Makes the logits on the device, in the buffers that need them.

use gumbel::{shaders, wgpu};

use crate::device::Device;
use crate::error::Error;
use crate::logits::{Format, Rows};

/// The invocations of a workgroup, and the most workgroups along x.
const WORKGROUP: u64 = 64;
const ACROSS: u64 = 1 << 15;

/// A range of a buffer, and the logits to make there.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) buffer: wgpu::Buffer,
    /// The start of the range and its size in bytes; the size is that of whole blocks of four
    /// logits, or more.
    pub(crate) at: u64,
    pub(crate) bytes: u64,
    pub(crate) region: u32,
    /// The first logit, which is the start of a block, and the number of logits.
    pub(crate) first: u64,
    pub(crate) logits: u64,
    /// The categories of a row.
    pub(crate) categories: u32,
}

/// The shader that makes logits.
#[derive(Debug)]
pub(crate) struct Filler {
    module: wgpu::ShaderModule,
    rows: Rows,
}

impl Filler {
    pub(crate) fn new(device: &Device<'_>, rows: Rows) -> Result<Self, Error> {
        let source = shaders::noise_source(false) + include_str!("fill.wgsl");
        let descriptor = wgpu::ShaderModuleDescriptor {
            label: Some("logits"),
            source: wgpu::ShaderSource::Wgsl(source.into()),
        };
        let module = device.checked(|| Ok(device.wgpu().create_shader_module(descriptor)))?;
        Ok(Self { module, rows })
    }

    /// Makes the logits of all these places.
    pub(crate) fn fill(
        &self,
        device: &Device<'_>,
        format: Format,
        places: impl IntoIterator<Item = Place>,
    ) -> Result<(), Error> {
        let pipeline = self.pipeline(device, format)?;
        device.submit(|encoder| {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            pass.set_pipeline(&pipeline);
            for place in places {
                let blocks = place.logits.div_ceil(4);
                let workgroups = blocks.div_ceil(WORKGROUP);
                let across = workgroups.clamp(1, ACROSS);
                let words = [place.first / 4, blocks, u64::from(place.region), across * WORKGROUP];
                let [first, blocks, region, along] = words.map(|word| word as u32);
                let words = [first, blocks, region, along, self.rows as u32, place.categories];
                let uniform = uniform(device.wgpu(), words)?;
                pass.set_bind_group(0, &bind(device.wgpu(), &pipeline, &uniform, &place), &[]);
                pass.dispatch_workgroups(across as u32, workgroups.div_ceil(across) as u32, 1);
            }
            Ok(())
        })
    }

    fn pipeline(
        &self,
        device: &Device<'_>,
        format: Format,
    ) -> Result<wgpu::ComputePipeline, Error> {
        let entry_point = format!("fill_{}", format.name);
        let descriptor = wgpu::ComputePipelineDescriptor {
            label: Some("logits"),
            layout: None,
            module: &self.module,
            entry_point: Some(&entry_point),
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            cache: None,
        };
        device.checked(|| Ok(device.wgpu().create_compute_pipeline(&descriptor)))
    }
}

fn uniform(device: &wgpu::Device, words: [u32; 6]) -> Result<wgpu::Buffer, Error> {
    let buffer = device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("logits"),
        size: size_of_val(&words) as u64,
        usage: wgpu::BufferUsages::UNIFORM,
        mapped_at_creation: true,
    });
    let mut mapped = buffer
        .slice(..)
        .get_mapped_range_mut()
        .map_err(|error| Error::Device(error.to_string()))?;
    mapped.copy_from_slice(bytemuck::bytes_of(&words));
    drop(mapped);
    buffer.unmap();
    Ok(buffer)
}

fn bind(
    device: &wgpu::Device,
    pipeline: &wgpu::ComputePipeline,
    uniform: &wgpu::Buffer,
    place: &Place,
) -> wgpu::BindGroup {
    let out = wgpu::BufferBinding {
        buffer: &place.buffer,
        offset: place.at,
        size: std::num::NonZeroU64::new(place.bytes),
    };
    device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: Some("logits"),
        layout: &pipeline.get_bind_group_layout(0),
        entries: &[
            wgpu::BindGroupEntry { binding: 0, resource: uniform.as_entire_binding() },
            wgpu::BindGroupEntry { binding: 1, resource: wgpu::BindingResource::Buffer(out) },
        ],
    })
}
