//! Memory for batches on their way to the device and back: a ring of slots, so that one chunk is
//! written while the device draws from another, and a third is read. Kept from call to call, and only
//! ever larger: calls of several shapes in turn come to share one ring. No logits, row ids, draws or outcomes in it are
//! larger than a chunk.

use std::ops::Range;

use crate::error::Error;
use crate::job::Job;

use super::guard::{Doing, Guard, Mapping};
use super::kernel::{Kernels, Pass, Passes};
use super::plan::{Chunk, Plan};

use source::Source;

mod source;

/// The chunks that are under way at once: written, drawn from, read.
pub(super) const SLOTS: usize = 3;

/// Sections of a slot's input start at multiples of this, which every device can bind at.
const SECTION: u64 = 256;

/// Two copies on the device are better than one that takes more than this between them along.
const GAP: u64 = 2 * SECTION;

/// The bytes that a plan needs of each buffer; a binding cannot be empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sizes {
    row_ids: u64,
    logits: u64,
    outcomes: u64,
    draws: u64,
}

impl Sizes {
    fn new(plan: &Plan, job: &Job<'_>) -> Self {
        Self {
            row_ids: if job.explicit_ids().is_some() { 8 * plan.rows() as u64 } else { 8 },
            // whole words of 16 bytes, of which the shader reads the last too
            logits: (plan.logits_bytes() as u64).next_multiple_of(16),
            outcomes: 16 * (plan.outcomes() as u64).max(1),
            draws: 4 * plan.most_words() as u64,
        }
    }

    fn suffice(&self, other: &Self) -> bool {
        self.row_ids >= other.row_ids
            && self.logits >= other.logits
            && self.outcomes >= other.outcomes
            && self.draws >= other.draws
    }

    /// What suffices for both.
    fn joined(self, other: Self) -> Self {
        Self {
            row_ids: self.row_ids.max(other.row_ids),
            logits: self.logits.max(other.logits),
            outcomes: self.outcomes.max(other.outcomes),
            draws: self.draws.max(other.draws),
        }
    }

    /// Where row ids start in a slot's input: after the uniform.
    fn row_ids_at() -> u64 {
        (size_of::<Pass>() as u64).next_multiple_of(SECTION)
    }

    fn logits_at(&self) -> u64 {
        Self::row_ids_at() + self.row_ids.next_multiple_of(SECTION)
    }

    fn input(&self) -> u64 {
        self.logits_at() + self.logits
    }
}

/// The most bytes that a chunk may take of logits, and of row ids, for both to be in one buffer of so many
/// bytes, with the uniform and what sections are rounded up by.
pub(super) fn most_of_a_buffer(bytes: u64) -> u64 {
    bytes.saturating_sub(4 * SECTION) / 2
}

#[derive(Debug)]
pub(super) struct Ring {
    sizes: Sizes,
    slots: Vec<Slot>,
}

/// What one chunk is written to and its draws are read from.
#[derive(Debug)]
struct Slot {
    /// Uniform, row ids and logits, as the kernel reads them.
    input: wgpu::Buffer,
    /// Where the host writes the same; the input itself if the device reads the host's memory.
    upload: wgpu::Buffer,
    draws: wgpu::Buffer,
    /// Where the host reads the draws; the draws themselves as above.
    readback: wgpu::Buffer,
    bindings: wgpu::BindGroup,
    /// The map of the upload, asked for when the device was given what was there before.
    writing: Option<Mapping>,
    /// The rows whose logits are there, of this call.
    holds: Option<Range<usize>>,
}

/// What is new in a slot's input: its head, with the uniform and the row ids, and the logits.
#[derive(Debug)]
struct Written {
    head: u64,
    logits: Range<u64>,
}

/// A pass that the device has been given.
#[derive(Debug)]
pub(super) struct Flight {
    slot: usize,
    /// The map of the draws, and which words of the call's result they are; `None` before a row's last
    /// segment.
    reading: Option<(Mapping, Range<usize>)>,
}

/// What the device is to do with what is written to a slot.
#[derive(Debug)]
pub(super) struct Step<'a> {
    pub(super) plan: &'a Plan,
    pub(super) passes: &'a Passes,
    pub(super) chunk: Chunk,
    pub(super) segment: Range<usize>,
    pub(super) pass: Pass,
    /// Which words of the call's result are there after this pass, if any.
    pub(super) result: Option<Range<usize>>,
}

