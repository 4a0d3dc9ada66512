//! A device with a clock: buffers, submissions and timestamps, with errors instead of panics.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use gumbel::{GpuSampler, wgpu};

use crate::clock::Span;
use crate::error::Error;
use crate::placement::Most;
use crate::work::Work;

/// The time after which a wait for the device fails; no measurement takes as long.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The device of a sampler.
#[derive(Debug)]
pub(crate) struct Device<'a> {
    pub(crate) sampler: &'a GpuSampler,
    clock: Option<Clock>,
}

/// Two timestamps, and the buffers that bring them to the host.
#[derive(Debug)]
struct Clock {
    stamps: wgpu::QuerySet,
    resolved: wgpu::Buffer,
    readback: wgpu::Buffer,
    /// The nanoseconds in a tick.
    period: f64,
    /// Whether timestamps can be written outside compute passes, as the timing of a copy needs
    /// them.
    between_passes: bool,
}

/// The bytes of two timestamps.
const STAMPS: u64 = 16;

impl<'a> Device<'a> {
    pub(crate) fn new(sampler: &'a GpuSampler) -> Result<Self, Error> {
        let mut device = Self { sampler, clock: None };
        let features = sampler.device().features();
        if features.contains(wgpu::Features::TIMESTAMP_QUERY) {
            use wgpu::BufferUsages as Usage;
            let descriptor = wgpu::QuerySetDescriptor {
                label: Some("timestamps"),
                ty: wgpu::QueryType::Timestamp,
                count: 2,
            };
            device.clock = Some(Clock {
                stamps: device.checked(|| Ok(sampler.device().create_query_set(&descriptor)))?,
                resolved: device.buffer(STAMPS, Usage::QUERY_RESOLVE | Usage::COPY_SRC)?,
                readback: device.buffer(STAMPS, Usage::MAP_READ | Usage::COPY_DST)?,
                period: f64::from(sampler.queue().get_timestamp_period()),
                between_passes: features.contains(wgpu::Features::TIMESTAMP_QUERY_INSIDE_ENCODERS),
            });
        }
        Ok(device)
    }

    pub(crate) fn wgpu(&self) -> &wgpu::Device {
        self.sampler.device()
    }

    pub(crate) fn most(&self) -> Most {
        let limits = self.wgpu().limits();
        Most { binding: limits.max_storage_buffer_binding_size, buffer: limits.max_buffer_size }
    }

    /// Returns whether the device's clock can time this work.
    pub(crate) fn can_time(&self, work: &Work) -> bool {
        self.clock.as_ref().is_some_and(|clock| clock.between_passes || work.is_a_pass())
    }

    /// Does something on the device, and returns the errors of the device: outside error scopes
    /// wgpu panics.
    pub(crate) fn checked<T>(&self, act: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        use wgpu::ErrorFilter::{Internal, OutOfMemory, Validation};
        let [memory, internal, validation] =
            [OutOfMemory, Internal, Validation].map(|filter| self.wgpu().push_error_scope(filter));
        let result = act();
        // popped in the reverse order; memory is looked at first, since what ran out of memory is
        // invalid as well
        let validation = validation.pop();
        let internal = internal.pop();
        let memory = memory.pop();
        let first = pollster::block_on(async {
            match memory.await {
                Some(error) => Some(error),
                None => match internal.await {
                    Some(error) => Some(error),
                    None => validation.await,
                },
            }
        });
        first.map_or(result, |error| Err(error.into()))
    }

    pub(crate) fn buffer(
        &self,
        size: u64,
        usage: wgpu::BufferUsages,
    ) -> Result<wgpu::Buffer, Error> {
        let descriptor =
            wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false };
        self.checked(|| Ok(self.wgpu().create_buffer(&descriptor)))
    }

    /// Waits for a submission, or for the last one. wgpu panics here if the device is lost.
    pub(crate) fn wait(&self, submission: Option<wgpu::SubmissionIndex>) -> Result<(), Error> {
        let wait = wgpu::PollType::Wait { submission_index: submission, timeout: Some(TIMEOUT) };
        match catch_unwind(AssertUnwindSafe(|| self.wgpu().poll(wait))) {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(Error::Device(error.to_string())),
            Err(_) => Err(Error::Device("it was lost".to_owned())),
        }
    }

    /// Encodes, submits and waits.
    pub(crate) fn submit(
        &self,
        encode: impl FnOnce(&mut wgpu::CommandEncoder) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.checked(|| {
            let mut encoder = self.wgpu().create_command_encoder(&Default::default());
            encode(&mut encoder)?;
            let submission = self.sampler.queue().submit([encoder.finish()]);
            self.wait(Some(submission))
        })
    }

    /// Returns words of a buffer, which has the usage COPY_SRC.
    pub(crate) fn read(
        &self,
        buffer: &wgpu::Buffer,
        at: u64,
        bytes: u64,
    ) -> Result<Vec<u32>, Error> {
        let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
        let readback = self.buffer(bytes, usage)?;
        self.submit(|encoder| {
            encoder.copy_buffer_to_buffer(buffer, at, &readback, 0, bytes);
            Ok(())
        })?;
        self.map(&readback)
    }

    /// Returns the words of a buffer that can be mapped.
    fn map(&self, buffer: &wgpu::Buffer) -> Result<Vec<u32>, Error> {
        self.checked(|| {
            // an error needs no callback: the range below reports it, too
            buffer.slice(..).map_async(wgpu::MapMode::Read, |_| {});
            self.wait(None)?;
            let words = buffer
                .slice(..)
                .get_mapped_range()
                .map(|bytes| bytemuck::cast_slice(&bytes).to_vec())
                .map_err(|error| Error::Device(error.to_string()))?;
            buffer.unmap();
            Ok(words)
        })
    }

    /// Runs work `times` times in one submission, on region after region. The device's time is for
    /// one run; the wall clock's, from the submission to its end, is for all runs.
    pub(crate) fn time(&self, work: &Work, times: u32, region: &mut usize) -> Result<Span, Error> {
        let clock = self.clock.as_ref().filter(|_| self.can_time(work));
        let mut wall = Duration::ZERO;
        self.checked(|| {
            let mut encoder = self.wgpu().create_command_encoder(&Default::default());
            work.encode(&mut encoder, clock.map(|clock| &clock.stamps), times, region)?;
            let commands = encoder.finish();
            let start = Instant::now();
            let submission = self.sampler.queue().submit([commands]);
            self.wait(Some(submission))?;
            wall = start.elapsed();
            Ok(())
        })?;
        let device = match clock {
            Some(clock) => self.ticks(clock)?.map(|ns| ns / f64::from(times)),
            None => None,
        };
        Ok(Span { device, wall: wall.as_nanos() as f64 })
    }

    /// Returns the nanoseconds between the timestamps; `None` if they cannot be right.
    fn ticks(&self, clock: &Clock) -> Result<Option<f64>, Error> {
        self.submit(|encoder| {
            encoder.resolve_query_set(&clock.stamps, 0..2, &clock.resolved, 0);
            encoder.copy_buffer_to_buffer(&clock.resolved, 0, &clock.readback, 0, STAMPS);
            Ok(())
        })?;
        let words = self.map(&clock.readback)?;
        let stamp = |i: usize| u64::from(words[2 * i]) | u64::from(words[2 * i + 1]) << 32;
        let ticks = stamp(1).checked_sub(stamp(0)).filter(|&ticks| ticks > 0);
        Ok(ticks.map(|ticks| ticks as f64 * clock.period))
    }
}
