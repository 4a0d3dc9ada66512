//! What the CPU engine tells of races beside who won.

use rayon::prelude::*;

use super::bound::RoundKeys;
use super::logsumexp::sums_of;
use super::podium::{OneRace, Podiums};
use super::schedule::Plan;
use super::threads::{Division, in_chunks, on_pool};
use super::values::{BatchValues, with_values};
use super::{CpuForm, CpuSampler};
use crate::arrivals::{Arrivals, LogZ, Maxima, Scored, Sum, score};
use crate::error::Error;
use crate::job::{Job, Temperature, zeroed};
use crate::noise::order::Scale;
use crate::options::{Batch, Data, SampleOptions, with_rows};

impl CpuSampler {
    /// Runs the race of each draw: which alarms ring first, and when.
    ///
    /// Category i is an alarm that rings after a time Tᵢ ~ Exp(λᵢ), with rate λᵢ = exp(logitᵢ) or its
    /// weight. The first to ring is i with probability λᵢ/Σλ, which is the draw of `sample_rows`; it does
    /// so at a time that is Exp(Σλ), and which it is does not depend on when (Gumbel 1954; Maddison,
    /// Tarlow, Minka, "A* sampling", 2014). The next ones are further draws without replacement, as if by
    /// the weights of those that are left (Yellott 1977; Kool, van Hoof, Welling, "Stochastic beams and
    /// where to find them", 2019: *Gumbel top-k*). −ln T is the perturbed logit.
    ///
    /// `places` is how many of each race are wanted, the first ones; 1 or more. The result has rows × draws ×
    /// places entries of 12 bytes.
    ///
    /// ```
    /// use gumbel::{CpuSampler, SampleOptions, Weights};
    /// let rates = [1.0, 2.0, 5.0];
    /// let options = SampleOptions::default().with_draws(10_000);
    /// let arrivals = CpuSampler::new().race_rows(Weights::new(&rates, 3)?, &options, 3)?;
    /// // the first rings after 1/8 on average, and is the third in five of eight races
    /// let times: Vec<_> = arrivals.times().step_by(3).collect();
    /// let mean = times.iter().sum::<f64>() / 10_000.0;
    /// assert!((mean - 0.125).abs() < 0.005);
    /// let third = arrivals.categories().iter().step_by(3).filter(|&&c| c == 2).count();
    /// assert!((third as f64 / 10_000.0 - 0.625).abs() < 0.02);
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`sample_rows`](Self::sample_rows), and [`Error::NoNoise`] at temperature 0,
    /// [`Error::NeedsGumbel`], [`Error::NoPlaces`], [`Error::TooManyPlaces`].
    ///
    /// # Complexity
    /// O(rows · draws · categories) time and, for k places of races of n, some k·(1 + ln(n/k)) categories
    /// that are settled exactly, at about 50 ns each.
    #[doc(alias = "gumbel_top_k")]
    #[doc(alias = "without_replacement")]
    #[doc(alias = "exponential_race")]
    pub fn race_rows<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
        places: usize,
    ) -> Result<Arrivals, Error> {
        let job = Job::new(batch, options)?.by_gumbel("a race")?;
        let mut arrivals = match places {
            1 => Arrivals::unwritten(&job, places),
            _ => Arrivals::of(&job, places),
        }?;
        let Temperature::Scaled(scale) = job.temperature else { return Ok(arrivals) };
        if job.total() == 0 {
            return Ok(arrivals);
        }
        let (categories, keys) = arrivals.parts();
        let plan = Plan::of(&job, self.form, self.filter);
        self.on_threads(|| match places {
            1 => plan.run_with_keys(scale, categories, keys),
            _ => podiums(&plan, scale, (self.filter, places), categories, keys),
        });
        job.report_races(arrivals.categories(), places)?;
        Ok(arrivals)
    }

    /// The logarithm of the sum of exp(logit / temperature) of each row, or of weight^(1/temperature): log Z,
    /// the logarithm of the normaliser. It is stable for any shift of the logits.
    ///
    /// Of the options, temperature and sentinels matter: with sentinels, NaN for a row without a draw.
    ///
    /// **Accuracy**: within 5·10⁻⁶ (and 6·10⁻⁸ of itself), and mostly within 10⁻⁶; it may differ in that
    /// from machine to machine. For weights at temperature 1, within 10⁻¹².
    ///
    /// ```
    /// use gumbel::{CpuSampler, Logits, SampleOptions};
    /// let logits = [1000.0, 1000.0, f32::NEG_INFINITY];
    /// let sums = CpuSampler::new()
    ///     .logsumexp_rows(Logits::new(&logits, 3)?, &SampleOptions::default())?;
    /// assert!((sums[0] - (1000.0 + 2f64.ln())).abs() < 1e-5);
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`sample_rows`](Self::sample_rows), and [`Error::NoNoise`] at temperature 0.
    #[doc(alias = "log_partition")]
    pub fn logsumexp_rows<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
    ) -> Result<Vec<f64>, Error> {
        // a row has one sum, whatever is drawn from it
        let job = Job::new(batch, &options.with_draws(1).with_first_draw(0))?;
        let inverse = job.inverse_temperature("logsumexp")?;
        let sums = self.on_threads(|| self.sums(&job, inverse, Sum::ln))?;
        job.report_rows(|row| !sums[row].is_nan())?;
        Ok(sums)
    }

    /// As [`sample_rows`](Self::sample_rows), each draw with the logarithm of its probability: log softmax
    /// at its index, and each row with its [logsumexp](Self::logsumexp_rows), by which it is found.
    ///
    /// With one draw a row, it is summed right after it has been drawn from, while it is in the cache. The
    /// log-probabilities are those of the logits, whichever [method](crate::Method) draws.
    ///
    /// **Accuracy**: a log-probability is within 5·10⁻⁶ (and, as an `f64` is rounded, 10⁻¹⁵ of itself), and
    /// mostly within 10⁻⁶, whatever the logits are shifted by: it is made of the drawn logit and of the sum,
    /// both relative to the largest logit, and not of the logsumexp, in which a shift takes the place of digits
    /// that matter here. For weights at temperature 1, within 10⁻¹².
    ///
    /// ```
    /// use gumbel::{CpuSampler, Logits, SampleOptions};
    /// let logits = [0.0, 1.0, 2.0];
    /// let scored = CpuSampler::new()
    ///     .sample_rows_scored(Logits::new(&logits, 3)?, &SampleOptions::default())?;
    /// let sum = logits.iter().map(|x| f64::from(*x).exp()).sum::<f64>().ln();
    /// let expected = f64::from(logits[scored.draws[0] as usize]) - sum;
    /// assert!((scored.log_probs[0] - expected).abs() < 1e-5);
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`sample_rows`](Self::sample_rows), and [`Error::NoNoise`] at temperature 0.
    #[doc(alias = "log_softmax")]
    pub fn sample_rows_scored<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
    ) -> Result<Scored, Error> {
        let job = Job::new(batch, options)?;
        let inverse = job.inverse_temperature("a log-probability")?;
        let mut draws = job.unwritten()?;
        if job.draws > 1 || job.inverse_cdf().is_some() {
            self.run(&job, &mut draws)?;
            let sums = self.on_threads(|| self.sums(&job, inverse, |sum| sum))?;
            job.report(&draws)?;
            return Ok(self.on_threads(|| Scored::of(&job, inverse, draws, &sums)));
        }
        let (mut log_probs, mut logsumexps) = (job.unwritten()?, job.unwritten()?);
        let plan = Plan::of(&job, self.form, self.filter);
        self.on_threads(|| {
            plan.run_and(&mut draws, &mut log_probs, &mut logsumexps, |row, draws, probs, sums| {
                with_rows!(job.logits.data(), rows => {
                    sums_of(self.form, rows, row..row + draws.len(), inverse, |i, sum| {
                        let sum = sum.log();
                        sums[i] = sum.whole();
                        probs[i] = score(rows.row(row + i), draws[i], inverse, sum);
                    });
                });
            });
        });
        job.report(&draws)?;
        Ok(Scored { draws, log_probs, logsumexps })
    }

    /// Estimates log Z of each row from the maxima of its draws: their mean is log Z plus Euler's constant
    /// (see [`race_rows`](Self::race_rows)), and their standard deviation π/√6.
    ///
    /// It needs more draws than one would like, and is here for what it shows; the logarithm itself is
    /// [`logsumexp_rows`](Self::logsumexp_rows). Sources: Papandreou and Yuille, "Perturb-and-MAP random
    /// fields", 2011; Hazan and Jaakkola, "On the partition function and random maximum
    /// a-posteriori perturbations", 2012.
    ///
    /// ```
    /// use gumbel::{CpuSampler, Logits, SampleOptions};
    /// let options = SampleOptions::default().with_draws(100_000);
    /// let logits = [0.0, 1.0, 2.0];
    /// let log_z = CpuSampler::new().estimate_log_z(Logits::new(&logits, 3)?, &options)?[0];
    /// assert!((log_z.estimate - 2.407606).abs() < 4.0 * log_z.standard_error);
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`race_rows`](Self::race_rows).
    ///
    /// # Complexity
    /// As `race_rows` for one place in time; memory for 2²⁰ races at most, or for a draw of each row.
    pub fn estimate_log_z<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
    ) -> Result<Vec<LogZ>, Error> {
        let job = Job::new(batch, options)?.by_gumbel("an estimate of log Z")?;
        let mut maxima = Maxima::of(&job);
        for piece in maxima.pieces(options) {
            maxima.add(&self.race_rows(job.logits, &piece, 1)?);
        }
        Ok(maxima.log_z())
    }

    /// What is made of the sum of each row.
    fn sums<A: bytemuck::Zeroable + Send>(
        &self,
        job: &Job<'_>,
        inverse: f64,
        of: impl Fn(Sum) -> A + Sync,
    ) -> Result<Vec<A>, Error> {
        let (rows, draws) = (job.logits.rows(), 1);
        let mut all = zeroed(rows).ok_or(Error::TooManyDraws { rows, draws })?;
        let grain = Division::READING.at_once(job.logits.categories());
        in_chunks(&mut all, grain, rows > grain, |i, all| {
            let some = i * grain..i * grain + all.len();
            with_values!(job, rows => {
                sums_of(self.form, rows, some, inverse, |i, sum| all[i] = of(sum));
            });
        });
        Ok(all)
    }

    /// On the threads of the sampler.
    fn on_threads<R: Send>(&self, what: impl FnOnce() -> R + Send) -> R {
        on_pool(self.pool.as_ref(), false, what)
    }
}

/// The first places of one race, as many as there is room for.
pub(crate) fn podium_of_race(
    job: &Job<'_>,
    scale: Scale,
    (row, number): (usize, u32),
    categories: &mut [u32],
    won: &mut [i64],
) {
    let keys = RoundKeys::of(job.seed);
    let stream = job.stream(row, number);
    with_values!(job, rows => {
        let values = rows.row(row);
        CpuForm::detect().run(OneRace { values, scale, keys, stream, categories, won });
    });
}

fn podiums(
    plan: &Plan<'_>,
    scale: Scale,
    (filter, places): (bool, usize),
    categories: &mut [u32],
    won: &mut [i64],
) {
    let Plan { job, form, keys, .. } = *plan;
    let races = Division::READING.at_once(job.logits.categories());
    let some = categories.par_chunks_mut(races * places).zip(won.par_chunks_mut(races * places));
    some.enumerate().for_each(|(i, (categories, won))| {
        let first = i * races;
        with_values!(job, rows => form.run(Podiums {
            job, rows, scale, keys, filter, places, first, categories, won,
        }));
    });
}
