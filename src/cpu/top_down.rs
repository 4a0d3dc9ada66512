//! Rows of more than [`FLAT`](crate::noise::bits::FLAT) categories, whose noise comes
//! [from the top down](crate::noise::groups).
//!
//! A race reads a row once, as an argmax does, and takes the greatest value of each group. The group's word tells when
//! the first of its 16 alarms rings. Value and word give the group's *upper score*, and nearly all groups are out by it.
//! A group whose upper score reaches the *cutoff* is *opened*: its first member gets a score of its own, and so do those
//! other members that could win if they rang together with the first one. Scores are floats and only discard. Where they
//! leave more than one category, exact keys decide.
//!
//! Scores count in the unit of the [filter](crate::filter), 2⁻²³ of a power of two ("power" below).
//!
//! | file | contents |
//! |---|---|
//! | `maxima` | the greatest values of groups |
//! | `opening` | the pass over a row: the first groups, of which the best are opened first, and then the others |
//! | `pending`, `members` | groups that are about to be opened; what is done then |
//! | `candidates`, `ranking` | the categories that may win; those that may be among the top k |
//! | `draws`, `top_k` | the races of a call |
//! | `noise`, `alarms` | the noise of every category, for exact keys |
//!
//! **What a score is.** With v the float of a value and E the time of the category's alarm, its key is v·slope − log₂ E
//! powers, to within the roundings of fixed point and of G, less than 2⁻²¹ of a power. A score is the same number with
//! E from 28 leading bits instead of 60 or 64:
//!
//! * *The bits.* −ln(1 − u) = E has dE/du = 1/(1 − u) and E ≥ u, so |d ln E/du| ≤ 1/(u(1 − u)) = 1/u + 1/(1 − u).
//!   From b/2²⁸ to (b + 1)/2²⁸, for b from [`NARROW`](logarithms::NARROW) = 256 to 2²⁸ − 257, this integrates to at most
//!   1/256 + 1/(2²⁸ − 257), or 1/256 + 1/255 at the upper end, where E is above 13 and |d ln E/du| = 1/((1 − u)E) is a
//!   thirteenth of 1/(1 − u). That is less than 0.0057 powers. Other bits give no score: their categories are evaluated
//!   exactly.
//! * *Later members.* 1 − V = (1 − P)(1 − Q), so the time of a later member is the sum of those of P and Q. Where both
//!   are narrow, the relative error of the sum is at most the larger one of the two. (V is rounded to 2⁻⁶⁴ when 1 − V is
//!   above 2⁻²², and P is off by a relative 2⁻²⁴.)
//! * *The logarithms* −ln(1 − u) and log₂ E as computed: 2⁻⁹, or 0.0029 powers, and 0.0010 powers; both are tested.
//!
//! Together less than 0.0097 powers; [`ERROR`] is 0.0156. Values of weights are off by their
//! [`accurate_error`](VectorValue::accurate_error) on top, and ε is the sum. Slope, product and difference are rounded,
//! by less than r·(|score| + 32 powers) with r = 2⁻²² (|log₂ E| is below 32 powers for narrow bits).
//!
//! **The threshold.** Let b be a category with a score s_b, and c one with a key that is no smaller. Then
//! s_b − s_c ≤ 2ε + r(|s_b| + |s_c|), and as |s_c| ≤ |s_b| + (s_b − s_c) if s_c is below s_b, this is less than
//! 2ε(1 + 2r) + 2r(1 + 2r)|s_b|. So c reaches the threshold s_b − 2(ε + 2⁻²⁰·|s_b|), with room for its own rounding. Of
//! an exact key, ε + 2⁻¹⁹·|key| are subtracted. The k-th best score gives a threshold of the top k in the same way: k
//! categories have keys that are no smaller than the least of theirs.
//!
//! **The cutoff.** With b the leading 28 bits of u, E of the first member is −ln(1 − u)/16 ≥ u/16 ≥ b/2³², and no other
//! member rings before. So each key of the group is at most v·slope + 32 − log₂ b powers, with v the greatest value. In
//! place of log₂ b the upper score has the exponent and mantissa of b as a float, read as one number, which is at most
//! log₂ b, plus 127, the exponent's bias: [`OFFSET`]. (For b = 0 it has 0, and the bound holds, as −log₂ E is at most 65
//! powers.) The conversions and roundings cost less than 2⁻¹³ powers + r·|upper score|; the cutoff allows for 2⁻⁹ powers
//! and 2⁻²⁰·|threshold|. The values' own error is within the ε that the threshold has left over.
//!
//! **Members.** A member that rings with the first one at the earliest has a score of at most v·slope − log₂ E₁, with
//! the error of two logarithms and roundings. So it needs v ≥ (threshold + log₂ E₁ − [`ERROR`] −
//! 2⁻²⁰·|threshold|)/slope.
//!
//! **Range.** For scores of 2³⁰ powers or more in magnitude fixed point is near its end. The race is then decided by
//! exact keys of all categories, and so it is if all upper scores are −∞: floats that large have no order.

