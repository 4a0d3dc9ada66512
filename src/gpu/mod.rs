//! The GPU engine: wgpu and WGSL, the reference's bytes.
//!
//! [`plan`] cuts a batch in memory into chunks, [`layout`] chooses how the device shares a chunk's
//! races, [`kernel`] says what is bound to the shaders and how they are told what to do, [`ring`]
//! holds the memory of chunks under way. [`batch`] and [`bound`] are for batches that are on the
//! device already, [`cdf`] for draws by inverse CDF. [`guard`] waits and turns faults into errors, [`adapter`] finds the device and
//! [`builder`] sets all of it up.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::error::Error;
use crate::job::{Job, Temperature};
use crate::options::{Batch, SampleOptions};
use crate::shaders::Kernel;

mod adapter;
mod batch;
mod bound;
mod builder;
mod cdf;
mod guard;
pub(crate) mod kernel;
mod kind;
mod layout;
mod operations;
pub(crate) mod plan;
mod ring;
mod soften;

pub(crate) use adapter::pick_hardware;
pub use adapter::{AdapterReport, adapters, adapters_async};
pub use batch::DeviceBatch;
pub use bound::BoundBatch;
pub use builder::{GpuSamplerBuilder, PlanFor};
pub use cdf::GpuInverseCdf;
#[doc(hidden)]
pub use kind::PlanKind;
pub use layout::Teams;

use guard::Guard;
use kernel::{Form, Kernels, Pass};
use plan::{Limits, Plan, Report, Shape};
use ring::{Ring, SLOTS, Step};

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
    kernels: Kernels,
    limits: Limits,
    filter: bool,
    /// Whether the device's memory is the host's, and can be mapped.
    direct: bool,
    /// Memory of the calls so far; a call takes it and puts its own back.
    ring: Mutex<Option<Ring>>,
    /// The same of calls for soft samples.
    soft: Mutex<Option<soften::Memory>>,
}

impl GpuSampler {
    /// The optional features of a device that gumbel has use for. With
    /// [`SHADER_INT64`](wgpu::Features::SHADER_INT64), [`SUBGROUP`](wgpu::Features::SUBGROUP) and, where
    /// device and host share memory, [`MAPPABLE_PRIMARY_BUFFERS`](wgpu::Features::MAPPABLE_PRIMARY_BUFFERS)
    /// it is faster; [`bind`](Self::bind) needs [`IMMEDIATES`](wgpu::Features::IMMEDIATES), with a
    /// [`max_immediate_size`](wgpu::Limits::max_immediate_size) of 4 or more.
    pub const FEATURES: wgpu::Features = wgpu::Features::SHADER_INT64
        .union(wgpu::Features::SUBGROUP)
        .union(wgpu::Features::MAPPABLE_PRIMARY_BUFFERS)
        .union(wgpu::Features::IMMEDIATES);

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

    /// The device that draws, for buffers and shaders of your own.
    pub fn device(&self) -> &wgpu::Device {
        &self.device
    }

    /// The queue of the [device](Self::device).
    pub fn queue(&self) -> &wgpu::Queue {
        &self.queue
    }

