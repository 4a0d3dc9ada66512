//! Results: the first categories of races with their times, estimates of log Z, draws with their log-probabilities.

use rayon::prelude::*;

use crate::error::Error;
use crate::job::race::RaceJob;
use crate::job::{Job, NO_DRAW, zeroed};
use crate::noise::order::{Best, number};
use crate::options::{Data, Value, with_rows};

mod cuts;
mod shards;
mod time;
mod verified;

pub use cuts::Cut;
pub(crate) use shards::{Candidate, Parts, Row, RowSums};
pub use shards::{ShardDraws, ShardSums};
pub use verified::Verified;

/// The first alarms of each race to ring, and the keys from which their times follow: the result of
/// [`race_rows`](crate::Sampler::race_rows).
///
/// There are k entries for each race, the first to ring first. The entries of all races follow each other (rows ×
/// draws, row by row).
///
/// ```
/// use gumbel::{CpuSampler, Logits, SampleOptions};
/// let logits = Logits::new(&[0.0, 1.0, 2.0, 3.0, 2.0, 1.0], 3)?;
/// let top = CpuSampler::new().race_rows(logits, &SampleOptions::default(), 2)?;
/// for row in 0..2 {
///     for winner in top.race(row) {
///         println!("row {row}: category {} after {}", winner.category, winner.time());
///     }
/// }
/// # assert_eq!(top.race(1).count(), 2);
/// # assert_eq!(top.race(2).count(), 0);
/// # Ok::<(), gumbel::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopK {
    k: usize,
    categories: Vec<u32>,
    keys: Vec<i64>,
}

/// One of the first categories of a race, with its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Winner {
    /// The category.
    pub category: u32,
    /// Its key, the perturbed logit in units of 2⁻²⁴: an integer, and so the same on every device.
    pub key: i64,
}

impl Winner {
    /// The perturbed logit, logit + Gumbel noise: exact to 2⁻²⁴, and without the noise for logits beyond ±2³¹.
    /// [`TopK::perturbed_logits`] says why.
    pub fn perturbed_logit(self) -> f64 {
        number(self.key)
    }

    /// The time at which the category's alarm rang, exp(−perturbed logit): 0 or +∞ outside the range of an `f64`, as
    /// [`TopK::times`] says.
    pub fn time(self) -> f64 {
        time::time(self.key)
    }
}

impl TopK {
    /// Memory for the entries of a call's races, yet to be written.
    pub(crate) fn unwritten(race: &RaceJob<'_>) -> Result<Self, Error> {
        let (races, k) = (race.job.total(), race.k);
        let too_many = || Error::TopKTooLarge { races, k };
        let entries = races.checked_mul(k).ok_or_else(too_many)?;
        let categories = zeroed(entries).ok_or_else(too_many)?;
        let keys = zeroed(entries).ok_or_else(too_many)?;
        Ok(Self { k, categories, keys })
    }

