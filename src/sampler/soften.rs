//! Soft samples of draws, and gradients through them.

use super::Sampler;
use super::run::Operation;
use crate::cpu::Cpu;
use crate::engine::{Blocking, Engine};
use crate::error::Error;
#[cfg(feature = "gpu")]
use crate::gpu::Gpu;
use crate::job::soften::Softening;
use crate::options::{Logits, Relaxation, SampleOptions};

impl<E: Engine> Sampler<E> {
    /// Soft or straight-through samples of draws: rows × draws × categories, row-major. The draws are those that
    /// [`sample_rows`](Self::sample_rows) makes with the same options, and the drawn category has the largest of a
    /// sample (others whose keys are within a rounding of its own may equal it). The formula is at [`Relaxation`].
    ///
    /// Straight-through samples are the same from every engine. Soft samples are within 10⁻⁶·y + 10⁻³⁷ of the
    /// [definition](crate::reference::soften_row) in `f64` on the CPU, and the same floats with any vector
    /// instructions and number of threads; on a GPU within 2·10⁻⁵·(y + 10⁻³¹), where a device's `exp2` and divisions
    /// are as accurate as WGSL asks. A category of logit −∞ has exactly 0. A row without a draw is an error, or NaN if
    /// the options ask for sentinels.
    ///
    /// ```
    /// use gumbel::{Logits, Relaxation, SampleOptions, Sampler};
    /// let logits = [0.0, 1.0, 2.0];
    /// let (logits, options) = (Logits::new(&logits, 3)?, SampleOptions::default().with_seed(1));
    /// let sampler = Sampler::auto();
    /// let soft = sampler.soften_rows(logits, &options, Relaxation::soft(0.5))?;
    /// assert!((soft.iter().sum::<f32>() - 1.0).abs() < 1e-6);
    /// let hard = sampler.soften_rows(logits, &options, Relaxation::straight_through(0.5))?;
    /// let draw = sampler.sample_rows(logits, &options)?[0] as usize;
    /// assert_eq!(hard[draw], 1.0);
    /// assert!(soft.iter().all(|&y| y <= soft[draw]));
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`sample_rows`](Self::sample_rows); [`Error::Tau`] for a τ out of range, [`Error::SoftGreedy`] at
    /// temperature 0, [`Error::NeedsGumbel`], [`Error::TooManySamples`] if the result would not fit. On a GPU
    /// `MissingFeature` on a device with fewer than 7 storage buffers for a shader, and [`Error::RowTooLong`] for rows
    /// of which a buffer holds not one in `f32`.
    ///
    /// # Complexity
    /// O(rows · draws · categories) time, of which each category takes ten to thirty times as long as in a draw: no
    /// filter spares its noise. Straight-through samples take what draws take. Beside the result, some twenty KiB of
    /// stack a thread on the CPU; on a GPU what [`sample_rows`](Self::sample_rows) says, and more only if a row is
    /// longer than a chunk.
    #[doc(alias = "gumbel_softmax")]
    #[doc(alias = "concrete")]
    pub fn soften_rows(
        &self,
        logits: Logits<'_>,
        options: &SampleOptions<'_>,
        relaxation: Relaxation,
    ) -> Result<Vec<f32>, Error>
    where
        E: Blocking,
    {
        let of = Softening::new(logits, options, relaxation)?;
        let mut samples = of.allocate(of.samples())?;
        self.run(Soften { of, samples: &mut samples })?;
        Ok(samples)
    }

    /// Soft or straight-through samples into a slice of rows × draws × categories floats:
    /// [`soften_rows`](Self::soften_rows) in the caller's memory. After an error that names a row, all other rows'
    /// samples are there.
    ///
    /// ```
    /// use gumbel::{Logits, Relaxation, SampleOptions, Sampler};
    /// let (logits, mut samples) = (Logits::new(&[0.0, 1.0, 2.0], 3)?, [0.0; 3]);
    /// let options = SampleOptions::default();
    /// Sampler::auto().soften_rows_into(logits, &options, Relaxation::soft(0.5), &mut samples)?;
    /// assert!((samples.iter().sum::<f32>() - 1.0).abs() < 1e-6);
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`soften_rows`](Self::soften_rows), and [`Error::FloatsLength`].
    pub fn soften_rows_into(
        &self,
        logits: Logits<'_>,
        options: &SampleOptions<'_>,
        relaxation: Relaxation,
        samples: &mut [f32],
    ) -> Result<(), Error>
    where
        E: Blocking,
    {
        let of = Softening::new(logits, options, relaxation)?;
        Error::check_floats("samples", of.samples(), samples.len())?;
        self.run(Soften { of, samples })
    }

    /// Soft or straight-through samples, as a [future](Self#futures): [`soften_rows`](Self::soften_rows) for
    /// executors.
    ///
    /// ```
    /// use gumbel::{Logits, Relaxation, SampleOptions, Sampler};
    /// # pollster::block_on(async {
    /// let (sampler, logits) = (Sampler::auto_async().await, Logits::new(&[0.0, 1.0], 2)?);
    /// let (options, soft) = (SampleOptions::default(), Relaxation::soft(1.0));
    /// let samples = sampler.soften_rows_async(logits, &options, soft).await?;
    /// assert!((samples[0] + samples[1] - 1.0).abs() < 1e-6);
    /// # Ok::<(), gumbel::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// Those of [`soften_rows`](Self::soften_rows).
    pub async fn soften_rows_async(
        &self,
        logits: Logits<'_>,
        options: &SampleOptions<'_>,
        relaxation: Relaxation,
    ) -> Result<Vec<f32>, Error> {
        let of = Softening::new(logits, options, relaxation)?;
        let mut samples = of.allocate(of.samples())?;
        self.run_async(Soften { of, samples: &mut samples }).await?;
        Ok(samples)
    }

    /// The vector-Jacobian product of [samples](Self::soften_rows): what a loss whose derivatives by
    /// the samples are `cotangents` (rows × draws × categories) has for derivatives by the logits, rows ×
    /// categories, summed over a row's draws.
    ///
    /// With y the soft sample, g its cotangent and T the temperature of the options,
    ///
    /// ```text
    /// ∂/∂logitᵢ = 1/(τ·T) · Σ_draws yᵢ (gᵢ − Σⱼ yⱼ gⱼ)
    /// ```
    ///
    /// for soft samples; for straight-through ones this is the definition. The noise is made again from
    /// seed, row id and draw number, so nothing has to be kept from the samples: give the same options. A
    /// category of logit −∞ has exactly 0, and where y is 0 a cotangent does not count, whatever it is.
    /// A row without a draw is an error, or NaN if the options ask for sentinels.
    ///
    /// Each gradient is within 10⁻⁶ (on a GPU 2·10⁻⁵) of Σ_draws yᵢ (|gᵢ| + Σⱼ yⱼ|gⱼ|)/(τ·T) of the
    /// [definition](crate::reference::soften_rows_vjp) in `f64`, for up to 100 draws.
    ///
    /// ```
    /// use gumbel::{Logits, Relaxation, SampleOptions, Sampler};
    /// let logits = [0.0, 1.0, 2.0];
    /// let (logits, options) = (Logits::new(&logits, 3)?, SampleOptions::default().with_seed(1));
    /// let soft = Relaxation::soft(0.5);
    /// // of the loss y₂
    /// let gradient = Sampler::auto().soften_rows_vjp(logits, &options, soft, &[0.0, 0.0, 1.0])?;
    /// assert!(gradient[2] > 0.0 && gradient.iter().sum::<f32>().abs() < 1e-6);
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`soften_rows`](Self::soften_rows), and [`Error::FloatsLength`] for the wrong number of cotangents.
    ///
    /// # Complexity
    /// That of [`soften_rows`](Self::soften_rows). On the CPU a row's draws are taken by one thread, unless the row is
    /// longer than 32,768 categories. Beside the result, for several draws of rows of more than 256 categories, a row
    /// of floats a thread.
    #[doc(alias = "backward")]
    #[doc(alias = "gradient")]
    pub fn soften_rows_vjp(
        &self,
        logits: Logits<'_>,
        options: &SampleOptions<'_>,
        relaxation: Relaxation,
        cotangents: &[f32],
    ) -> Result<Vec<f32>, Error>
    where
        E: Blocking,
    {
        let of = vjp(logits, options, relaxation, cotangents)?;
        let mut gradients = of.allocate(of.gradients())?;
        self.run(Pullback { of, cotangents, gradients: &mut gradients })?;
        Ok(gradients)
    }

    /// The vector-Jacobian product of samples into a slice of rows × categories floats:
    /// [`soften_rows_vjp`](Self::soften_rows_vjp) in the caller's memory. After an error that names a row, all other
    /// rows' gradients are there.
    ///
    /// ```
    /// use gumbel::{Logits, Relaxation, SampleOptions, Sampler};
    /// let (logits, mut gradients) = (Logits::new(&[0.0, 1.0], 2)?, [0.0; 2]);
    /// let (options, soft) = (SampleOptions::default(), Relaxation::soft(0.5));
    /// Sampler::auto().soften_rows_vjp_into(logits, &options, soft, &[0.0, 1.0], &mut gradients)?;
    /// assert!(gradients[1] > 0.0);
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`soften_rows_vjp`](Self::soften_rows_vjp), and [`Error::FloatsLength`].
    pub fn soften_rows_vjp_into(
        &self,
        logits: Logits<'_>,
        options: &SampleOptions<'_>,
        relaxation: Relaxation,
        cotangents: &[f32],
        gradients: &mut [f32],
    ) -> Result<(), Error>
    where
        E: Blocking,
    {
        let of = vjp(logits, options, relaxation, cotangents)?;
        Error::check_floats("gradients", of.gradients(), gradients.len())?;
        self.run(Pullback { of, cotangents, gradients })
    }

    /// The vector-Jacobian product of samples, as a [future](Self#futures):
    /// [`soften_rows_vjp`](Self::soften_rows_vjp) for executors.
    ///
    /// ```
    /// use gumbel::{Logits, Relaxation, SampleOptions, Sampler};
    /// # pollster::block_on(async {
    /// let (sampler, logits) = (Sampler::auto_async().await, Logits::new(&[0.0, 1.0], 2)?);
    /// let (options, soft) = (SampleOptions::default(), Relaxation::soft(1.0));
    /// let gradients = sampler.soften_rows_vjp_async(logits, &options, soft, &[0.0, 1.0]).await?;
    /// assert!(gradients[1] > 0.0);
    /// # Ok::<(), gumbel::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// Those of [`soften_rows_vjp`](Self::soften_rows_vjp).
    pub async fn soften_rows_vjp_async(
        &self,
        logits: Logits<'_>,
        options: &SampleOptions<'_>,
        relaxation: Relaxation,
        cotangents: &[f32],
    ) -> Result<Vec<f32>, Error> {
        let of = vjp(logits, options, relaxation, cotangents)?;
        let mut gradients = of.allocate(of.gradients())?;
        self.run_async(Pullback { of, cotangents, gradients: &mut gradients }).await?;
        Ok(gradients)
    }
}

