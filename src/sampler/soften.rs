//! Soft samples and their gradients on the engine that fits the machine.

use super::{Engine, Sampler};
use crate::error::Error;
use crate::options::{Logits, Relaxation, SampleOptions};

impl Sampler {
    /// Soft or straight-through samples of draws: rows × draws × categories, row-major. Straight-through
    /// samples are the same on both engines, soft ones but for roundings.
    ///
    /// ```
    /// use gumbel::{Logits, Relaxation, SampleOptions, Sampler};
    /// let sampler = Sampler::auto();
    /// let (logits, options) = (Logits::new(&[0.0, 1.0, 2.0], 3)?, SampleOptions::default());
    /// let soft = Relaxation::soft(0.5);
    /// let y = sampler.soften_rows(logits, &options, soft)?;
    /// assert_eq!(y.len(), 3);
    /// // the derivatives of the loss y₂ by the logits
    /// let gradient = sampler.soften_rows_vjp(logits, &options, soft, &[0.0, 0.0, 1.0])?;
    /// let expected = y[2] * (1.0 - y[2]) / 0.5;
    /// assert!((gradient[2] - expected).abs() < 1e-4);
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`CpuSampler::soften_rows`](crate::CpuSampler::soften_rows) and
    /// [`GpuSampler::soften_rows`](crate::GpuSampler::soften_rows).
    #[doc(alias = "gumbel_softmax")]
    #[doc(alias = "concrete")]
    pub fn soften_rows(
        &self,
        logits: Logits<'_>,
        options: &SampleOptions<'_>,
        relaxation: Relaxation,
    ) -> Result<Vec<f32>, Error> {
        match &self.engine {
            Engine::Cpu(cpu) => cpu.soften_rows(logits, options, relaxation),
            Engine::Gpu(gpu) => gpu.soften_rows(logits, options, relaxation),
        }
    }

    /// As [`soften_rows`](Self::soften_rows), without blocking while a GPU works. The CPU engine works
    /// when the future is polled, and does not yield.
    ///
    /// # Errors
    /// As [`soften_rows`](Self::soften_rows).
    pub async fn soften_rows_async(
        &self,
        logits: Logits<'_>,
        options: &SampleOptions<'_>,
        relaxation: Relaxation,
    ) -> Result<Vec<f32>, Error> {
        match &self.engine {
            Engine::Cpu(cpu) => cpu.soften_rows(logits, options, relaxation),
            Engine::Gpu(gpu) => gpu.soften_rows_async(logits, options, relaxation).await,
        }
    }

    /// As [`soften_rows`](Self::soften_rows), into a slice of rows × draws × categories. After an
    /// error that names a row, all other rows' samples are there.
    ///
    /// # Errors
    /// As [`soften_rows`](Self::soften_rows), and [`Error::FloatsLength`].
    pub fn soften_rows_into(
        &self,
        logits: Logits<'_>,
        options: &SampleOptions<'_>,
        relaxation: Relaxation,
        samples: &mut [f32],
    ) -> Result<(), Error> {
        match &self.engine {
            Engine::Cpu(cpu) => cpu.soften_rows_into(logits, options, relaxation, samples),
            Engine::Gpu(gpu) => gpu.soften_rows_into(logits, options, relaxation, samples),
        }
    }

    /// The vector-Jacobian product of [samples](Self::soften_rows) with `cotangents` of their shape:
    /// rows × categories, summed over a row's draws. The formula is at
    /// [`CpuSampler::soften_rows_vjp`](crate::CpuSampler::soften_rows_vjp).
    ///
    /// # Errors
    /// As [`soften_rows`](Self::soften_rows), and [`Error::FloatsLength`] for the wrong number of
    /// cotangents.
    #[doc(alias = "backward")]
    #[doc(alias = "gradient")]
    pub fn soften_rows_vjp(
        &self,
        logits: Logits<'_>,
        options: &SampleOptions<'_>,
        relaxation: Relaxation,
        cotangents: &[f32],
    ) -> Result<Vec<f32>, Error> {
        match &self.engine {
            Engine::Cpu(cpu) => cpu.soften_rows_vjp(logits, options, relaxation, cotangents),
            Engine::Gpu(gpu) => gpu.soften_rows_vjp(logits, options, relaxation, cotangents),
        }
    }

    /// As [`soften_rows_vjp`](Self::soften_rows_vjp), without blocking while a GPU works.
    ///
    /// # Errors
    /// As [`soften_rows_vjp`](Self::soften_rows_vjp).
    pub async fn soften_rows_vjp_async(
        &self,
        logits: Logits<'_>,
        options: &SampleOptions<'_>,
        relaxation: Relaxation,
        cotangents: &[f32],
    ) -> Result<Vec<f32>, Error> {
        match &self.engine {
            Engine::Cpu(cpu) => cpu.soften_rows_vjp(logits, options, relaxation, cotangents),
            Engine::Gpu(gpu) => {
                gpu.soften_rows_vjp_async(logits, options, relaxation, cotangents).await
            }
        }
    }

    /// As [`soften_rows_vjp`](Self::soften_rows_vjp), into a slice of rows × categories. After an
    /// error that names a row, all other rows' gradients are there.
    ///
    /// # Errors
    /// As [`soften_rows_vjp`](Self::soften_rows_vjp), and [`Error::FloatsLength`].
    pub fn soften_rows_vjp_into(
        &self,
        logits: Logits<'_>,
        options: &SampleOptions<'_>,
        relaxation: Relaxation,
        cotangents: &[f32],
        gradients: &mut [f32],
    ) -> Result<(), Error> {
        match &self.engine {
            Engine::Cpu(cpu) => {
                cpu.soften_rows_vjp_into(logits, options, relaxation, cotangents, gradients)
            }
            Engine::Gpu(gpu) => {
                gpu.soften_rows_vjp_into(logits, options, relaxation, cotangents, gradients)
            }
        }
    }
}
