//! The keys of winners, exactly, many side by side, and those of listed categories.
//!
//! Bounds mostly show which category wins, and a draw does without the winner's exact key. Where a call asks
//! for keys, each winner takes a Philox block or two and two polynomials of 64 bits, which in vectors are
//! some nanoseconds.

use super::bound::{RoundKeys, blocks};
use super::exact::Outcome;
use super::exact_keys::{exact_keys, flat_noise};
use super::simd::{Aligned, MAX_TILE, Simd, Task};
use super::top_down::{first_alarm, later_alarm};
use super::values::RowValues;
use super::vector_value::VectorValue;
use crate::job::{Job, NO_DRAW};
use crate::noise::bits::{FLAT, OCTET, Stream};
use crate::noise::groups::{
    FURTHER_BLOCKS, GROUP_BLOCKS, first_member, group_of, leading_bits, member_counter, member_of,
};
use crate::noise::order::{Best, Scale};
use crate::options::{Chance, Rows};

/// How many winners are evaluated at a time.
const LANES: usize = 128;
/// This number of categories is a whole number of vectors with every instruction set.
const WHOLE: usize = 16;
const _: () = assert!(LANES.is_multiple_of(WHOLE));

/// The keys of the winners of the races `first ..` of a job.
pub(super) struct Keys<'a, T> {
    pub(super) job: &'a Job<'a>,
    /// The rows of `job`.
    pub(super) rows: Rows<'a, T>,
    pub(super) scale: Scale,
    pub(super) keys: RoundKeys,
    pub(super) first: usize,
    pub(super) categories: &'a [u32],
    /// Whether `won` holds the coarse bits of the winners at first.
    pub(super) coarse_known: bool,
    pub(super) won: &'a mut [i64],
}

impl<T: VectorValue> Task for Keys<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { job, rows, scale, keys, first, categories, coarse_known, won } = self;
        let mut lanes = Lanes::new();
        let mut races = job.races(first);
        for (categories, won) in categories.chunks(LANES).zip(won.chunks_mut(LANES)) {
            let mut values = [T::NEVER; LANES];
            for (i, (&category, (row, number))) in categories.iter().zip(&mut races).enumerate() {
                // a race without a draw takes any category: its key is overwritten below
                let category = if category == NO_DRAW { 0 } else { category };
                let stream = job.stream(row, number);
                lanes.category[i] = category;
                lanes.row[0][i] = stream.row[0];
                lanes.row[1][i] = stream.row[1];
                lanes.draw[i] = stream.draw << 1 | 1;
                values[i] = rows.row(row).value(category as usize);
            }
            let count = categories.len().next_multiple_of(WHOLE);
            let noise = if coarse_known {
                for (coarse, &bits) in lanes.coarse.iter_mut().zip(&*won) {
                    *coarse = bits as i32;
                }
                lanes.noise_of_coarse(s, count, &keys)
            } else {
                lanes.noise(s, rows.categories(), count, &keys)
            };
            let mut found = [0; LANES];
            exact_keys(&values[..count], scale, &noise, &mut found);
            for ((&category, won), key) in categories.iter().zip(won).zip(found) {
                *won = if category == NO_DRAW { Best::NONE.key } else { key };
            }
        }
    }
}

/// The winner among listed categories of a row, given with their values. The outcome is invalid if one of these is.
pub(super) struct BestOfList<'a, T> {
    pub(super) stream: Stream,
    pub(super) scale: Scale,
    pub(super) keys: RoundKeys,
    /// The number of categories of the row.
    pub(super) categories: usize,
    pub(super) entries: &'a [(T, u32)],
}

impl<T: VectorValue> Task for BestOfList<'_, T> {
    type Output = Outcome;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> Outcome {
        let Self { stream, scale, keys, categories, entries } = self;
        let mut lanes = Lanes::new();
        for (row, word) in lanes.row.iter_mut().zip(stream.row) {
            row.fill(word);
        }
        lanes.draw.fill(stream.draw << 1 | 1);
        let mut outcome = Outcome::NONE;
        for entries in entries.chunks(LANES) {
            // the padding has a listed value too: keys of finite values, all near 0, take a shorter way
            let mut values = [entries[0].0; LANES];
            let each = values.iter_mut().zip(&mut lanes.category);
            for ((value, category), &(listed, of_listed)) in each.zip(entries) {
                (*value, *category) = (listed, of_listed);
                outcome.invalid |= listed.chance() == Chance::Invalid;
            }
            let count = entries.len().next_multiple_of(WHOLE);
            let noise = lanes.noise(s, categories, count, &keys);
            let mut found = [0; LANES];
            exact_keys(&values[..count], scale, &noise, &mut found);
            for (&(value, category), key) in entries.iter().zip(found) {
                if value.chance() == Chance::Some {
                    outcome.best = outcome.best.or(Best { key, category });
                }
            }
        }
        outcome
    }
}

/// Categories, each with a stream.
#[repr(align(64))]
struct Lanes {
    category: [u32; LANES],
    row: [[u32; LANES]; 2],
    /// The last word of the counter of fine bits.
    draw: [u32; LANES],
    coarse: [i32; LANES],
}

