//! The opening of a race: the tiles that are filtered while no key is bounded yet.

use super::Race;
use crate::cpu::bound::{RoundKeys, coarse, sequence, upper_scores};
use crate::cpu::simd::{Aligned, MAX_TILE, Simd};
use crate::cpu::values::RowValues;
use crate::cpu::vector_value::VectorValue;
use crate::noise::bits::OCTET;

/// The most tiles in an opening, which is the first part of a race; an even number.
pub(super) const OPENING: usize = 16;

impl<V: RowValues> Race<V> {
    /// Runs the first tiles, while no key is bounded yet: finds the highest upper scores of each tile, and
    /// then filters the tile with the highest of all first, so that nearly always no other tile passes.
    #[inline(always)]
    pub(super) fn open<S: Simd>(&mut self, s: S, values: V, octet: u32, keys: &RoundKeys) {
        let tile = S::OCTETS * OCTET;
        let mut octets = sequence(s, octet);
        let step = s.all_words(S::OCTETS as u32);
        // for each tile, the largest of its four vectors of upper scores, lane by lane
        let Aligned(heights) = &mut Aligned([f32::NEG_INFINITY; OPENING * 2 * MAX_TILE]);
        let mut highest = s.all(f32::NEG_INFINITY);
        let mut all_valid = true;
        let lanes = 2 * S::OCTETS;
        for (k, pair) in values.tiles(2 * tile).enumerate() {
            let after = s.add_words(octets, step);
            let coarse = coarse(s, self.counters(s, [octets, after]), keys);
            octets = s.add_words(after, step);
            for i in 0..2 {
                let rough = V::Value::rough(s, &pair[i * tile..]);
                all_valid &= V::Value::all_valid(s, rough);
                let [a, b, c, d] = upper_scores(s, rough, coarse[i], self.slope);
                let height = s.larger(s.larger(a, b), s.larger(c, d));
                s.store(height, &mut heights[(2 * k + i) * lanes..]);
                highest = s.larger(highest, height);
            }
        }
        if !all_valid && values.has_invalid() {
            self.evaluated.invalid = true;
            return;
        }
        let Aligned(most) = &mut Aligned([[f32::NEG_INFINITY; OCTET]; 2 * MAX_TILE / OCTET]);
        s.store(highest, most.as_flattened_mut());
        let highest = s.max(most);
        if highest == f32::NEG_INFINITY {
            return self.evaluate_run(values, octet);
        }
        // the cutoff that the highest tile sets shuts out nearly all others
        let tiles = values.len() / tile;
        let (mut cutoff, mut taken) = (highest, 0u32);
        loop {
            let left = reaching(s, heights, tiles, cutoff) & !taken;
            if left == 0 {
                return;
            }
            let t = left.trailing_zeros() as usize;
            taken |= 1 << t;
            let octet = octet + (t * S::OCTETS) as u32;
            let values = values.tile(t * tile, tile);
            self.filter(s, &values, [sequence(s, octet)], octet, keys);
            cutoff = self.cutoff;
        }
    }
}

/// The tiles of an opening with an upper score that reaches `bound`: a bit for each tile, found without a
/// branch.
#[inline(always)]
fn reaching<S: Simd>(s: S, heights: &[f32], tiles: usize, bound: f32) -> u32 {
    let mut mask = 0;
    for t in 0..tiles {
        let height = s.floats(&heights[t * 2 * S::OCTETS..]);
        mask |= u32::from(!s.all_below([height; 4], s.all(bound))) << t;
    }
    mask
}
