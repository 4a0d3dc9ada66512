//! The GPU engine: draws by wgpu and WGSL, and returns the reference's bytes.
//!
//! [`plan`] cuts a batch in memory into chunks, [`layout`] chooses how the device shares a chunk's
//! races, [`kernel`] defines the uniform and the bindings of the shaders, [`ring`] is the only way
//! to the device and back, and [`drawing`] takes races along it. [`batch`] and [`bound`] are for
//! batches that are on the device already, [`cdf`] is for draws by inverse CDF. [`guard`] waits and
//! turns faults into errors, [`adapter`] finds the device and [`builder`] sets all of it up.
//!
//! # How a batch runs
//!
//! A *race* is one draw of one row. A *team* of invocations takes a race: one invocation for a short row, a few or a workgroup
//! for a longer row. With too few races to keep the device busy, a race is cut into *parts*, a team each, and a second pass
//! merges the parts.
//!
//! **A row of up to 4,096 categories.** An invocation takes two octets at a time. The least key that the coarse bits of the
//! first octets guarantee sets the team's first *cutoff*. After that, the largest logit of an octet with the octet's smallest
//! coarse bits nearly always shows that none of its eight categories can win. Categories that pass the filter are evaluated
//! exactly. If two octets for each invocation are the whole race, bounds on the keys (`bound.wgsl`) nearly always decide the
//! race instead. For several draws of a row, a team can hold up to four
//! octets an invocation in registers, and race these again for each draw. Temperature 0 has a kernel of its own, an argmax,
//! which is the benchmarks' yardstick.
//!
//! **A longer row.** An invocation takes a *half-span*, eight groups, at a time (`half_span.wgsl`): 16 loads, their maxima, two
//! blocks. Groups whose upper score reaches the cutoff wait in a queue in workgroup memory and are settled together
//! (`settle.wgsl`): first an invocation for each group, then one for each member that may win.
//!
//! **Log-probabilities.** The first draw's invocations also add up the values that they load (`running_sums.wgsl`), relative to
//! the largest. The host joins the sums of parts, in f64; for batches on the device `log_probs.wgsl` joins these.
//!
//! **In the host's memory** a batch is cut into *chunks* of at most 16 MiB. The three slots of the *ring* take turns: one is
//! written while the device works on another and a third is read. Where the device reads the host's memory, the slots are that
//! memory. A row larger than a chunk is cut into *segments*, a pass each, and the outcome is carried over.
//!
//! **On the device** a batch is *bound* once and then encoded into the caller's commands any number of times, without
//! allocation. Rows with a bias or penalties are copied first, and the copies adjusted (`copy.wgsl`, `adjust.wgsl`,
//! `bound/adjustment.rs`). Masks and cuts hide values at the door (`restriction.wgsl`). Passes before the races find the cuts (`cut.wgsl`,
//! `bound/cuts.rs`). Where the cuts depend on a row's sum, passes after the races find the rows whose draws are cut or in doubt,
//! and race these rows again (`check.wgsl`). Log-probabilities and sums come last (`log_probs.wgsl`, `bound/scores.rs`).

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

/// The future of an operation on a GPU.
///
/// In a box it is compiled in this crate. A future in its own type would be compiled again in each program that waits for it,
/// and everything down to the driver's calls with it.
#[cfg(not(target_family = "wasm"))]
pub(crate) type Running<'a, T = ()> =
    std::pin::Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;
/// The future of an operation on a GPU.
#[cfg(target_family = "wasm")]
pub(crate) type Running<'a, T = ()> =
    std::pin::Pin<Box<dyn Future<Output = Result<T, Error>> + 'a>>;

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
