//! The draw of each race.

use super::Sampler;
use super::run::Operation;
use crate::cpu::Cpu;
use crate::engine::{Blocking, Engine};
use crate::error::Error;
#[cfg(feature = "gpu")]
use crate::gpu::{Gpu, Running};
use crate::job::Job;
#[cfg(feature = "gpu")]
use crate::options::Method;
use crate::options::{Batch, SampleOptions};

impl<E: Engine> Sampler<E> {
    /// Draws from each row, and returns rows × draws category indices, row by row.
    ///
    /// **What decides a draw**: the row, the options of the row (temperature, method, and what is added to its logits or cut
    /// off), the seed, the row's id and the number of the draw, and nothing else. So **two calls with the same options use the same noise**. In a loop, let a
    /// [`Sequence`](crate::Sequence) number the draws.
    ///
    /// **Many draws from a row**: [`Method::Auto`](crate::Method::Auto) adds the row up once. The default reads the row
    /// for each draw, which takes hundreds of times as long for 10⁵ draws from a row of 10⁵ categories (the example
    /// `weighted` prints both times).
    ///
    /// **Many requests in one call**: each row may have its own [seed](SampleOptions::with_seeds),
    /// [temperature](SampleOptions::with_temperatures) and [first draw](SampleOptions::with_first_draws), and rows may be
    /// [gathered](SampleOptions::with_row_indices) from the batch. This is so for every operation but three: tables that are kept ([`inverse_cdf`](Self::inverse_cdf))
    /// have one seed, temperature and first draw for all rows, and rows of [shards](Self::sample_shard) and rows that are verified
    /// [by ratio](Self::verify_rows_by_ratio) cannot be gathered.
    ///
    /// Category i of a row of logits is drawn with probability exp(logitᵢ/T) / Σⱼ exp(logitⱼ/T), and of a row of
    /// weights with probability wᵢ^(1/T) / Σⱼ wⱼ^(1/T), where T is the [temperature](SampleOptions::with_temperature).
    ///
    /// ```
    /// use gumbel::{Logits, SampleOptions, Sampler};
    /// // three rows of two categories: even odds, 1 : e, and no chance for the first
    /// let logits = [0.0, 0.0, 0.0, 1.0, f32::NEG_INFINITY, 0.0];
    /// let options = SampleOptions::default().with_draws(4);
    /// let draws = Sampler::auto().sample_rows(Logits::new(&logits, 2)?, &options)?;
    /// assert_eq!(draws[8..], [1, 1, 1, 1]);
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// # Errors
    /// * For invalid options or an invalid shape [`Error::Temperature`], [`Error::WeightsTemperature`],
    ///   [`Error::Draws`], [`Error::RowIds`], [`Error::TooManyDraws`]; for options that rows have of their own
    ///   [`Error::RowOptions`] and [`Error::OfRow`], and [`Error::RowIndex`] for a row that cannot be gathered.
    /// * [`Error::UndrawableRow`] for the first row that has no draw, unless the options ask for
    ///   [sentinels](SampleOptions::with_sentinels).
    /// * [`Error::NoMemoryForSums`] if there is no memory for an inverse CDF, and [`Error::NoMemoryForRows`] if there is
    ///   none for copies of rows of `f64`, or of rows whose values do not lie side by side.
    /// * On a GPU `DeviceLost`, `OutOfMemory`, `MapFailed`, `Timeout` or `Gpu` if the device fails. Every wait for the
    ///   device has an end: see `GpuSamplerBuilder::with_timeout`. For an inverse CDF, `RowTooLong` if the sums of a
    ///   row exceed the largest buffer, and `MissingFeature` on a device with fewer than 6 storage buffers for a
    ///   shader.
    ///
    /// # Complexity
    /// By Gumbel noise O(rows · draws · categories) time; by inverse CDF O(rows · categories) time, and for each draw
    /// O(1) on the CPU and O(log categories) on a GPU.
    ///
    /// Memory beside the result: on the CPU some twenty KiB of stack for each thread, and for an inverse CDF 16 to 24
    /// bytes for each category and thread. On a GPU, whatever the batch, the buffers that the sampler keeps for its
    /// next calls: at most 20 times 16 MiB, or 20 times the size that `GpuSamplerBuilder::with_chunk_bytes` sets.
    /// (Three chunks are in flight. Each has logits, row ids and draws, once on the device and once in transfer. Rows
    /// that are cut also need their intermediate results. Where device and host share memory, the factor is 11.)
    #[doc(alias = "multinomial")]
    #[doc(alias = "categorical")]
    #[doc(alias = "sample_from_logits")]
    pub fn sample_rows<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
    ) -> Result<Vec<u32>, Error>
    where
        E: Blocking,
    {
        let job = Job::new(batch, options)?;
        let mut draws = job.unwritten()?;
        self.run(Draws { job, draws: &mut draws })?;
        Ok(draws)
    }

    /// Draws from each row as [`sample_rows`](Self::sample_rows) does, and writes the draws into a slice of rows ×
    /// draws words, row by row. After an error that names a row, the draws of all other rows are written.
    ///
    /// ```
    /// use gumbel::{Logits, SampleOptions, Sampler, Sequence};
    /// let (sampler, mut draws) = (Sampler::auto(), [0; 2]);
    /// let (options, mut sequence) = (SampleOptions::default(), Sequence::new(42));
    /// for _ in 0..10 {
    ///     let options = sequence.take(&options)?; // draws that no step before had
    ///     sampler.sample_rows_into(Logits::new(&[0.0; 6], 3)?, &options, &mut draws)?;
    /// }
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`sample_rows`](Self::sample_rows), and [`Error::DrawsLength`] if the slice has another length.
    pub fn sample_rows_into<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
        draws: &mut [u32],
    ) -> Result<(), Error>
    where
        E: Blocking,
    {
        let job = Job::new(batch, options)?;
        job.check_output(draws)?;
        self.run(Draws { job, draws })
    }

    /// Draws from each row as [`sample_rows`](Self::sample_rows) does, for executors: a [future](Self#futures) of rows
    /// × draws category indices, row by row.
    ///
    /// ```
    /// use gumbel::{Logits, SampleOptions, Sampler};
    /// # pollster::block_on(async {
    /// let sampler = Sampler::auto_async().await;
    /// let options = SampleOptions::default();
    /// let draws = sampler.sample_rows_async(Logits::new(&[0.0; 6], 3)?, &options).await?;
    /// assert_eq!(draws.len(), 2);
    /// # Ok::<(), gumbel::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// Those of [`sample_rows`](Self::sample_rows).
    pub async fn sample_rows_async<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
    ) -> Result<Vec<u32>, Error> {
        let job = Job::new(batch, options)?;
        let mut draws = job.unwritten()?;
        self.run_async(Draws { job, draws: &mut draws }).await?;
        Ok(draws)
    }
}

