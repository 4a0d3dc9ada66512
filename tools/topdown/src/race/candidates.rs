//! The categories that may win.

use super::{ERROR, LIST, RANGE, Race};
use crate::vector_value::VectorValue;

/// Categories whose scores reached the threshold when they were added.
pub(super) struct Candidates {
    pub(super) count: usize,
    pub(super) category: [u32; LIST],
    pub(super) score: [f32; LIST],
}

impl Candidates {
    pub(super) const EMPTY: Self = Self { count: 0, category: [0; LIST], score: [0.0; LIST] };
}

impl<T: VectorValue> Race<'_, T> {
    /// Adds a category whose score is not below the threshold.
    #[inline(always)]
    pub(super) fn add_candidate(&mut self, category: u32, score: f32) {
        // the comparison is false for NaN
        if !(score.abs() < RANGE) {
            if score != f32::NEG_INFINITY {
                self.needs_reference = true;
            }
            return;
        }
        if self.top.k > 0 {
            self.top.candidates.push((score, category));
            if self.top.candidates.len() >= self.top.rank_at {
                self.rank();
            }
            return;
        }
        if self.candidates.count == LIST {
            self.prune_candidates();
        }
        let at = self.candidates.count;
        self.candidates.category[at] = category;
        self.candidates.score[at] = score;
        self.candidates.count = at + 1;
        self.raise_threshold(score - 2.0 * (ERROR + score.abs() / (1 << 20) as f32));
    }

    /// Removes the candidates below the threshold. If none is, all are evaluated exactly.
    #[cold]
    #[inline(never)]
    fn prune_candidates(&mut self) {
        let mut kept = 0;
        for i in 0..self.candidates.count {
            if self.candidates.score[i] >= self.threshold {
                self.candidates.category[kept] = self.candidates.category[i];
                self.candidates.score[kept] = self.candidates.score[i];
                kept += 1;
            }
        }
        self.candidates.count = kept;
        if kept == LIST {
            for i in 0..LIST {
                self.evaluate_exactly(self.candidates.category[i]);
            }
            self.candidates.count = 0;
        }
    }
}
