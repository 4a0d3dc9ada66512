//! A race of one row: its state, its bounds, and its end.
//!
//! Scores are floats in the unit of the library's filter, 2⁻²³ of a power of two. Three kinds occur:
//!
//! * The *upper score* of a group: its largest logit with its first alarm. ([`scores`])
//! * The score of a category, once its own alarm is known, to within [`ERROR`]. ([`members`])
//! * The key of a category, exactly, only where scores do not decide.
//!
//! A group is *opened*, which means that its members are looked at, if its upper score reaches the cutoff.

use crate::filter::POWER;
use crate::noise::bits::Stream;
use crate::noise::order::{Best, Scale};
use crate::reference;
use crate::simd::Simd;
use crate::vector_value::{Chance, VectorValue};

mod candidates;
mod draws;
mod logarithms;
mod maxima;
mod members;
mod opening;
mod pending;
mod scores;
mod top_k;

pub use draws::{Draws, draw, top_k};

use candidates::Candidates;
use members::Members;
use pending::Pending;

/// The most by which a score may be off, on either side. (Chosen with room to spare; a proof is open.)
const ERROR: f32 = POWER / 64.0;
/// Scores decide only if they are below this in magnitude.
const RANGE: f32 = POWER * (1 << 30) as f32;
/// The largest number of groups that are open or about to be, and of candidates.
const LIST: usize = 64;
/// How many groups are opened at once, and how many members are looked at.
const BATCH: usize = 16;
/// By how much an upper score falls short of a bound on scores: 32 powers, because u is read as a number of 28 bits
/// and is the first of 16 alarms, and the bias of a float's exponent.
const OFFSET: f32 = POWER * (32.0 + 127.0);

/// How much work was done.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// The number of groups that were opened.
    pub opened: usize,
    /// The number of members whose own noise was computed.
    pub members: usize,
    /// The number of exact keys.
    pub exact: usize,
}

/// The state of a race.
struct Race<'a, T> {
    row: &'a [T],
    /// The beginning of the next row, which is prefetched.
    next: &'a [T],
    stream: Stream,
    scale: Scale,
    slope: f32,
    per_slope: f32,
    /// The score below which no category can win.
    threshold: f32,
    /// The upper score below which no group can win: it belongs to `threshold`.
    cutoff: f32,
    candidates: Candidates,
    pending: Pending,
    members: Members,
    /// The best of the categories that were evaluated exactly.
    best: Best,
    /// Whether a logit is NaN or +∞.
    invalid: bool,
    /// Whether scores are out of range, so that only the reference decides.
    needs_reference: bool,
    counts: Counts,
    top: top_k::Top,
}

impl<'a, T: VectorValue> Race<'a, T> {
    #[inline(always)]
    fn new(row: &'a [T], stream: Stream, scale: Scale, k: usize) -> Self {
        let slope = T::slope(scale);
        Self {
            row,
            next: &row[..0],
            stream,
            scale,
            slope,
            per_slope: 1.0 / slope,
            threshold: f32::NEG_INFINITY,
            cutoff: f32::NEG_INFINITY,
            candidates: Candidates::EMPTY,
            pending: Pending::EMPTY,
            members: Members::EMPTY,
            best: Best::NONE,
            invalid: false,
            needs_reference: false,
            counts: Counts::default(),
            top: top_k::Top::new(k),
        }
    }

    /// Begins another race with the same memory.
    #[inline(always)]
    fn restart(&mut self, row: &'a [T], stream: Stream) {
        (self.row, self.stream) = (row, stream);
        (self.threshold, self.cutoff) = (f32::NEG_INFINITY, f32::NEG_INFINITY);
        (self.candidates.count, self.pending.count, self.members.count) = (0, 0, 0);
        (self.best, self.invalid, self.needs_reference) = (Best::NONE, false, false);
        self.top.clear();
    }

    /// Raises the threshold, and the cutoff with it.
    #[inline(always)]
    fn raise_threshold(&mut self, threshold: f32) {
        if threshold > self.threshold {
            self.threshold = threshold;
            self.cutoff = threshold - POWER / 512.0 - threshold.abs() / (1 << 20) as f32 - OFFSET;
        }
    }

    /// Computes the exact key of a category, whatever its logit is.
    #[cold]
    #[inline(never)]
    fn evaluate_exactly(&mut self, category: u32) {
        let value = self.row[category as usize];
        if value.chance() == Chance::Invalid {
            self.invalid = true;
        } else if value.chance() == Chance::Some {
            self.counts.exact += 1;
            let evaluated = reference::evaluate(self.stream, self.scale, category, value);
            if self.top.k > 0 {
                self.top.winners.push(evaluated);
                return;
            }
            self.best = self.best.or(evaluated);
            let key = score_of_key(self.best.key);
            self.raise_threshold(key - ERROR - key.abs() / (1 << 19) as f32);
        }
    }

    /// The drawn category; `None` if the row has no draw.
    fn finish(&mut self) -> Option<u32> {
        if self.invalid {
            return None;
        }
        if self.needs_reference {
            return reference::draw(self.row, self.stream, self.scale);
        }
        let mut left = 0;
        let mut last = 0;
        for i in 0..self.candidates.count {
            if self.candidates.score[i] >= self.threshold {
                left += 1;
                last = i;
            }
        }
        if left == 1 && self.best == Best::NONE {
            return Some(self.candidates.category[last]);
        }
        if left == 0 && self.best == Best::NONE {
            // the row has no category with a chance, or floats could not decide
            return reference::draw(self.row, self.stream, self.scale);
        }
        for i in 0..self.candidates.count {
            if self.candidates.score[i] >= self.threshold {
                self.evaluate_exactly(self.candidates.category[i]);
            }
        }
        Some(self.best.category)
    }
}

/// A key in the unit of scores.
#[inline(always)]
fn score_of_key(key: i64) -> f32 {
    let key = (key >> 32) as f32 * 256.0 + (key as u32 >> 8) as f32 * 2f32.powi(-16);
    key * (POWER * std::f32::consts::LOG2_E)
}

/// Counter words of neighbouring blocks.
#[inline(always)]
pub(crate) fn sequence<S: Simd>(s: S, from: u32) -> S::Words {
    let mut words = [from; 8];
    for (i, word) in (0..).zip(&mut words) {
        *word = from.wrapping_add(i);
    }
    s.words(&words)
}

/// The counter words that all blocks of a race share.
#[inline(always)]
fn shared_counters<S: Simd>(s: S, stream: Stream) -> [S::Words; 3] {
    [s.all_words(stream.row[0]), s.all_words(stream.row[1]), s.all_words(stream.draw << 1)]
}
