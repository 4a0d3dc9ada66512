//! Sums of a row's weights, and a guide to them.
//!
//! **The guide** (Chen and Asau, "On generating random variates from an empirical distribution", 1974) has an
//! entry for each value of the leading bits of a uniform number. The number of entries is a power of two:
//! twice the number of categories, or the number of draws to come if that is less, rounded up. An entry says
//! where the search begins: at no more than two categories from the draw, on average over all uniform
//! numbers, whatever the weights.
//!
//! Entry g is the number of categories whose sum is too small for every uniform number that begins with g.
//! This number is counted in floats, and may be too small; the search goes forward from there.

use rayon::prelude::*;

use crate::cpu::threads::{Division, each, in_chunks};
use crate::error::Error;
use crate::job::lengthen;

/// Longer rows are cut if several threads are to build a table.
pub(super) const SEGMENT: usize = Division::WEIGHING.segment;

/// The most bits of a guide.
const MOST_BITS: u32 = 28;

/// The number of leading bits by which a guide is indexed, for a row from which so many draws are to come.
pub(in crate::cpu) fn guide_bits(categories: usize, draws: usize) -> u32 {
    let entries = categories.saturating_mul(2).min(draws);
    (usize::BITS - entries.saturating_sub(1).leading_zeros()).clamp(1, MOST_BITS)
}

/// Memory for `len` numbers of the tables of rows with so many categories.
pub(super) fn zeroed<T: Clone + Default>(len: usize, categories: usize) -> Result<Vec<T>, Error> {
    let mut memory = Vec::new();
    lengthen(&mut memory, len, T::default())
        .map_err(|bytes| Error::NoMemoryForSums { categories, bytes })?;
    Ok(memory)
}

/// A row that can be drawn from, or that has no draw.
#[derive(Clone, Copy, Debug)]
pub(in crate::cpu) struct Table<'a> {
    /// For each category, the sum of its weight and all before it.
    sums: &'a [u64],
    /// The first category to look at, by the leading bits of a uniform number.
    guide: &'a [u32],
}

impl<'a> Table<'a> {
    /// Builds a table in this memory. `sum_weights` is given the first category of a segment and the memory
    /// for its sums, which it writes as if nothing were before the segment.
    pub(in crate::cpu) fn build(
        sums: &'a mut [u64],
        guide: &'a mut [u32],
        parallel: bool,
        sum_weights: impl Fn(usize, &mut [u64]) + Sync,
    ) -> Self {
        let segment = if parallel && sums.len() > SEGMENT { SEGMENT } else { sums.len() };
        if segment == sums.len() {
            sum_weights(0, sums);
            let total = sums[segment - 1];
            Guide::new(guide.len(), total).fill(sums, 0, guide);
            return Self { sums, guide };
        }
        in_chunks(sums, segment, true, |i, sums| sum_weights(i * segment, sums));
        // the sum of the weights before each segment
        let mut total = 0;
        let mut before = Vec::with_capacity(sums.len().div_ceil(segment));
        for sums in sums.chunks(segment) {
            before.push(total);
            total += sums[sums.len() - 1];
        }
        let new = Guide::new(guide.len(), total);
        let mut rest = &mut *guide;
        let mut done = 0;
        let parts = before.iter().enumerate().map(|(i, &sum)| {
            let end = before.get(i + 1).map_or(new.entries, |&sum| new.too_small(sum));
            let part;
            (part, rest) = std::mem::take(&mut rest).split_at_mut(end - done);
            done = end;
            (sum, part)
        });
        let parts: Vec<_> = parts.collect();
        each(sums.par_chunks_mut(segment).zip(parts), &|i, (sums, (before, guide))| {
            sums.iter_mut().for_each(|sum| *sum += before);
            let first = if i == 0 { 0 } else { new.too_small(before) };
            new.fill_part(sums, i * segment, first, guide);
        });
        Self { sums, guide }
    }

    /// A table that was built before, from its parts.
    pub(super) fn new(sums: &'a [u64], guide: &'a [u32]) -> Self {
        Self { sums, guide }
    }

    /// The sum of all weights; 0 if the row has no draw.
    #[inline(always)]
    pub(super) fn total(&self) -> u64 {
        self.sums[self.sums.len() - 1]
    }

    /// The number of bits by which a uniform number is shifted right to be an index of the guide.
    #[inline(always)]
    pub(super) fn shift(&self) -> u32 {
        64 - self.guide.len().trailing_zeros()
    }

    /// The category at which the search begins, for uniform numbers whose leading bits are `entry`.
    #[inline(always)]
    pub(super) fn guess(&self, entry: usize) -> u32 {
        self.guide[entry]
    }

    /// Moves a guess forward by up to two categories, as far as is needed. There is no branch, as none could
    /// be predicted.
    #[inline(always)]
    pub(super) fn near(&self, guess: u32, point: u64) -> u32 {
        let one = guess + u32::from(self.sums[guess as usize] <= point);
        one + u32::from(self.sums[one as usize] <= point)
    }

    /// The first category, from this one on, whose sum exceeds the point.
    #[inline(always)]
    pub(super) fn find(&self, from: u32, point: u64) -> u32 {
        if self.sums[from as usize] <= point {
            return far(self.sums, from as usize, point);
        }
        from
    }
}