/// Samples of all races.
struct Soften<'a, 'r> {
    of: Softening<'a>,
    samples: &'r mut [f32],
}

impl Operation for Soften<'_, '_> {
    fn work(&self) -> u64 {
        self.of.job.work()
    }

    fn on_cpu(&mut self, cpu: &Cpu) -> Result<(), Error> {
        cpu.soften(&self.of, self.samples)
    }

    #[cfg(feature = "gpu")]
    async fn on_gpu(&mut self, gpu: &Gpu) -> Result<(), Error> {
        gpu.soften(&self.of, self.samples).await
    }

    fn check(&self) -> Result<(), Error> {
        self.of.check_samples(self.samples)
    }
}

/// Cotangents of samples, pulled back to logits.
struct Pullback<'a, 'r> {
    of: Softening<'a>,
    cotangents: &'r [f32],
    gradients: &'r mut [f32],
}

/// The call for gradients, if there are as many cotangents as samples.
fn vjp<'a>(
    logits: Logits<'a>,
    options: &SampleOptions<'a>,
    relaxation: Relaxation,
    cotangents: &[f32],
) -> Result<Softening<'a>, Error> {
    let of = Softening::new(logits, options, relaxation)?;
    Error::check_floats("cotangents", of.samples(), cotangents.len())?;
    Ok(of)
}

impl Operation for Pullback<'_, '_> {
    fn work(&self) -> u64 {
        self.of.job.work()
    }

    fn on_cpu(&mut self, cpu: &Cpu) -> Result<(), Error> {
        cpu.vjp(&self.of, self.cotangents, self.gradients);
        Ok(())
    }

    #[cfg(feature = "gpu")]
    async fn on_gpu(&mut self, gpu: &Gpu) -> Result<(), Error> {
        gpu.vjp(&self.of, self.cotangents, self.gradients).await
    }

    fn check(&self) -> Result<(), Error> {
        self.of.check_gradients(self.gradients)
    }
}
