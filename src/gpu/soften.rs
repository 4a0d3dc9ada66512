//! Soft samples and their gradients on a device.
//!
//! A batch is cut into chunks. For each chunk, races find the largest keys, as for draws. Then
//! `soft_weights.wgsl` computes the weights of all categories, and for gradients `total.wgsl` and
//! `vjp.wgsl` follow. The last factor, of each sample or of the whole call, is applied as results
//! are read.

use rayon::prelude::*;

use crate::cpu::Cpu;
use crate::error::Error;
use crate::job::soften::{Softening, one_hot};

use super::Gpu;

mod pipelines;
mod plan;
mod work;

use work::{SoftWork, Wanted};

/// The magnitude of a cotangent from which the CPU computes gradients: below it, a sum of 2³² of them is an f32.
const HUGE: f32 = (1u128 << 90) as f32;

impl Gpu {
    /// Computes the samples of all races.
    pub(crate) async fn soften(
        &self,
        softening: &Softening<'_>,
        samples: &mut [f32],
    ) -> Result<(), Error> {
        if softening.relaxation.hard {
            let mut draws = softening.job.allocate()?;
            self.draw(&softening.job, &mut draws).await?;
            let each = samples.chunks_exact_mut(softening.categories()).zip(draws);
            each.for_each(|(sample, draw)| one_hot(draw, sample));
        } else if !samples.is_empty() {
            self.run_soft(softening, Wanted::Samples(&mut *samples)).await?;
            // kernels make weights of differences of keys
            Cpu::new().soften_far(softening, samples);
        }
        Ok(())
    }

    /// Computes the gradients of the logits from the cotangents of all samples.
    pub(crate) async fn vjp(
        &self,
        softening: &Softening<'_>,
        cotangents: &[f32],
        gradients: &mut [f32],
    ) -> Result<(), Error> {
        if cotangents.par_iter().any(|g| g.is_finite() && g.abs() >= HUGE) {
            // the kernels add up products with cotangents in f32, in which a sum could be infinite
            Cpu::new().vjp(softening, cotangents, gradients)?;
        } else if !gradients.is_empty() {
            let wanted = Wanted::Gradients { cotangents, gradients: &mut *gradients };
            self.run_soft(softening, wanted).await?;
            Cpu::new().vjp_far(softening, cotangents, gradients);
        }
        Ok(())
    }

    async fn run_soft(&self, softening: &Softening<'_>, wanted: Wanted<'_>) -> Result<(), Error> {
        let mut work = SoftWork::new(self, softening, wanted).await?;
        let chunks = work.plan.chunks();
        self.ring.run(&self.guard, &mut work, chunks).await
    }
}
