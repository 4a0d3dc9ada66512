//! Soft samples of draws, and gradients through them.

use super::Sampler;
use super::run::Operation;
use crate::cpu::Cpu;
use crate::engine::{Blocking, Engine};
use crate::error::Error;
#[cfg(feature = "gpu")]
use crate::gpu::{Gpu, Running};
use crate::job::Job;
use crate::job::soften::Softening;
use crate::options::{Batch, Logits, Relaxation, SampleOptions};

impl<E: Engine> Sampler<E> {
    /// Returns soft or straight-through samples of draws: rows × draws × categories numbers, row-major. The draws are
    /// those of [`sample_rows`](Self::sample_rows) with the same options, and the drawn category has the largest number
    /// of a sample (other categories whose keys differ from its key by less than a rounding may have the same number).
    /// [`Relaxation`] has the formula.
    ///
    /// Straight-through samples are the same from every engine. Soft samples on the CPU are within 10⁻⁶·y + 10⁻³⁷ of
    /// the [definition](crate::reference::soften_row) in `f64`, and the same floats with any vector instructions and
    /// number of threads. On a GPU they are within 2·10⁻⁵·(y + 10⁻³¹), where a device's `exp2` and divisions are as
    /// accurate as WGSL asks. A category of logit −∞ has exactly 0. A row without a draw is an error, or its samples
    /// are NaN if the options ask for sentinels.
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
    /// temperature 0, [`Error::NeedsGumbel`] if the method is an inverse CDF, [`Error::TooManySamples`] if the result
    /// does not fit into memory. On a GPU `MissingFeature` on a device with fewer than 7 storage buffers for a shader,
    /// and [`Error::RowTooLong`] if not even one row in `f32` fits into a buffer.
    ///
    /// # Complexity
    /// O(rows · draws · categories) time. Each category takes ten to thirty times as long as in a draw, as no filter
    /// discards it before its noise is evaluated. Straight-through samples take as long as draws. Memory beside the
    /// result: some twenty KiB of stack for each thread on the CPU; on a GPU what [`sample_rows`](Self::sample_rows)
    /// says, and more only if a row is longer than a chunk.
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

    /// Makes samples as [`soften_rows`](Self::soften_rows) does, and writes them into a slice of rows × draws ×
    /// categories floats. After an error that names a row, the samples of all other rows are written.
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
    /// Those of [`soften_rows`](Self::soften_rows), and [`Error::FloatsLength`] if the slice has another length.
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

    /// Makes samples as [`soften_rows`](Self::soften_rows) does, for executors: a [future](Self#futures) of rows ×
    /// draws × categories floats.
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

    /// Returns the vector-Jacobian product of [samples](Self::soften_rows): `cotangents` (rows × draws × categories)
    /// are the derivatives of a loss by the samples, and the result (rows × categories) is the derivatives of the loss
    /// by the logits, summed over a row's draws. If rows are [gathered](SampleOptions::with_row_indices), there is a
    /// gradient for each row of the call: add up those of rows that are the same row of the batch.
    ///
    /// With y the soft sample, g its cotangent and T the temperature of the options,
    ///
    /// ```text
    /// ∂/∂logitᵢ = 1/(τ·T) · Σ_draws yᵢ (gᵢ − Σⱼ yⱼ gⱼ)
    /// ```
    ///
    /// for soft samples, times the derivative of the adjusted logit by the logit where a [penalty](crate::Penalty) has one:
    /// 1/repetition for a positive logit of the history, and repetition for another one. For straight-through samples this
    /// formula is the definition. The noise is computed again from
    /// seed, row id and draw number, so nothing has to be stored with the samples: pass the same options. A category of
    /// logit −∞ has exactly 0. A cotangent where y is 0 is ignored, whatever it is. A row without a draw is an error,
    /// or its gradients are NaN if the options ask for sentinels.
    ///
    /// The difference of a gradient from the [definition](crate::reference::soften_rows_vjp) in `f64` is at most 10⁻⁶
    /// (on a GPU 2·10⁻⁵) times Σ_draws yᵢ (|gᵢ| + Σⱼ yⱼ|gⱼ|)/(τ·T) and the derivative of a penalty, for up to 100 draws.
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
    /// That of [`soften_rows`](Self::soften_rows). On the CPU one thread takes all draws of a row, unless the row is
    /// longer than 32,768 categories. Memory beside the result: for several draws of rows of more than 256 categories,
    /// a row of floats for each thread.
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

