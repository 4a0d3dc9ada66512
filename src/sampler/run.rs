//! Runs an operation on the engine that is chosen for it.

use super::{Sampler, copied};
#[cfg(doc)]
use crate::cpu::Copies;
use crate::cpu::Cpu;
#[cfg(feature = "gpu")]
use crate::engine::Auto;
use crate::engine::{Blocking, Chosen, Engine};
use crate::error::Error;
#[cfg(feature = "gpu")]
use crate::gpu::{Gpu, Running};
use crate::job::Job;
use crate::options::Batch;

/// A validated operation on a batch, with the memory for its results. Its methods define how each engine runs it.
pub(crate) trait Operation: Send {
    /// The operation on some of the rows.
    type Part<'p>: Operation
    where
        Self: 'p;

    /// The call.
    fn job(&self) -> &Job<'_>;

    /// The logits to visit, each as often as races or sums visit it. They decide which engine runs the operation.
    fn work(&self) -> u64 {
        self.job().work()
    }

    /// The operation on the rows before this one, and on the others.
    fn split(&mut self, row: usize) -> (Self::Part<'_>, Self::Part<'_>);

    /// The operation on copies of its rows.
    fn on_copies<'p>(&'p mut self, copies: Batch<'p>) -> Self::Part<'p>;

    /// Adds what copies of the rows [take away](Copies::shifts) from the logarithms of probabilities to the results.
    fn shift(&mut self, _: impl Fn(usize) -> f64) {}

    /// Turns results that belong to adjusted logits into those of the logits as they were, after the operation has run on
    /// copies with adjusted logits. Draws and sums are the same.
    ///
    /// # Errors
    /// [`Error::NoMemoryForRows`].
    fn pull_back_adjustment(&mut self) -> Result<(), Error> {
        Ok(())
    }

    /// Whether the CPU takes the operation although its rows are restricted.
    fn takes_restrictions(&self, _: &Cpu) -> bool {
        false
    }

    /// Runs the operation on the CPU. Engines read the rows where they are. All rows have the same options.
    fn on_cpu(&mut self, cpu: &Cpu) -> Result<(), Error>;

    /// Runs the operation on a GPU. Engines read the rows where they are. All rows have the same options, unless the operation takes those of rows.
    #[cfg(feature = "gpu")]
    fn on_gpu<'f>(&'f mut self, gpu: &'f Gpu) -> Running<'f>;

    /// Whether the operation takes the options of rows on this GPU.
    #[cfg(feature = "gpu")]
    fn takes_own_options(&self, _: &Gpu) -> bool {
        false
    }

    /// The error for the first row that has no draw, if sentinels were not asked for.
    fn check(&self) -> Result<(), Error>;
}

impl<E: Engine> Sampler<E> {
    /// Runs an operation, and waits for its results.
    pub(super) fn run(&self, mut operation: impl Operation) -> Result<(), Error>
    where
        E: Blocking,
    {
        match self.engine.choose(operation.work()) {
            Chosen::Cpu(cpu) => copied::on_cpu(&mut operation, cpu)?,
            #[cfg(feature = "gpu")]
            Chosen::Gpu { gpu, otherwise } => {
                pollster::block_on(on_gpu(&mut operation, gpu, otherwise))?;
            }
        }
        operation.check()
    }

    /// Runs an operation without blocking the thread while a GPU works.
    pub(super) async fn run_async(&self, mut operation: impl Operation) -> Result<(), Error> {
        match self.engine.choose(operation.work()) {
            Chosen::Cpu(cpu) => copied::on_cpu(&mut operation, cpu)?,
            #[cfg(feature = "gpu")]
            Chosen::Gpu { gpu, otherwise } => {
                on_gpu(&mut operation, &gpu.yielding(), otherwise).await?;
            }
        }
        operation.check()
    }
}

/// Runs an operation on a GPU, and again on the CPU if the device is lost and there is an `otherwise`.
#[cfg(feature = "gpu")]
async fn on_gpu(
    operation: &mut impl Operation,
    gpu: &Gpu,
    otherwise: Option<&Auto>,
) -> Result<(), Error> {
    match (copied::on_gpu(operation, gpu).await, otherwise) {
        (Err(error), Some(auto)) => {
            let lost = gpu.loss(error).await?;
            copied::on_cpu(operation, auto.without_gpu(lost))
        }
        (result, _) => result,
    }
}