/// Draws of all races.
pub(super) struct Draws<'a, 'r> {
    pub(super) job: Job<'a>,
    pub(super) draws: &'r mut [u32],
}

impl Operation for Draws<'_, '_> {
    type Part<'p>
        = Draws<'p, 'p>
    where
        Self: 'p;

    fn job(&self) -> &Job<'_> {
        &self.job
    }

    fn split(&mut self, row: usize) -> (Self::Part<'_>, Self::Part<'_>) {
        let (job, rows) = (&self.job, self.job.logits.rows());
        let (some, others) = self.draws.split_at_mut(row * job.draws as usize);
        (
            Draws { job: job.part(0..row), draws: some },
            Draws { job: job.part(row..rows), draws: others },
        )
    }

    fn on_copies<'p>(&'p mut self, copies: Batch<'p>) -> Self::Part<'p> {
        Draws { job: self.job.on_copies(copies), draws: self.draws }
    }

    fn takes_restrictions(&self, cpu: &Cpu) -> bool {
        cpu.takes_restrictions(&self.job)
    }

    fn on_cpu(&mut self, cpu: &Cpu) -> Result<(), Error> {
        cpu.draw(&self.job, self.draws)
    }

    #[cfg(feature = "gpu")]
    fn on_gpu<'f>(&'f mut self, gpu: &'f Gpu) -> Running<'f> {
        Box::pin(gpu.draw(&self.job, self.draws))
    }

    #[cfg(feature = "gpu")]
    fn takes_own_options(&self, gpu: &Gpu) -> bool {
        self.job.method == Method::Gumbel && gpu.takes_own_options()
    }

    fn check(&self) -> Result<(), Error> {
        self.job.check_draws(self.draws)
    }
}
