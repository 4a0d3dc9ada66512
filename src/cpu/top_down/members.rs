//! Opening groups: the score of the member that rings first, and those of other members that may win.

use super::logarithms::{NARROW, exponentials, is_narrow, log2};
use super::{BATCH, ERROR, Race};
use crate::cpu::bound::{RoundKeys, blocks};
use crate::cpu::simd::{Aligned, Simd};
use crate::cpu::values::RowValues;
use crate::cpu::vector_value::{Greatest as _, VectorValue as _};
use crate::filter::POWER;
use crate::noise::bits::Stream;
use crate::noise::groups::{
    MEMBERS, SPAN, category_of, first_member, leading_bits, member_counter, member_of,
};
use crate::options::{Chance, Value as _};

/// Members whose own noise is to be computed.
#[repr(align(64))]
pub(super) struct Members {
    count: usize,
    category: [u32; BATCH * MEMBERS],
    /// The float of the member's value.
    float: [f32; BATCH * MEMBERS],
    /// The time of the first alarm of the member's group.
    first_time: [f32; BATCH * MEMBERS],
}

impl Members {
    pub(super) const EMPTY: Self = Self {
        count: 0,
        category: [0; BATCH * MEMBERS],
        float: [0.0; BATCH * MEMBERS],
        first_time: [0.0; BATCH * MEMBERS],
    };
}

impl<V: RowValues> Race<V> {
    /// Opens the pending groups `at`, at most [`BATCH`].
    #[inline(always)]
    pub(super) fn open_groups<S: Simd>(&mut self, s: S, at: &[usize], keys: &RoundKeys) {
        let mut bits = [NARROW; BATCH];
        for (bits, &at) in bits.iter_mut().zip(at) {
            *bits = leading_bits(self.pending.word[at]);
        }
        let mut first_time = exponentials(&bits);
        let mut logs = [0.0; BATCH];
        for (time, log) in first_time.iter_mut().zip(&mut logs) {
            *time *= 1.0 / MEMBERS as f32;
            *log = log2(*time) * POWER;
        }
        // first members of all groups: they raise the threshold for the others
        for (i, &at) in at.iter().enumerate() {
            let (group, word) = (self.pending.group[at], self.pending.word[at]);
            let category = category_of(group, first_member(word));
            let Some(value) = self.value(category) else { continue };
            if value.chance() == Chance::None {
                continue;
            }
            if !is_narrow(leading_bits(word)) || !value.is_bounded() {
                self.evaluate(category);
                continue;
            }
            self.add_if_reached(category, value.float() * self.slope - logs[i]);
        }
        self.members.count = 0;
        for (i, &at) in at.iter().enumerate() {
            if self.pending.upper_score[at] >= self.cutoff {
                self.add_members(at, first_time[i], logs[i]);
            }
        }
        for from in (0..self.members.count).step_by(BATCH) {
            self.score_members(s, from, keys);
        }
    }

    /// Adds a category as a candidate if its score reaches the threshold.
    #[inline(always)]
    fn add_if_reached(&mut self, category: u32, score: f32) {
        // a NaN, of infinities, is not below the threshold
        let below = score < self.threshold;
        if !below {
            self.add_candidate(category, score);
        }
    }

    /// Adds the members of a pending group that might win if they rang together with the first one.
    #[inline(always)]
    fn add_members(&mut self, at: usize, first_time: f32, log: f32) {
        let (group, word) = (self.pending.group[at], self.pending.word[at]);
        let slack = ERROR + self.threshold.abs() / (1 << 20) as f32;
        let least = V::Value::least((self.threshold + log - slack) * self.per_slope);
        let first = category_of(group, 0);
        let base = (first - self.first) as usize;
        let mut mask = 0u32;
        if base + (SPAN - MEMBERS) < self.row.len() {
            let members = self.row.part(base..base + (SPAN - MEMBERS) + 1);
            for j in 0..MEMBERS {
                mask |= u32::from(members.value(MEMBERS * j).reaches(least)) << j;
            }
        } else {
            for (j, at) in (base..self.row.len()).step_by(MEMBERS).enumerate() {
                mask |= u32::from(self.row.value(at).reaches(least)) << j;
            }
        }
        mask &= !(1 << first_member(word));
        let is_narrow = is_narrow(leading_bits(word));
        while mask != 0 {
            let j = mask.trailing_zeros();
            mask &= mask - 1;
            let value = self.row.value(base + MEMBERS * j as usize);
            let category = category_of(group, j);
            if !is_narrow || !value.is_bounded() {
                self.evaluate(category);
                continue;
            }
            let k = self.members.count;
            self.members.category[k] = category;
            self.members.float[k] = value.float();
            self.members.first_time[k] = first_time;
            self.members.count = k + 1;
        }
    }

    /// Computes the scores of up to [`BATCH`] members from `from` on.
    #[inline(always)]
    fn score_members<S: Simd>(&mut self, s: S, from: usize, keys: &RoundKeys) {
        let count = (self.members.count - from).min(BATCH);
        let Stream { row, draw, .. } = self.stream;
        let shared = [s.all_words(row[0]), s.all_words(row[1]), s.all_words(draw << 1 | 1)];
        let category = &self.members.category[from..][..BATCH];
        let Aligned(words) = &mut Aligned([0; BATCH]);
        for (word, &category) in words.iter_mut().zip(category) {
            *word = member_counter(category);
        }
        let Aligned([even, odd]) = &mut Aligned([[0; BATCH]; 2]);
        for at in (0..count).step_by(2 * S::OCTETS) {
            let ends = [at, at + S::OCTETS];
            let counters = ends.map(|at| [s.words(&words[at..]), shared[0], shared[1], shared[2]]);
            for (block, at) in blocks(s, counters, keys).into_iter().zip(ends) {
                s.store_words(block[1], &mut even[at..]);
                s.store_words(block[3], &mut odd[at..]);
            }
        }
        let mut bits = [0; BATCH];
        for i in 0..BATCH {
            bits[i] = (if member_of(category[i]) & 1 == 0 { even[i] } else { odd[i] }) >> 4;
        }
        let own_time = exponentials(&bits);
        let mut scores = [0.0; BATCH];
        for i in 0..BATCH {
            let time = self.members.first_time[from + i] + own_time[i];
            scores[i] = self.members.float[from + i] * self.slope - log2(time) * POWER;
        }
        for i in 0..count {
            let category = self.members.category[from + i];
            if is_narrow(bits[i]) {
                self.add_if_reached(category, scores[i]);
            } else {
                self.evaluate(category);
            }
        }
    }
}
