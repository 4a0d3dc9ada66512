//! The groups that are about to be opened.

use super::{BATCH, LIST, Race};
use crate::cpu::bound::RoundKeys;
use crate::cpu::simd::{Simd, Task};
use crate::cpu::values::RowValues;

/// Groups whose upper scores reached the cutoff when they were added.
pub(super) struct Pending {
    pub(super) count: usize,
    pub(super) group: [u32; LIST],
    pub(super) word: [u32; LIST],
    pub(super) upper_score: [f32; LIST],
}

impl Pending {
    pub(super) const EMPTY: Self =
        Self { count: 0, group: [0; LIST], word: [0; LIST], upper_score: [0.0; LIST] };
}

impl<V: RowValues> Race<V> {
    /// Adds a group with this word.
    #[inline(always)]
    pub(super) fn add_group<S: Simd>(
        &mut self,
        s: S,
        (group, word): (u32, u32),
        upper_score: f32,
        keys: &RoundKeys,
    ) {
        if self.pending.count == LIST {
            self.open_pending(s, keys);
            if upper_score < self.cutoff {
                return;
            }
        }
        let at = self.pending.count;
        self.pending.group[at] = group;
        self.pending.word[at] = word;
        self.pending.upper_score[at] = upper_score;
        self.pending.count = at + 1;
    }

    /// Opens all pending groups whose upper scores still reach the cutoff. A task of its own, so that it is not
    /// compiled into each caller.
    #[inline(always)]
    pub(super) fn open_pending<S: Simd>(&mut self, s: S, keys: &RoundKeys) {
        s.run(OpenPending { race: self, keys });
    }
}

struct OpenPending<'b, V: RowValues> {
    race: &'b mut Race<V>,
    keys: &'b RoundKeys,
}

impl<V: RowValues> Task for OpenPending<'_, V> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { race, keys } = self;
        let count = race.pending.count;
        let mut i = 0;
        loop {
            let mut at = [0; BATCH];
            let mut taken = 0;
            while i < count && taken < BATCH {
                let score = race.pending.upper_score[i];
                // a NaN is not below the cutoff; a group of which all values are −∞ has nothing to draw
                let out = score < race.cutoff || score == f32::NEG_INFINITY;
                at[taken] = i;
                taken += usize::from(!out);
                i += 1;
            }
            if taken == 0 {
                break;
            }
            race.open_groups(s, &at[..taken], keys);
        }
        race.rank_again();
        race.pending.count = 0;
    }
}
