//! The categories that may win.

use super::{LIST, RANGE, Race};
use crate::cpu::values::RowValues;

const _: () = assert!(LIST <= u64::BITS as usize);

/// Categories whose scores reached the threshold when they were added.
pub(super) struct Candidates {
    pub(super) count: usize,
    pub(super) category: [u32; LIST],
    pub(super) score: [f32; LIST],
}

impl Candidates {
    pub(super) const EMPTY: Self = Self { count: 0, category: [0; LIST], score: [0.0; LIST] };
}

impl<V: RowValues> Race<V> {
    /// Adds a category whose score is not below the threshold.
    #[inline(always)]
    pub(super) fn add_candidate(&mut self, category: u32, score: f32) {
        // false for a NaN
        let in_range = score.abs() < RANGE;
        if !in_range {
            self.beyond |= score != f32::NEG_INFINITY;
            return;
        }
        if self.ranking.k > 0 {
            return self.rank(category, score);
        }
        if self.candidates.count == LIST {
            self.thin_out();
        }
        let at = self.candidates.count;
        self.candidates.category[at] = category;
        self.candidates.score[at] = score;
        self.candidates.count = at + 1;
        self.raise(self.threshold_of(score));
    }

    /// Makes space for candidates: removes those that cannot win, or evaluates all if none can be removed.
    #[cold]
    #[inline(never)]
    fn thin_out(&mut self) {
        let left = self.left();
        let mut kept = 0;
        for i in 0..self.candidates.count {
            if left >> i & 1 == 1 {
                self.candidates.category[kept] = self.candidates.category[i];
                self.candidates.score[kept] = self.candidates.score[i];
                kept += 1;
            }
        }
        self.candidates.count = kept;
        if kept == LIST {
            self.evaluate_candidates(left);
            self.candidates.count = 0;
        }
    }

    /// Evaluates the candidates of a mask exactly.
    #[cold]
    #[inline(never)]
    pub(super) fn evaluate_candidates(&mut self, mut mask: u64) {
        while mask != 0 {
            let i = mask.trailing_zeros() as usize;
            mask &= mask - 1;
            self.evaluate(self.candidates.category[i]);
        }
    }
}
