//! The noise of every category of a long row, for exact keys: a span or two at a time.

use super::alarms::{first_alarm, later_alarm};
use crate::cpu::bound::{RoundKeys, blocks, sequence};
use crate::cpu::simd::{Aligned, MAX_TILE, Simd};
use crate::noise::bits::Stream;
use crate::noise::groups::{
    FURTHER_BLOCKS, GROUP_BLOCKS, MEMBERS, SPAN, first_member, leading_bits, member_counter,
};

/// The most groups whose first alarms are computed at a time.
const MOST: usize = 4 * MAX_TILE;

/// The first alarms of the groups of a span, or of two.
#[repr(align(64))]
pub(in crate::cpu) struct FirstAlarms {
    words: [i32; MOST],
    p: [u64; MOST],
}

impl FirstAlarms {
    /// The number of spans whose alarms are computed at a time.
    pub(in crate::cpu) const fn spans<S: Simd>() -> usize {
        4 * S::OCTETS / MEMBERS
    }

    /// The first alarms of the groups of as many spans, the first of which begins with category `first`.
    #[inline(always)]
    pub(in crate::cpu) fn new<S: Simd>(s: S, stream: Stream, first: u32, keys: &RoundKeys) -> Self {
        let Stream { row, draw, .. } = stream;
        let rest = [s.all_words(row[0]), s.all_words(row[1]), s.all_words(draw << 1)];
        let quad = first / (4 * MEMBERS as u32);
        let with = |block| [sequence(s, block), rest[0], rest[1], rest[2]];
        let counters = [with(GROUP_BLOCKS + quad), with(FURTHER_BLOCKS + quad)];
        let mut alarms = Self { words: [0; MOST], p: [0; MOST] };
        let Aligned(further) = &mut Aligned([0i32; MOST]);
        let [words, further_words] = blocks(s, counters, keys);
        for (from, to) in [(words, &mut alarms.words), (further_words, &mut *further)] {
            let [a, b] = s.block_words(from);
            s.store_ints(a, to);
            s.store_ints(b, &mut to[2 * S::OCTETS..]);
        }
        let groups = 4 * S::OCTETS;
        let each = alarms.words[..groups].iter().zip(&further[..groups]);
        for (p, (&word, &further)) in alarms.p.iter_mut().zip(each) {
            *p =
                first_alarm(u64::from(leading_bits(word as u32)) << 32 | u64::from(further as u32));
        }
        alarms
    }
}

/// The noise of the first `count` categories of a span, which begins with category `first`; its groups are those at
/// position `span` in `alarms`.
#[inline(always)]
pub(in crate::cpu) fn noise_of_span<S: Simd>(
    s: S,
    stream: Stream,
    (alarms, span): (&FirstAlarms, usize),
    (first, count): (u32, usize),
    keys: &RoundKeys,
) -> [u64; SPAN] {
    let Stream { row, draw, .. } = stream;
    let rest = [s.all_words(row[0]), s.all_words(row[1]), s.all_words(draw << 1 | 1)];
    let with = |block| [sequence(s, block), rest[0], rest[1], rest[2]];
    let Aligned(own) = &mut Aligned([0u64; SPAN]);
    for j in (0..count.div_ceil(MEMBERS)).step_by(2) {
        // a block has the noise of two members of a group
        let counter = member_counter(first + (MEMBERS * j) as u32);
        for l in (0..MEMBERS).step_by(2 * S::OCTETS) {
            let at = counter + l as u32;
            let counters = [with(at), with(at + S::OCTETS as u32)];
            let each = blocks(s, counters, keys).into_iter().zip([l, l + S::OCTETS]);
            for ([a, b, c, d], l) in each {
                s.store_pairs(a, b, &mut own[MEMBERS * j + l..]);
                s.store_pairs(c, d, &mut own[MEMBERS * (j + 1) + l..]);
            }
        }
    }
    let mut noise = [0; SPAN];
    let p = &alarms.p[MEMBERS * span..][..MEMBERS];
    let words = &alarms.words[MEMBERS * span..][..MEMBERS];
    let each = noise.chunks_exact_mut(MEMBERS).zip(own.chunks_exact(MEMBERS));
    for (j, (noise, own)) in (0..).zip(each) {
        for l in 0..MEMBERS {
            let later = later_alarm(p[l], own[l]);
            noise[l] = if first_member(words[l] as u32) == j { p[l] } else { later };
        }
    }
    noise
}
