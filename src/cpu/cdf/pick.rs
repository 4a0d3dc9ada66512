//! Draws from a table: uniform numbers, many Philox blocks side by side, and a search for each.

use super::super::bound::{RoundKeys, blocks};
use super::super::simd::{Aligned, Simd, Task};
use super::table::Table;
use crate::job::NO_DRAW;
use crate::noise::cdf::point;
use crate::options::RowIds;

/// The most blocks that are evaluated at once. Each is for two draws.
const BLOCKS: usize = 16;

/// The number of draws that are looked up at once.
const DRAWS: usize = 128;

/// The last counter words of consecutive blocks, less the number of the first draw of the first block.
const ODD: [u32; BLOCKS] = {
    let mut odd = [1; BLOCKS];
    let mut i = 1;
    while i < BLOCKS {
        odd[i] = odd[i - 1] + 2;
        i += 1;
    }
    odd
};

/// The races of a table: rows, and the draws from each.
#[derive(Clone, Copy, Debug)]
pub(in crate::cpu) struct Races<'a> {
    pub(in crate::cpu) ids: RowIds<'a>,
    pub(in crate::cpu) first_row: usize,
    pub(in crate::cpu) first_draw: u32,
    pub(in crate::cpu) draws: u32,
}

/// Writes the uniform numbers of the races from number `first` on.
pub(in crate::cpu) struct Uniforms<'a> {
    pub(in crate::cpu) keys: RoundKeys,
    pub(in crate::cpu) races: Races<'a>,
    pub(in crate::cpu) first: usize,
    pub(in crate::cpu) uniforms: &'a mut [u64],
}

impl Task for Uniforms<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { keys, races, first, mut uniforms } = self;
        let mut lanes = Lanes::new(races, first);
        while !uniforms.is_empty() {
            let count = lanes.fill(s, &keys, uniforms.len(), uniforms);
            uniforms = &mut uniforms[count..];
        }
    }
}

/// Draws for the races from number `first` on.
pub(super) struct Pick<'a> {
    pub(super) table: Table<'a>,
    pub(super) keys: RoundKeys,
    pub(super) races: Races<'a>,
    pub(super) first: usize,
    pub(super) draws: &'a mut [u32],
}

impl Task for Pick<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { table, keys, races, first, mut draws } = self;
        let total = table.total();
        if total == 0 {
            return draws.fill(NO_DRAW);
        }
        let shift = table.shift();
        let mut lanes = Lanes::new(races, first);
        let Aligned(uniforms) = &mut Aligned([0; DRAWS]);
        while !draws.is_empty() {
            let count = lanes.fill_all(s, &keys, draws.len(), uniforms);
            let (now, later) = std::mem::take(&mut draws).split_at_mut(count);
            // one step for all draws before the next, so that their reads of memory overlap
            for (draw, &uniform) in now.iter_mut().zip(&*uniforms) {
                *draw = table.guess((uniform >> shift) as usize);
            }
            for uniform in &mut uniforms[..count] {
                *uniform = point(*uniform, total);
            }
            for (draw, &point) in now.iter_mut().zip(&*uniforms) {
                *draw = table.near(*draw, point);
            }
            for (draw, &point) in now.iter_mut().zip(&*uniforms) {
                *draw = table.find(*draw, point);
            }
            draws = later;
        }
    }
}

/// Draws for the races from number `first` on, each from the table of its row.
pub(super) struct PickGathered<'a, T> {
    /// The table of a row.
    pub(super) table_of: T,
    pub(super) keys: RoundKeys,
    pub(super) races: Races<'a>,
    pub(super) first: usize,
    pub(super) draws: &'a mut [u32],
}