    /// Computes the vector-Jacobian product of samples as [`soften_rows_vjp`](Self::soften_rows_vjp) does, and writes
    /// it into a slice of rows × categories floats. After an error that names a row, the gradients of all other rows
    /// are written.
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
    /// Those of [`soften_rows_vjp`](Self::soften_rows_vjp), and [`Error::FloatsLength`] for a slice of gradients of
    /// another length.
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

    /// Computes the vector-Jacobian product of samples as [`soften_rows_vjp`](Self::soften_rows_vjp) does, for
    /// executors: a [future](Self#futures) of rows × categories floats.
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
    type Part<'p>
        = Soften<'p, 'p>
    where
        Self: 'p;

    fn job(&self) -> &Job<'_> {
        &self.of.job
    }

    fn split(&mut self, row: usize) -> (Self::Part<'_>, Self::Part<'_>) {
        let (of, rows) = (&self.of, self.of.job.logits.rows());
        let (some, others) = self.samples.split_at_mut(of.samples_of_row() * row);
        (
            Soften { of: of.part(0..row), samples: some },
            Soften { of: of.part(row..rows), samples: others },
        )
    }

    fn on_copies<'p>(&'p mut self, copies: Batch<'p>) -> Self::Part<'p> {
        let job = self.of.job.on_copies(copies);
        Soften { of: Softening { job, ..self.of }, samples: self.samples }
    }

    fn on_cpu(&mut self, cpu: &Cpu) -> Result<(), Error> {
        cpu.soften(&self.of, self.samples)
    }

    #[cfg(feature = "gpu")]
    fn on_gpu<'f>(&'f mut self, gpu: &'f Gpu) -> Running<'f> {
        Box::pin(gpu.soften(&self.of, self.samples))
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
    type Part<'p>
        = Pullback<'p, 'p>
    where
        Self: 'p;

    fn job(&self) -> &Job<'_> {
        &self.of.job
    }

    fn split(&mut self, row: usize) -> (Self::Part<'_>, Self::Part<'_>) {
        let (of, rows) = (&self.of, self.of.job.logits.rows());
        let (cotangents, other_cotangents) = self.cotangents.split_at(of.samples_of_row() * row);
        let (gradients, other_gradients) = self.gradients.split_at_mut(of.categories() * row);
        (
            Pullback { of: of.part(0..row), cotangents, gradients },
            Pullback {
                of: of.part(row..rows),
                cotangents: other_cotangents,
                gradients: other_gradients,
            },
        )
    }

    fn on_copies<'p>(&'p mut self, copies: Batch<'p>) -> Self::Part<'p> {
        let of = Softening { job: self.of.job.on_copies(copies), ..self.of };
        Pullback { of, cotangents: self.cotangents, gradients: self.gradients }
    }

    fn pull_back_adjustment(&mut self) -> Result<(), Error> {
        self.of.job.pull_back_adjustment(self.gradients)
    }

    fn on_cpu(&mut self, cpu: &Cpu) -> Result<(), Error> {
        cpu.vjp(&self.of, self.cotangents, self.gradients)
    }

    #[cfg(feature = "gpu")]
    fn on_gpu<'f>(&'f mut self, gpu: &'f Gpu) -> Running<'f> {
        Box::pin(gpu.vjp(&self.of, self.cotangents, self.gradients))
    }

    fn check(&self) -> Result<(), Error> {
        self.of.check_gradients(self.gradients)
    }
}
