//! Rows whose categories are split over devices: tensor parallelism.

use super::Sampler;
use crate::cpu::{Cpu, ShardRows};
use crate::engine::{Blocking, Chosen, Engine};
use crate::error::Error;
use crate::job::{Job, Temperature};
use crate::options::{Batch, SampleOptions, Shard, Share, Stock, Truncation};
use crate::results::{ShardDraws, ShardSums};

/// How many categories of each race are asked for at first: nearly always more than are needed.
const FIRST: usize = 64;

impl<E: Engine> Sampler<E> {
    /// Draws from a shard of some rows' categories, so that [`ShardDraws`] of all shards make the draws of the whole rows: for a
    /// vocabulary that is split over devices, none of which has all logits.
    ///
    /// A shard tells the category with the largest key, and those that would win if less probable categories were cut:
    /// some ten a row. With top-k it tells the k largest logits too. So a result takes a hundred bytes or two a row, and 8·k
    /// with top-k, instead of all logits. Results [merge](ShardDraws::merge) in any order, in a tree or one after the other.
    ///
    /// Options are those of the whole rows, with one draw a row: masks and biases have the categories of the whole rows.
    /// If a row is cut by top-p or epsilon, there is a second round, [`sum_shard`](Self::sum_shard), since no shard knows the
    /// others' probabilities before.
    ///
    /// ```
    /// use gumbel::{CpuSampler, Logits, SampleOptions, Shard, Truncation};
    /// let whole = [0.5, 2.0, 1.0, 3.0, 0.0, 2.5];
    /// let sampler = CpuSampler::new();
    /// let options = SampleOptions::default().with_truncation(Truncation::new().with_top_p(0.8));
    /// // the first device has two categories, the second four; each has its logits alone
    /// let of = |first: usize, logits| (Logits::new(logits, logits.len()), Shard::new(first, 6));
    /// let (a, b) = (of(0, &whole[..2]), of(2, &whole[2..]));
    /// let mut draws = sampler.sample_shard(a.0.clone()?, a.1.clone()?, &options)?;
    /// draws.merge(&sampler.sample_shard(b.0.clone()?, b.1.clone()?, &options)?)?;
    /// // both have what all tell
    /// let mut sums = sampler.sum_shard(a.0?, a.1?, &options, &draws)?;
    /// sums.merge(&sampler.sum_shard(b.0?, b.1?, &options, &draws)?)?;
    /// let expected = sampler.sample_rows(Logits::new(&whole, 6)?, &options)?;
    /// assert_eq!(draws.draws(Some(&sums))?, expected);
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// With the feature `serde`, results travel in any format.
    ///
    /// # Errors
    /// Those of [`race_rows`](Self::race_rows) for invalid options, but a row without a draw is no error before all shards are
    /// merged. [`Error::Shard`] if the shard is not within the rows, [`Error::NeedsLogits`] for weights and for logits
    /// of `f64`, which are relative to a whole row, [`Error::Entries`] for more draws than one a row, for gathered rows, and
    /// for epsilon together with a top-p that is a share of what it keeps ([`Share::Rest`]), and [`Error::NoNoise`] if some of the rows are greedy and others are not.
    ///
    /// # Complexity
    /// That of [`race_rows`](Self::race_rows) for 64 categories of whole rows, and copies of the rows: the shard's categories take
    /// their places in whole rows, in which nothing else can be drawn.
    #[doc(alias = "tensor_parallel")]
    pub fn sample_shard<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        shard: Shard,
        options: &SampleOptions<'a>,
    ) -> Result<ShardDraws, Error>
    where
        E: Blocking,
    {
        let rows = rows_of(batch.into(), shard)?;
        let job = job_of(&rows, options)?;
        let uncut = SampleOptions { truncation: Truncation::new(), truncations: None, ..*options };
        let (cpu, whole) = (self.host(&job), shard.whole());
        let mut k = FIRST.min(whole);
        let told = loop {
            let race = match job.temperature {
                Temperature::Greedy => None,
                Temperature::Scaled(_) => {
                    Some(self.race_rows(rows.logits()?, &uncut.with_sentinels(true), k)?)
                }
            };
            let (told, is_complete) = cpu.look_at_shard(&job, &rows, race.as_ref())?;
            // a race of all categories has all winners
            if is_complete || k == whole {
                break told;
            }
            k = k.saturating_mul(16).min(whole);
        };
        Ok(ShardDraws { whole, sentinels: options.sentinels, rows: told })
    }

    /// Adds up the weights of a shard of some rows' categories, for the draws of rows that are cut by top-p or epsilon.
    /// `draws` is what all shards told, merged; batch, shard and options are those of
    /// [`sample_shard`](Self::sample_shard), where an example is.
    ///
    /// The sums are integers, so that they do not depend on the order in which shards are merged. The host adds up, for all
    /// engines.
    ///
    /// # Errors
    /// Those of [`sample_shard`](Self::sample_shard), and [`Error::Shards`] if `draws` is of other rows.
    ///
    /// # Complexity
    /// O(rows · categories of the shard).
    pub fn sum_shard<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        shard: Shard,
        options: &SampleOptions<'a>,
        draws: &ShardDraws,
    ) -> Result<ShardSums, Error> {
        let rows = rows_of(batch.into(), shard)?;
        let job = job_of(&rows, options)?;
        let (of, other) = (job.logits.rows(), draws.rows.len());
        if of != other {
            return Err(Error::Shards { what: "rows", of, other });
        }
        let (of, other) = (shard.whole(), draws.whole);
        if of != other {
            return Err(Error::Shards { what: "categories", of, other });
        }
        self.host(&job).sum_shard(&job, &rows, draws)
    }

    /// The CPU, on the threads of the engine if that is a CPU.
    fn host(&self, job: &Job<'_>) -> Cpu {
        match self.engine.choose(job.work()) {
            Chosen::Cpu(cpu) => cpu.clone(),
            #[cfg(feature = "gpu")]
            Chosen::Gpu { .. } => Cpu::new(),
        }
    }
}

/// The shard as whole rows, if it is of logits that can be split.
fn rows_of(batch: Batch<'_>, shard: Shard) -> Result<ShardRows, Error> {
    shard.check(batch.categories())?;
    match batch.stock() {
        Stock::InPlace(data) | Stock::Spread(data) => ShardRows::new(data, shard),
        Stock::F64(_) | Stock::WeightsF64(_) => Err(Error::NeedsLogits { operation: "a shard" }),
    }
}

/// The call on whole rows.
fn job_of<'a>(rows: &'a ShardRows, options: &SampleOptions<'a>) -> Result<Job<'a>, Error> {
    let wrong = |problem| Err(Error::Entries { what: "a shard", problem });
    if options.row_indices.is_some() {
        return wrong("its rows cannot be gathered".to_owned());
    }
    if options.draws != 1 {
        return wrong(format!("a row is drawn from once, got {} draws", options.draws));
    }
    let job = Job::new(rows.logits()?, options)?.by_gumbel("a shard")?;
    for row in 0..job.logits.rows() {
        let (truncation, _) = job.cut_of(row);
        let is_of_rest = truncation.share == Share::Rest && truncation.p().is_some();
        if is_of_rest && truncation.epsilon().is_some() {
            return wrong(format!(
                "top-p of row {row} is a share of what epsilon keeps, which takes a third round; use another share, \
                 or min-p in place of epsilon"
            ));
        }
    }
    Ok(job)
}
