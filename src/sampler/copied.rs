//! Runs an operation whose rows engines cannot read where they are: on copies, a part of the rows at a time.

use super::per_row;
use super::run::Operation;
use crate::cpu::{Adjusted, Copies, Cpu};
use crate::error::Error;
#[cfg(feature = "gpu")]
use crate::gpu::{Gpu, Running};

/// The most bytes of copies that are made at a time for a GPU, unless a row is longer: so many that the device works on some of the rows while others are on their way.
#[cfg(feature = "gpu")]
const ON_DEVICE: usize = 64 << 20;

/// The number of rows of an operation, and how many of them are copied at once, in about so many bytes.
fn at_once(operation: &impl Operation, bytes: usize) -> (usize, usize) {
    let job = operation.job();
    (job.logits.rows(), Copies::at_once(job, bytes))
}

/// Runs an operation on the CPU. Threads share its parts.
pub(super) fn on_cpu<O: Operation>(operation: &mut O, cpu: &Cpu) -> Result<(), Error> {
    if operation.job().is_in_place() || operation.takes_restrictions(cpu) {
        return per_row::on_cpu(operation, cpu);
    }
    let (rows, at_once) = at_once(operation, Copies::IN_CACHE);
    if rows > at_once {
        let work = operation.work();
        let (mut some, mut others) = operation.split((rows / at_once).div_ceil(2) * at_once);
        return cpu.both(work, || on_cpu(&mut some, cpu), || on_cpu(&mut others, cpu));
    }
    if !operation.job().adjustment.is_none() {
        // what is left to do may need no further copies
        let adjusted = Adjusted::new(cpu, operation.job())?;
        on_cpu(&mut operation.on_copies(adjusted.batch()?), cpu)?;
        return operation.pull_back_adjustment();
    }
    let copies = Copies::new(cpu, operation.job())?;
    per_row::on_cpu(&mut operation.on_copies(copies.batch()), cpu)?;
    if let Some(shifts) = copies.shifts() {
        operation.shift(shifts);
    }
    Ok(())
}

/// Runs an operation on a GPU.
#[cfg(feature = "gpu")]
pub(super) async fn on_gpu<O: Operation>(operation: &mut O, gpu: &Gpu) -> Result<(), Error> {
    if operation.job().is_in_place() {
        per_row::on_gpu(operation, gpu).await
    } else {
        on_copies(operation, gpu).await
    }
}

/// Runs the parts of an operation on a GPU, one after another.
#[cfg(feature = "gpu")]
fn on_copies<'a, O: Operation>(operation: &'a mut O, gpu: &'a Gpu) -> Running<'a> {
    Box::pin(async move {
        let cpu = Cpu::new();
        let (rows, at_once) = at_once(operation, ON_DEVICE);
        for first in (0..rows).step_by(at_once) {
            let (_, mut rest) = operation.split(first);
            let (mut part, _) = rest.split(at_once.min(rows - first));
            let copies = Copies::new(&cpu, part.job())?;
            per_row::on_gpu(&mut part.on_copies(copies.batch()), gpu).await?;
            if let Some(shifts) = copies.shifts() {
                part.shift(shifts);
            }
            part.pull_back_adjustment()?;
        }
        Ok(())
    })
}