    /// The result with these entries, k for each race, or what is wrong with them.
    #[cfg(feature = "serde")]
    pub(crate) fn from_entries(
        k: usize,
        categories: Vec<u32>,
        keys: Vec<i64>,
    ) -> Result<Self, &'static str> {
        if k == 0 || categories.len() != keys.len() || !categories.len().is_multiple_of(k) {
            return Err("a race has k categories and as many keys, and k is 1 or more");
        }
        let mut distinct = Vec::new();
        for (categories, keys) in categories.chunks(k).zip(keys.chunks(k)) {
            let there = categories.iter().take_while(|&&category| category != NO_DRAW).count();
            let none = categories[there..].iter().all(|&category| category == NO_DRAW)
                && keys[there..].iter().all(|&key| key == Best::NONE.key);
            if !none || keys[..there].contains(&Best::NONE.key) {
                return Err("the entries of a race without a category come last, and have no key");
            }
            let places: Vec<_> = keys.iter().map(std::cmp::Reverse).zip(categories).collect();
            if !places[..there].is_sorted() {
                return Err("the keys of a race are in descending order");
            }
            distinct.clear();
            distinct.extend_from_slice(&categories[..there]);
            distinct.sort_unstable();
            if distinct.windows(2).any(|two| two[0] == two[1]) {
                return Err("the categories of a race differ");
            }
        }
        Ok(Self { k, categories, keys })
    }

    /// The memory into which an engine writes the entries.
    pub(crate) fn slices_mut(&mut self) -> TopKSlices<'_> {
        TopKSlices { categories: &mut self.categories, keys: &mut self.keys }
    }

    /// The number of categories of each race that were asked for.
    pub fn k(&self) -> usize {
        self.k
    }

    /// The first categories of the race with this number (row · draws + draw), the first to ring first: k of them, or
    /// as many as can be drawn if those are fewer. The iterator is empty for a row without a draw, and if there is no
    /// such race.
    pub fn race(&self, race: usize) -> impl Iterator<Item = Winner> + '_ {
        let first = race.saturating_mul(self.k);
        let entries = self.categories.iter().zip(&self.keys).skip(first).take(self.k);
        let winners = entries.map(|(&category, &key)| Winner { category, key });
        winners.filter(|winner| winner.category != NO_DRAW)
    }

    /// The categories of all entries. An entry is [`NO_DRAW`] where a race has fewer than k categories: its row has
    /// fewer categories that can be drawn, or no draw at all.
    pub fn categories(&self) -> &[u32] {
        &self.categories
    }

    /// The keys of all entries, in units of 2⁻²⁴: integers, and so the same on every device. [`i64::MIN`] where there
    /// is no category.
    pub fn keys(&self) -> &[i64] {
        &self.keys
    }

    /// The perturbed logits of all entries, logit + Gumbel noise. The first of a race is the maximum of the race: a
    /// Gumbel variable with location logsumexp(logits). −∞ where there is no category.
    ///
    /// They are exact to 2⁻²⁴, except beyond ±2³¹, where the noise is less than the step from one `f32` logit to the
    /// next: such a logit is returned without its noise.
    pub fn perturbed_logits(&self) -> impl ExactSizeIterator<Item = f64> + '_ {
        self.keys.iter().map(|&key| number(key))
    }

    /// The times of all entries, at which the alarms rang: exp(−perturbed logit). The first time of a race is
    /// exponential with rate Σλ.
    ///
    /// A time is +∞ where there is no category. As times have the range of an `f64`, a time is also +∞ if the perturbed
    /// logit is below −709.8, and 0 if it is above 745.1: with logits that are shifted by 1,000, all times are 0. The
    /// [`perturbed_logits`](Self::perturbed_logits) still differ where such times do not, and the
    /// [`categories`](Self::categories) show whether there is a category.
    ///
    /// Times are computed from the keys by products and sums alone, so that they are the same on every machine, bit for
    /// bit. They are accurate to two units in the last place.
    pub fn times(&self) -> impl ExactSizeIterator<Item = f64> + '_ {
        self.keys.iter().map(|&key| time::time(key))
    }

    /// Returns the [categories](Self::categories) and the [times](Self::times), which are written over the keys in
    /// their memory. Where there are many, the threads of rayon's current pool compute them.
    ///
    /// ```
    /// use gumbel::{CpuSampler, SampleOptions, Weights};
    /// let options = SampleOptions::default().with_draws(3);
    /// let race = CpuSampler::new().race_rows(Weights::new(&[1.0, 2.0], 2)?, &options, 1)?;
    /// let times: Vec<_> = race.times().collect();
    /// assert_eq!(race.clone().into_times(), (race.categories().to_vec(), times));
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    pub fn into_times(self) -> (Vec<u32>, Vec<f64>) {
        let Self { categories, mut keys, .. } = self;
        let take = |keys: &mut [i64]| {
            for key in keys {
                *key = time::time(*key).to_bits() as i64;
            }
        };
        if keys.len() > PIECE {
            keys.par_chunks_mut(PIECE).for_each(take)
        } else {
            take(&mut keys)
        }
        (categories, bytemuck::allocation::cast_vec(keys))
    }
}

