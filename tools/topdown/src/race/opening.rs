//! The pass over a row: the first groups, of which the best are opened first, and then the others.

use super::maxima::{GroupMaxima, groups};
use super::scores::upper_scores;
use super::{BATCH, Race, sequence, shared_counters};
use crate::bound::{RoundKeys, not_below};
use crate::definition::GROUP_BLOCKS;
use crate::filter::POWER;
use crate::noise::bits::OCTET;
use crate::simd::{Aligned, Simd, Task};
use crate::vector_value::VectorValue;

/// The number of groups whose upper scores are stored before the first one is opened.
const OPENING: usize = 2048;

/// The upper scores and the words of the first groups.
#[repr(align(64))]
pub(super) struct FirstGroups {
    upper_scores: [f32; OPENING],
    words: [i32; OPENING],
}

impl FirstGroups {
    pub(super) const EMPTY: Self = Self { upper_scores: [0.0; OPENING], words: [0; OPENING] };
}

/// Takes all groups of `maxima`, of which the first is group `first` of the row. The number of units is even.
#[inline(always)]
pub(super) fn pass<S: Simd, T: VectorValue, M: GroupMaxima<S>>(
    s: S,
    race: &mut Race<'_, T>,
    (maxima, first): (M, u32),
    keys: &RoundKeys,
    first_groups: &mut FirstGroups,
    nans: &mut S::NanFlags,
) {
    let groups = groups::<S>();
    let units = maxima.units();
    let [a, b, c] = shared_counters(s, race.stream);
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
            let counters = [[counter, a, b, c], [next, a, b, c]];
            let (scores, words) = upper_scores(s, (maxima, unit), counters, slope, keys, nans);
            for k in 0..4 {
                let at = (unit - from) * groups + k * 2 * S::OCTETS;
                s.store(scores[k / 2][k % 2], &mut first_groups.upper_scores[at..]);
                s.store_ints(words[k / 2][k % 2], &mut first_groups.words[at..]);
                top = s.larger(top, scores[k / 2][k % 2]);
            }
            counter = s.add_words(next, step);
            unit += 2;
        }
        let Aligned(tops) = &mut Aligned([[f32::NEG_INFINITY; OCTET]; 2]);
        s.store(top, tops.as_flattened_mut());
        let top = s.max(tops);
        let (count, first) = (opening * groups, first + (from * groups) as u32);
        prefetch(race.next);
        s.run(OpenBest { race, first_groups, count, first, top, keys });
        if race.invalid | race.needs_reference {
            return;
        }
    }
    while unit < units {
        let next = s.add_words(counter, step);
        let counters = [[counter, a, b, c], [next, a, b, c]];
        let (scores, words) = upper_scores(s, (maxima, unit), counters, slope, keys, nans);
        counter = s.add_words(next, step);
        let all = [scores[0][0], scores[0][1], scores[1][0], scores[1][1]];
        if !s.all_below(all, s.all(race.cutoff)) {
            let Aligned(stored) = &mut Aligned([[0.0; OCTET]; 8]);
            let Aligned(stored_words) = &mut Aligned([0; 64]);
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
struct OpenBest<'b, 'a, T> {
    race: &'b mut Race<'a, T>,
    first_groups: &'b FirstGroups,
    count: usize,
    first: u32,
    top: f32,
    keys: &'b RoundKeys,
}

impl<T: VectorValue> Task for OpenBest<'_, '_, T> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { race, first_groups, count, first, top, keys } = self;
        if top == f32::NEG_INFINITY {
            return;
        }
        // each turn opens the groups with scores from `from` up to `above`, which an earlier turn has opened
        let (mut above, mut depth) = (f32::INFINITY, 3.0 * POWER);
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
                    race.add_group(
                        s,
                        first + at as u32,
                        first_groups.words[at] as u32,
                        chunk[i],
                        keys,
                    );
                }
            }
            race.open_pending(s, keys);
            let done = race.cutoff >= from || from == f32::NEG_INFINITY;
            if race.invalid | race.needs_reference | done {
                return;
            }
            above = from;
            depth = if depth > 60.0 * POWER { f32::INFINITY } else { depth * 2.0 };
        }
    }
}

/// Adds the groups that reach the cutoff, and opens them when there are enough.
struct AddGroups<'b, 'a, T> {
    race: &'b mut Race<'a, T>,
    upper_scores: &'b [[f32; OCTET]; 8],
    words: &'b [i32; 64],
    first: u32,
    keys: &'b RoundKeys,
}

impl<T: VectorValue> Task for AddGroups<'_, '_, T> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { race, upper_scores, words, first, keys } = self;
        let mut mask = not_below(s, &upper_scores[..S::OCTETS], race.cutoff);
        while mask != 0 {
            let i = mask.trailing_zeros() as usize;
            mask &= mask - 1;
            let score = upper_scores.as_flattened()[i];
            race.add_group(s, first + i as u32, words[i] as u32, score, keys);
            if race.pending.count >= BATCH {
                race.open_pending(s, keys);
            }
        }
    }
}

/// Asks for values that will be read soon.
#[inline(always)]
fn prefetch<T>(values: &[T]) {
    #[cfg(target_arch = "x86_64")]
    for values in values.chunks(64 / size_of::<T>()) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch may be of any address
        unsafe { _mm_prefetch::<_MM_HINT_T0>(values.as_ptr().cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = values;
}
