//! Rows whose categories are split over devices: tensor parallelism.

use super::Sampler;
use crate::cpu::{Cpu, ShardRows};
use crate::engine::{Blocking, Chosen, Engine};
use crate::error::Error;
use crate::job::{Job, Temperature};
use crate::options::{Batch, SampleOptions, Shard, Share, Stock, Truncation};
use crate::results::{ShardDraws, ShardSums, TopK};

/// How many categories of each race are asked for at first: nearly always more than are needed.
const FIRST: usize = 64;

impl<E: Engine> Sampler<E> {
    /// Draws from a shard of some rows' categories, so that [`ShardDraws`] of all shards make the draws of the whole rows: for a
    /// vocabulary that is split over devices, none of which has all logits.
    ///
    /// The result holds the shard's best category, and for each possible cut the best category above that cut: some ten
    /// categories a row. With top-k the result holds the k largest logits too. So a result takes a hundred bytes or two a row,
    /// and 8·k with top-k, instead of all logits. Results [merge](ShardDraws::merge) in any order, in a tree or one after the other.
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
    /// That of [`race_rows`](Self::race_rows) for one category of whole rows, or for 64 if a row is cut, and memory for whole
    /// rows of `f32`: the shard's categories take their places in them, and nothing else can be drawn. In rows that are cut and
    /// whose most probable category is not among the first 64, 16 times as many are asked for, and so on up to all: rows
    /// of nearly equal logits may take several races, the last of them of all categories.
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
        let call = ShardCall::new(batch.into(), shard, &self.engine)?;
        let job = call.job(options)?;
        let mut k = call.first(&job);
        loop {
            let race = match job.temperature {
                Temperature::Greedy => None,
                Temperature::Scaled(_) => {
                    Some(self.race_rows(call.rows.logits()?, &uncut(options), k)?)
                }
            };
            if let Some(told) = call.told(&job, race.as_ref(), k)? {
                return Ok(told);
            }
            k = k.saturating_mul(16).min(shard.whole());
        }
    }

    /// Draws from a shard as [`sample_shard`](Self::sample_shard) does, for executors.
    ///
    /// ```
    /// use gumbel::{Logits, SampleOptions, Sampler, Shard};
    /// # pollster::block_on(async {
    /// let (sampler, options) = (Sampler::auto_async().await, SampleOptions::default());
    /// let shard = Shard::new(0, 3)?;
    /// let draws = sampler.sample_shard_async(Logits::new(&[0.0; 3], 3)?, shard, &options).await?;
    /// assert_eq!(draws.draws(None)?.len(), 1); // the shard is all there is
    /// # Ok::<(), gumbel::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// Those of [`sample_shard`](Self::sample_shard).
    pub async fn sample_shard_async<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        shard: Shard,
        options: &SampleOptions<'a>,
    ) -> Result<ShardDraws, Error> {
        let call = ShardCall::new(batch.into(), shard, &self.engine)?;
        let job = call.job(options)?;
        let mut k = call.first(&job);
        loop {
            let race = match job.temperature {
                Temperature::Greedy => None,
                Temperature::Scaled(_) => {
                    Some(self.race_rows_async(call.rows.logits()?, &uncut(options), k).await?)
                }
            };
            if let Some(told) = call.told(&job, race.as_ref(), k)? {
                return Ok(told);
            }
            k = k.saturating_mul(16).min(shard.whole());
        }
    }

    /// Adds up the weights of a shard of some rows' categories, for the draws of rows that are cut by top-p or epsilon.
    /// `draws` is what all shards told, merged; batch, shard and options are those of
    /// [`sample_shard`](Self::sample_shard), where an example is.
    ///
    /// The sums are integers, so that they do not depend on the order in which shards are merged. The host adds up, for all
    /// engines and without a future.
    ///
    /// # Errors
    /// Those of [`sample_shard`](Self::sample_shard), and [`Error::Shards`] if `draws` is of other rows, or of fewer than all
    /// shards.
    ///
    /// # Complexity
    /// O(rows · categories of the shard · winners that were told), and the memory of [`sample_shard`](Self::sample_shard).
    pub fn sum_shard<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        shard: Shard,
        options: &SampleOptions<'a>,
        draws: &ShardDraws,
    ) -> Result<ShardSums, Error> {
        let call = ShardCall::new(batch.into(), shard, &self.engine)?;
        let job = call.job(options)?;
        draws.check(job.logits.rows(), shard.whole())?;
        call.cpu.sum_shard(&job, &call.rows, draws)
    }
}

/// A shard as whole rows, and the CPU that looks at them.
struct ShardCall {
    cpu: Cpu,
    rows: ShardRows,
}

impl ShardCall {
    fn new(batch: Batch<'_>, shard: Shard, engine: &impl Engine) -> Result<Self, Error> {
        shard.check(batch.categories())?;
        let work = batch.rows() as u64 * shard.whole() as u64;
        let cpu = match engine.choose(work) {
            Chosen::Cpu(cpu) => cpu.clone(),
            #[cfg(feature = "gpu")]
            Chosen::Gpu { .. } => Cpu::new(),
        };
        let rows = match batch.stock() {
            Stock::InPlace(data) | Stock::Spread(data) => ShardRows::new(&cpu, data, shard)?,
            Stock::F64(_) => {
                let problem = "logits of f64 are relative to a whole row; give f32, f16 or bf16";
                return Err(Error::Shards { problem: problem.to_owned() });
            }
            Stock::WeightsF64(_) => return Err(Error::NeedsLogits { operation: "a shard" }),
        };
        Ok(Self { cpu, rows })
    }

    /// The call on whole rows.
    fn job<'a>(&'a self, options: &SampleOptions<'a>) -> Result<Job<'a>, Error> {
        let wrong = |problem| Err(Error::Entries { what: "a shard", problem });
        if options.row_indices.is_some() {
            return wrong("its rows cannot be gathered".to_owned());
        }
        if options.draws != 1 {
            return wrong(format!("a row is drawn from once, got {} draws", options.draws));
        }
        let job = Job::new(self.rows.logits()?, options)?.by_gumbel("a shard")?;
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

    /// The number of categories that the first race asks for: with cuts, nearly always more than are needed.
    fn first(&self, job: &Job<'_>) -> usize {
        let whole = job.logits.categories();
        if job.restriction.truncates(whole) { FIRST.min(whole) } else { 1 }
    }

    /// The result of the shard after a race with the first `k` categories; `None` if more categories are needed.
    fn told(
        &self,
        job: &Job<'_>,
        race: Option<&TopK>,
        k: usize,
    ) -> Result<Option<ShardDraws>, Error> {
        let (rows, is_complete) = self.cpu.look_at_shard(job, &self.rows, race)?;
        // a race of all categories has all winners
        let is_all = is_complete || k == job.logits.categories();
        let parts = self.rows.parts();
        Ok(is_all.then_some(ShardDraws { parts, sentinels: job.sentinels, rows }))
    }
}

/// The options of the races: nothing is cut, and a row without a draw is no error.
fn uncut<'a>(options: &SampleOptions<'a>) -> SampleOptions<'a> {
    let options = options.with_truncation(Truncation::new()).with_sentinels(true);
    SampleOptions { truncations: None, ..options }
}
