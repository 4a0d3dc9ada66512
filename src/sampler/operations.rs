//! What is told beside draws, by the engine that fits the machine.

use super::{Engine, Sampler};
use crate::arrivals::{Arrivals, LogZ, Scored};
use crate::error::Error;
use crate::options::{Batch, SampleOptions};

impl Sampler {
    /// Runs the race of each draw: which alarms ring first, and when; the first `places` of each. Categories
    /// and keys are the same from both engines, and the first of each race is the draw of
    /// [`sample_rows`](Self::sample_rows). What it is about is said at [`CpuSampler::race_rows`](crate::CpuSampler::race_rows).
    ///
    /// ```
    /// use gumbel::{SampleOptions, Sampler, Weights};
    /// let rates = [1.0, 2.0, 5.0];
    /// let options = SampleOptions::default().with_seed(3);
    /// let race = Sampler::auto().race_rows(Weights::new(&rates, 3)?, &options, 3)?;
    /// // the order in which the three rang, and when
    /// let mut order = race.categories().to_vec();
    /// assert!(race.times().collect::<Vec<_>>().is_sorted());
    /// order.sort();
    /// assert_eq!(order, [0, 1, 2]);
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`CpuSampler::race_rows`](crate::CpuSampler::race_rows) and [`GpuSampler::race_rows`](crate::GpuSampler::race_rows).
    #[doc(alias = "gumbel_top_k")]
    #[doc(alias = "without_replacement")]
    #[doc(alias = "exponential_race")]
    pub fn race_rows<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
        places: usize,
    ) -> Result<Arrivals, Error> {
        match &self.engine {
            Engine::Cpu(cpu) => cpu.race_rows(batch, options, places),
            Engine::Gpu(gpu) => gpu.race_rows(batch, options, places),
        }
    }

    /// As [`race_rows`](Self::race_rows), without blocking while a GPU works. The CPU engine works when the
    /// future is polled, and does not yield.
    ///
    /// # Errors
    /// As [`race_rows`](Self::race_rows).
    pub async fn race_rows_async<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
        places: usize,
    ) -> Result<Arrivals, Error> {
        match &self.engine {
            Engine::Cpu(cpu) => cpu.race_rows(batch, options, places),
            Engine::Gpu(gpu) => gpu.race_rows_async(batch, options, places).await,
        }
    }

    /// log Z of each row, the logarithm of the sum of exp(logit / temperature) or of weight^(1/temperature):
    /// a number for each row. Of the options, temperature and sentinels matter.
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
    /// As [`CpuSampler::logsumexp_rows`](crate::CpuSampler::logsumexp_rows) and [`GpuSampler::logsumexp_rows`](crate::GpuSampler::logsumexp_rows),
    /// which also say how accurate they are.
    #[doc(alias = "log_partition")]
    pub fn logsumexp_rows<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
    ) -> Result<Vec<f64>, Error> {
        match &self.engine {
            Engine::Cpu(cpu) => cpu.logsumexp_rows(batch, options),
            Engine::Gpu(gpu) => gpu.logsumexp_rows(batch, options),
        }
    }

    /// As [`logsumexp_rows`](Self::logsumexp_rows), without blocking while a GPU works. The CPU engine works when the
    /// future is polled, and does not yield.
    ///
    /// # Errors
    /// As [`logsumexp_rows`](Self::logsumexp_rows).
    pub async fn logsumexp_rows_async<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
    ) -> Result<Vec<f64>, Error> {
        match &self.engine {
            Engine::Cpu(cpu) => cpu.logsumexp_rows(batch, options),
            Engine::Gpu(gpu) => gpu.logsumexp_rows_async(batch, options).await,
        }
    }

    /// As [`sample_rows`](Self::sample_rows), each draw with the logarithm of its probability, and each row
    /// with its [logsumexp](Self::logsumexp_rows).
    ///
    /// ```
    /// use gumbel::{Logits, SampleOptions, Sampler};
    /// let row = [0.0, 0.0, f32::NEG_INFINITY];
    /// let options = SampleOptions::default().with_draws(10);
    /// let scored = Sampler::auto().sample_rows_scored(Logits::new(&row, 3)?, &options)?;
    /// assert!(scored.log_probs.iter().all(|log_prob| (log_prob - 0.5f64.ln()).abs() < 1e-4));
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`CpuSampler::sample_rows_scored`](crate::CpuSampler::sample_rows_scored) and
    /// [`GpuSampler::sample_rows_scored`](crate::GpuSampler::sample_rows_scored).
    #[doc(alias = "log_softmax")]
    pub fn sample_rows_scored<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
    ) -> Result<Scored, Error> {
        match &self.engine {
            Engine::Cpu(cpu) => cpu.sample_rows_scored(batch, options),
            Engine::Gpu(gpu) => gpu.sample_rows_scored(batch, options),
        }
    }

    /// As [`sample_rows_scored`](Self::sample_rows_scored), without blocking while a GPU works. The CPU engine works when the
    /// future is polled, and does not yield.
    ///
    /// # Errors
    /// As [`sample_rows_scored`](Self::sample_rows_scored).
    pub async fn sample_rows_scored_async<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
    ) -> Result<Scored, Error> {
        match &self.engine {
            Engine::Cpu(cpu) => cpu.sample_rows_scored(batch, options),
            Engine::Gpu(gpu) => gpu.sample_rows_scored_async(batch, options).await,
        }
    }

    /// Estimates log Z of each row from the maxima of its draws: an estimate for each row, with its standard
    /// error. The same from both engines, but for the last bits of the sum of the maxima.
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
    /// As [`CpuSampler::estimate_log_z`](crate::CpuSampler::estimate_log_z) and [`GpuSampler::estimate_log_z`](crate::GpuSampler::estimate_log_z).
    pub fn estimate_log_z<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
    ) -> Result<Vec<LogZ>, Error> {
        match &self.engine {
            Engine::Cpu(cpu) => cpu.estimate_log_z(batch, options),
            Engine::Gpu(gpu) => gpu.estimate_log_z(batch, options),
        }
    }

    /// As [`estimate_log_z`](Self::estimate_log_z), without blocking while a GPU works. The CPU engine works when the
    /// future is polled, and does not yield.
    ///
    /// # Errors
    /// As [`estimate_log_z`](Self::estimate_log_z).
    pub async fn estimate_log_z_async<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
    ) -> Result<Vec<LogZ>, Error> {
        match &self.engine {
            Engine::Cpu(cpu) => cpu.estimate_log_z(batch, options),
            Engine::Gpu(gpu) => gpu.estimate_log_z_async(batch, options).await,
        }
    }
}