use crate::cpu::exact::{Outcome, each_in_groups, evaluate_in_group};
use crate::cpu::values::RowValues;
use crate::cpu::vector_value::VectorValue;
use crate::filter::{POWER, from_key};
use crate::noise::bits::Stream;
use crate::noise::order::{Best, Scale};
use crate::options::{Chance, Value as _};

mod alarms;
mod candidates;
mod draws;
mod logarithms;
mod maxima;
mod members;
mod noise;
mod opening;
mod pending;
mod ranking;
mod top_k;

pub(super) use alarms::{first_alarm, later_alarm};
pub(super) use draws::{OneRace, Races, StoredRace};
pub(super) use noise::{FirstAlarms, noise_of_span};
pub(super) use top_k::TopKRace;

use candidates::Candidates;
use members::Members;
use pending::Pending;
use ranking::Ranking;

/// The most by which a score may be off, on either side, roundings and the errors of values not included.
const ERROR: f32 = POWER / 64.0;
/// Scores decide only if they are below this in magnitude.
const RANGE: f32 = POWER * (1 << 30) as f32;
/// The largest number of groups that are about to be opened, and of candidates.
const LIST: usize = 64;
/// How many groups are opened at once, and how many members are looked at.
const BATCH: usize = 16;
/// A bound on scores, less the upper score: the 32 and the 127 powers of "The cutoff" above.
const OFFSET: f32 = POWER * (32.0 + 127.0);

/// A race under way.
struct Race<V: RowValues> {
    stream: Stream,
    scale: Scale,
    /// The values of the categories `first ..`; `first` is a multiple of a span.
    row: V,
    first: u32,
    /// The beginning of the row that is raced next.
    next: Option<V>,
    slope: f32,
    per_slope: f32,
    /// The most by which a score may be off, roundings not included: ε.
    error: f32,
    /// The score below which no category can win.
    threshold: f32,
    /// The upper score below which no group can win: it belongs to `threshold`.
    cutoff: f32,
    candidates: Candidates,
    pending: Pending,
    members: Members,
    /// The outcome among the categories that have been evaluated exactly.
    evaluated: Outcome,
    /// Whether there are scores that are out of range.
    beyond: bool,
    /// What may be among the top k; not in use for draws.
    ranking: Ranking,
}

impl<V: RowValues> Race<V> {
    /// A race for the top k, or for a draw if `k` is 0.
    #[inline(always)]
    fn new(stream: Stream, scale: Scale, row: V, first: u32, k: usize) -> Self {
        let slope = V::Value::slope(scale);
        Self {
            stream,
            scale,
            row,
            first,
            next: None,
            slope,
            per_slope: 1.0 / slope,
            error: ERROR + V::Value::accurate_error(scale),
            threshold: f32::NEG_INFINITY,
            cutoff: f32::NEG_INFINITY,
            candidates: Candidates::EMPTY,
            pending: Pending::EMPTY,
            members: Members::EMPTY,
            evaluated: Outcome::NONE,
            beyond: false,
            ranking: Ranking::new(k),
        }
    }

