//! The keys of winners, exactly, many side by side.
//!
//! Who wins is mostly known from bounds, and by which key is not asked: a draw does without it. Where it
//! is told, each winner takes two Philox blocks and three polynomials of 64 bits, which in vectors are
//! some nanoseconds.

use super::bound::{RoundKeys, blocks};
use super::lanes::{gumbel_of, outer, tail};
use super::simd::{Aligned, Simd, Task};
use super::source::Source;
use crate::job::{Job, NO_DRAW};
use crate::noise::bits::OCTET;
use crate::noise::order::{Best, Scale};
use crate::options::Rows;

/// How many winners are evaluated at a time, a multiple of 16.
const LANES: usize = 128;

/// The keys of the winners of the races `first ..` of a job.
pub(super) struct Keys<'a, T> {
    pub(super) job: &'a Job<'a>,
    /// The job's.
    pub(super) rows: Rows<'a, T>,
    pub(super) scale: Scale,
    pub(super) keys: RoundKeys,
    pub(super) first: usize,
    pub(super) categories: &'a [u32],
    pub(super) won: &'a mut [i64],
}

impl<T: Source> Task for Keys<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { job, rows, scale, keys, first, categories, won } = self;
        let mut lanes = Lanes::new();
        let mut races = job.races(first);
        for (categories, won) in categories.chunks(LANES).zip(won.chunks_mut(LANES)) {
            let mut values = [T::NEVER; LANES];
            for (i, (&category, (row, number))) in categories.iter().zip(&mut races).enumerate() {
                // any category will do where there is none
                let category = if category == NO_DRAW { 0 } else { category };
                let stream = job.stream(row, number);
                lanes.category[i] = category;
                lanes.octet[i] = category / OCTET as u32;
                lanes.row[0][i] = stream.row[0];
                lanes.row[1][i] = stream.row[1];
                lanes.coarse[i] = stream.draw << 1;
                lanes.fine[i] = stream.draw << 1 | 1;
                values[i] = rows.row(row)[category as usize];
            }
            // whole vectors, of what is there
            let count = categories.len().next_multiple_of(16);
            let first = values[0];
            values[categories.len()..count].fill(first);
            let gumbels = lanes.gumbels(s, count, &keys);
            let mut fixed = [0; LANES];
            T::fixed_all(&values[..count], scale, &mut fixed[..count]);
            for (i, (&category, won)) in categories.iter().zip(won).enumerate() {
                let key = fixed[i].wrapping_add(gumbels[i]);
                *won = if category == NO_DRAW { Best::NONE.key } else { key };
            }
        }
    }
}

/// Categories, each with a stream.
#[repr(align(64))]
struct Lanes {
    category: [u32; LANES],
    octet: [u32; LANES],
    row: [[u32; LANES]; 2],
    coarse: [u32; LANES],
    fine: [u32; LANES],
}

impl Lanes {
    fn new() -> Self {
        let none = [0; LANES];
        Self { category: none, octet: none, row: [none; 2], coarse: none, fine: none }
    }

    /// The Gumbel values of the first so many.
    #[inline(always)]
    fn gumbels<S: Simd>(&self, s: S, count: usize, keys: &RoundKeys) -> [i64; LANES] {
        let Aligned(words) = &mut Aligned([[0; LANES]; 6]);
        for at in (0..count).step_by(S::OCTETS) {
            let row = [s.words(&self.row[0][at..]), s.words(&self.row[1][at..])];
            let counter = |first, last| [s.words(first), row[0], row[1], s.words(last)];
            let counters = [
                counter(&self.octet[at..], &self.coarse[at..]),
                counter(&self.category[at..], &self.fine[at..]),
            ];
            let [coarse, fine] = blocks(s, counters, keys);
            let [a, b, c, d] = coarse;
            let [low, middle, ..] = fine;
            for (words, to) in [a, b, c, d, low, middle].into_iter().zip(&mut *words) {
                s.store_words(words, &mut to[at..]);
            }
        }
        let [a, b, c, d, low, middle] = words;
        let mut noise = [0; LANES];
        for (i, noise) in noise[..count].iter_mut().enumerate() {
            let category = self.category[i];
            let pair = if category & 2 == 0 { [a[i], c[i]] } else { [b[i], d[i]] };
            let word = if category & 4 == 0 { pair[0] } else { pair[1] };
            let coarse = if category & 1 == 0 { word & 0xffff } else { word >> 16 };
            *noise = u64::from(coarse << 16 | middle[i] & 0xffff) << 32 | u64::from(low[i]);
        }
        // one thing at a time: so few values are on the way that registers hold them
        let [mut outers, mut tails] = [[0; LANES]; 2];
        for (outer_of, &v) in outers.iter_mut().zip(&noise[..count]) {
            *outer_of = outer(v);
        }
        for (tail_of, &v) in tails.iter_mut().zip(&noise[..count]) {
            *tail_of = tail(v);
        }
        let mut gumbels = [0; LANES];
        for (i, gumbel) in gumbels[..count].iter_mut().enumerate() {
            *gumbel = gumbel_of(noise[i], outers[i], tails[i]);
        }
        gumbels
    }
}
