//! The GPU engine: draws by wgpu and WGSL, and returns the reference's bytes.
//!
//! [`plan`] cuts a batch in memory into chunks, [`layout`] chooses how the device shares a chunk's
//! races, [`kernel`] defines the uniform and the bindings of the shaders, [`ring`] is the only way
//! to the device and back, and [`drawing`] takes races along it. [`batch`] and [`bound`] are for
//! batches that are on the device already, [`cdf`] is for draws by inverse CDF. [`guard`] waits and
//! turns faults into errors, [`adapter`] finds the device and [`builder`] sets all of it up.

use std::sync::Arc;

use crate::error::Error;
use crate::job::{Job, NO_DRAW, Temperature};

mod adapter;
mod batch;
mod bound;
mod builder;
mod cdf;
mod drawing;
mod guard;
pub(crate) mod kernel;
mod kind;
mod layout;
mod operations;
mod own_device;
pub(crate) mod plan;
mod ring;
mod soften;
mod tuning;

#[cfg(not(target_family = "wasm"))]
pub use adapter::adapters;
pub use adapter::{AdapterReport, adapters_async};
pub(crate) use adapter::{FEATURES, choose, obstacle, pick_hardware};
pub use batch::DeviceBatch;
pub use bound::BoundBatch;
pub use builder::GpuSamplerBuilder;
pub(crate) use cdf::GpuTables;
pub(crate) use guard::Owner;
#[doc(hidden)]
pub use kind::PlanKind;
pub use layout::Teams;
pub use own_device::DrawKernel;
pub use tuning::{DeviceKind, Tuning};

use drawing::Drawing;
use guard::{Guard, Waits};
use kernel::Kernels;
use plan::{Limits, Output, Plan, Shape};
use ring::SamplerRing;

/// A GPU as an [engine](crate::engine), on which a [`GpuSampler`](crate::GpuSampler) draws.
#[derive(Clone, Debug)]
pub struct Gpu {
    pub(crate) adapter: Arc<wgpu::AdapterInfo>,
    pub(crate) device: wgpu::Device,
    pub(crate) queue: wgpu::Queue,
    guard: Guard,
    kernels: Arc<Kernels>,
    limits: Limits,
    filter: bool,
    /// The way to the device and back, with the memory of the calls so far.
    ring: Arc<SamplerRing>,
}

impl Gpu {
    /// Returns this GPU for futures that must not hold their thread while the GPU works.
    pub(crate) fn yielding(&self) -> Self {
        Self { guard: self.guard.waiting(Waits::Elsewhere), ..self.clone() }
    }

    /// Returns the error by which the device was lost, if it was lost in a call that has failed
    /// with `error`. Otherwise returns `error` itself, as an `Err`.
    pub(crate) async fn loss(&self, error: Error) -> Result<Error, Error> {
        self.guard.loss(error).await
    }

    /// Whether draws by Gumbel noise take the options of rows in one call: not on a device that binds too few buffers.
    pub(crate) fn takes_own_options(&self) -> bool {
        self.kernels.layout(true).is_some()
    }

    /// Draws for all races.
    pub(crate) async fn draw(&self, job: &Job<'_>, draws: &mut [u32]) -> Result<(), Error> {
        // a word that the device does not write is no draw
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
        self.run_plan(job, &self.plan(job, Output::Draws), draws).await
    }

    /// Returns the plan of a job with at least one row.
    fn plan(&self, job: &Job<'_>, output: Output) -> Plan {
        let shape = Shape {
            rows: job.logits.rows(),
            categories: job.logits.categories(),
            row_stride: job.logits.row_stride(),
            logit_bytes: job.logits.format().bytes(),
            draws: job.draws,
            greedy: job.temperature == Temperature::Greedy,
            own: !job.own.are_none(),
            output,
        };
        Plan::new(shape, self.limits)
    }

    /// Runs a plan, and writes the words of its results in the order of its steps.
    async fn run_plan(&self, job: &Job<'_>, plan: &Plan, words: &mut [u32]) -> Result<(), Error> {
        let engine = (&self.guard, &*self.kernels, self.filter);
        let mut drawing = Drawing::new(engine, job, plan, words).await?;
        let steps = drawing.steps();
        self.ring.run(&self.guard, &mut drawing, steps).await
    }
}
