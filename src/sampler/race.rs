//! The first categories of each race, and when they win.

use super::Sampler;
use super::run::Operation;
use crate::cpu::Cpu;
use crate::engine::{Blocking, Engine};
use crate::error::Error;
#[cfg(feature = "gpu")]
use crate::gpu::{Gpu, Running};
use crate::job::Job;
use crate::job::race::RaceJob;
use crate::noise::order::Best;
use crate::noise::relative::{key_shift, shifted_key};
use crate::options::{Batch, SampleOptions};
use crate::results::{TopK, TopKSlices};

impl<E: Engine> Sampler<E> {
    /// Runs the race of each draw, and returns the first `k` alarms to ring and their times.
    ///
    /// Category i is an alarm that rings after a time Tᵢ ~ Exp(λᵢ), with rate λᵢ = exp(logitᵢ) or its weight. The first
    /// alarm to ring is i with probability λᵢ/Σλ, and is the draw of [`sample_rows`](Self::sample_rows). The time at
    /// which it rings is Exp(Σλ), and independent of which alarm it is (Gumbel 1954; Maddison, Tarlow, Minka, "A*
    /// sampling", 2014). The next alarms are further draws without replacement, each by the weights of the categories
    /// that are left (Yellott 1977; Kool, van Hoof, Welling, "Stochastic beams and where to find them", 2019: *Gumbel
    /// top-k*). −ln Tᵢ is the perturbed logit.
    ///
    /// `k` is the number of categories of each race that are returned, 1 or more. The result has rows × draws × k
    /// entries of 12 bytes. Categories and keys are the same from every engine, bit for bit.
    ///
    /// ```
    /// use gumbel::{SampleOptions, Sampler, Weights};
    /// let rates = [1.0, 2.0, 5.0];
    /// let options = SampleOptions::default().with_draws(10_000);
    /// let race = Sampler::auto().race_rows(Weights::new(&rates, 3)?, &options, 3)?;
    /// // the first rings after 1/8 on average, and is the third in five of eight races
    /// let times: Vec<_> = race.times().step_by(3).collect();
    /// let mean = times.iter().sum::<f64>() / 10_000.0;
    /// assert!((mean - 0.125).abs() < 0.005);
    /// let third = race.categories().iter().step_by(3).filter(|&&c| c == 2).count();
    /// assert!((third as f64 / 10_000.0 - 0.625).abs() < 0.02);
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`sample_rows`](Self::sample_rows), and [`Error::NoNoise`] at temperature 0, [`Error::NeedsGumbel`] if
    /// the method is an inverse CDF, [`Error::ZeroK`] if `k` is 0, [`Error::TopKTooLarge`] if the entries do not fit
    /// into memory.
    ///
    /// # Complexity
    /// O(rows · draws · categories) time. In addition, some k·(1 + ln(n/k)) of the n categories of each race are
    /// evaluated exactly, at about 50 ns each on the CPU.
    ///
    /// On a GPU with k above 1, the device finds the few categories that may be among the first k, with their keys, and
    /// the host ranks them. Where more categories are near each other than a record holds, as with equal logits, the
    /// host runs the race. For each race the device writes a record of 12·(4·k + 64) + 4 bytes, or 12 bytes a category
    /// if those are fewer, and one such record for each part of a row that exceeds a chunk and is cut. A record must
    /// fit into a chunk (and into what the device can bind), or the error is [`Error::TopKTooLarge`]: with the usual 16
    /// MiB, k is at most 349,509, and for rows of up to 1,398,096 categories k may be any number. With k = 1 a record
    /// has 12 bytes. The host holds all records of the call at once, beside the result.
    #[doc(alias = "gumbel_top_k")]
    #[doc(alias = "without_replacement")]
    #[doc(alias = "exponential_race")]
    pub fn race_rows<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
        k: usize,
    ) -> Result<TopK, Error>
    where
        E: Blocking,
    {
        let job = RaceJob::new(batch, options, k)?;
        let mut top_k = TopK::unwritten(&job)?;
        self.run(Race { job, k: top_k.slices_mut() })?;
        Ok(top_k)
    }

    /// Runs the race of each draw as [`race_rows`](Self::race_rows) does, and writes into the caller's memory:
    /// `categories` and `keys` both have rows × draws × k entries, from which k follows. A key is a perturbed logit in
    /// units of 2⁻²⁴, as [`TopK::keys`] says. After an error that names a row, the entries of all other rows are
    /// written.
    ///
    /// ```
    /// use gumbel::{Logits, SampleOptions, Sampler};
    /// let (mut categories, mut keys) = ([0; 6], [0; 6]);
    /// let logits = Logits::new(&[0.0, 1.0, 2.0, 2.0, 1.0, 0.0], 3)?;
    /// let options = SampleOptions::default();
    /// Sampler::auto().race_rows_into(logits, &options, &mut categories, &mut keys)?;
    /// assert!(keys[..3].is_sorted_by(|a, b| a >= b));
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`race_rows`](Self::race_rows), and [`Error::DrawsLength`] if the slices are not of the same length or
    /// their length is no multiple of rows × draws.
    pub fn race_rows_into<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
        categories: &mut [u32],
        keys: &mut [i64],
    ) -> Result<(), Error>
    where
        E: Blocking,
    {
        let job = RaceJob::filling(batch, options, categories.len(), keys.len())?;
        self.run(Race { job, k: TopKSlices { categories, keys } })
    }

    /// Runs the race of each draw as [`race_rows`](Self::race_rows) does, for executors: a [future](Self#futures) of
    /// the first `k` categories of each race and their keys.
    ///
    /// ```
    /// use gumbel::{Logits, SampleOptions, Sampler};
    /// # pollster::block_on(async {
    /// let sampler = Sampler::auto_async().await;
    /// let options = SampleOptions::default();
    /// let race = sampler.race_rows_async(Logits::new(&[0.0; 6], 3)?, &options, 2).await?;
    /// assert_eq!(race.categories().len(), 2 * 2);
    /// # Ok::<(), gumbel::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// Those of [`race_rows`](Self::race_rows).
    pub async fn race_rows_async<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
        k: usize,
    ) -> Result<TopK, Error> {
        let job = RaceJob::new(batch, options, k)?;
        let mut top_k = TopK::unwritten(&job)?;
        self.run_async(Race { job, k: top_k.slices_mut() }).await?;
        Ok(top_k)
    }
}

