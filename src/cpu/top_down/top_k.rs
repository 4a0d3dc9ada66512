//! The top k of a race.

use super::draws::Arena;
use crate::cpu::bound::RoundKeys;
use crate::cpu::simd::Simd;
use crate::cpu::values::RowValues;
use crate::noise::bits::Stream;
use crate::noise::order::{Best, Scale};

/// Memory for races of long rows in which the top k are looked for.
pub(in crate::cpu) struct TopKRace<V: RowValues> {
    arena: Arena<V>,
    filter: bool,
}

impl<V: RowValues> TopKRace<V> {
    /// Memory for races of rows like `any`, `None` if it is not to be had; without the `filter`, all categories are
    /// evaluated.
    #[inline(always)]
    pub(in crate::cpu) fn new(k: usize, scale: Scale, filter: bool, any: V) -> Option<Self> {
        let mut arena = Arena::new(scale, any, 0, k);
        arena.race.ranking.reserve(any.len())?;
        Some(Self { arena, filter })
    }

    /// The top k of a race in their order; none if the row has no draw.
    #[inline(always)]
    pub(in crate::cpu) fn run<S: Simd>(
        &mut self,
        s: S,
        stream: Stream,
        row: V,
        keys: &RoundKeys,
    ) -> &[Best] {
        if self.filter {
            self.arena.run(s, stream, row, keys);
        } else {
            self.arena.race.restart(stream, row);
        }
        self.arena.race.top_k()
    }
}
