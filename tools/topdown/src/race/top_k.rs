//! The top k of a race.

use std::cmp::Reverse;

use super::{ERROR, Race};
use crate::noise::order::Best;
use crate::reference;
use crate::vector_value::VectorValue;

/// What may be among the top k.
pub(super) struct Top {
    /// 0 for a draw.
    pub(super) k: usize,
    /// The scores and categories that reached the threshold.
    pub(super) candidates: Vec<(f32, u32)>,
    /// The number of candidates at which they are ranked again.
    pub(super) rank_at: usize,
    /// Categories with their exact keys.
    pub(super) winners: Vec<Best>,
}

impl Top {
    pub(super) const fn new(k: usize) -> Self {
        Self { k, candidates: Vec::new(), rank_at: 2 * k, winners: Vec::new() }
    }

    #[inline(always)]
    pub(super) fn clear(&mut self) {
        self.candidates.clear();
        self.winners.clear();
        self.rank_at = 2 * self.k;
    }
}

impl<T: VectorValue> Race<'_, T> {
    /// Raises the threshold to the k-th score so far, less errors, and drops the candidates below it.
    #[inline(never)]
    pub(super) fn rank(&mut self) {
        let k = self.top.k;
        if self.top.candidates.len() >= k {
            let by_score = |a: &(f32, u32), b: &(f32, u32)| b.0.total_cmp(&a.0);
            let (_, kth, _) = self.top.candidates.select_nth_unstable_by(k - 1, by_score);
            let score = kth.0;
            self.raise_threshold(score - 2.0 * (ERROR + score.abs() / (1 << 20) as f32));
            let threshold = self.threshold;
            self.top.candidates.retain(|&(score, _)| score >= threshold);
        }
        self.top.rank_at = (2 * k).max(self.top.candidates.len() + k / 2 + 16);
    }

    /// Leaves the top k in `winners`, in their order.
    #[inline(never)]
    pub(super) fn finish_top_k(&mut self) {
        self.rank();
        let mut winners = std::mem::take(&mut self.top.winners);
        for &(_, category) in &self.top.candidates {
            let value = self.row[category as usize];
            winners.push(reference::evaluate(self.stream, self.scale, category, value));
        }
        self.counts.exact += winners.len();
        winners.sort_unstable_by_key(|best| (Reverse(best.key), best.category));
        winners.truncate(self.top.k);
        self.top.winners = winners;
    }
}
