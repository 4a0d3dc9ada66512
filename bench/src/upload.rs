//! An upload of bytes to the device and nothing else, in the best ways that wgpu has: it bounds a
//! call with logits in the host's memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gumbel::{GpuSampler, wgpu};
use rayon::prelude::*;

use crate::device::Device;
use crate::error::Error;

/// The sampler's own values: the number of chunks under way, and the bytes of a copy that one thread takes at a time.
const SLOTS: usize = 3;
const COPY_BYTES: usize = 1 << 20;

/// Returns whether the host can write to the memory that the device draws from, because they share
/// it.
pub(crate) fn maps_its_memory(sampler: &GpuSampler) -> bool {
    use wgpu::DeviceType::{Cpu, IntegratedGpu};
    matches!(sampler.adapter().device_type, Cpu | IntegratedGpu)
        && sampler.device().features().contains(wgpu::Features::MAPPABLE_PRIMARY_BUFFERS)
}

/// The way of bytes to the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Through memory that both host and device can reach.
    Copied,
    /// Into memory of the device that the host can write to.
    Direct,
}

/// Memory for an upload.
#[derive(Debug)]
pub(crate) struct Upload {
    chunk: usize,
    slots: Vec<Slot>,
}

/// The buffer that the host writes to, and the device's own buffer if that is another.
#[derive(Debug)]
struct Slot {
    upload: wgpu::Buffer,
    input: Option<wgpu::Buffer>,
    /// Whether the upload is mapped.
    mapped: Arc<AtomicBool>,
    submission: Option<wgpu::SubmissionIndex>,
}

impl Upload {
    /// Allocates memory for an upload of `bytes` bytes, in chunks of at most `chunk_bytes`.
    pub(crate) fn new(
        device: &Device<'_>,
        bytes: usize,
        chunk_bytes: u64,
        way: Way,
    ) -> Result<Self, Error> {
        use wgpu::BufferUsages as Usage;
        let chunk = usize::try_from(chunk_bytes).map_or(bytes, |most| bytes.min(most));
        let size = (chunk as u64).next_multiple_of(8);
        let slot = || -> Result<Slot, Error> {
            let (upload, input) = match way {
                Way::Direct => (device.buffer(size, Usage::MAP_WRITE | Usage::STORAGE)?, None),
                Way::Copied => (
                    device.buffer(size, Usage::MAP_WRITE | Usage::COPY_SRC)?,
                    Some(device.buffer(size, Usage::STORAGE | Usage::COPY_DST)?),
                ),
            };
            let mut slot = Slot { upload, input, mapped: Arc::default(), submission: None };
            slot.map(device)?;
            Ok(slot)
        };
        Ok(Self { chunk, slots: (0..SLOTS).map(|_| slot()).collect::<Result<_, _>>()? })
    }

    /// Brings bytes to the device, and waits until they are there.
    pub(crate) fn run(&mut self, device: &Device<'_>, bytes: &[u8]) -> Result<(), Error> {
        for (n, chunk) in bytes.chunks(self.chunk).enumerate() {
            let slot = &mut self.slots[n % SLOTS];
            slot.wait(device)?;
            device.checked(|| slot.write(chunk))?;
            slot.hand_over(device, chunk.len() as u64)?;
            slot.map(device)?;
        }
        self.slots.iter_mut().try_for_each(|slot| slot.wait(device))
    }
}

impl Slot {
    /// Requests a map of the buffer, which is granted when the device has finished with it.
    fn map(&mut self, device: &Device<'_>) -> Result<(), Error> {
        let mapped = self.mapped.clone();
        let done = move |result: Result<(), _>| mapped.store(result.is_ok(), Ordering::Release);
        device.checked(|| {
            self.upload.slice(..).map_async(wgpu::MapMode::Write, done);
            Ok(())
        })
    }

    fn wait(&mut self, device: &Device<'_>) -> Result<(), Error> {
        if self.mapped.load(Ordering::Acquire) {
            return Ok(());
        }
        device.wait(self.submission.take())?;
        if self.mapped.load(Ordering::Acquire) {
            Ok(())
        } else {
            Err(Error::Device("an upload could not be mapped".to_owned()))
        }
    }

    fn write(&mut self, chunk: &[u8]) -> Result<(), Error> {
        let pieces = chunk.chunks(COPY_BYTES).enumerate().map(|(n, piece)| {
            let start = (n * COPY_BYTES) as u64;
            let end = start + piece.len().next_multiple_of(4) as u64;
            let view = self.upload.slice(start..end).get_mapped_range_mut();
            view.map(|view| (view, piece)).map_err(|error| Error::Device(error.to_string()))
        });
        let pieces: Vec<_> = pieces.collect::<Result<_, _>>()?;
        pieces.into_par_iter().for_each(|(mut view, piece)| {
            view.slice(..piece.len()).copy_from_slice(piece);
        });
        self.mapped.store(false, Ordering::Release);
        self.upload.unmap();
        Ok(())
    }

    /// Lets the device copy the bytes that were written, unless the buffer is its own already.
    fn hand_over(&mut self, device: &Device<'_>, bytes: u64) -> Result<(), Error> {
        self.submission = Some(device.checked(|| {
            let mut encoder = device.wgpu().create_command_encoder(&Default::default());
            if let Some(input) = &self.input {
                encoder.copy_buffer_to_buffer(&self.upload, 0, input, 0, bytes);
            }
            Ok(device.sampler.queue().submit([encoder.finish()]))
        })?);
        Ok(())
    }
}
