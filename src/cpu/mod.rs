//! The CPU engine: it needs no driver, uses all cores and gives the same bytes as the reference.

use std::sync::Arc;

use rayon::ThreadPool;

use crate::error::Error;
use crate::job::Job;

mod adjusted;
mod bound;
mod candidates;
mod cdf;
mod copies;
mod exact;
mod exact_keys;
mod greedy;
mod group;
mod keys;
mod lanes;
mod logsumexp;
mod operations;
mod race;
pub(crate) mod resample;
mod restrict;
mod schedule;
mod shards;
mod simd;
mod soften;
mod threads;
mod tile;
mod top_down;
mod top_k;
mod values;
mod vector_value;
mod verify;

use cdf::{Gathered, InverseCdfJob};
use schedule::Plan;
use threads::{Division, on_pool};

pub(crate) use adjusted::Adjusted;
pub(crate) use cdf::CpuTables;
pub(crate) use copies::Copies;
#[cfg(feature = "gpu")]
pub(crate) use operations::top_k_of_race;
pub(crate) use shards::ShardRows;
pub use simd::Isa;

/// The CPU as an [engine](crate::engine): a [`CpuSampler`](crate::CpuSampler) draws with it.
#[derive(Clone, Debug)]
pub struct Cpu {
    pub(crate) isa: Isa,
    pub(crate) filter: bool,
    pub(crate) pool: Option<Arc<ThreadPool>>,
}

impl Cpu {
    /// The engine with the widest vector instructions of this machine, on the current thread pool.
    pub(crate) fn new() -> Self {
        Self { isa: Isa::detect(), filter: true, pool: None }
    }

    /// Runs two pieces of so much work, on two threads if that pays.
    pub(crate) fn both(
        &self,
        work: u64,
        one: impl FnOnce() -> Result<(), Error> + Send,
        other: impl FnOnce() -> Result<(), Error> + Send,
    ) -> Result<(), Error> {
        let is_small = Division::READING.is_small(work.try_into().unwrap_or(usize::MAX));
        if is_small {
            return one().and(other());
        }
        let (one, other) = on_pool(self.pool.as_ref(), false, || rayon::join(one, other));
        one.and(other)
    }

    /// Writes a draw for each race of a job.
    pub(crate) fn draw(&self, job: &Job<'_>, draws: &mut [u32]) -> Result<(), Error> {
        if !job.restriction.is_none(job.logits.categories()) {
            return self.draw_restricted(job, draws);
        }
        if let Some(gathered) = Gathered::new(job) {
            return gathered.draw(self, draws);
        }
        if let Some(scale) = job.inverse_cdf() {
            let plan = InverseCdfJob::new(job, scale, self.isa);
            return on_pool(self.pool.as_ref(), plan.is_small(), || plan.run(draws));
        }
        self.draw_by_gumbel(job, draws);
        Ok(())
    }

    /// Writes a draw for each race of a job by Gumbel noise.
    pub(crate) fn draw_by_gumbel(&self, job: &Job<'_>, draws: &mut [u32]) {
        let plan = Plan::new(job, self.isa, self.filter);
        // for a small call no pool is woken, and nothing is allocated
        on_pool(self.pool.as_ref(), plan.is_small(), || plan.run(draws));
    }
}
