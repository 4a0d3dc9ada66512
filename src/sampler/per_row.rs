//! Runs an operation whose rows have options of their own.
//!
//! Engines know calls of one seed, one temperature and one first draw. So an operation is divided between rows until the
//! rows of each part have the same options, unless the engine takes the options of rows.

use super::run::Operation;
use crate::cpu::Cpu;
use crate::error::Error;
#[cfg(feature = "gpu")]
use crate::gpu::{Gpu, Running};

/// Runs an operation on the CPU. Threads share its parts.
pub(super) fn on_cpu<O: Operation>(operation: &mut O, cpu: &Cpu) -> Result<(), Error> {
    let job = operation.job();
    if job.own.are_none() {
        return operation.on_cpu(cpu);
    }
    let (rows, work) = (job.logits.rows(), operation.work());
    if rows == 0 {
        return Ok(());
    }
    // where rows with the same options are few, half of the rows; otherwise all that are alike
    let (mut some, mut others) = operation.split(job.alike().max(rows / 2));
    cpu.both(work, || on_cpu(&mut some, cpu), || on_cpu(&mut others, cpu))
}

/// Runs an operation on a GPU.
#[cfg(feature = "gpu")]
pub(super) async fn on_gpu<O: Operation>(operation: &mut O, gpu: &Gpu) -> Result<(), Error> {
    if operation.job().own.are_none() || operation.takes_own_options(gpu) {
        operation.on_gpu(gpu).await
    } else {
        in_turn(operation, gpu).await
    }
}

/// Runs the parts of an operation on a GPU, one after another, since a device works on one call at a time.
///
/// The future is in a box since the compiler does not see that it may move between threads: its parts have types that
/// depend on how long they are borrowed.
#[cfg(feature = "gpu")]
fn in_turn<'a, O: Operation>(operation: &'a mut O, gpu: &'a Gpu) -> Running<'a> {
    Box::pin(async move {
        let mut next = 0;
        while next < operation.job().logits.rows() {
            let (_, mut rest) = operation.split(next);
            let alike = rest.job().alike();
            let (mut part, _) = rest.split(alike);
            part.on_gpu(gpu).await?;
            next += alike;
        }
        Ok(())
    })
}