/// Memory for the entries of races.
pub(crate) struct TopKSlices<'a> {
    pub(crate) categories: &'a mut [u32],
    pub(crate) keys: &'a mut [i64],
}

impl TopKSlices<'_> {
    /// Leaves all entries without a category.
    pub(crate) fn clear(&mut self) {
        self.categories.fill(NO_DRAW);
        self.keys.fill(Best::NONE.key);
    }

    /// The memory for these entries, and for the others.
    pub(crate) fn split(&mut self, entries: usize) -> (TopKSlices<'_>, TopKSlices<'_>) {
        let (categories, other_categories) = self.categories.split_at_mut(entries);
        let (keys, other_keys) = self.keys.split_at_mut(entries);
        let others = TopKSlices { categories: other_categories, keys: other_keys };
        (TopKSlices { categories, keys }, others)
    }
}

/// The number of keys that are worth the hand-over to another thread.
const PIECE: usize = 1 << 14;

/// An estimate of log Z = logsumexp(logits) of a row from the maxima of its draws.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct LogZ {
    /// The mean of the maxima less Euler's constant; NaN for a row without a draw.
    pub estimate: f64,
    /// The standard error of the estimate, π/√(6·draws), which follows from the known standard deviation of a Gumbel
    /// variable.
    pub standard_error: f64,
}

/// The Euler–Mascheroni constant, the mean of a standard Gumbel variable.
pub(crate) const EULER_GAMMA: f64 = 0.577_215_664_901_532_9;

impl LogZ {
    /// The estimate from the sum of the maxima of `draws` draws.
    pub(crate) fn from_sum(sum: f64, draws: u32) -> Self {
        let draws = f64::from(draws);
        let deviation = std::f64::consts::PI / 6f64.sqrt();
        Self { estimate: sum / draws - EULER_GAMMA, standard_error: deviation / draws.sqrt() }
    }
}

/// A sum of exponentials, exp(most)·sum.
#[derive(Clone, Copy, Debug, bytemuck::Zeroable)]
pub(crate) struct Sum {
    pub(crate) most: f64,
    pub(crate) sum: f64,
}

impl Sum {
    /// The sum of no terms.
    pub(crate) const NONE: Self = Self { most: f64::NEG_INFINITY, sum: 0.0 };
    /// The sum of a row without a draw.
    pub(crate) const INVALID: Self = Self { most: f64::NAN, sum: f64::NAN };

    /// The sum of the terms of both.
    pub(crate) fn join(self, other: Self) -> Self {
        let (more, less) = if self.most >= other.most { (self, other) } else { (other, self) };
        if less.most.is_nan() || more.most.is_nan() {
            return Self::INVALID;
        }
        if less.sum == 0.0 {
            return more;
        }
        Self { most: more.most, sum: more.sum + less.sum * (less.most - more.most).exp() }
    }

    /// The logarithm of the sum; NaN if the sum has no terms or is invalid.
    pub(crate) fn ln(self) -> f64 {
        self.log().whole()
    }

    /// The logarithm of the sum, as two numbers.
    pub(crate) fn log(self) -> LogSum {
        let rest = if self.sum > 0.0 { self.sum.ln() } else { f64::NAN };
        LogSum { most: self.most, rest }
    }
}

/// The logarithm of a row's sum, most + rest. The two are kept apart, since `most` may be so large that few or no
/// digits of `rest` are left in their sum.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogSum {
    most: f64,
    rest: f64,
}

impl LogSum {
    /// The logarithm as one number.
    pub(crate) fn whole(self) -> f64 {
        self.most + self.rest
    }

