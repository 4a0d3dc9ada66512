//! The categories that may be among the top k.

use std::cmp::Reverse;

use super::Race;
use crate::cpu::exact::each_in_groups;
use crate::cpu::values::RowValues;
use crate::noise::order::Best;

/// What may be among the top k.
pub(super) struct Ranking {
    /// 0 for a draw.
    pub(super) k: usize,
    /// The scores and categories that reached the threshold.
    candidates: Vec<(f32, u32)>,
    /// The number of candidates at which they are ranked again.
    rank_at: usize,
    /// Categories with their exact keys.
    winners: Vec<Best>,
}

impl Ranking {
    pub(super) const fn new(k: usize) -> Self {
        Self { k, candidates: Vec::new(), rank_at: 2 * k, winners: Vec::new() }
    }

    /// Asks for the memory that a row of so many categories needs; `None` if it is not to be had.
    pub(super) fn reserve(&mut self, categories: usize) -> Option<()> {
        let most = self.k.saturating_mul(5).saturating_add(300).min(categories);
        self.candidates.try_reserve_exact(most).ok()?;
        self.winners.try_reserve_exact(most).ok()
    }

    #[inline(always)]
    pub(super) fn clear(&mut self) {
        self.candidates.clear();
        self.winners.clear();
        self.rank_at = 2 * self.k;
    }

    /// The scores and categories that may be among the top k so far.
    #[cfg(test)]
    pub(super) fn candidates(&self) -> &[(f32, u32)] {
        &self.candidates
    }

    /// The number of categories that are kept before those that are not among the best are removed: so memory depends on
    /// k alone, however many categories are equal.
    fn most(&self) -> usize {
        4 * self.k + 256
    }

    /// Keeps the best k of the categories with exact keys, in their order.
    fn sort(&mut self) {
        self.winners.sort_unstable_by_key(|best| (Reverse(best.key), best.category));
        self.winners.truncate(self.k);
    }
}

impl<V: RowValues> Race<V> {
    /// Adds a category whose score is not below the threshold.
    #[inline(always)]
    pub(super) fn rank(&mut self, category: u32, score: f32) {
        self.ranking.candidates.push((score, category));
        if self.ranking.candidates.len() >= self.ranking.rank_at {
            self.rank_candidates();
        }
    }

    /// Ranks the candidates, if there are any.
    #[inline(always)]
    pub(super) fn rank_again(&mut self) {
        if self.ranking.k > 0 {
            self.rank_candidates();
        }
    }

    /// Raises the threshold to the k-th score so far, less errors, and removes the candidates below it.
    #[inline(never)]
    fn rank_candidates(&mut self) {
        let k = self.ranking.k;
        if self.ranking.candidates.len() >= k {
            let by_score = |a: &(f32, u32), b: &(f32, u32)| b.0.total_cmp(&a.0);
            let (_, &mut (kth, _), _) =
                self.ranking.candidates.select_nth_unstable_by(k - 1, by_score);
            self.raise(self.threshold_of(kth));
            let threshold = self.threshold;
            self.ranking.candidates.retain(|&(score, _)| score >= threshold);
        }
        if self.ranking.candidates.len() > self.ranking.most() {
            self.evaluate_ranked();
        }
        self.ranking.rank_at = (2 * k).max(self.ranking.candidates.len() + k / 2 + 16);
    }

    /// Adds a category with its exact key.
    pub(super) fn add_winner(&mut self, one: Best) {
        self.ranking.winners.push(one);
        if self.ranking.winners.len() >= self.ranking.most() {
            self.ranking.sort();
            self.raise_to_key(self.ranking.winners[self.ranking.k - 1].key);
        }
    }

    /// Evaluates all candidates exactly.
    fn evaluate_ranked(&mut self) {
        let mut candidates = std::mem::take(&mut self.ranking.candidates);
        for &(_, category) in &candidates {
            self.evaluate(category);
        }
        candidates.clear();
        self.ranking.candidates = candidates;
    }

    /// The top k in their order; none if the row has no draw.
    #[inline(never)]
    pub(super) fn top_k(&mut self) -> &[Best] {
        if !self.is_over() {
            self.rank_candidates();
            self.evaluate_ranked();
        }
        // scores that are out of range may have shut out what they should not
        let too_few = self.ranking.winners.len() < self.ranking.k;
        if !self.evaluated.invalid && (self.beyond || too_few) {
            self.evaluate_every_winner();
        }
        if self.evaluated.invalid {
            self.ranking.winners.clear();
        }
        self.ranking.sort();
        &self.ranking.winners
    }

    /// Evaluates all categories exactly, whatever their scores are.
    #[cold]
    #[inline(never)]
    pub(super) fn evaluate_every_winner(&mut self) {
        self.ranking.winners.clear();
        let (stream, scale, row, first) = (self.stream, self.scale, self.row, self.first);
        self.evaluated.invalid |= each_in_groups(stream, scale, row, first, |best| {
            self.ranking.winners.push(best);
            if self.ranking.winners.len() >= self.ranking.most() {
                self.ranking.sort();
            }
        });
    }
}
