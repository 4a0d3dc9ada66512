//! The pass over a row: the first groups, of which the best are opened first, and then the others.

use super::maxima::{Flaws, GroupMaxima, groups};
use super::{BATCH, Race};
use crate::cpu::bound::{RoundKeys, blocks, not_below, sequence};
use crate::cpu::simd::{Aligned, MAX_TILE, Simd, Task};
use crate::cpu::values::RowValues;
use crate::filter::POWER;
use crate::noise::bits::{OCTET, Stream};
use crate::noise::groups::GROUP_BLOCKS;

/// The number of groups whose upper scores are stored before the first one is opened.
const OPENING: usize = 2048;
/// The first turn opens the groups whose upper scores are at most this much below the best one.
const DEPTH: f32 = 3.0 * POWER;
/// From this depth on a turn opens all groups that are left.
const DEEP: f32 = 60.0 * POWER;

/// The upper scores and the words of the first groups.
#[repr(align(64))]
pub(super) struct FirstGroups {
    upper_scores: [f32; OPENING],
    words: [i32; OPENING],
}

impl FirstGroups {
    pub(super) const EMPTY: Self = Self { upper_scores: [0.0; OPENING], words: [0; OPENING] };
}

/// Two vectors for each unit.
type Units<V, const UNITS: usize> = [[V; 2]; UNITS];

/// The upper scores and the words of the groups of some units: a Philox block and four maxima for 64 categories.
#[inline(always)]
pub(super) fn upper_scores<S: Simd, M: GroupMaxima, const UNITS: usize>(
    s: S,
    (maxima, unit): (M, usize),
    counters: [[S::Words; 4]; UNITS],
    slope: S::Floats,
    keys: &RoundKeys,
    flaws: &mut Flaws<S>,
) -> (Units<S::Floats, UNITS>, Units<S::Ints, UNITS>) {
    let mut scores = [[s.all(0.0); 2]; UNITS];
    for (i, scores) in scores.iter_mut().enumerate() {
        *scores = maxima.of_unit(s, unit + i, flaws);
    }
    let blocks = blocks(s, counters, keys);
    let mut words = [[s.all_ints(0); 2]; UNITS];
    for i in 0..UNITS {
        words[i] = s.block_words(blocks[i]);
        for k in 0..2 {
            // the exponent and mantissa of the leading bits as a float, read as one number
            let log2 = s.to_floats(s.bits(s.to_floats(s.shift_right::<4>(words[i][k]))));
            scores[i][k] = s.mul_sub(scores[i][k], slope, log2);
        }
    }
    (scores, words)
}

/// Takes all groups of `maxima`, of which the first is group `first` of the row. The number of units is even.
#[inline(always)]
pub(super) fn pass<S: Simd, V: RowValues, M: GroupMaxima>(
    s: S,
    race: &mut Race<V>,
    (maxima, first): (M, u32),
    keys: &RoundKeys,
    first_groups: &mut FirstGroups,
    flaws: &mut Flaws<S>,
) {
    let groups = groups::<S>();
    let units = maxima.units(s);
    let Stream { row, draw, .. } = race.stream;
    let rest = [s.all_words(row[0]), s.all_words(row[1]), s.all_words(draw << 1)];
    let with = |block| [block, rest[0], rest[1], rest[2]];
    let slope = s.all(race.slope);
    let mut counter = sequence(s, GROUP_BLOCKS + first / 4);
    let step = s.all_words(S::OCTETS as u32);
    let mut unit = 0;
    // more than once only if all groups so far had nothing to draw
    while race.cutoff == f32::NEG_INFINITY && unit < units {
        let opening = (units - unit).min(OPENING / groups);
        let mut top = s.all(f32::NEG_INFINITY);
        let from = unit;
        while unit < from + opening {
            let next = s.add_words(counter, step);
            let counters = [with(counter), with(next)];
            let (scores, words) = upper_scores(s, (maxima, unit), counters, slope, keys, flaws);
            for k in 0..4 {
                let at = (unit - from) * groups + k * 2 * S::OCTETS;
                s.store(scores[k / 2][k % 2], &mut first_groups.upper_scores[at..]);
                s.store_ints(words[k / 2][k % 2], &mut first_groups.words[at..]);
                top = s.larger(top, scores[k / 2][k % 2]);
            }
            counter = s.add_words(next, step);
            unit += 2;
        }
        let Aligned(tops) = &mut Aligned([[f32::NEG_INFINITY; OCTET]; 2 * MAX_TILE / OCTET]);
        s.store(top, tops.as_flattened_mut());
        let top = s.max(tops);
        let (count, first) = (opening * groups, first + (from * groups) as u32);
        if let Some(next) = race.next {
            next.prefetch(s);
        }
        s.run(OpenBest { race, first_groups, count, first, top, keys });
        if race.is_over() {
            return;
        }
    }
    while unit < units {
        let next = s.add_words(counter, step);
        let counters = [with(counter), with(next)];
        let (scores, words) = upper_scores(s, (maxima, unit), counters, slope, keys, flaws);
        counter = s.add_words(next, step);
        let all = [scores[0][0], scores[0][1], scores[1][0], scores[1][1]];
        if !s.all_below(all, s.all(race.cutoff)) {
            let Aligned(stored) = &mut Aligned([[0.0; OCTET]; MAX_TILE]);
            let Aligned(stored_words) = &mut Aligned([0; OCTET * MAX_TILE]);
            for k in 0..4 {
                let at = k * 2 * S::OCTETS;
                s.store(scores[k / 2][k % 2], &mut stored.as_flattened_mut()[at..]);
                s.store_ints(words[k / 2][k % 2], &mut stored_words[at..]);
            }
            let first = first + (unit * groups) as u32;
            s.run(AddGroups { race, upper_scores: stored, words: stored_words, first, keys });
        }
        unit += 2;
    }
}