impl Ring {
    /// Memory for a plan: what is kept of other calls if that will do, and otherwise what would do for them
    /// too. `direct`: the device's memory is the host's, and can be mapped.
    pub(super) async fn enter(
        kept: Option<Self>,
        guard: &Guard,
        kernels: &Kernels,
        plan: &Plan,
        job: &Job<'_>,
        direct: bool,
    ) -> Result<Self, Error> {
        let needed = Sizes::new(plan, job);
        let sizes = match kept {
            Some(ring) if ring.sizes.suffice(&needed) => return Ok(ring),
            // which is given back here, before more is asked for
            Some(ring) => ring.sizes.joined(needed),
            None => needed,
        };
        match Self::new(guard, kernels, sizes, direct).await {
            // there may still be room for this call alone
            Err(Error::OutOfMemory { .. }) if sizes != needed => {
                Self::new(guard, kernels, needed, direct).await
            }
            made => made,
        }
    }

    async fn new(
        guard: &Guard,
        kernels: &Kernels,
        sizes: Sizes,
        direct: bool,
    ) -> Result<Self, Error> {
        let usage = wgpu::BufferUsages::STORAGE;
        let outcomes = guard.buffer("the outcomes", sizes.outcomes, usage).await?;
        let mut slots = Vec::with_capacity(SLOTS);
        for _ in 0..SLOTS {
            slots.push(Slot::new(guard, kernels, &sizes, &outcomes, direct).await?);
        }
        Ok(Self { sizes, slots })
    }

    /// Forgets what the slots hold: another call's logits may be others.
    pub(super) fn begin(&mut self) {
        self.slots.iter_mut().for_each(|slot| slot.holds = None);
    }

    /// Writes to a slot, counted round and round, and hands it to the device.
    pub(super) async fn launch(
        &mut self,
        slot: usize,
        queue: &wgpu::Queue,
        guard: &Guard,
        job: &Job<'_>,
        step: Step<'_>,
    ) -> Result<Flight, Error> {
        let sizes = self.sizes;
        let place = &mut self.slots[slot % SLOTS];
        let written = place.write(guard, &sizes, job, &step).await?;
        let submit = || queue.submit([place.commands(guard.device(), &step, written)]);
        let after = guard.checked(Doing::Drawing, submit).await?;

        let (upload, write) = (place.upload.slice(..), wgpu::MapMode::Write);
        place.writing = Some(guard.map("the upload", upload, write, Some(after.clone())).await?);
        let reading = match step.result {
            None => None,
            Some(result) => {
                let slice = place.readback.slice(..4 * result.len() as u64);
                let read = wgpu::MapMode::Read;
                Some((guard.map("the draws", slice, read, Some(after)).await?, result))
            }
        };
        Ok(Flight { slot: slot % SLOTS, reading })
    }

    /// Waits for a pass, and copies its draws to their place among the call's.
    pub(super) async fn land(
        &self,
        flight: Flight,
        guard: &Guard,
        draws: &mut [u32],
    ) -> Result<(), Error> {
        let Flight { slot, reading } = flight;
        if let Some((mapping, result)) = reading {
            guard.finish(mapping).await?;
            let slice = self.slots[slot].readback.slice(..4 * result.len() as u64);
            guard.take("the draws", slice, &mut draws[result]).await?;
        }
        Ok(())
    }
}

