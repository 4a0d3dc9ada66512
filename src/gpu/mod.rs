//! The GPU engine: wgpu and WGSL, the reference's bytes.
//!
//! [`plan`] cuts a batch in memory into chunks, [`layout`] chooses how the device shares a chunk's
//! races, [`kernel`] says what is bound to the shaders and how they are told what to do, [`ring`]
//! holds the memory of chunks under way. [`batch`] and [`bound`] are for batches that are on the
//! device already, [`cdf`] for draws by inverse CDF. [`guard`] waits and turns faults into errors, [`adapter`] finds the device and
//! [`builder`] sets all of it up.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::Error;
use crate::job::{Job, NO_DRAW, Temperature};
use crate::shaders::Kernel;

mod adapter;
mod batch;
mod bound;
mod builder;
mod cdf;
mod guard;
pub(crate) mod kernel;
mod layout;
mod operations;
pub(crate) mod plan;
mod ring;
mod soften;

#[cfg(not(target_family = "wasm"))]
pub use adapter::adapters;
pub use adapter::{AdapterReport, adapters_async};
pub(crate) use adapter::{FEATURES, choose, obstacle, pick_hardware};
pub use batch::DeviceBatch;
pub use bound::BoundBatch;
pub use builder::{GpuSamplerBuilder, PlanFor};
pub(crate) use cdf::GpuTables;
pub(crate) use guard::Owner;
pub use layout::Teams;

use guard::Guard;
use kernel::{Form, Kernels, Pass};
use plan::{Limits, Plan, Report, Shape};
use ring::{Ring, SLOTS, Step};

/// A GPU as an [engine](crate::engine): what a [`GpuSampler`](crate::GpuSampler) draws on.
#[derive(Clone, Debug)]
pub struct Gpu {
    pub(crate) adapter: Arc<wgpu::AdapterInfo>,
    pub(crate) device: wgpu::Device,
    pub(crate) queue: wgpu::Queue,
    guard: Guard,
    kernels: Arc<Kernels>,
    limits: Limits,
    filter: bool,
    /// Whether the device's memory is the host's, and can be mapped.
    direct: bool,
    /// Memory of the calls so far; a call takes it and puts its own back.
    ring: Arc<Mutex<Option<Ring>>>,
    /// The same of calls for soft samples.
    soft: Arc<Mutex<Option<soften::Memory>>>,
}

impl Gpu {
    /// The same GPU, for futures that must not hold their thread while it works.
    pub(crate) fn yielding(&self) -> Self {
        Self { guard: self.guard.yielding(), ..self.clone() }
    }

    /// Draws for all races.
    pub(crate) async fn draw(&self, job: &Job<'_>, draws: &mut [u32]) -> Result<(), Error> {
        // what the device does not write is no draw
        draws.fill(NO_DRAW);
        self.run(job, draws).await
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
