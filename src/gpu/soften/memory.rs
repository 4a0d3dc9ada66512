//! Buffers for soft samples, kept from call to call.

use super::plan::Plan;
use super::room::Soft;
use crate::error::Error;
use crate::gpu::guard::{Doing, Guard};
use crate::gpu::kernel::{Kernels, Pass, bind_at};
use crate::job::soften::Softening;

/// The bytes that a call needs of each buffer; a binding cannot be empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sizes {
    logits: u64,
    row_ids: u64,
    outcomes: u64,
    draws: u64,
    weights: u64,
    cotangents: u64,
    sums: u64,
    gradients: u64,
    readback: u64,
}

impl Sizes {
    pub(super) fn new(plan: &Plan, softening: &Softening<'_>, pulls: bool) -> Self {
        let weights = 4 * plan.floats() as u64;
        let gradients = 4 * plan.gradients() as u64;
        let explicit_ids = softening.job.explicit_ids().is_some();
        Self {
            logits: plan.logits_bytes() as u64,
            row_ids: if explicit_ids { 8 * plan.rows as u64 } else { 8 },
            outcomes: 16 * plan.outcomes() as u64,
            draws: 4 * plan.races() as u64,
            weights,
            cotangents: if pulls { weights } else { 4 },
            sums: 8 * plan.sums() as u64,
            gradients: if pulls { gradients } else { 4 },
            readback: if pulls { gradients } else { weights },
        }
    }

    fn all(&self) -> [u64; 9] {
        let Self { logits, row_ids, outcomes, draws, weights, cotangents, sums, .. } = *self;
        let rest = [self.gradients, self.readback];
        [logits, row_ids, outcomes, draws, weights, cotangents, sums, rest[0], rest[1]]
    }

    pub(super) fn suffice(&self, other: &Self) -> bool {
        self.all().iter().zip(other.all()).all(|(&size, needed)| size >= needed)
    }

    /// What suffices for both.
    pub(super) fn joined(self, other: Self) -> Self {
        Self {
            logits: self.logits.max(other.logits),
            row_ids: self.row_ids.max(other.row_ids),
            outcomes: self.outcomes.max(other.outcomes),
            draws: self.draws.max(other.draws),
            weights: self.weights.max(other.weights),
            cotangents: self.cotangents.max(other.cotangents),
            sums: self.sums.max(other.sums),
            gradients: self.gradients.max(other.gradients),
            readback: self.readback.max(other.readback),
        }
    }
}

/// What a chunk is written to, and its results are read from.
#[derive(Debug)]
pub(in crate::gpu) struct Memory {
    pub(super) sizes: Sizes,
    pub(super) pass: wgpu::Buffer,
    pub(super) soft: wgpu::Buffer,
    pub(super) logits: wgpu::Buffer,
    pub(super) row_ids: wgpu::Buffer,
    pub(super) weights: wgpu::Buffer,
    pub(super) cotangents: wgpu::Buffer,
    pub(super) sums: wgpu::Buffer,
    pub(super) gradients: wgpu::Buffer,
    pub(super) readback: wgpu::Buffer,
    pub(super) sums_readback: wgpu::Buffer,
    /// What is bound to the kernels that draw, and to those of soft samples.
    pub(super) races: wgpu::BindGroup,
    pub(super) kernels: wgpu::BindGroup,
}

impl Memory {
    pub(super) async fn new(guard: &Guard, kernels: &Kernels, sizes: Sizes) -> Result<Self, Error> {
        use wgpu::BufferUsages as Usage;
        let layout = kernels.soft_layout()?;
        let input = Usage::STORAGE | Usage::COPY_DST;
        let output = Usage::STORAGE | Usage::COPY_SRC;
        let back = Usage::COPY_DST | Usage::MAP_READ;
        let uniform = Usage::UNIFORM | Usage::COPY_DST;
        let pass = guard.buffer("the uniform", size_of::<Pass>() as u64, uniform).await?;
        let soft = guard.buffer("the uniform", size_of::<Soft>() as u64, uniform).await?;
        let logits = guard.buffer("the logits", sizes.logits, input).await?;
        let row_ids = guard.buffer("the row ids", sizes.row_ids, input).await?;
        let outcomes = guard.buffer("the outcomes", sizes.outcomes, Usage::STORAGE).await?;
        let draws = guard.buffer("the draws", sizes.draws, Usage::STORAGE).await?;
        let weights = guard.buffer("the weights", sizes.weights, output).await?;
        let cotangents = guard.buffer("the cotangents", sizes.cotangents, input).await?;
        let sums = guard.buffer("the sums", sizes.sums, output).await?;
        let gradients = guard.buffer("the gradients", sizes.gradients, output).await?;
        let readback = guard.buffer("the results read back", sizes.readback, back).await?;
        let sums_readback = guard.buffer("the sums read back", sizes.sums, back).await?;
        let bind = || {
            let of = wgpu::Buffer::as_entire_buffer_binding;
            let plain = [of(&pass), of(&logits), of(&row_ids), of(&outcomes), of(&draws)];
            let own = [of(&soft), of(&weights), of(&cotangents), of(&sums), of(&gradients)];
            let inputs = (0..4).zip(plain[..4].iter().cloned());
            let bound: Vec<_> = inputs.chain((5..).zip(own)).collect();
            let device = guard.device();
            (kernels.bind_plain(device, plain), bind_at(device, layout, &bound))
        };
        let (races, kernels) = guard.checked(Doing::Drawing, bind).await?;
        Ok(Self {
            sizes,
            pass,
            soft,
            logits,
            row_ids,
            weights,
            cotangents,
            sums,
            gradients,
            readback,
            sums_readback,
            races,
            kernels,
        })
    }
}
