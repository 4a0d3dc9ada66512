//! What comes back: who rang first and when, estimates of log Z, draws with their log-probabilities.

use rayon::prelude::*;

use crate::error::Error;
use crate::job::race::RaceJob;
use crate::job::{Job, NO_DRAW, zeroed};
use crate::noise::order::{Best, number};
use crate::options::{Data, Value, with_rows};

mod time;

/// The first alarms of each race to ring, and when they did: what
/// [`race_rows`](crate::Sampler::race_rows) gives.
///
/// The entries of all races follow each other (rows × draws, row by row), k of them for each race, the first to ring
/// first.
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

/// A category that is among the first of a race, with its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Winner {
    /// The category.
    pub category: u32,
    /// Its logit with noise, in units of 2⁻²⁴: an integer, and so the same on every device.
    pub key: i64,
}

impl Winner {
    /// The logit with its noise, as [`TopK::perturbed_logits`] says.
    pub fn perturbed_logit(self) -> f64 {
        number(self.key)
    }

    /// When the category's alarm rang, as [`TopK::times`] says.
    pub fn time(self) -> f64 {
        time::time(self.key)
    }
}

impl TopK {
    /// Memory for the places of a call's races, yet to be written.
    pub(crate) fn unwritten(race: &RaceJob<'_>) -> Result<Self, Error> {
        let (races, k) = (race.job.total(), race.k);
        let too_many = || Error::TopKTooLarge { races, k };
        let entries = races.checked_mul(k).ok_or_else(too_many)?;
        let categories = zeroed(entries).ok_or_else(too_many)?;
        let keys = zeroed(entries).ok_or_else(too_many)?;
        Ok(Self { k, categories, keys })
    }

    /// Where they are written.
    pub(crate) fn slices_mut(&mut self) -> TopKSlices<'_> {
        TopKSlices { categories: &mut self.categories, keys: &mut self.keys }
    }

    /// How many categories of each race were asked for.
    pub fn k(&self) -> usize {
        self.k
    }

    /// The first categories of the race with this number (row · draws + draw), the first to ring first: k of them, or
    /// as many as can be drawn if those are fewer. None for a row without a draw, and none if there is no such race.
    pub fn race(&self, race: usize) -> impl Iterator<Item = Winner> + '_ {
        let first = race.saturating_mul(self.k);
        let entries = self.categories.iter().zip(&self.keys).skip(first).take(self.k);
        let winners = entries.map(|(&category, &key)| Winner { category, key });
        winners.filter(|winner| winner.category != NO_DRAW)
    }

    /// The categories, [`NO_DRAW`] where a race has fewer than k: its row has fewer categories that can
    /// be drawn, or no draw at all.
    pub fn categories(&self) -> &[u32] {
        &self.categories
    }

    /// The keys, in units of 2⁻²⁴: integers, and so the same on every device. [`i64::MIN`] where there is no category.
    pub fn keys(&self) -> &[i64] {
        &self.keys
    }

    /// The perturbed logits, logit + Gumbel noise, of which the first of a race is its maximum: a Gumbel
    /// variable with location logsumexp(logits). −∞ where there is no category.
    ///
    /// Exact to 2⁻²⁴, but for logits beyond ±2³¹, whose noise is less than the step from one `f32` to the
    /// next: those are given without it.
    pub fn perturbed_logits(&self) -> impl ExactSizeIterator<Item = f64> + '_ {
        self.keys.iter().map(|&key| number(key))
    }

    /// When the alarms rang: exp(−perturbed logit). The first time of a race is exponential with rate Σλ.
    ///
    /// +∞ where there is no category, but not only there, since a time has the range of an `f64`: it is +∞ as well if
    /// the perturbed logit is below −709.8, and 0 if it is above 745.1, so that of logits shifted by 1,000 all times
    /// are 0. [`perturbed_logits`](Self::perturbed_logits) tell such times apart, and
    /// [`categories`](Self::categories) whether there is a category.
    ///
    /// Times are the same on every machine, bit for bit, as they are made of the keys by products and sums; within two
    /// units in the last place.
    pub fn times(&self) -> impl ExactSizeIterator<Item = f64> + '_ {
        self.keys.iter().map(|&key| time::time(key))
    }

    /// The [categories](Self::categories), and the [times](Self::times) in the memory of the keys: for millions of
    /// them, which are taken on the threads of rayon's current pool.
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

