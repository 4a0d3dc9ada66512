//! Estimates of log Z from the maxima of races.

use super::Sampler;
use super::run::Operation;
use crate::cpu::Cpu;
use crate::engine::{Blocking, Engine};
use crate::error::Error;
#[cfg(feature = "gpu")]
use crate::gpu::{Gpu, Running};
use crate::job::Job;
use crate::job::race::MaximaJob;
use crate::options::{Batch, SampleOptions};
use crate::results::{LogZ, TopK};

impl<E: Engine> Sampler<E> {
    /// Estimates log Z of each row from the maxima of its draws: an estimate for each row, with its standard error.
    /// The mean of the maxima is log Z plus Euler's constant (see [`race_rows`](Self::race_rows)), and their standard
    /// deviation π/√6. The estimates are the same from every engine, but for the last bits of the sum of the maxima.
    ///
    /// The estimate needs many draws, 16,000 for a standard error of 0.01, and is here for what it demonstrates;
    /// [`logsumexp_rows`](Self::logsumexp_rows) computes the logarithm itself. Sources: Papandreou and Yuille,
    /// "Perturb-and-MAP random fields", 2011; Hazan and Jaakkola, "On the partition function and random maximum
    /// a-posteriori perturbations", 2012.
    ///
    /// ```
    /// use gumbel::{Logits, SampleOptions, Sampler};
    /// let options = SampleOptions::default().with_draws(10_000);
    /// let row = [0.0, 1.0, 2.0];
    /// let log_z = Sampler::auto().estimate_log_z(Logits::new(&row, 3)?, &options)?[0];
    /// assert!((log_z.estimate - 2.407606).abs() < 5.0 * log_z.standard_error);
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`race_rows`](Self::race_rows).
    ///
    /// # Complexity
    /// The time of [`race_rows`](Self::race_rows) with `k` = 1; memory for 2²⁰ races, or for one draw from each row if
    /// that is more.
    pub fn estimate_log_z<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
    ) -> Result<Vec<LogZ>, Error>
    where
        E: Blocking,
    {
        let of = MaximaJob::new(batch, options)?;
        let mut estimates = of.unwritten()?;
        self.run(EstimateLogZ { of, estimates: &mut estimates })?;
        Ok(estimates)
    }

    /// Estimates log Z of each row as [`estimate_log_z`](Self::estimate_log_z) does, and writes the estimates into a
    /// slice, one for each row. After an error that names a row, the estimates of all other rows are written.
    ///
    /// ```
    /// use gumbel::{LogZ, Logits, SampleOptions, Sampler};
    /// let options = SampleOptions::default().with_draws(10_000);
    /// let mut estimates = [LogZ::default(); 2];
    /// let rows = Logits::new(&[0.0; 6], 3)?;
    /// Sampler::auto().estimate_log_z_into(rows, &options, &mut estimates)?;
    /// assert!((estimates[1].estimate - 3f64.ln()).abs() < 5.0 * estimates[1].standard_error);
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`estimate_log_z`](Self::estimate_log_z), and [`Error::FloatsLength`] if the slice has another length.
    pub fn estimate_log_z_into<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
        estimates: &mut [LogZ],
    ) -> Result<(), Error>
    where
        E: Blocking,
    {
        let of = MaximaJob::new(batch, options)?;
        Error::check_floats("estimates", of.job.logits.rows(), estimates.len())?;
        self.run(EstimateLogZ { of, estimates })
    }

    /// Estimates log Z of each row as [`estimate_log_z`](Self::estimate_log_z) does, for executors: a
    /// [future](Self#futures) of one estimate for each row.
    ///
    /// ```
    /// use gumbel::{Logits, SampleOptions, Sampler};
    /// # pollster::block_on(async {
    /// let options = SampleOptions::default().with_draws(10_000);
    /// let (sampler, row) = (Sampler::auto_async().await, [0.0, 1.0, 2.0]);
    /// let log_z = sampler.estimate_log_z_async(Logits::new(&row, 3)?, &options).await?[0];
    /// assert!((log_z.estimate - 2.407606).abs() < 5.0 * log_z.standard_error);
    /// # Ok::<(), gumbel::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// Those of [`estimate_log_z`](Self::estimate_log_z).
    pub async fn estimate_log_z_async<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
    ) -> Result<Vec<LogZ>, Error> {
        let of = MaximaJob::new(batch, options)?;
        let mut estimates = of.unwritten()?;
        self.run_async(EstimateLogZ { of, estimates: &mut estimates }).await?;
        Ok(estimates)
    }
}

/// An estimate for each row.
struct EstimateLogZ<'a, 'r> {
    of: MaximaJob<'a>,
    estimates: &'r mut [LogZ],
}

impl Operation for EstimateLogZ<'_, '_> {
    type Part<'p>
        = EstimateLogZ<'p, 'p>
    where
        Self: 'p;

    fn job(&self) -> &Job<'_> {
        &self.of.job
    }

    fn split(&mut self, row: usize) -> (Self::Part<'_>, Self::Part<'_>) {
        let (of, rows) = (&self.of, self.of.job.logits.rows());
        let (some, others) = self.estimates.split_at_mut(row);
        (
            EstimateLogZ { of: of.part(0..row), estimates: some },
            EstimateLogZ { of: of.part(row..rows), estimates: others },
        )
    }

    fn on_copies<'p>(&'p mut self, copies: Batch<'p>) -> Self::Part<'p> {
        let job = self.of.job.on_copies(copies);
        EstimateLogZ { of: MaximaJob { job, ..self.of }, estimates: self.estimates }
    }

    fn shift(&mut self, shift: impl Fn(usize) -> f64) {
        for (row, log_z) in self.estimates.iter_mut().enumerate() {
            log_z.estimate += shift(row) * f64::from(self.of.job.scale_of(row).reciprocal());
        }
    }

    fn on_cpu(&mut self, cpu: &Cpu) -> Result<(), Error> {
        self.of.begin(self.estimates);
        for piece in self.of.pieces() {
            let mut maxima = TopK::unwritten(&piece)?;
            cpu.race(&piece, &mut maxima.slices_mut())?;
            self.of.add(&maxima, self.estimates);
        }
        self.of.finish(self.estimates);
        Ok(())
    }

    #[cfg(feature = "gpu")]
    fn on_gpu<'f>(&'f mut self, gpu: &'f Gpu) -> Running<'f> {
        Box::pin(async move {
            self.of.begin(self.estimates);
            for piece in self.of.pieces() {
                let mut maxima = TopK::unwritten(&piece)?;
                gpu.race(&piece, &mut maxima.slices_mut()).await?;
                self.of.add(&maxima, self.estimates);
            }
            self.of.finish(self.estimates);
            Ok(())
        })
    }

    fn check(&self) -> Result<(), Error> {
        self.of.job.check_rows(|row| !self.estimates[row].estimate.is_nan())
    }
}