    /// The logarithm of a term's fraction of the sum; `log_weight` is the logarithm of the term.
    ///
    /// A logit over the temperature has 48 bits and is exact, so the difference from the largest is rounded once. For
    /// the largest, that difference is 0.
    pub(crate) fn log_prob(self, log_weight: f64) -> f64 {
        (log_weight - self.most) - self.rest
    }
}

/// Draws with their log-probabilities.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ScoredDraws {
    /// The draws, rows × draws category indices, row by row.
    pub draws: Vec<u32>,
    /// The logarithm of the probability of each draw; NaN for [`NO_DRAW`]. A shift of the logits does not reduce its
    /// accuracy, as it would reduce that of `log_weight / temperature − logsumexp`.
    pub log_probs: Vec<f64>,
    /// For each row the logarithm of the sum of exp(logit / temperature), or of weight^(1/temperature); NaN for a row
    /// without a draw.
    pub logsumexps: Vec<f64>,
}

impl ScoredDraws {
    /// Memory for a call's results, yet to be written.
    pub(crate) fn unwritten(job: &Job<'_>) -> Result<Self, Error> {
        let rows = job.logits.rows();
        let too_many = || Error::TooManyDraws { rows, draws: job.draws };
        Ok(Self {
            draws: job.unwritten()?,
            log_probs: job.unwritten()?,
            logsumexps: zeroed(rows).ok_or_else(too_many)?,
        })
    }

    /// The memory into which an engine writes the results.
    pub(crate) fn scores_mut(&mut self) -> Scores<'_> {
        let Self { draws, log_probs, logsumexps } = self;
        Scores { draws, log_probs, logsumexps }
    }
}

/// Memory for draws with their log-probabilities.
pub(crate) struct Scores<'a> {
    pub(crate) draws: &'a mut [u32],
    pub(crate) log_probs: &'a mut [f64],
    pub(crate) logsumexps: &'a mut [f64],
}

impl Scores<'_> {
    /// The memory for the rows before this one, with so many draws each, and for the others.
    pub(crate) fn split(&mut self, row: usize, draws: u32) -> (Scores<'_>, Scores<'_>) {
        let races = row * draws as usize;
        let (draws, other_draws) = self.draws.split_at_mut(races);
        let (log_probs, other_log_probs) = self.log_probs.split_at_mut(races);
        let (logsumexps, others) = self.logsumexps.split_at_mut(row);
        (
            Scores { draws, log_probs, logsumexps },
            Scores { draws: other_draws, log_probs: other_log_probs, logsumexps: others },
        )
    }

    /// Writes the log-probabilities and the logsumexps that follow from the draws of a job and from the sums of its
    /// rows.
    pub(crate) fn fill(&mut self, job: &Job<'_>, inverse: f64, sums: &[Sum]) {
        let each = job.draws as usize;
        with_rows!(job.logits.data(), rows => {
            let of_rows = self.draws.par_chunks(each).zip(self.log_probs.par_chunks_mut(each));
            let sums = sums.par_iter().zip(self.logsumexps.par_iter_mut()).enumerate();
            sums.zip(of_rows).for_each(|((row, (sum, logsumexp)), (draws, log_probs))| {
                let sum = sum.log();
                *logsumexp = sum.whole();
                for (draw, log_prob) in draws.iter().zip(log_probs) {
                    *log_prob = score(rows.row(row).get(*draw as usize).copied(), inverse, sum);
                }
            });
        });
    }
}

/// The log-probability of a draw with this value, from a row with this sum; NaN without a value. A draw has no value if
/// it is beyond its row: `NO_DRAW`, or whatever a device has written.
#[inline]
pub(crate) fn score<T: Value>(drawn: Option<T>, inverse: f64, sum: LogSum) -> f64 {
    drawn.map_or(f64::NAN, |value| sum.log_prob(value.log_weight() * inverse))
}
