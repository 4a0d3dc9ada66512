//! Draws with their log-probabilities.

use super::Sampler;
use super::draws::Draws;
use super::run::Operation;
use crate::cpu::Cpu;
use crate::engine::{Blocking, Engine};
use crate::error::Error;
#[cfg(feature = "gpu")]
use crate::gpu::{Gpu, Running};
use crate::job::Job;
use crate::job::SumJob;
use crate::options::{Batch, SampleOptions};
use crate::results::{ScoredDraws, Scores};

impl<E: Engine> Sampler<E> {
    /// Draws from each row, and returns the draws with their log-probabilities, log softmax at the index of each draw,
    /// and with each row's [logsumexp](Self::logsumexp_rows). The draws are those of
    /// [`sample_rows`](Self::sample_rows).
    ///
    /// The log-probabilities are those of the logits, whichever [method](crate::Method) draws: among what a truncation keeps,
    /// or among all that is allowed ([`LogProbsOf`](crate::LogProbsOf)).
    ///
    /// **Accuracy**: a log-probability is within 5·10⁻⁶ on the CPU and 2·10⁻⁵ on a GPU (and, as an `f64` is rounded,
    /// 10⁻¹⁵ of itself), whatever constant is added to the logits. It is computed from the drawn logit and the sum,
    /// both relative to the largest logit, and not from the logsumexp, in which such a constant takes the place of
    /// digits that matter here. For weights at temperature 1 on the CPU, it is within 10⁻¹².
    /// [`logsumexp_rows`](Self::logsumexp_rows) states the accuracy of the logsumexps.
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
    /// Those of [`sample_rows`](Self::sample_rows), and [`Error::NoNoise`] at temperature 0.
    ///
    /// # Complexity
    /// That of [`sample_rows`](Self::sample_rows), and O(rows · categories) for the sums. With one draw a row, the row
    /// is summed while it is in the cache, and on a GPU in the pass that draws.
    #[doc(alias = "log_softmax")]
    pub fn sample_rows_scored<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
    ) -> Result<ScoredDraws, Error>
    where
        E: Blocking,
    {
        let batch = batch.into();
        let of = SumJob::of_draws(batch, options)?;
        let mut scored = ScoredDraws::unwritten(&of.job)?;
        self.score(batch, options, of, scored.scores_mut())?;
        Ok(scored)
    }

    /// Draws from each row as [`sample_rows_scored`](Self::sample_rows_scored) does, and writes into the caller's
    /// memory: rows × draws draws, rows × draws log-probabilities, and as many logsumexps as rows. After an error that
    /// names a row, the results of all other rows are written.
    ///
    /// ```
    /// use gumbel::{Logits, SampleOptions, Sampler};
    /// let (mut draws, mut log_probs, mut logsumexps) = ([0; 2], [0.0; 2], [0.0; 2]);
    /// Sampler::auto().sample_rows_scored_into(
    ///     Logits::new(&[0.0, 0.0, 1.0, 1.0], 2)?,
    ///     &SampleOptions::default(),
    ///     &mut draws,
    ///     &mut log_probs,
    ///     &mut logsumexps,
    /// )?;
    /// assert!(log_probs.iter().all(|log_prob| (log_prob - 0.5f64.ln()).abs() < 1e-4));
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`sample_rows_scored`](Self::sample_rows_scored), and for slices of other lengths
    /// [`Error::DrawsLength`] and [`Error::FloatsLength`].
    pub fn sample_rows_scored_into<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
        draws: &mut [u32],
        log_probs: &mut [f64],
        logsumexps: &mut [f64],
    ) -> Result<(), Error>
    where
        E: Blocking,
    {
        let batch = batch.into();
        let of = SumJob::of_draws(batch, options)?;
        of.job.check_output(draws)?;
        Error::check_floats("log-probabilities", of.job.total(), log_probs.len())?;
        Error::check_floats("logsumexps", of.job.logits.rows(), logsumexps.len())?;
        self.score(batch, options, of, Scores { draws, log_probs, logsumexps })
    }

    /// Draws from each row as [`sample_rows_scored`](Self::sample_rows_scored) does, for executors: a
    /// [future](Self#futures) of the draws with their log-probabilities and each row's logsumexp.
    ///
    /// ```
    /// use gumbel::{Logits, SampleOptions, Sampler};
    /// # pollster::block_on(async {
    /// let sampler = Sampler::auto_async().await;
    /// let options = SampleOptions::default();
    /// let scored = sampler.sample_rows_scored_async(Logits::new(&[0.0; 4], 4)?, &options).await?;
    /// assert!((scored.log_probs[0] - 0.25f64.ln()).abs() < 1e-4);
    /// # Ok::<(), gumbel::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// Those of [`sample_rows_scored`](Self::sample_rows_scored).
    pub async fn sample_rows_scored_async<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
    ) -> Result<ScoredDraws, Error> {
        let batch = batch.into();
        let of = SumJob::of_draws(batch, options)?;
        let mut scored = ScoredDraws::unwritten(&of.job)?;
        let Some(scores) = SumJob::of_allowed(batch, options)? else {
            self.run_async(LogProbs { of, scores: scored.scores_mut() }).await?;
            return Ok(scored);
        };
        self.run_async(Draws { job: of.job, draws: &mut scored.draws }).await?;
        self.run_async(LogProbs { of: scores, scores: scored.scores_mut() }).await?;
        Ok(scored)
    }

    /// Draws, and scores the draws among what is kept or among all that is allowed.
    fn score<'a>(
        &self,
        batch: Batch<'a>,
        options: &SampleOptions<'a>,
        of: SumJob<'a>,
        scores: Scores<'_>,
    ) -> Result<(), Error>
    where
        E: Blocking,
    {
        let Some(of_allowed) = SumJob::of_allowed(batch, options)? else {
            return self.run(LogProbs { of, scores });
        };
        let drawn = self.run(Draws { job: of.job, draws: &mut *scores.draws });
        if matches!(drawn, Ok(()) | Err(Error::UndrawableRow { .. })) {
            self.run(LogProbs { of: of_allowed, scores })?;
        }
        drawn
    }
}

