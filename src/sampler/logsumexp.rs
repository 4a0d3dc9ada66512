//! The logarithm of each row's normaliser.

use super::Sampler;
use super::run::Operation;
use crate::cpu::Cpu;
use crate::engine::{Blocking, Engine};
use crate::error::Error;
#[cfg(feature = "gpu")]
use crate::gpu::{Gpu, Running};
use crate::job::Job;
use crate::job::SumJob;
use crate::options::{Batch, SampleOptions};

impl<E: Engine> Sampler<E> {
    /// Returns log Z of each row, a number for each row: the logarithm of the sum of exp(logit / temperature) or of
    /// weight^(1/temperature). The result is stable for any shift of the logits.
    ///
    /// Of the options, temperatures, row indices and sentinels count; all others are ignored, row ids of a wrong number
    /// included. With sentinels, the result is NaN for a row without a draw.
    ///
    /// **Accuracy**: on the CPU within 5·10⁻⁶ (and 6·10⁻⁸ of itself), and mostly within 10⁻⁶; for weights at
    /// temperature 1, within 10⁻¹². On a GPU within 2·10⁻⁵ and 4·10⁻⁷ of itself, where the device's `exp` and division
    /// are as accurate as WGSL asks for. Within these bounds the results may differ from machine to machine.
    ///
    /// ```
    /// use gumbel::{Logits, SampleOptions, Sampler};
    /// let two_rows = [0.0, 0.0, 1000.0, 1000.0];
    /// let options = SampleOptions::default();
    /// let sums = Sampler::auto().logsumexp_rows(Logits::new(&two_rows, 2)?, &options)?;
    /// assert!((sums[0] - 2f64.ln()).abs() < 1e-5 && (sums[1] - 1000.0 - 2f64.ln()).abs() < 1e-3);
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Temperature`], [`Error::WeightsTemperature`] and, at temperature 0, [`Error::NoNoise`];
    /// [`Error::UndrawableRow`] for the first row that has no draw, unless the options ask for
    /// [sentinels](SampleOptions::with_sentinels); [`Error::TooManyDraws`] if the sums do not fit into memory, and
    /// [`Error::NoMemoryForRows`] if copies of rows do not. On a GPU
    /// `DeviceLost`, `OutOfMemory`, `MapFailed`, `Timeout` or `Gpu` if the device fails.
    ///
    /// # Complexity
    /// O(rows · categories) time. Memory beside the result: that of [`sample_rows`](Self::sample_rows).
    #[doc(alias = "log_partition")]
    pub fn logsumexp_rows<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
    ) -> Result<Vec<f64>, Error>
    where
        E: Blocking,
    {
        let of = SumJob::of_rows(batch, options)?;
        let mut sums = of.job.unwritten()?;
        self.run(LogSumExp { of, sums: &mut sums })?;
        Ok(sums)
    }

    /// Computes log Z of each row as [`logsumexp_rows`](Self::logsumexp_rows) does, and writes it into a slice of as
    /// many numbers as there are rows. After an error that names a row, the sums of all other rows are written.
    ///
    /// ```
    /// use gumbel::{SampleOptions, Sampler, Weights};
    /// let mut sums = [0.0; 2];
    /// let weights = Weights::new(&[1.0, 3.0, 0.5, 0.5], 2)?;
    /// Sampler::auto().logsumexp_rows_into(weights, &SampleOptions::default(), &mut sums)?;
    /// assert!((sums[0] - 4f64.ln()).abs() < 1e-5 && sums[1].abs() < 1e-5);
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`logsumexp_rows`](Self::logsumexp_rows), and [`Error::FloatsLength`] if the slice has another length.
    pub fn logsumexp_rows_into<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
        sums: &mut [f64],
    ) -> Result<(), Error>
    where
        E: Blocking,
    {
        let of = SumJob::of_rows(batch, options)?;
        Error::check_floats("sums", of.job.total(), sums.len())?;
        self.run(LogSumExp { of, sums })
    }

    /// Computes log Z of each row as [`logsumexp_rows`](Self::logsumexp_rows) does, for executors: a
    /// [future](Self#futures) of a number for each row.
    ///
    /// ```
    /// use gumbel::{Logits, SampleOptions, Sampler};
    /// # pollster::block_on(async {
    /// let sampler = Sampler::auto_async().await;
    /// let options = SampleOptions::default();
    /// let sums = sampler.logsumexp_rows_async(Logits::new(&[0.0; 4], 4)?, &options).await?;
    /// assert!((sums[0] - 4f64.ln()).abs() < 2e-5);
    /// # Ok::<(), gumbel::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// Those of [`logsumexp_rows`](Self::logsumexp_rows).
    pub async fn logsumexp_rows_async<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
    ) -> Result<Vec<f64>, Error> {
        let of = SumJob::of_rows(batch, options)?;
        let mut sums = of.job.unwritten()?;
        self.run_async(LogSumExp { of, sums: &mut sums }).await?;
        Ok(sums)
    }
}

/// The logarithms of all rows' sums. A row has one sum, however many draws there are: the job has one draw a row.
struct LogSumExp<'a, 'r> {
    of: SumJob<'a>,
    sums: &'r mut [f64],
}

impl Operation for LogSumExp<'_, '_> {
    type Part<'p>
        = LogSumExp<'p, 'p>
    where
        Self: 'p;

    fn job(&self) -> &Job<'_> {
        &self.of.job
    }

    fn split(&mut self, row: usize) -> (Self::Part<'_>, Self::Part<'_>) {
        let (of, rows) = (&self.of, self.of.job.logits.rows());
        let (some, others) = self.sums.split_at_mut(row);
        (
            LogSumExp { of: of.part(0..row), sums: some },
            LogSumExp { of: of.part(row..rows), sums: others },
        )
    }

    fn on_copies<'p>(&'p mut self, copies: Batch<'p>) -> Self::Part<'p> {
        let job = self.of.job.on_copies(copies);
        LogSumExp { of: SumJob { job, ..self.of }, sums: self.sums }
    }

    fn shift(&mut self, shift: impl Fn(usize) -> f64) {
        for (row, sum) in self.sums.iter_mut().enumerate() {
            *sum += shift(row) * f64::from(self.of.job.scale_of(row).reciprocal());
        }
    }

    fn on_cpu(&mut self, cpu: &Cpu) -> Result<(), Error> {
        cpu.logsumexp(&self.of, self.sums);
        Ok(())
    }

    #[cfg(feature = "gpu")]
    fn on_gpu<'f>(&'f mut self, gpu: &'f Gpu) -> Running<'f> {
        Box::pin(gpu.logsumexp(&self.of, self.sums))
    }

    fn check(&self) -> Result<(), Error> {
        self.of.job.check_rows(|row| !self.sums[row].is_nan())
    }
}
