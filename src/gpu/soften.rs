//! Soft samples and their gradients on a device.
//!
//! A batch is cut into chunks. Of each, the races find the largest keys, as for draws; `weigh.wgsl` then
//! weighs all categories, and for gradients `total.wgsl` and `pull.wgsl` follow. What is left, a factor
//! for each sample or for the whole call, is done as results are read.

use crate::error::Error;
use crate::job::soften::{Softening, one_hot};
use crate::options::{Logits, Relaxation, SampleOptions};

use super::GpuSampler;

mod pipelines;
mod plan;
mod work;

use work::{SoftWork, Wanted};

impl GpuSampler {
    /// Soft or straight-through samples of draws: rows × draws × categories, row-major. As
    /// [`CpuSampler::soften_rows`](crate::CpuSampler::soften_rows), but for roundings: straight-through
    /// samples are the same on all devices, and soft ones within 2·10⁻⁵·(y + 10⁻³¹) of the
    /// [definition](crate::reference::soften_row) where a device's `exp2` and divisions are as accurate as
    /// WGSL asks. The drawn category has the largest y.
    ///
    /// ```no_run
    /// use gumbel::{GpuSampler, Logits, Relaxation, SampleOptions};
    /// let sampler = GpuSampler::new()?;
    /// let logits = vec![0.0; 1000 * 16];
    /// let (logits, options) = (Logits::new(&logits, 16)?, SampleOptions::default());
    /// let samples = sampler.soften_rows(logits, &options, Relaxation::soft(0.5))?;
    /// assert_eq!(samples.len(), 1000 * 16);
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// # Errors
    /// As the CPU engine's, and those of [`sample_rows`](Self::sample_rows) for a device that fails;
    /// [`Error::MissingFeature`] on a device with fewer than 7 storage buffers for a shader, and
    /// [`Error::RowTooLong`] for rows of which a buffer holds not one in `f32`.
    ///
    /// # Complexity
    /// O(rows · draws · categories) time. On the device, buffers of 16 MiB for logits, and for each of
    /// weights, cotangents and results; of a row, if one is longer.
    #[doc(alias = "gumbel_softmax")]
    #[doc(alias = "concrete")]
    pub fn soften_rows(
        &self,
        logits: Logits<'_>,
        options: &SampleOptions<'_>,
        relaxation: Relaxation,
    ) -> Result<Vec<f32>, Error> {
        pollster::block_on(self.soften_rows_async(logits, options, relaxation))
    }

    /// As [`soften_rows`](Self::soften_rows), as a future.
    ///
    /// # Errors
    /// As [`soften_rows`](Self::soften_rows).
    pub async fn soften_rows_async(
        &self,
        logits: Logits<'_>,
        options: &SampleOptions<'_>,
        relaxation: Relaxation,
    ) -> Result<Vec<f32>, Error> {
        let softening = Softening::new(logits, options, relaxation)?;
        let mut samples = softening.allocate(softening.samples())?;
        self.soften(&softening, &mut samples).await?;
        Ok(samples)
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
        let softening = Softening::new(logits, options, relaxation)?;
        Softening::check("samples", softening.samples(), samples)?;
        pollster::block_on(self.soften(&softening, samples))
    }

    /// The vector-Jacobian product of samples with `cotangents`: rows × categories, summed over a
    /// row's draws. As [`CpuSampler::soften_rows_vjp`](crate::CpuSampler::soften_rows_vjp), but within
    /// 2·10⁻⁵ of what each gradient would be if nothing cancelled, for up to 100 draws.
    ///
    /// # Errors
    /// As [`soften_rows`](Self::soften_rows), and [`Error::FloatsLength`] for the wrong number of
    /// cotangents.
    ///
    /// ```no_run
    /// use gumbel::{GpuSampler, Logits, Relaxation, SampleOptions};
    /// let sampler = GpuSampler::new()?;
    /// let logits = vec![0.0; 1000 * 16];
    /// let (logits, options) = (Logits::new(&logits, 16)?, SampleOptions::default());
    /// let soft = Relaxation::soft(0.5);
    /// let gradients = sampler.soften_rows_vjp(logits, &options, soft, &[1.0; 1000 * 16])?;
    /// assert_eq!(gradients.len(), 1000 * 16);
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    #[doc(alias = "backward")]
    #[doc(alias = "gradient")]
    pub fn soften_rows_vjp(
        &self,
        logits: Logits<'_>,
        options: &SampleOptions<'_>,
        relaxation: Relaxation,
        cotangents: &[f32],
    ) -> Result<Vec<f32>, Error> {
        pollster::block_on(self.soften_rows_vjp_async(logits, options, relaxation, cotangents))
    }

    /// As [`soften_rows_vjp`](Self::soften_rows_vjp), as a future.
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
        let softening = Softening::new(logits, options, relaxation)?;
        Softening::check("cotangents", softening.samples(), cotangents)?;
        let mut gradients = softening.allocate(softening.gradients())?;
        self.pull(&softening, cotangents, &mut gradients).await?;
        Ok(gradients)
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
        let softening = Softening::new(logits, options, relaxation)?;
        Softening::check("cotangents", softening.samples(), cotangents)?;
        Softening::check("gradients", softening.gradients(), gradients)?;
        pollster::block_on(self.pull(&softening, cotangents, gradients))
    }

    async fn soften(&self, softening: &Softening<'_>, samples: &mut [f32]) -> Result<(), Error> {
        if softening.relaxation.hard {
            let mut draws = softening.job.allocate()?;
            self.run(&softening.job, &mut draws).await?;
            let each = samples.chunks_exact_mut(softening.categories()).zip(draws);
            each.for_each(|(sample, draw)| one_hot(draw, sample));
        } else if !samples.is_empty() {
            self.run_soft(softening, Wanted::Samples(samples)).await?;
        }
        softening.report_samples(samples)
    }

    async fn pull(
        &self,
        softening: &Softening<'_>,
        cotangents: &[f32],
        gradients: &mut [f32],
    ) -> Result<(), Error> {
        if !gradients.is_empty() {
            self.run_soft(softening, Wanted::Gradients { cotangents, gradients }).await?;
        }
        softening.report_gradients(gradients)
    }

    async fn run_soft(&self, softening: &Softening<'_>, wanted: Wanted<'_>) -> Result<(), Error> {
        let mut work = SoftWork::new(self, softening, wanted).await?;
        let chunks = work.plan.chunks();
        self.ring.run(&mut work, chunks).await
    }
}
