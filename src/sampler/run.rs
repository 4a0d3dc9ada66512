//! Runs an operation on the engine that is chosen for it.

use super::Sampler;
use crate::cpu::Cpu;
#[cfg(feature = "gpu")]
use crate::engine::Auto;
use crate::engine::{Blocking, Chosen, Engine};
use crate::error::Error;
#[cfg(feature = "gpu")]
use crate::gpu::Gpu;

/// A validated operation on a batch, with the memory for its results. Its methods define how each engine runs it.
pub(crate) trait Operation {
    /// The number of logits, counted once for each draw, by which the engine is chosen.
    fn work(&self) -> u64;

    /// Runs the operation on the CPU.
    fn on_cpu(&mut self, cpu: &Cpu) -> Result<(), Error>;

    /// Runs the operation on a GPU.
    #[cfg(feature = "gpu")]
    fn on_gpu(&mut self, gpu: &Gpu) -> impl Future<Output = Result<(), Error>>;

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
            Chosen::Cpu(cpu) => operation.on_cpu(cpu)?,
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
            Chosen::Cpu(cpu) => operation.on_cpu(cpu)?,
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
    match (operation.on_gpu(gpu).await, otherwise) {
        (Err(error), Some(auto)) => {
            let lost = gpu.loss(error).await?;
            operation.on_cpu(auto.without_gpu(lost))
        }
        (result, _) => result,
    }
}