/// The first `k` categories of all races.
struct Race<'a, 'r> {
    job: RaceJob<'a>,
    k: TopKSlices<'r>,
}

impl Operation for Race<'_, '_> {
    type Part<'p>
        = Race<'p, 'p>
    where
        Self: 'p;

    fn job(&self) -> &Job<'_> {
        &self.job.job
    }

    fn split(&mut self, row: usize) -> (Self::Part<'_>, Self::Part<'_>) {
        let (of, rows) = (&self.job, self.job.job.logits.rows());
        let (some, others) = self.k.split(row * of.job.draws as usize * of.k);
        (Race { job: of.part(0..row), k: some }, Race { job: of.part(row..rows), k: others })
    }

    fn on_copies<'p>(&'p mut self, copies: Batch<'p>) -> Self::Part<'p> {
        let TopKSlices { categories, keys } = &mut self.k;
        let job = self.job.job.on_copies(copies);
        Race { job: RaceJob { job, ..self.job }, k: TopKSlices { categories, keys } }
    }

    fn shift(&mut self, shift: impl Fn(usize) -> f64) {
        let (job, each) = (&self.job.job, self.job.job.draws as usize * self.job.k);
        for (row, keys) in self.k.keys.chunks_mut(each).enumerate() {
            let shift = key_shift(shift(row), job.scale_of(row));
            for key in keys.iter_mut().filter(|key| **key != Best::NONE.key) {
                *key = shifted_key(*key, shift);
            }
        }
    }

    fn on_cpu(&mut self, cpu: &Cpu) -> Result<(), Error> {
        cpu.race(&self.job, &mut self.k)
    }

    #[cfg(feature = "gpu")]
    fn on_gpu<'f>(&'f mut self, gpu: &'f Gpu) -> Running<'f> {
        Box::pin(gpu.race(&self.job, &mut self.k))
    }

    #[cfg(feature = "gpu")]
    fn takes_own_options(&self, gpu: &Gpu) -> bool {
        gpu.takes_own_options()
    }

    fn check(&self) -> Result<(), Error> {
        self.job.job.check_races(self.k.categories, self.job.k)
    }
}