impl<'a, T: Fn(usize) -> Table<'a>> Task for PickGathered<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { table_of, keys, races, first, mut draws } = self;
        let mut lanes = Lanes::new(races, first);
        let Aligned(uniforms) = &mut Aligned([0; DRAWS]);
        let mut rows = [0; DRAWS];
        while !draws.is_empty() {
            let (mut row, mut number) = (lanes.row, lanes.number);
            for to in &mut rows {
                *to = row;
                number += 1;
                if number == races.draws {
                    (row, number) = (row + 1, 0);
                }
            }
            let count = lanes.fill_all(s, &keys, draws.len(), uniforms);
            let (now, later) = std::mem::take(&mut draws).split_at_mut(count);
            // one step for all draws before the next, so that their reads of memory overlap
            for ((draw, uniform), &row) in now.iter_mut().zip(&mut *uniforms).zip(&rows) {
                let table = table_of(row);
                *draw = table.guess((*uniform >> table.shift()) as usize);
                *uniform = point(*uniform, table.total());
            }
            for ((draw, &point), &row) in now.iter_mut().zip(&*uniforms).zip(&rows) {
                let table = table_of(row);
                *draw = if table.total() == 0 {
                    NO_DRAW
                } else {
                    table.find(table.near(*draw, point), point)
                };
            }
            draws = later;
        }
    }
}

/// A position in the races.
struct Lanes<'a> {
    races: Races<'a>,
    row: usize,
    /// The number of the next draw, counted from the row's first.
    number: u32,
}

impl<'a> Lanes<'a> {
    #[inline(always)]
    fn new(races: Races<'a>, first: usize) -> Self {
        let each = races.draws as usize;
        let row = races.first_row + first / each;
        Self { races, row, number: (first % each) as u32 }
    }

    /// Writes the uniform numbers of the next races, at most `left` of them. Returns how many numbers it has written.
    #[inline(always)]
    fn fill_all<S: Simd>(
        &mut self,
        s: S,
        keys: &RoundKeys,
        left: usize,
        uniforms: &mut [u64; DRAWS],
    ) -> usize {
        let mut count = 0;
        while count < left && count + 2 * 2 * S::OCTETS <= DRAWS {
            count += self.fill(s, keys, left - count, &mut uniforms[count..]);
        }
        count
    }

