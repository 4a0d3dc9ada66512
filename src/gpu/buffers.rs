//! The buffers of a call, kept from one call to the next.

use crate::error::Error;
use crate::job::Job;

use super::guard::Guard;
use super::kernel::Pass;
use super::plan::{Chunk, Plan};

/// What the shader reads and writes, and what the draws are read back through.
#[derive(Debug)]
pub(super) struct Buffers {
    pass: wgpu::Buffer,
    logits: wgpu::Buffer,
    row_ids: wgpu::Buffer,
    outcomes: wgpu::Buffer,
    pub(super) draws: wgpu::Buffer,
    pub(super) readback: wgpu::Buffer,
}

/// The bytes that a plan needs of each buffer; a binding cannot be empty.
#[derive(Clone, Copy)]
struct Sizes {
    logits: u64,
    row_ids: u64,
    outcomes: u64,
    draws: u64,
}

impl Sizes {
    fn new(plan: &Plan, explicit_ids: bool) -> Self {
        let races = plan.races() as u64;
        Self {
            logits: 4 * plan.logits_words() as u64,
            row_ids: if explicit_ids { 8 * plan.rows() as u64 } else { 8 },
            outcomes: if plan.cuts_rows() { 16 * races } else { 16 },
            draws: 4 * races,
        }
    }
}

impl Buffers {
    pub(super) async fn new(guard: &Guard, plan: &Plan, job: &Job<'_>) -> Result<Self, Error> {
        use wgpu::BufferUsages as Usage;
        let make = |what, size, usage| guard.buffer(what, size, usage);
        let sizes = Sizes::new(plan, job.explicit_ids().is_some());
        let input = Usage::STORAGE | Usage::COPY_DST;
        let pass = size_of::<Pass>() as u64;
        let output = Usage::STORAGE | Usage::COPY_SRC;
        let readback = Usage::MAP_READ | Usage::COPY_DST;
        Ok(Self {
            pass: make("gumbel pass", pass, Usage::UNIFORM | Usage::COPY_DST).await?,
            logits: make("gumbel logits", sizes.logits, input).await?,
            row_ids: make("gumbel row ids", sizes.row_ids, input).await?,
            outcomes: make("gumbel outcomes", sizes.outcomes, Usage::STORAGE).await?,
            draws: make("gumbel draws", sizes.draws, output).await?,
            readback: make("gumbel readback", sizes.draws, readback).await?,
        })
    }

    /// True if these buffers will do for another call.
    pub(super) fn suffice(&self, plan: &Plan, job: &Job<'_>) -> bool {
        let sizes = Sizes::new(plan, job.explicit_ids().is_some());
        self.logits.size() >= sizes.logits
            && self.row_ids.size() >= sizes.row_ids
            && self.outcomes.size() >= sizes.outcomes
            && self.draws.size() >= sizes.draws
    }

    pub(super) fn bind(
        &self,
        device: &wgpu::Device,
        layout: &wgpu::BindGroupLayout,
    ) -> wgpu::BindGroup {
        let buffers = [&self.pass, &self.logits, &self.row_ids, &self.outcomes, &self.draws];
        let entries: Vec<_> = (0..)
            .zip(buffers)
            .map(|(binding, buffer)| wgpu::BindGroupEntry {
                binding,
                resource: buffer.as_entire_binding(),
            })
            .collect();
        device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("gumbel race"),
            layout,
            entries: &entries,
        })
    }

    pub(super) fn write_pass(&self, queue: &wgpu::Queue, pass: Pass) {
        queue.write_buffer(&self.pass, 0, bytemuck::bytes_of(&pass));
    }

    /// Uploads a segment of the chunk's logits.
    pub(super) fn write_logits(
        &self,
        queue: &wgpu::Queue,
        plan: &Plan,
        chunk: &Chunk,
        segment: std::ops::Range<usize>,
        job: &Job<'_>,
    ) {
        let rows = &chunk.rows;
        if plan.cuts_rows() {
            let logits = &job.logits.row(rows.start)[segment];
            queue.write_buffer(&self.logits, 0, bytemuck::cast_slice(logits));
        } else if plan.packs_rows() {
            for (i, row) in (0u64..).zip(rows.clone()) {
                let offset = i * 4 * plan.row_stride as u64;
                let logits = job.logits.row(row);
                queue.write_buffer(&self.logits, offset, bytemuck::cast_slice(logits));
            }
        } else {
            let logits = job.logits.span(rows.start, rows.len());
            queue.write_buffer(&self.logits, 0, bytemuck::cast_slice(logits));
        }
    }

    /// Uploads the chunk's row ids, if they were given one by one.
    pub(super) fn write_row_ids(&self, queue: &wgpu::Queue, chunk: &Chunk, job: &Job<'_>) {
        if let Some(ids) = job.explicit_ids() {
            let words: Vec<[u32; 2]> =
                ids[chunk.rows.clone()].iter().map(|&id| [id as u32, (id >> 32) as u32]).collect();
            queue.write_buffer(&self.row_ids, 0, bytemuck::cast_slice(&words));
        }
    }
}
