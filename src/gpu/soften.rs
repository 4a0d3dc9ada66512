//! Soft samples and their gradients on a device.
//!
//! A batch is cut into chunks. Of each, the races find the largest keys, as for draws; `weigh.wgsl` then
//! weighs all categories, and for gradients `total.wgsl` and `pull.wgsl` follow. What is left, a factor
//! for each sample or for the whole call, is done as results are read.

use crate::error::Error;
use crate::job::soften::{Softening, one_hot};

use super::Gpu;

mod memory;
mod pipelines;
mod plan;
mod room;

pub(super) use memory::Memory;
use room::Room;

impl Gpu {
    /// Samples of all races.
    pub(crate) async fn soften(
        &self,
        softening: &Softening<'_>,
        samples: &mut [f32],
    ) -> Result<(), Error> {
        let categories = softening.categories();
        if softening.relaxation.hard {
            let mut draws = softening.job.allocate()?;
            self.draw(&softening.job, &mut draws).await?;
            let each = samples.chunks_exact_mut(categories).zip(draws);
            each.for_each(|(sample, draw)| one_hot(draw, sample));
        } else if !samples.is_empty() {
            let room = Room::enter(self, softening, false).await?;
            let mut sums = vec![[0f32; 2]; room.plan.sums()];
            for chunk in room.plan.chunks() {
                let samples = &mut samples[chunk.floats(categories)];
                let sums = &mut sums[..chunk.races() * room.plan.strips as usize];
                room.run(self, softening, &chunk, None).await?;
                room.read(&self.guard, samples, Some(&mut *sums)).await?;
                let each = samples.chunks_exact_mut(categories);
                for (sample, sums) in each.zip(sums.chunks_exact(room.plan.strips as usize)) {
                    let sum: f64 = sums.iter().map(|sums| f64::from(sums[0])).sum();
                    // the drawn category's weight alone is 1
                    let scale = if sum >= 0.5 { (1.0 / sum) as f32 } else { f32::NAN };
                    sample.iter_mut().for_each(|y| *y *= scale);
                }
            }
            room.leave(self);
        }
        Ok(())
    }

    /// Cotangents of all samples, pulled back to the logits.
    pub(crate) async fn pull(
        &self,
        softening: &Softening<'_>,
        cotangents: &[f32],
        gradients: &mut [f32],
    ) -> Result<(), Error> {
        if !gradients.is_empty() {
            let (categories, slope) = (softening.categories(), softening.slope());
            let room = Room::enter(self, softening, true).await?;
            let mut part = vec![0.0; room.plan.rows * categories];
            for chunk in room.plan.chunks() {
                let of_chunk = &cotangents[chunk.floats(categories)];
                room.run(self, softening, &chunk, Some(of_chunk)).await?;
                let part = &mut part[..chunk.rows.len() * categories];
                room.read(&self.guard, part, None).await?;
                let rows = chunk.rows.start * categories..chunk.rows.end * categories;
                for (x, &part) in gradients[rows].iter_mut().zip(&*part) {
                    let before = if chunk.draws.start == 0 { 0.0 } else { f64::from(*x) };
                    // in f64, where the slope is finite: 0 stays 0
                    *x = (before + f64::from(part) * slope) as f32;
                }
            }
            room.leave(self);
        }
        Ok(())
    }
}
