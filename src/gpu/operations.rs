//! What the GPU engine tells of races beside who won.

use rayon::prelude::*;

use crate::arrivals::{Arrivals, LogZ, Maxima, Scored, Sum};
use crate::cpu::podium_of_race;
use crate::error::Error;
use crate::job::{Job, NO_DRAW, Temperature};
use crate::noise::order::{Best, Scale};
use crate::options::{Batch, SampleOptions};

use super::GpuSampler;
use super::plan::{Plan, Report};

impl GpuSampler {
    /// Runs the race of each draw: which alarms ring first, and when. As
    /// [`CpuSampler::race_rows`](crate::CpuSampler::race_rows), bit for bit.
    ///
    /// For several places the device finds the few categories that may take them, with their keys, and
    /// the host ranks those; a workgroup takes a race. Where more categories are near each other than there is
    /// room for, as with equal logits, the host runs the race.
    ///
    /// **The largest k**: of each race the device writes a record of 12·(4·k + 64) + 4 bytes, or 12 bytes a
    /// category if those are fewer, and one such for each part that a row is cut into if it exceeds a
    /// [chunk](crate::GpuSamplerBuilder::with_chunk_bytes). A record must fit into a chunk (and into what the
    /// device can bind), or the error is [`Error::TooManyPlaces`]: with the usual 16 MiB, k is at most
    /// 349,509, and for rows of up to 1,398,096 categories as large as one likes. For one place it is 12 bytes.
    ///
    /// **Memory**: all records of the call are held by the host at once, rows × draws of them, beside the
    /// result of 12 bytes a place; not those of a chunk alone.
    ///
    /// ```no_run
    /// use gumbel::{GpuSampler, SampleOptions, Weights};
    /// let rates = [1.0, 2.0, 5.0];
    /// let race = GpuSampler::new()?.race_rows(Weights::new(&rates, 3)?, &SampleOptions::default(), 3)?;
    /// assert_eq!(race.categories().len(), 3);
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`sample_rows`](Self::sample_rows), and [`Error::NoNoise`] at temperature 0,
    /// [`Error::NeedsGumbel`], [`Error::NoPlaces`], [`Error::TooManyPlaces`].
    #[doc(alias = "gumbel_top_k")]
    #[doc(alias = "without_replacement")]
    #[doc(alias = "exponential_race")]
    pub fn race_rows<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
        places: usize,
    ) -> Result<Arrivals, Error> {
        pollster::block_on(self.race_rows_async(batch, options, places))
    }

    /// As [`race_rows`](Self::race_rows), as a future.
    ///
    /// # Errors
    /// As [`race_rows`](Self::race_rows).
    pub async fn race_rows_async<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
        places: usize,
    ) -> Result<Arrivals, Error> {
        let job = Job::new(batch, options)?.by_gumbel("a race")?;
        let mut arrivals = Arrivals::of(&job, places)?;
        if let Temperature::Scaled(scale) = job.temperature
            && job.total() > 0
        {
            if places == 1 {
                self.keys(&job, &mut arrivals).await?;
            } else {
                self.places(&job, scale, &mut arrivals).await?;
            }
        }
        job.report_races(arrivals.categories(), places)?;
        Ok(arrivals)
    }

    /// The logarithm of the sum of each row, as
    /// [`CpuSampler::logsumexp_rows`](crate::CpuSampler::logsumexp_rows).
    ///
    /// **Accuracy**: within 2·10⁻⁵ and 4·10⁻⁷ of itself, where the device's `exp` and division are as accurate as WGSL
    /// asks for.
    ///
    /// ```no_run
    /// use gumbel::{GpuSampler, Logits, SampleOptions};
    /// let sums = GpuSampler::new()?
    ///     .logsumexp_rows(Logits::new(&[0.0, 0.0], 2)?, &SampleOptions::default())?;
    /// assert!((sums[0] - 2f64.ln()).abs() < 2e-5);
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
        pollster::block_on(self.logsumexp_rows_async(batch, options))
    }

    /// As [`logsumexp_rows`](Self::logsumexp_rows), as a future.
    ///
    /// # Errors
    /// As [`logsumexp_rows`](Self::logsumexp_rows).
    pub async fn logsumexp_rows_async<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
    ) -> Result<Vec<f64>, Error> {
        // a row has one sum, whatever is drawn from it
        let job = Job::new(batch, &options.with_draws(1).with_first_draw(0))?;
        let inverse = job.inverse_temperature("logsumexp")?;
        let (_, sums) = self.scores(&job, inverse, Report::Sums).await?;
        let sums: Vec<f64> = sums.into_par_iter().map(Sum::ln).collect();
        job.report_rows(|row| !sums[row].is_nan())?;
        Ok(sums)
    }

    /// As [`sample_rows`](Self::sample_rows), each draw with the logarithm of its probability, and each row
    /// with its [logsumexp](Self::logsumexp_rows). Rows are summed in the pass that draws, of what is
    /// loaded for it, unless a hardware GPU holds logits for several draws, or draws are by inverse CDF: then
    /// in a pass of its own.
    ///
    /// **Accuracy**: a log-probability is within 2·10⁻⁵ (and, as an `f64` is rounded, 10⁻¹⁵ of itself), whatever
    /// the logits are shifted by, where the device's `exp` and division are as accurate as WGSL asks for. The
    /// host makes it of the drawn logit and the largest, which are exact, and of the sum relative to that.
    ///
    /// ```no_run
    /// use gumbel::{GpuSampler, Logits, SampleOptions};
    /// let scored = GpuSampler::new()?
    ///     .sample_rows_scored(Logits::new(&[0.0, 0.0], 2)?, &SampleOptions::default())?;
    /// assert!((scored.log_probs[0] - 0.5f64.ln()).abs() < 2e-5);
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
        pollster::block_on(self.sample_rows_scored_async(batch, options))
    }

    /// As [`sample_rows_scored`](Self::sample_rows_scored), as a future.
    ///
    /// # Errors
    /// As [`sample_rows_scored`](Self::sample_rows_scored).
    pub async fn sample_rows_scored_async<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
    ) -> Result<Scored, Error> {
        let job = Job::new(batch, options)?;
        let inverse = job.inverse_temperature("a log-probability")?;
        let (draws, sums) = if let Some(scale) = job.inverse_cdf() {
            let mut draws = job.allocate()?;
            self.run_inverse_cdf(&job, scale, &mut draws).await?;
            let one = Job { draws: 1, ..job };
            (draws, self.scores(&one, inverse, Report::Sums).await?.1)
        } else {
            self.scores(&job, inverse, Report::Scores).await?
        };
        job.report(&draws)?;
        Ok(Scored::of(&job, inverse, draws, &sums))
    }

    /// Estimates log Z of each row from the maxima of its draws, as
    /// [`CpuSampler::estimate_log_z`](crate::CpuSampler::estimate_log_z).
    ///
    /// ```no_run
    /// use gumbel::{GpuSampler, Logits, SampleOptions};
    /// let options = SampleOptions::default().with_draws(10_000);
    /// let log_z = GpuSampler::new()?.estimate_log_z(Logits::new(&[0.0, 0.0], 2)?, &options)?;
    /// assert_eq!(log_z.len(), 1);
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`race_rows`](Self::race_rows).
    pub fn estimate_log_z<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
    ) -> Result<Vec<LogZ>, Error> {
        pollster::block_on(self.estimate_log_z_async(batch, options))
    }

    /// As [`estimate_log_z`](Self::estimate_log_z), as a future.
    ///
    /// # Errors
    /// As [`estimate_log_z`](Self::estimate_log_z).
    pub async fn estimate_log_z_async<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
    ) -> Result<Vec<LogZ>, Error> {
        let job = Job::new(batch, options)?.by_gumbel("an estimate of log Z")?;
        let mut maxima = Maxima::of(&job);
        for piece in maxima.pieces(options) {
            maxima.add(&self.race_rows_async(job.logits, &piece, 1).await?);
        }
        Ok(maxima.log_z())
    }

    /// Memory for the results of a plan.
    fn words(job: &Job<'_>, plan: &Plan) -> Result<Vec<u32>, Error> {
        let too_many =
            || Error::TooManyPlaces { races: job.total(), places: plan.places() as usize };
        let count = plan.all_words().ok_or_else(too_many)?;
        let mut words = Vec::new();
        words.try_reserve_exact(count).map_err(|_| too_many())?;
        words.resize(count, 0);
        Ok(words)
    }

    /// The first of each race, with their keys.
    async fn keys(&self, job: &Job<'_>, arrivals: &mut Arrivals) -> Result<(), Error> {
        let plan = self.plan(job, Report::Keys);
        let mut words = Self::words(job, &plan)?;
        self.report(job, &plan, &mut words).await?;
        let (categories, keys) = arrivals.parts();
        for ((category, key), words) in categories.iter_mut().zip(keys).zip(words.chunks(3)) {
            if words[0] != NO_DRAW {
                (*category, *key) = (words[0], key_of(words[1], words[2]));
            }
        }
        Ok(())
    }

    /// The first places of each race.
    async fn places(
        &self,
        job: &Job<'_>,
        scale: Scale,
        arrivals: &mut Arrivals,
    ) -> Result<(), Error> {
        let places = arrivals.places();
        let too_many = || Error::TooManyPlaces { races: job.total(), places };
        let report = Report::Places(u32::try_from(places).map_err(|_| too_many())?);
        let plan = self.plan(job, report);
        let record = plan.record();
        if 4 * record as u64 > self.limits.chunk_bytes.min(self.limits.binding_bytes) {
            return Err(too_many());
        }
        let mut words = Self::words(job, &plan)?;
        self.report(job, &plan, &mut words).await?;

        let (categories, keys) = arrivals.parts();
        let segments = plan.segments().count();
        let mut rest = &words[..];
        for chunk in plan.chunks() {
            let (records, later) = rest.split_at(chunk.races() * segments * record);
            rest = later;
            let races = chunk
                .rows
                .clone()
                .flat_map(|row| chunk.draws.clone().map(move |number| (row, number)));
            for (i, (row, number)) in races.enumerate() {
                // a chunk's records come segment by segment
                let of_race = records.chunks_exact(record).skip(i).step_by(chunk.races());
                let at = places * (row * job.draws as usize + number as usize);
                let (categories, keys) =
                    (&mut categories[at..][..places], &mut keys[at..][..places]);
                match ranked(of_race) {
                    Ranking::NoDraw => {}
                    Ranking::Of(found) => {
                        for ((category, key), best) in categories.iter_mut().zip(keys).zip(found) {
                            (*category, *key) = (best.category, best.key);
                        }
                    }
                    // more categories are near each other than the device had room for
                    Ranking::Unknown => {
                        podium_of_race(job, scale, (row, number), categories, keys);
                    }
                }
            }
        }
        Ok(())
    }

    /// The draws, if asked for, and the sum of each row: one without a logarithm where there is no draw.
    async fn scores(
        &self,
        job: &Job<'_>,
        inverse: f64,
        report: Report,
    ) -> Result<(Vec<u32>, Vec<Sum>), Error> {
        let mut draws = job.allocate()?;
        let mut sums = vec![Sum::NONE; job.logits.rows()];
        if draws.is_empty() {
            return Ok((draws, sums));
        }
        let plan = self.plan(job, report);
        let mut words = Self::words(job, &plan)?;
        self.report(job, &plan, &mut words).await?;
        let each = job.draws as usize;
        let format = job.logits.format();
        let mut rest = &words[..];
        // each segment: its draws, and then two words for each part of each row
        for (chunk, _) in plan.steps() {
            let (words, later) = rest.split_at(plan.words(&chunk));
            rest = later;
            let (of_races, of_rows) = words.split_at(chunk.races());
            let first = chunk.rows.start * each + chunk.draws.start as usize;
            draws[first..][..of_races.len()].copy_from_slice(of_races);
            // nothing of the later draws of a row
            let of_rows = of_rows.chunks_exact(2 * plan.sums_of_row());
            for (sum, words) in sums[chunk.rows].iter_mut().zip(of_rows) {
                for part in words.chunks_exact(2) {
                    let most = format.logarithm(part[0]) * inverse;
                    let part = Sum { most, sum: f64::from(f32::from_bits(part[1])) };
                    *sum = sum.join(part);
                }
            }
        }
        Ok((draws, sums))
    }
}

/// What the device found of a race.
enum Ranking {
    NoDraw,
    Of(Vec<Best>),
    Unknown,
}

/// From the records of a race's segments: how many were found, and then three words of each.
fn ranked<'a>(records: impl Iterator<Item = &'a [u32]>) -> Ranking {
    let mut all = Vec::new();
    let mut overflows = false;
    for words in records {
        if words[0] == NO_DRAW {
            return Ranking::NoDraw;
        }
        let found = words[1..].chunks_exact(3);
        overflows |= words[0] as usize > found.len();
        let found = found.take(words[0] as usize);
        all.extend(found.map(|w| Best { category: w[0], key: key_of(w[1], w[2]) }));
    }
    if overflows {
        return Ranking::Unknown;
    }
    all.sort_unstable_by_key(|best| (std::cmp::Reverse(best.key), best.category));
    Ranking::Of(all)
}

fn key_of(low: u32, high: u32) -> i64 {
    (u64::from(high) << 32 | u64::from(low)) as i64
}
