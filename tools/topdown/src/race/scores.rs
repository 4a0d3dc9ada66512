//! The upper scores of groups: one Philox block and four maxima for 64 categories.

use super::maxima::GroupMaxima;
use crate::bound::{RoundKeys, blocks};
use crate::simd::Simd;

/// Two vectors for each unit.
type Units<V, const UNITS: usize> = [[V; 2]; UNITS];

/// The upper scores and the words of the groups of some units.
///
/// The exponent and mantissa of u as a float, read as one number, are a lower bound of its logarithm. They are
/// subtracted from the largest logit; the cutoff makes up for the constants.
#[inline(always)]
pub(super) fn upper_scores<S: Simd, M: GroupMaxima<S>, const UNITS: usize>(
    s: S,
    (maxima, unit): (M, usize),
    counters: [[S::Words; 4]; UNITS],
    slope: S::Floats,
    keys: &RoundKeys,
    nans: &mut S::NanFlags,
) -> (Units<S::Floats, UNITS>, Units<S::Ints, UNITS>) {
    let mut scores = [[s.all(0.0); 2]; UNITS];
    for i in 0..UNITS {
        scores[i] = maxima.of_unit(s, unit + i, nans);
    }
    let blocks = blocks(s, counters, keys);
    let mut words = [[s.all_ints(0); 2]; UNITS];
    for i in 0..UNITS {
        words[i] = s.block_words(blocks[i]);
        for k in 0..2 {
            let bits = s.bits(s.to_floats(s.shift_right::<4>(words[i][k])));
            scores[i][k] = s.mul_sub(scores[i][k], slope, s.to_floats(bits));
        }
    }
    (scores, words)
}
