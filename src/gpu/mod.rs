//! The GPU engine: wgpu and WGSL, the reference's bytes.
//!
//! [`plan`] cuts a batch for a device's limits, [`kernel`] says what is bound to the shader
//! and how it is told what to do, [`buffers`] holds what it reads and writes, [`guard`] waits and turns
//! faults into errors, [`adapter`] finds the device and [`builder`] sets all of it up.

use std::sync::{Mutex, PoisonError};

use crate::error::Error;
use crate::job::Job;
use crate::options::{Logits, SampleOptions};

mod adapter;
mod buffers;
mod builder;
mod guard;
pub(crate) mod kernel;
pub(crate) mod plan;

pub(crate) use adapter::pick_hardware;
pub use adapter::{AdapterReport, adapters, adapters_async};
pub use builder::GpuSamplerBuilder;

use buffers::Buffers;
use guard::{Doing, Guard};
use kernel::Pass;
use plan::{Limits, Plan, Shape};

/// Draws on a GPU, through wgpu.
///
/// Set up once, used for any number of calls of any shape; the shader is compiled when it is
/// built, and buffers are kept from call to call.
///
/// ```no_run
/// use gumbel::{GpuSampler, Logits, SampleOptions};
/// let sampler = GpuSampler::new()?;
/// let logits = vec![0.0; 1_000_000 * 16];
/// let draws = sampler.sample_rows(Logits::new(&logits, 16)?, &SampleOptions::default())?;
/// assert_eq!(draws.len(), 1_000_000);
/// # Ok::<(), gumbel::Error>(())
/// ```
#[derive(Debug)]
pub struct GpuSampler {
    adapter: wgpu::AdapterInfo,
    device: wgpu::Device,
    queue: wgpu::Queue,
    guard: Guard,
    layout: wgpu::BindGroupLayout,
    pipeline: wgpu::ComputePipeline,
    limits: Limits,
    filter: bool,
    /// The last call's buffers; a call takes them and puts its own back.
    buffers: Mutex<Option<Buffers>>,
}

impl GpuSampler {
    /// A sampler on the first hardware GPU of this machine.
    ///
    /// # Errors
    /// As [`GpuSamplerBuilder::build`]. A software adapter counts as none: the CPU engine is
    /// faster, and a [builder](Self::builder) takes one by its name.
    pub fn new() -> Result<Self, Error> {
        Self::builder().build()
    }