/// The position of the first sum after position `at` that exceeds the point.
#[inline(never)]
fn far(sums: &[u64], at: usize, point: u64) -> u32 {
    let (mut at, mut step) = (at + 1, 4);
    while at + step < sums.len() && sums[at + step - 1] <= point {
        at += step;
        step *= 2;
    }
    let end = sums.len().min(at + step);
    (at + sums[at..end].partition_point(|&sum| sum <= point)) as u32
}

/// The parameters of a guide that is being filled.
#[derive(Clone, Copy)]
struct Guide {
    entries: usize,
    /// The number of entries for a unit of a sum, and a little more than that.
    ratio: f64,
}

impl Guide {
    fn new(entries: usize, total: u64) -> Self {
        // outweighs the three roundings, of 2^-53 each
        let more = 1.0 + 2f64.powi(-50);
        Self { entries, ratio: entries as f64 / total.max(1) as f64 * more }
    }

    /// How many leading entries have some uniform number for which this sum is large enough. May
    /// overestimate, but never underestimates.
    #[inline(always)]
    fn too_small(self, sum: u64) -> usize {
        // sums are less than 2^63, or this is cut off
        let entries = (sum as f64 * self.ratio) as u32 as usize + 1;
        entries.min(self.entries)
    }

    fn fill(self, sums: &[u64], first: usize, guide: &mut [u32]) {
        self.fill_part(sums, first, 0, guide);
    }

    /// Fills the entries from `first_entry` on, for which the search begins among the categories from `first`
    /// on.
    fn fill_part(self, sums: &[u64], first: usize, first_entry: usize, guide: &mut [u32]) {
        guide.fill(0);
        for &sum in sums {
            // an entry past the end is in a later part, which begins with all categories of this one counted
            if let Some(count) = guide.get_mut(self.too_small(sum) - first_entry) {
                *count += 1;
            }
        }
        let mut category = first as u32;
        for entry in guide {
            category += *entry;
            *entry = category;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::cdf::point;
    use crate::noise::philox::philox4x32_10;

    /// Weights of all sizes, some of them 0; their sum is at most 2⁶⁴ − 1.
    fn weights(n: usize, kind: u32) -> Vec<u64> {
        let word = |i: usize| philox4x32_10([i as u32, kind, 0, 0], [3, 4]);
        (0..n)
            .map(|i| match kind {
                0 => 1,
                1 => u64::from(word(i)[0] >> (word(i)[1] % 32)),
                2 => u64::from(i == n / 2),
                3 => u64::from(i == 0) << 40 | u64::from(i % 5 == 4),
                4 => u64::from(i + 1 == n) << 62 | u64::from(i % 7 == 0),
                5 => u64::MAX / n as u64,
                _ => u64::from(i % 1000 == 999),
            })
            .collect()
    }

    /// A search finds the category that a walk from the first category finds, for uniform numbers at every
    /// edge.
    #[test]
    fn tables_of_any_size_find_what_a_walk_finds() {
        for n in [1, 2, 3, 7, 100, 1000, 3 * SEGMENT + 5] {
            for kind in 0..7 {
                let weights = weights(n, kind);
                for draws in [1, 10, 10 * n] {
                    for parallel in [false, true] {
                        let mut sums = vec![0; n];
                        let mut guide = vec![9; 1 << guide_bits(n, draws)];
                        let table = Table::build(&mut sums, &mut guide, parallel, |at, sums| {
                            let mut sum = 0;
                            for (to, weight) in sums.iter_mut().zip(&weights[at..]) {
                                sum += weight;
                                *to = sum;
                            }
                        });
                        check(&weights, table, &format!("{n}, {kind}, {draws}, {parallel}"));
                    }
                }
            }
        }
    }

    fn check(weights: &[u64], table: Table<'_>, what: &str) {
        let sums: Vec<u64> = weights
            .iter()
            .scan(0, |sum, weight| {
                *sum += weight;
                Some(*sum)
            })
            .collect();
        assert_eq!(table.total(), sums[sums.len() - 1], "{what}");
        if table.total() == 0 {
            return;
        }
        let edges = sums.iter().step_by(1 + sums.len() / 500).map(|&sum| {
            ((u128::from(sum) << 64) / u128::from(table.total())).min(u128::from(u64::MAX)) as u64
        });
        let entries = (0..64).map(|i| 1u64 << i);
        for uniform in edges.chain(entries).chain([0]) {
            for uniform in [uniform.wrapping_sub(1), uniform, uniform.wrapping_add(1)] {
                let point = point(uniform, table.total());
                let expected = sums.partition_point(|&sum| sum <= point) as u32;
                let guess = table.guess((uniform >> table.shift()) as usize);
                let got = table.find(table.near(guess, point), point);
                assert_eq!(got, expected, "{what}: {uniform:#x}");
            }
        }
    }

    /// The check sees an entry that is one category too far.
    #[test]
    fn a_guide_that_is_ahead_is_seen() {
        let mut sums = vec![0; 100];
        let mut guide = vec![0; 256];
        let build = |_: usize, sums: &mut [u64]| (1..).zip(sums).for_each(|(i, sum)| *sum = i);
        Table::build(&mut sums, &mut guide, false, build);
        guide[128] += 2;
        let table = Table::new(&sums, &guide);
        assert_ne!(table.find(table.guess(128), point(1 << 63, 100)), 50);
    }
}