    /// Draws from each row: rows × draws category indices, row by row.
    ///
    /// Any shape works: batches and rows that exceed the device's limits are cut.
    ///
    /// # Errors
    /// What is wrong with the options or the shape, or with the first row that has no draw
    /// ([`Error::UndrawableRow`]) unless [sentinels](SampleOptions::with_sentinels) are asked for;
    /// [`Error::DeviceLost`], [`Error::OutOfMemory`], [`Error::MapFailed`], [`Error::Timeout`] or
    /// [`Error::Gpu`] if the device fails. No wait for the device is without end: see
    /// [`with_timeout`](GpuSamplerBuilder::with_timeout).
    ///
    /// # Complexity
    /// O(rows · draws · categories) time, for each row O(categories) and O(log categories) a draw by inverse CDF.
    /// For races, whatever the batch, memory that the sampler keeps for its next calls: at most
    /// 19 times 16 MiB, or what [`with_chunk_bytes`](GpuSamplerBuilder::with_chunk_bytes) says. Three chunks
    /// are under way, each with logits, row ids and draws, once on the device and once on their way; and
    /// there are the outcomes of rows that are cut. Where device and host share memory it is 10 times.
    #[doc(alias = "multinomial")]
    #[doc(alias = "categorical")]
    #[doc(alias = "sample_from_logits")]
    pub fn sample_rows<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
    ) -> Result<Vec<u32>, Error> {
        pollster::block_on(self.sample_rows_async(batch, options))
    }

    /// As [`sample_rows`](Self::sample_rows), as a future. In a browser it yields while the GPU
    /// works; elsewhere wgpu needs the thread to wait for the device.
    ///
    /// # Errors
    /// As [`sample_rows`](Self::sample_rows).
    pub async fn sample_rows_async<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
    ) -> Result<Vec<u32>, Error> {
        let job = Job::new(batch, options)?;
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
    pub fn sample_rows_into<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
        draws: &mut [u32],
    ) -> Result<(), Error> {
        let job = Job::new(batch, options)?;
        job.check_output(draws)?;
        pollster::block_on(self.run(&job, draws))?;
        job.report(draws)
    }

    async fn run(&self, job: &Job<'_>, draws: &mut [u32]) -> Result<(), Error> {
        if draws.is_empty() {
            return Ok(());
        }
        if let Some(scale) = job.inverse_cdf() {
            return self.run_inverse_cdf(job, scale, draws).await;
        }
        self.report(job, &self.plan(job, Report::Draws), draws).await
    }

    /// How a job with at least one row is done.
    fn plan(&self, job: &Job<'_>, report: Report) -> Plan {
        let shape = Shape {
            rows: job.logits.rows(),
            categories: job.logits.categories(),
            row_stride: job.logits.row_stride(),
            logit_bytes: job.logits.format().bytes(),
            draws: job.draws,
            greedy: job.temperature == Temperature::Greedy,
            report,
        };
        Plan::new(shape, self.limits)
    }

    /// Runs a plan: the words of its results, in the order of its steps.
    async fn report(&self, job: &Job<'_>, plan: &Plan, words: &mut [u32]) -> Result<(), Error> {
        let format = job.logits.format();
        let form = Form { format, vec4: plan.aligned, each: false, immediates: false };
        let guard = &self.guard;
        let mut passes = self.kernels.passes(guard, &plan.layout, form, plan.merges()).await?;
        if plan.report() == Report::Scores && plan.layout.kernel != Kernel::Score {
            passes.sums = Some(self.kernels.sums(guard, &plan.layout, form).await?);
        }
        let kept = self.ring.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut ring = Ring::enter(kept, guard, &self.kernels, plan, job, self.direct).await?;
        ring.begin();

        // one slot is written while the device draws from the others
        let mut flights = VecDeque::with_capacity(SLOTS);
        let mut next = 0;
        for (n, (chunk, segment)) in plan.steps().enumerate() {
            if flights.len() == SLOTS
                && let Some(flight) = flights.pop_front()
            {
                ring.land(flight, guard, words).await?;
            }
            let pass = Pass::new(job, plan, &chunk, segment.clone(), self.filter);
            let size = plan.words(&chunk);
            let result = plan.has_result(&segment).then(|| next..next + size);
            next = result.as_ref().map_or(next, |result| result.end);
            let step = Step { plan, passes: &passes, chunk, segment, pass, result };
            let flight = ring.launch(n, &self.queue, guard, job, step).await?;
            flights.push_back(flight);
        }
        for flight in flights {
            ring.land(flight, guard, words).await?;
        }
        *self.ring.lock().unwrap_or_else(PoisonError::into_inner) = Some(ring);
        Ok(())
    }
}