    /// Writes the uniform numbers of the next races, at most as many as two tiles of blocks have and at most
    /// `left`. Returns how many numbers it has written.
    #[inline(always)]
    fn fill<S: Simd>(
        &mut self,
        s: S,
        keys: &RoundKeys,
        left: usize,
        uniforms: &mut [u64],
    ) -> usize {
        let Races { first_draw, draws, .. } = self.races;
        let blocks_at_once = 2 * S::OCTETS;
        let draw = first_draw + self.number;
        let rest = (draws - self.number) as usize;
        if draw.is_multiple_of(2) && left.min(rest) >= 2 * blocks_at_once {
            let id = self.races.ids.id(self.row);
            let tile = |i: usize| {
                let draws = s.add_words(s.words(&ODD[i * S::OCTETS..]), s.all_words(draw));
                let [low, high] = [id, id >> 32].map(|word| s.all_words(word as u32));
                [s.all_words(u32::MAX), low, high, draws]
            };
            let blocks = blocks(s, [tile(0), tile(1)], keys);
            let mut pairs = [[0; BLOCKS]; 2];
            for (i, [w0, w1, w2, w3]) in blocks.into_iter().enumerate() {
                s.store_pairs(w0, w1, &mut pairs[0][i * S::OCTETS..]);
                s.store_pairs(w2, w3, &mut pairs[1][i * S::OCTETS..]);
            }
            for i in 0..blocks_at_once {
                uniforms[2 * i] = pairs[0][i];
                uniforms[2 * i + 1] = pairs[1][i];
            }
            self.number += 2 * blocks_at_once as u32;
            if self.number == draws {
                (self.row, self.number) = (self.row + 1, 0);
            }
            return 2 * blocks_at_once;
        }
        if draws == 1 && left >= blocks_at_once {
            let [mut low, mut high] = [[0; BLOCKS]; 2];
            for (i, (low, high)) in low.iter_mut().zip(&mut high).take(blocks_at_once).enumerate() {
                let id = self.races.ids.id(self.row + i);
                (*low, *high) = (id as u32, (id >> 32) as u32);
            }
            let tile = |i: usize| {
                let [low, high] = [&low, &high].map(|words| s.words(&words[i * S::OCTETS..]));
                [s.all_words(u32::MAX), low, high, s.all_words(draw | 1)]
            };
            for (i, [w0, w1, w2, w3]) in blocks(s, [tile(0), tile(1)], keys).into_iter().enumerate()
            {
                let [low, high] = if draw.is_multiple_of(2) { [w0, w1] } else { [w2, w3] };
                s.store_pairs(low, high, &mut uniforms[i * S::OCTETS..]);
            }
            self.row += blocks_at_once;
            return blocks_at_once;
        }
        // row id and draw of each block
        let mut words = [[0; BLOCKS]; 3];
        // which of each block's two numbers are asked for
        let mut wanted = [(0, 0); BLOCKS];
        let (mut used, mut count) = (0, 0);
        while used < 2 * S::OCTETS && count < left {
            let id = self.races.ids.id(self.row);
            let draw = first_draw + self.number;
            words[0][used] = id as u32;
            words[1][used] = (id >> 32) as u32;
            words[2][used] = draw | 1;
            let begin = draw % 2;
            let end = 2.min(begin + draws - self.number).min(begin + (left - count).min(2) as u32);
            wanted[used] = (begin, end);
            count += (end - begin) as usize;
            self.number += end - begin;
            if self.number == draws {
                (self.row, self.number) = (self.row + 1, 0);
            }
            used += 1;
        }
        let tile = |i: usize| {
            let word = |k: usize| s.words(&words[k][i * S::OCTETS..]);
            [s.all_words(u32::MAX), word(0), word(1), word(2)]
        };
        let mut pairs = [[0; BLOCKS]; 2];
        for (i, [w0, w1, w2, w3]) in blocks(s, [tile(0), tile(1)], keys).into_iter().enumerate() {
            s.store_pairs(w0, w1, &mut pairs[0][i * S::OCTETS..]);
            s.store_pairs(w2, w3, &mut pairs[1][i * S::OCTETS..]);
        }
        let mut at = 0;
        for (block, (begin, end)) in wanted[..used].iter().enumerate() {
            for k in *begin..*end {
                uniforms[at] = pairs[k as usize][block];
                at += 1;
            }
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::simd::Isa;
    use crate::noise::bits::{Stream, uniform_bits, uniform_block};

    /// With every instruction set, and from any race on, the numbers are the contract's.
    #[test]
    fn uniform_numbers_are_the_contracts() {
        let ids: Vec<u64> = (0..40).map(|i| (i * i) << 31).collect();
        for isa in Isa::available() {
            for ids in [RowIds::Consecutive(u64::MAX - 3), RowIds::Each(&ids)] {
                for (first_draw, draws) in [(0, 1), (1, 1), (5, 3), (4, 7), ((1 << 31) - 9, 9)] {
                    let races = Races { ids, first_row: 2, first_draw, draws };
                    let all = 30 * draws as usize;
                    for first in [0, 1, 5] {
                        let mut uniforms = vec![0; all - first];
                        let (keys, uniforms_of_races) = (RoundKeys::new(1 << 40), &mut uniforms);
                        isa.run(Uniforms { races, first, keys, uniforms: uniforms_of_races });
                        for (race, got) in (first..).zip(uniforms) {
                            let (row, draw) = (race / draws as usize, race % draws as usize);
                            let draw = first_draw + draw as u32;
                            let stream = Stream::new(1 << 40, ids.id(2 + row), draw);
                            let expected = uniform_bits(uniform_block(stream), draw);
                            assert_eq!(got, expected, "{isa}: {races:?}, {race}");
                        }
                    }
                }
            }
        }
    }
}