/// Memory for the places of races.
pub(crate) struct TopKSlices<'a> {
    pub(crate) categories: &'a mut [u32],
    pub(crate) keys: &'a mut [i64],
}

impl TopKSlices<'_> {
    /// Leaves nobody in them.
    pub(crate) fn clear(&mut self) {
        self.categories.fill(NO_DRAW);
        self.keys.fill(Best::NONE.key);
    }
}

/// Keys that are worth the hand-over to another thread.
const PIECE: usize = 1 << 14;

/// An estimate of log Z = logsumexp(logits) of a row from the maxima of its draws.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct LogZ {
    /// The mean of the maxima less Euler's constant; NaN for a row without a draw.
    pub estimate: f64,
    /// Its standard error, π/√(6·draws): the standard deviation of a Gumbel variable is known.
    pub standard_error: f64,
}

/// The Euler–Mascheroni constant, the mean of a standard Gumbel variable.
pub(crate) const EULER_GAMMA: f64 = 0.577_215_664_901_532_9;

impl LogZ {
    /// From the sum of so many maxima.
    pub(crate) fn from_sum(sum: f64, draws: u32) -> Self {
        let draws = f64::from(draws);
        let deviation = std::f64::consts::PI / 6f64.sqrt();
        Self { estimate: sum / draws - EULER_GAMMA, standard_error: deviation / draws.sqrt() }
    }
}

/// exp(most)·sum.
#[derive(Clone, Copy, Debug, bytemuck::Zeroable)]
pub(crate) struct Sum {
    pub(crate) most: f64,
    pub(crate) sum: f64,
}

impl Sum {
    /// Of nothing.
    pub(crate) const NONE: Self = Self { most: f64::NEG_INFINITY, sum: 0.0 };
    /// Of a row without a draw.
    pub(crate) const INVALID: Self = Self { most: f64::NAN, sum: f64::NAN };

    /// Both together.
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

    /// Its logarithm; NaN if there is nothing, or something invalid.
    pub(crate) fn ln(self) -> f64 {
        self.log().whole()
    }

    /// The logarithm of the sum, in two numbers.
    pub(crate) fn log(self) -> LogSum {
        let rest = if self.sum > 0.0 { self.sum.ln() } else { f64::NAN };
        LogSum { most: self.most, rest }
    }
}

/// The logarithm of a row's sum, most + rest. They are kept apart, since a logit may be so large that
/// nothing, or not enough, is left of the rest when it is added.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogSum {
    most: f64,
    rest: f64,
}

impl LogSum {
    /// As one number.
    pub(crate) fn whole(self) -> f64 {
        self.most + self.rest
    }

    /// The logarithm of the share that a term with this logarithm has in the sum.
    ///
    /// A logit over the temperature has 48 bits, and is exact; so the difference is rounded once. It is 0 for
    /// the largest.
    pub(crate) fn log_prob(self, log_weight: f64) -> f64 {
        (log_weight - self.most) - self.rest
    }
}

/// Draws with their log-probabilities.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ScoredDraws {
    /// The draws, rows × draws, as `sample_rows` gives them.
    pub draws: Vec<u32>,
    /// The logarithm of the probability of each; NaN for [`NO_DRAW`]. A shift of the logits takes nothing
    /// from its accuracy, which is not so of `log_weight / temperature − logsumexp`.
    pub log_probs: Vec<f64>,
    /// Of each row the logarithm of the sum of exp(logit / temperature), or of weight^(1/temperature);
    /// NaN for a row without a draw.
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

    /// Where they are written.
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
    /// Writes what follows from the draws of a job and from the sums of its rows.
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

/// The log-probability of a draw with this value, from a row with this sum; NaN without a value. A draw beyond its row
/// has none: `NO_DRAW`, or whatever a device has written.
#[inline]
pub(crate) fn score<T: Value>(drawn: Option<T>, inverse: f64, sum: LogSum) -> f64 {
    drawn.map_or(f64::NAN, |value| sum.log_prob(value.log_weight() * inverse))
}