/// Opens the first groups, the best ones first. `top` is the largest of their upper scores.
struct OpenBest<'b, V: RowValues> {
    race: &'b mut Race<V>,
    first_groups: &'b FirstGroups,
    count: usize,
    first: u32,
    top: f32,
    keys: &'b RoundKeys,
}

impl<V: RowValues> Task for OpenBest<'_, V> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { race, first_groups, count, first, top, keys } = self;
        if top == f32::NEG_INFINITY {
            return;
        }
        // each turn opens the groups with scores from `from` up to `above`, which an earlier turn has opened
        let (mut above, mut depth) = (f32::INFINITY, DEPTH);
        loop {
            let from = race.cutoff.max(top - depth);
            let step = 4 * 2 * S::OCTETS;
            for (k, chunk) in first_groups.upper_scores[..count].chunks(step).enumerate() {
                if chunk.len() == step {
                    let lanes = 2 * S::OCTETS;
                    let scores = [
                        s.floats(chunk),
                        s.floats(&chunk[lanes..]),
                        s.floats(&chunk[2 * lanes..]),
                        s.floats(&chunk[3 * lanes..]),
                    ];
                    if s.all_below(scores, s.all(from)) {
                        continue;
                    }
                }
                let octets = chunk.as_chunks::<OCTET>().0;
                let mut mask = not_below(s, octets, from);
                if above != f32::INFINITY {
                    mask &= !not_below(s, octets, above);
                }
                while mask != 0 {
                    let i = mask.trailing_zeros() as usize;
                    mask &= mask - 1;
                    let at = k * step + i;
                    let group = (first + at as u32, first_groups.words[at] as u32);
                    race.add_group(s, group, chunk[i], keys);
                }
            }
            race.open_pending(s, keys);
            let done = race.cutoff >= from || from == f32::NEG_INFINITY;
            if race.is_over() | done {
                return;
            }
            above = from;
            depth = if depth > DEEP { f32::INFINITY } else { depth * 2.0 };
        }
    }
}

/// Adds the groups that reach the cutoff, and opens them when there are enough.
struct AddGroups<'b, V: RowValues> {
    race: &'b mut Race<V>,
    upper_scores: &'b [[f32; OCTET]; MAX_TILE],
    words: &'b [i32; OCTET * MAX_TILE],
    first: u32,
    keys: &'b RoundKeys,
}

impl<V: RowValues> Task for AddGroups<'_, V> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { race, upper_scores, words, first, keys } = self;
        let mut mask = not_below(s, &upper_scores[..S::OCTETS], race.cutoff);
        while mask != 0 {
            let i = mask.trailing_zeros() as usize;
            mask &= mask - 1;
            let score = upper_scores.as_flattened()[i];
            race.add_group(s, (first + i as u32, words[i] as u32), score, keys);
            if race.pending.count >= BATCH {
                race.open_pending(s, keys);
            }
        }
    }
}