/// Draws of all races with their log-probabilities, and the sums of all rows.
struct LogProbs<'a, 'r> {
    of: SumJob<'a>,
    scores: Scores<'r>,
}

impl Operation for LogProbs<'_, '_> {
    type Part<'p>
        = LogProbs<'p, 'p>
    where
        Self: 'p;

    fn job(&self) -> &Job<'_> {
        &self.of.job
    }

    fn work(&self) -> u64 {
        self.of.work()
    }

    fn split(&mut self, row: usize) -> (Self::Part<'_>, Self::Part<'_>) {
        let (of, rows) = (&self.of, self.of.job.logits.rows());
        let (some, others) = self.scores.split(row, of.job.draws);
        (
            LogProbs { of: of.part(0..row), scores: some },
            LogProbs { of: of.part(row..rows), scores: others },
        )
    }

    fn on_copies<'p>(&'p mut self, copies: Batch<'p>) -> Self::Part<'p> {
        let Scores { draws, log_probs, logsumexps } = &mut self.scores;
        let job = self.of.job.on_copies(copies);
        LogProbs { of: SumJob { job, ..self.of }, scores: Scores { draws, log_probs, logsumexps } }
    }

    fn shift(&mut self, shift: impl Fn(usize) -> f64) {
        for (row, sum) in self.scores.logsumexps.iter_mut().enumerate() {
            *sum += shift(row) * f64::from(self.of.job.scale_of(row).reciprocal());
        }
    }

    fn on_cpu(&mut self, cpu: &Cpu) -> Result<(), Error> {
        cpu.score(&self.of, &mut self.scores)
    }

    #[cfg(feature = "gpu")]
    fn on_gpu<'f>(&'f mut self, gpu: &'f Gpu) -> Running<'f> {
        Box::pin(gpu.score(&self.of, &mut self.scores))
    }

    fn check(&self) -> Result<(), Error> {
        self.of.job.check_draws(self.scores.draws)
    }
}
