//! Opening groups: the score of the member that rings first, and those of other members that may win.

use super::logarithms::{NARROW, exponentials, is_narrow, log2};
use super::{BATCH, ERROR, Race, shared_counters};
use crate::bound::{RoundKeys, blocks};
use crate::definition::{MEMBERS, SPAN, category_of, first_member, member_counter};
use crate::filter::POWER;
use crate::simd::{Aligned, Simd};
use crate::vector_value::VectorValue;

/// Members whose own noise is to be computed.
#[repr(align(64))]
pub(super) struct Members {
    pub(super) count: usize,
    category: [u32; BATCH * MEMBERS],
    value: [f32; BATCH * MEMBERS],
    /// The time of the first alarm of the member's group.
    first_time: [f32; BATCH * MEMBERS],
}

impl Members {
    pub(super) const EMPTY: Self = Self {
        count: 0,
        category: [0; BATCH * MEMBERS],
        value: [0.0; BATCH * MEMBERS],
        first_time: [0.0; BATCH * MEMBERS],
    };
}

impl<T: VectorValue> Race<'_, T> {
    /// Opens the pending groups `at`, at most [`BATCH`].
    #[inline(always)]
    pub(super) fn open_groups<S: Simd>(&mut self, s: S, at: &[usize], keys: &RoundKeys) {
        let mut bits = [NARROW; BATCH];
        for (bits, &at) in bits.iter_mut().zip(at) {
            *bits = self.pending.word[at] >> 4;
        }
        let mut first_time = exponentials(&bits);
        let mut logs = [0.0; BATCH];
        for i in 0..BATCH {
            first_time[i] *= 1.0 / 16.0;
            logs[i] = log2(first_time[i]) * POWER;
        }
        self.counts.opened += at.len();
        // first members of all groups: they raise the threshold for the others
        for (i, &at) in at.iter().enumerate() {
            let (group, word) = (self.pending.group[at], self.pending.word[at]);
            let category = category_of(group, first_member(word));
            if let Some(value) = self.row.get(category as usize) {
                let score = value.float() * self.slope - logs[i];
                if !is_narrow(word >> 4) {
                    self.evaluate_exactly(category);
                } else if !(score < self.threshold) {
                    self.add_candidate(category, score);
                }
            }
        }
        self.members.count = 0;
        for (i, &at) in at.iter().enumerate() {
            if !(self.pending.upper_score[at] < self.cutoff) {
                self.add_members(at, first_time[i], logs[i]);
            }
        }
        let mut from = 0;
        while from < self.members.count {
            self.score_members(s, from, keys);
            from += BATCH;
        }
    }

    /// Adds the members of a pending group that might win if they rang together with the first one.
    #[inline(always)]
    fn add_members(&mut self, at: usize, first_time: f32, log: f32) {
        let (group, word) = (self.pending.group[at], self.pending.word[at]);
        let least = ((self.threshold + log - ERROR) * self.per_slope).max(f32::MIN);
        let base = category_of(group, 0) as usize;
        let mut mask = 0u32;
        if base + (SPAN - MEMBERS) < self.row.len() {
            let values = &self.row[base..=base + SPAN - MEMBERS];
            for j in 0..MEMBERS {
                mask |= u32::from(!(values[MEMBERS * j].float() < least)) << j;
            }
        } else {
            for j in 0..MEMBERS {
                if let Some(value) = self.row.get(base + MEMBERS * j) {
                    mask |= u32::from(!(value.float() < least)) << j;
                }
            }
        }
        mask &= !(1 << first_member(word));
        let is_narrow = is_narrow(word >> 4);
        while mask != 0 {
            let j = mask.trailing_zeros();
            mask &= mask - 1;
            let category = category_of(group, j);
            let value = self.row[category as usize].float();
            if !is_narrow || value == f32::INFINITY {
                self.evaluate_exactly(category);
                continue;
            }
            let k = self.members.count;
            self.members.category[k] = category;
            self.members.value[k] = value;
            self.members.first_time[k] = first_time;
            self.members.count = k + 1;
        }
    }

    /// Computes the scores of [`BATCH`] members from `from` on.
    #[inline(always)]
    fn score_members<S: Simd>(&mut self, s: S, from: usize, keys: &RoundKeys) {
        let count = (self.members.count - from).min(BATCH);
        self.counts.members += count;
        let shared = shared_counters(s, self.stream);
        let category = &self.members.category[from..][..BATCH];
        let Aligned(words) = &mut Aligned([0; BATCH]);
        for (word, &category) in words.iter_mut().zip(category) {
            *word = member_counter(category);
        }
        let Aligned([low, high]) = &mut Aligned([[0; BATCH]; 2]);
        let mut at = 0;
        while at < count {
            let counters = [
                [s.words(&words[at..]), shared[0], shared[1], shared[2]],
                [s.words(&words[at + S::OCTETS..]), shared[0], shared[1], shared[2]],
            ];
            let [a, b] = blocks(s, counters, keys);
            s.store_words(a[1], &mut low[at..]);
            s.store_words(a[3], &mut high[at..]);
            s.store_words(b[1], &mut low[at + S::OCTETS..]);
            s.store_words(b[3], &mut high[at + S::OCTETS..]);
            at += 2 * S::OCTETS;
        }
        let Aligned(bits) = &mut Aligned([0; BATCH]);
        for i in 0..BATCH {
            bits[i] = (if category[i] & 16 == 0 { low[i] } else { high[i] }) >> 4;
        }
        let own_time = exponentials(bits);
        let Aligned(scores) = &mut Aligned([0.0; BATCH]);
        for i in 0..BATCH {
            let time = self.members.first_time[from + i] + own_time[i];
            scores[i] = self.members.value[from + i] * self.slope - log2(time) * POWER;
        }
        for i in 0..count {
            let category = self.members.category[from + i];
            if !is_narrow(bits[i]) {
                self.evaluate_exactly(category);
            } else if !(scores[i] < self.threshold) {
                self.add_candidate(category, scores[i]);
            }
        }
    }
}