impl Lanes {
    fn new() -> Self {
        let none = [0; LANES];
        Self { category: none, row: [none; 2], draw: none, coarse: [0; LANES] }
    }

    /// The two words of the counters that hold the row.
    #[inline(always)]
    fn row<S: Simd>(&self, s: S, at: usize) -> [S::Words; 2] {
        [s.words(&self.row[0][at..]), s.words(&self.row[1][at..])]
    }

    /// The counters of the blocks of fine bits.
    #[inline(always)]
    fn fine_counter<S: Simd>(&self, s: S, at: usize) -> [S::Words; 4] {
        let row = self.row(s, at);
        [s.words(&self.category[at..]), row[0], row[1], s.words(&self.draw[at..])]
    }

    /// The noise of the first `count` categories, which are of rows of so many categories.
    #[inline(always)]
    fn noise<S: Simd>(
        &mut self,
        s: S,
        categories: usize,
        count: usize,
        keys: &RoundKeys,
    ) -> [u64; LANES] {
        if categories > FLAT {
            return self.noise_in_groups(s, count, keys);
        }
        self.find_coarse(s, count, keys);
        self.noise_of_coarse(s, count, keys)
    }

    /// The flat noise of the first `count` categories, whose coarse bits are known.
    #[inline(always)]
    fn noise_of_coarse<S: Simd>(&self, s: S, count: usize, keys: &RoundKeys) -> [u64; LANES] {
        flat_noise(s, count, &self.coarse, |at| self.fine_counter(s, at), keys)
    }

    /// The noise of the first `count` categories, if they are of long rows.
    #[inline(always)]
    fn noise_in_groups<S: Simd>(&self, s: S, count: usize, keys: &RoundKeys) -> [u64; LANES] {
        let Aligned([group, further, own, even]) = &mut Aligned([[0; LANES]; 4]);
        for i in 0..count {
            let quad = group_of(self.category[i]) / 4;
            group[i] = GROUP_BLOCKS + quad;
            further[i] = FURTHER_BLOCKS + quad;
            own[i] = member_counter(self.category[i]);
            even[i] = self.draw[i] & !1;
        }
        // own noise at first, and the bits of the first alarms
        let (mut noise, mut bits, mut first) = ([0; LANES], [0; LANES], [false; LANES]);
        for at in (0..count).step_by(S::OCTETS) {
            let [row, next_row] = self.row(s, at);
            let with = |block: &[u32], draw: &[u32]| {
                [s.words(&block[at..]), row, next_row, s.words(&draw[at..])]
            };
            let counters = [with(group, even), with(further, even), with(own, &self.draw)];
            let Aligned(words) = &mut Aligned([[[0; MAX_TILE]; 4]; 3]);
            for (block, to) in blocks(s, counters, keys).into_iter().zip(&mut *words) {
                for (word, to) in block.into_iter().zip(to) {
                    s.store_words(word, to);
                }
            }
            let [group, further, own] = words;
            for i in 0..S::OCTETS {
                let category = self.category[at + i];
                let in_block = group_of(category) as usize % 4;
                let half = 2 * (member_of(category) as usize % 2);
                let word = group[in_block][i];
                first[at + i] = first_member(word) == member_of(category);
                bits[at + i] =
                    u64::from(leading_bits(word)) << 32 | u64::from(further[in_block][i]);
                noise[at + i] = u64::from(own[half + 1][i]) << 32 | u64::from(own[half][i]);
            }
        }
        // a loop of its own, which the compiler turns into vector instructions
        for ((noise, &bits), &first) in noise[..count].iter_mut().zip(&bits).zip(&first) {
            let p = first_alarm(bits);
            let later = later_alarm(p, *noise);
            *noise = if first { p } else { later };
        }
        noise
    }

    /// Makes the coarse bits of the first `count` categories.
    #[inline(always)]
    fn find_coarse<S: Simd>(&mut self, s: S, count: usize, keys: &RoundKeys) {
        let Aligned([octets, draws]) = &mut Aligned([[0; LANES]; 2]);
        for (i, (octet, draw)) in octets.iter_mut().zip(&mut *draws).enumerate() {
            *octet = self.category[i] / OCTET as u32;
            *draw = self.draw[i] & !1;
        }
        let Aligned(words) = &mut Aligned([[0; LANES]; 4]);
        for at in (0..count).step_by(2 * S::OCTETS) {
            let counter = |at| {
                let row = self.row(s, at);
                [s.words(&octets[at..]), row[0], row[1], s.words(&draws[at..])]
            };
            let blocks = blocks(s, [counter(at), counter(at + S::OCTETS)], keys);
            for (block, at) in blocks.into_iter().zip([at, at + S::OCTETS]) {
                for (four, to) in block.into_iter().zip(&mut *words) {
                    s.store_words(four, &mut to[at..]);
                }
            }
        }
        let [a, b, c, d] = words;
        for (i, coarse) in self.coarse[..count].iter_mut().enumerate() {
            let category = self.category[i];
            let pair = if category & 2 == 0 { [a[i], c[i]] } else { [b[i], d[i]] };
            let word = if category & 4 == 0 { pair[0] } else { pair[1] };
            *coarse = (if category & 1 == 0 { word & 0xffff } else { word >> 16 }) as i32;
        }
    }
}
