//! A slot of the ring: the memory that a chunk is written to and its results are read from.

use std::ops::Range;

use crate::error::Error;
use crate::gpu::guard::{Activity, Guard, Mapping};

use super::Workload;
use super::input::Input;
use super::sections::{Sections, Sizes, start};

/// The kinds of operations, each of which has sections and bindings of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::gpu) enum Kind {
    Races,
    /// Races of rows that have options of their own.
    RacesOfRows,
    Samples,
    Gradients,
    Tables,
}

/// The number of kinds.
pub(super) const KINDS: usize = 5;

#[derive(Debug)]
pub(super) struct Slot {
    /// The memory that the kernels read.
    input: wgpu::Buffer,
    /// The memory where the host writes the input: `input` itself if the device reads the host's
    /// memory.
    pub(super) upload: wgpu::Buffer,
    /// The memory that the kernels write.
    output: wgpu::Buffer,
    /// The memory where the host reads the output: `output` itself if the host reads the device's
    /// memory.
    pub(super) readback: wgpu::Buffer,
    scratch: wgpu::Buffer,
    /// The bind groups that each kind of operation has made so far.
    bound: [Option<Vec<wgpu::BindGroup>>; KINDS],
    /// The map of the upload, asked for when the device was given the step before.
    pub(super) writing: Option<Mapping>,
    /// The rows of this call whose values the slot holds.
    pub(super) holds: Option<Range<usize>>,
}

/// The buffers of a slot as an operation sees them, in its sections.
#[derive(Clone, Copy, Debug)]
pub(in crate::gpu) struct Memory<'a> {
    slot: &'a Slot,
    sections: &'a Sections,
}

impl<'a> Memory<'a> {
    pub(in crate::gpu) fn input(&self, section: usize) -> wgpu::BufferBinding<'a> {
        binding(&self.slot.input, &self.sections.input, section)
    }

    pub(in crate::gpu) fn scratch(&self, section: usize) -> wgpu::BufferBinding<'a> {
        binding(&self.slot.scratch, &self.sections.scratch, section)
    }

    pub(in crate::gpu) fn output(&self, section: usize) -> wgpu::BufferBinding<'a> {
        binding(&self.slot.output, &self.sections.output, section)
    }
}

fn binding<'a>(
    buffer: &'a wgpu::Buffer,
    sections: &[u64],
    section: usize,
) -> wgpu::BufferBinding<'a> {
    let size = std::num::NonZeroU64::new(sections[section]);
    wgpu::BufferBinding { buffer, offset: start(sections, section), size }
}

impl Slot {
    pub(super) async fn new(
        guard: &Guard,
        sizes: &Sizes,
        scratch: &wgpu::Buffer,
        direct: bool,
    ) -> Result<Self, Error> {
        use wgpu::BufferUsages as Usage;
        let read = Usage::UNIFORM | Usage::STORAGE;
        let (input, upload, output, readback);
        if direct {
            input = guard.buffer("the input", sizes.input, read | Usage::MAP_WRITE).await?;
            let usage = Usage::STORAGE | Usage::MAP_READ;
            output = guard.buffer("the results", sizes.output, usage).await?;
            (upload, readback) = (input.clone(), output.clone());
        } else {
            input = guard.buffer("the input", sizes.input, read | Usage::COPY_DST).await?;
            let usage = Usage::MAP_WRITE | Usage::COPY_SRC;
            upload = guard.buffer("the upload", sizes.input, usage).await?;
            let usage = Usage::STORAGE | Usage::COPY_SRC;
            output = guard.buffer("the results", sizes.output, usage).await?;
            let usage = Usage::MAP_READ | Usage::COPY_DST;
            readback = guard.buffer("the results read back", sizes.output, usage).await?;
        }
        let write = wgpu::MapMode::Write;
        let writing = Some(guard.map("the upload", upload.slice(..), write, None).await?);
        let (scratch, bound) = (scratch.clone(), Default::default());
        Ok(Self { input, upload, output, readback, scratch, bound, writing, holds: None })
    }

    /// Forgets the bind groups of a kind of operation, whose sections have changed.
    pub(super) fn unbind(&mut self, kind: Kind) {
        self.bound[kind as usize] = None;
    }

    /// Binds an operation's sections, unless an operation of its kind has done so before.
    pub(super) async fn bind<W: Workload>(
        &mut self,
        guard: &Guard,
        work: &W,
        sections: &Sections,
    ) -> Result<(), Error> {
        let kind = work.kind() as usize;
        if self.bound[kind].is_none() {
            let memory = Memory { slot: self, sections };
            let bind = || work.bind(guard.device(), memory);
            self.bound[kind] = Some(guard.checked(Activity::Drawing, bind).await?);
        }
        Ok(())
    }

    /// Writes the input of a step, and returns the ranges of bytes that are new.
    pub(super) async fn write<W: Workload>(
        &mut self,
        guard: &Guard,
        work: &W,
        step: &W::Step,
        sections: &Sections,
    ) -> Result<Vec<Range<u64>>, Error> {
        if let Some(mapping) = self.writing.take() {
            guard.finish(mapping).await?;
        }
        let bytes = self.upload.size();
        let (upload, holds) = (&self.upload, &mut self.holds);
        let fill = || {
            let mut input = Input::new(upload, &sections.input, holds);
            let filled = work.fill(step, &mut input).map(|()| input.written());
            upload.unmap();
            filled
        };
        let activity = Activity::Mapping { what: "the upload", bytes };
        match guard.checked(activity.clone(), fill).await? {
            Ok(written) => Ok(written),
            Err(error) => Err(guard.map_failed(&activity, error.to_string()).await),
        }
    }

    /// The commands of a step: copies to the device, what the operation encodes, and the copy back.
    pub(super) fn commands<W: Workload>(
        &self,
        device: &wgpu::Device,
        work: &W,
        step: &W::Step,
        sections: &Sections,
        written: Vec<Range<u64>>,
        results: Range<u64>,
    ) -> wgpu::CommandBuffer {
        let mut encoder = device
            .create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("gumbel") });
        for range in written {
            copy(&mut encoder, &self.upload, &self.input, range);
        }
        let groups = self.bound[work.kind() as usize].as_deref().unwrap_or_default();
        work.encode(step, &mut encoder, Memory { slot: self, sections }, groups);
        copy(&mut encoder, &self.output, &self.readback, results);
        encoder.finish()
    }
}

/// Copies a range of bytes to the same place in `to`, unless that is the same buffer.
fn copy(
    encoder: &mut wgpu::CommandEncoder,
    from: &wgpu::Buffer,
    to: &wgpu::Buffer,
    Range { start, end }: Range<u64>,
) {
    if from != to && start < end {
        encoder.copy_buffer_to_buffer(from, start, to, start, end - start);
    }
}