    /// As [`new`](Self::new), without blocking.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub async fn new_async() -> Result<Self, Error> {
        Self::builder().build_async().await
    }

    /// Backend, adapter, device and the rest, by choice.
    pub fn builder() -> GpuSamplerBuilder {
        GpuSamplerBuilder::default()
    }

    /// The adapter that draws.
    pub fn adapter(&self) -> &wgpu::AdapterInfo {
        &self.adapter
    }

    /// Draws from each row: rows × draws category indices, row by row.
    ///
    /// Any shape works: batches and rows that exceed the device's limits are cut.
    ///
    /// # Errors
    /// What is wrong with the options or the shape, or with the first row that has no draw
    /// ([`Error::UndrawableRow`]) unless [sentinels](SampleOptions::with_sentinels) are asked for;
    /// [`Error::DeviceLost`], [`Error::OutOfMemory`], [`Error::MapFailed`], [`Error::Timeout`] or
    /// [`Error::Gpu`] if the device fails. No call waits for ever.
    ///
    /// # Complexity
    /// O(rows · draws · categories) time. On the device, whatever the batch, at most 64 MiB each for
    /// logits, row ids, draws, their way back, and the outcomes of rows that are cut.
    #[doc(alias = "multinomial")]
    #[doc(alias = "categorical")]
    #[doc(alias = "sample_from_logits")]
    pub fn sample_rows(
        &self,
        logits: Logits<'_>,
        options: &SampleOptions<'_>,
    ) -> Result<Vec<u32>, Error> {
        pollster::block_on(self.sample_rows_async(logits, options))
    }

    /// As [`sample_rows`](Self::sample_rows), as a future. In a browser it yields while the GPU
    /// works; elsewhere wgpu needs the thread to wait for the device.
    ///
    /// # Errors
    /// As [`sample_rows`](Self::sample_rows).
    pub async fn sample_rows_async(
        &self,
        logits: Logits<'_>,
        options: &SampleOptions<'_>,
    ) -> Result<Vec<u32>, Error> {
        let job = Job::new(logits, options)?;
        let mut draws = job.allocate()?;
        self.run(&job, &mut draws).await?;
        job.report(&draws)?;
        Ok(draws)
    }

    /// As [`sample_rows`](Self::sample_rows), into a slice of rows × draws words. After an error
    /// that names a row, all other rows' draws are there.
    ///
    /// # Errors
    /// As [`sample_rows`](Self::sample_rows), and [`Error::DrawsLength`].
    pub fn sample_rows_into(
        &self,
        logits: Logits<'_>,
        options: &SampleOptions<'_>,
        draws: &mut [u32],
    ) -> Result<(), Error> {
        let job = Job::new(logits, options)?;
        job.check_output(draws)?;
        pollster::block_on(self.run(&job, draws))?;
        job.report(draws)
    }

    async fn run(&self, job: &Job<'_>, draws: &mut [u32]) -> Result<(), Error> {
        if draws.is_empty() {
            return Ok(());
        }
        let shape = Shape {
            rows: job.logits.rows(),
            categories: job.logits.categories(),
            row_stride: job.logits.row_stride(),
            draws: job.draws,
        };
        let plan = Plan::new(shape, self.limits);
        let kept = self.buffers.lock().unwrap_or_else(PoisonError::into_inner).take();
        let buffers = match kept.filter(|buffers| buffers.suffice(&plan, job)) {
            Some(buffers) => buffers,
            None => Buffers::new(&self.guard, &plan, job).await?,
        };
        let bind = || buffers.bind(&self.device, &self.layout);
        let bindings = self.guard.checked(Doing::Drawing, bind).await?;

        let mut rest = draws;
        for chunk in plan.chunks() {
            for segment in plan.segments() {
                // wgpu keeps a copy of what is uploaded until the device has taken it: let no more
                // than one segment wait
                if segment.start > 0 {
                    self.guard.wait(None, Doing::Drawing).await?;
                }
                let draw = || {
                    buffers.write_row_ids(&self.queue, &chunk, job);
                    let pass = Pass::new(job, &plan, &chunk, segment.clone(), self.filter);
                    buffers.write_pass(&self.queue, pass);
                    buffers.write_logits(&self.queue, &plan, &chunk, segment, job);
                    self.dispatch(&bindings, chunk.workgroups);
                };
                self.guard.checked(Doing::Drawing, draw).await?;
            }
            let copy_back = || self.copy_back(&buffers, chunk.races());
            let copied = self.guard.checked(Doing::Drawing, copy_back).await?;
            let (now, later) = rest.split_at_mut(chunk.races());
            let (what, mode) = ("the draws", wgpu::MapMode::Read);
            let slice = buffers.readback.slice(..4 * now.len() as u64);
            let mapping = self.guard.map(what, slice, mode, Some(copied)).await?;
            self.guard.finish(mapping).await?;
            self.guard.take(what, slice, now).await?;
            rest = later;
        }
        *self.buffers.lock().unwrap_or_else(PoisonError::into_inner) = Some(buffers);
        Ok(())
    }

    fn dispatch(&self, bindings: &wgpu::BindGroup, [x, y]: [u32; 2]) {
        let mut encoder = self.device.create_command_encoder(&Default::default());
        let mut pass = encoder.begin_compute_pass(&Default::default());
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, bindings, &[]);
        pass.dispatch_workgroups(x, y, 1);
        drop(pass);
        self.queue.submit([encoder.finish()]);
    }

    fn copy_back(&self, buffers: &Buffers, races: usize) -> wgpu::SubmissionIndex {
        let mut encoder = self.device.create_command_encoder(&Default::default());
        encoder.copy_buffer_to_buffer(&buffers.draws, 0, &buffers.readback, 0, 4 * races as u64);
        self.queue.submit([encoder.finish()])
    }
}