    /// Begins another race with the same memory.
    #[inline(always)]
    fn restart(&mut self, stream: Stream, row: V) {
        (self.stream, self.row) = (stream, row);
        (self.threshold, self.cutoff) = (f32::NEG_INFINITY, f32::NEG_INFINITY);
        (self.candidates.count, self.pending.count) = (0, 0);
        (self.evaluated, self.beyond) = (Outcome::NONE, false);
        self.ranking.clear();
    }

    /// Whether nothing is left to be found out by scores.
    #[inline(always)]
    fn is_over(&self) -> bool {
        self.beyond | self.evaluated.invalid
    }

    /// The value of a category, if the row has it.
    #[inline(always)]
    fn value(&self, category: u32) -> Option<V::Value> {
        let at = (category - self.first) as usize;
        (at < self.row.len()).then(|| self.row.value(at))
    }

    /// Raises the threshold to this one, and the cutoff with it, unless the threshold is higher already.
    #[inline(always)]
    fn raise(&mut self, threshold: f32) {
        if threshold > self.threshold {
            self.threshold = threshold;
            self.cutoff = threshold - POWER / 512.0 - threshold.abs() / (1 << 20) as f32 - OFFSET;
        }
    }

    /// The threshold that a score sets.
    #[inline(always)]
    fn threshold_of(&self, score: f32) -> f32 {
        score - 2.0 * (self.error + score.abs() / (1 << 20) as f32)
    }

    /// Raises the threshold to what an exact key sets.
    fn raise_to_key(&mut self, key: i64) {
        let key = from_key(key);
        if key.abs() < RANGE {
            self.raise(key - self.error - key.abs() / (1 << 19) as f32);
        } else {
            self.beyond = true;
        }
    }

    /// Evaluates a category exactly, whatever its value is.
    #[cold]
    #[inline(never)]
    fn evaluate(&mut self, category: u32) {
        let Some(value) = self.value(category) else { return };
        match value.chance() {
            Chance::None => {}
            Chance::Invalid => self.evaluated.invalid = true,
            Chance::Some => {
                let one = evaluate_in_group(self.stream, self.scale, category, value);
                if self.ranking.k > 0 {
                    return self.add_winner(one);
                }
                self.evaluated.best = self.evaluated.best.or(one);
                self.raise_to_key(self.evaluated.best.key);
            }
        }
    }

    /// Evaluates all categories exactly, for a race that scores do not decide.
    #[cold]
    #[inline(never)]
    fn evaluate_row(&self) -> Outcome {
        let mut best = Best::NONE;
        let add = |one| best = best.or(one);
        let invalid = each_in_groups(self.stream, self.scale, self.row, self.first, add);
        Outcome { best, invalid }
    }

    /// A mask of the candidates that may still win: a bit for each candidate.
    #[inline(always)]
    fn left(&self) -> u64 {
        let Candidates { count, ref score, .. } = self.candidates;
        let reaches = |i: usize| u64::from(score[i] >= self.threshold) << i;
        (0..count).fold(0, |mask, i| mask | reaches(i))
    }

    /// Whether scores decide nothing: they are out of range, or all upper scores were −∞.
    #[inline(always)]
    fn is_undecided(&self) -> bool {
        self.beyond || self.candidates.count == 0 && self.evaluated.best == Best::NONE
    }

    /// The outcome, with the winner's key.
    #[inline(always)]
    fn outcome(&mut self) -> Outcome {
        if self.evaluated.invalid {
            return self.evaluated;
        }
        if self.is_undecided() {
            return self.evaluate_row();
        }
        self.evaluate_candidates(self.left());
        if self.beyond { self.evaluate_row() } else { self.evaluated }
    }

    /// The winner, or `None` if the row has no draw. No key is evaluated exactly where scores decide.
    #[inline(always)]
    fn draw(&mut self) -> Option<u32> {
        let left = self.left();
        let decided = !self.is_over() && self.evaluated.best == Best::NONE;
        if decided && left.count_ones() == 1 {
            return Some(self.candidates.category[left.trailing_zeros() as usize]);
        }
        self.outcome().draw()
    }
}

#[cfg(test)]
mod tests;