impl Slot {
    async fn new(
        guard: &Guard,
        kernels: &Kernels,
        sizes: &Sizes,
        outcomes: &wgpu::Buffer,
        direct: bool,
    ) -> Result<Self, Error> {
        use wgpu::BufferUsages as Usage;
        let read = Usage::UNIFORM | Usage::STORAGE;
        let (input, upload, draws, readback);
        if direct {
            input = guard.buffer("the input", sizes.input(), read | Usage::MAP_WRITE).await?;
            draws =
                guard.buffer("the draws", sizes.draws, Usage::STORAGE | Usage::MAP_READ).await?;
            (upload, readback) = (input.clone(), draws.clone());
        } else {
            input = guard.buffer("the input", sizes.input(), read | Usage::COPY_DST).await?;
            let usage = Usage::MAP_WRITE | Usage::COPY_SRC;
            upload = guard.buffer("the upload", sizes.input(), usage).await?;
            draws =
                guard.buffer("the draws", sizes.draws, Usage::STORAGE | Usage::COPY_SRC).await?;
            let usage = Usage::MAP_READ | Usage::COPY_DST;
            readback = guard.buffer("the draws read back", sizes.draws, usage).await?;
        }
        let part = |offset, size| wgpu::BufferBinding {
            buffer: &input,
            offset,
            size: std::num::NonZeroU64::new(size),
        };
        let bound = [
            part(0, size_of::<Pass>() as u64),
            part(sizes.logits_at(), sizes.logits),
            part(Sizes::row_ids_at(), sizes.row_ids),
            outcomes.as_entire_buffer_binding(),
            draws.as_entire_buffer_binding(),
        ];
        let bindings =
            guard.checked(Doing::Drawing, || kernels.bind_plain(guard.device(), bound)).await?;
        let write = wgpu::MapMode::Write;
        let writing = Some(guard.map("the upload", upload.slice(..), write, None).await?);
        Ok(Self { input, upload, draws, readback, bindings, writing, holds: None })
    }

    /// Writes what a step needs, and returns what is new.
    async fn write(
        &mut self,
        guard: &Guard,
        sizes: &Sizes,
        job: &Job<'_>,
        step: &Step<'_>,
    ) -> Result<Written, Error> {
        let Step { plan, chunk, segment, pass, .. } = step;
        if let Some(mapping) = self.writing.take() {
            guard.finish(mapping).await?;
        }
        let fresh = plan.cuts_rows() || self.holds.as_ref() != Some(&chunk.rows);
        let logits = if fresh { plan.bytes_of(chunk.rows.len(), segment.len()) } else { 0 };
        let end = sizes.logits_at() + (logits as u64).next_multiple_of(4);
        let ids = job.explicit_ids().map(|ids| &ids[chunk.rows.clone()]);
        let head = match ids {
            Some(ids) => Sizes::row_ids_at() + 8 * ids.len() as u64,
            None => size_of::<Pass>() as u64,
        };
        self.holds = Some(chunk.rows.clone());

        let upload = &self.upload;
        let fill = || -> Result<(), wgpu::MapRangeError> {
            let mut header = upload.slice(..sizes.logits_at()).get_mapped_range_mut()?;
            header.slice(..size_of::<Pass>()).copy_from_slice(bytemuck::bytes_of(pass));
            if let Some(ids) = ids {
                let at = Sizes::row_ids_at() as usize;
                let bytes = header.slice(at..at + 8 * ids.len()).into_chunks::<8>().0;
                bytes.write_iter(ids.iter().map(|id| id.to_le_bytes()));
            }
            drop(header);
            if fresh {
                let to = upload.slice(sizes.logits_at()..end);
                Source { job, plan, chunk, segment }.copy(to, logits)?;
            }
            upload.unmap();
            Ok(())
        };
        let doing = Doing::Mapping { what: "the upload", bytes: end };
        if let Err(error) = guard.checked(doing.clone(), fill).await? {
            return Err(guard.map_failed(&doing, error.to_string()).await);
        }
        Ok(Written { head, logits: sizes.logits_at()..end })
    }

    fn commands(
        &self,
        device: &wgpu::Device,
        step: &Step<'_>,
        written: Written,
    ) -> wgpu::CommandBuffer {
        let mut encoder = device.create_command_encoder(&Default::default());
        if self.upload != self.input {
            let Written { head, logits } = written;
            let mut copy = |Range { start, end }: Range<u64>| {
                if start < end {
                    let bytes = end - start;
                    encoder.copy_buffer_to_buffer(&self.upload, start, &self.input, start, bytes);
                }
            };
            // another call may have had many row ids
            if logits.start - head <= GAP {
                copy(0..logits.end);
            } else {
                copy(0..head);
                copy(logits);
            }
        }
        let mut pass = encoder.begin_compute_pass(&Default::default());
        let (rows, draws) = (step.chunk.rows.len(), step.chunk.draws.len());
        step.passes.encode(&mut pass, &self.bindings, &step.plan.layout, rows, draws, None);
        drop(pass);
        if self.readback != self.draws
            && let Some(result) = &step.result
        {
            let bytes = 4 * result.len() as u64;
            encoder.copy_buffer_to_buffer(&self.draws, 0, &self.readback, 0, bytes);
        }
        encoder.finish()
    }
}
