//! The top k of races: the k categories with the largest keys, in order.
//!
//! In a row with flat noise a category that passes the filter is evaluated exactly at once. As soon as k are found, the
//! k-th best sets the cutoff, so of n categories in random order about k·(1 + ln(n/k)) are evaluated. Longer rows rank
//! their candidates by scores first ([`TopKRace`]). In rows of a few categories most would be evaluated, so all are, many
//! rows side by side ([`short_rows`]).

mod short;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use short::{has_short_rows, short_rows};

use super::bound::{Block, RoundKeys, coarse, not_below, sequence, threshold_at, upper_scores};
use super::exact::evaluate;
use super::simd::{MAX_TILE, Simd, Task};
use super::top_down::TopKRace;
use super::values::RowValues;
use super::vector_value::VectorValue;
use crate::filter::{cutoff_at, from_key};
use crate::job::Job;
use crate::noise::bits::{FLAT, OCTET, Stream};
use crate::noise::order::{Best, Scale};
use crate::options::{Chance, Rows};

/// The races `first ..` of a job, as many as the results have memory for.
pub(super) struct TopKRaces<'a, T> {
    pub(super) job: &'a Job<'a>,
    /// The rows of `job`.
    pub(super) rows: Rows<'a, T>,
    pub(super) scale: Scale,
    pub(super) keys: RoundKeys,
    pub(super) filter: bool,
    pub(super) k: usize,
    pub(super) first: usize,
    /// k categories for each race, all of them the sentinel at first.
    pub(super) categories: &'a mut [u32],
    pub(super) won: &'a mut [i64],
}

impl<T: VectorValue> Task for TopKRaces<'_, T> {
    /// `None` if there is no memory in which to look for the top k.
    type Output = Option<()>;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> Option<()> {
        let Self { job, rows, scale, keys, filter, k, first, categories, won } = self;
        if categories.is_empty() {
            return Some(());
        }
        let outputs = categories.chunks_exact_mut(k).zip(won.chunks_exact_mut(k));
        if rows.categories() > FLAT {
            let mut race = TopKRace::new(k, scale, filter, rows.row(first / job.draws as usize))?;
            for ((categories, won), (row, number)) in outputs.zip(job.races(first)) {
                let top_k = race.run(s, job.stream(row, number), rows.row(row), &keys);
                write(top_k.iter().copied(), categories, won);
            }
            return Some(());
        }
        if has_short_rows(rows.categories(), k) {
            short_rows(s, (job, rows, first), scale, &keys, outputs);
            return Some(());
        }
        let mut heap = TopKHeap::<T>::new(k.min(rows.categories()), scale, filter)?;
        for ((categories, won), (row, number)) in outputs.zip(job.races(first)) {
            heap.race(s, job.stream(row, number), rows.row(row), &keys);
            heap.write(categories, won);
        }
        Some(())
    }
}

/// A single race.
#[cfg(feature = "gpu")]
pub(super) struct OneRace<'a, V> {
    pub(super) values: V,
    pub(super) scale: Scale,
    pub(super) keys: RoundKeys,
    pub(super) stream: Stream,
    /// k categories, all of them the sentinel at first.
    pub(super) categories: &'a mut [u32],
    pub(super) won: &'a mut [i64],
}

#[cfg(feature = "gpu")]
impl<V: RowValues> Task for OneRace<'_, V> {
    /// `None` if there is no memory in which to look for the top k.
    type Output = Option<()>;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> Option<()> {
        let Self { values, scale, keys, stream, categories, won } = self;
        if values.len() > FLAT {
            let mut race = TopKRace::new(categories.len(), scale, true, values)?;
            let top_k = race.run(s, stream, values, &keys);
            write(top_k.iter().copied(), categories, won);
            return Some(());
        }
        let k = categories.len().min(values.len());
        let mut heap = TopKHeap::<V::Value>::new(k, scale, true)?;
        heap.race(s, stream, values, &keys);
        heap.write(categories, won);
        Some(())
    }
}

/// The best k categories of a race under way.
struct TopKHeap<T> {
    k: usize,
    scale: Scale,
    filter: bool,
    /// The best categories so far, at most k; the last of them is on top.
    taken: BinaryHeap<Reverse<Ranked>>,
    /// Memory to sort them in.
    in_order: Vec<Reverse<Ranked>>,
    /// The upper score below which no category can be among the best k.
    cutoff: f32,
    invalid: bool,
    /// False if the filter may have rejected an invalid value; the row is then searched at the end.
    all_valid: bool,
    of: std::marker::PhantomData<T>,
}

/// A category with its key. The greater one wins: the one with the larger key, or with equal keys the lower
/// category.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Ranked(Best);

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let rank = |best: Best| (best.key, Reverse(best.category));
        rank(self.0).cmp(&rank(other.0))
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T: VectorValue> TopKHeap<T> {
    /// Memory for the best k of races; `None` if it is not to be had.
    fn new(k: usize, scale: Scale, filter: bool) -> Option<Self> {
        let of = std::marker::PhantomData;
        let (mut taken, mut in_order) = (BinaryHeap::new(), Vec::new());
        taken.try_reserve_exact(k).ok()?;
        in_order.try_reserve_exact(k).ok()?;
        let (cutoff, invalid, all_valid) = (f32::NEG_INFINITY, false, true);
        Some(Self { k, scale, filter, taken, in_order, cutoff, invalid, all_valid, of })
    }

    #[inline(always)]
    fn race<S: Simd, V: RowValues<Value = T>>(
        &mut self,
        s: S,
        stream: Stream,
        row: V,
        keys: &RoundKeys,
    ) {
        self.taken.clear();
        (self.cutoff, self.invalid, self.all_valid) = (f32::NEG_INFINITY, false, true);
        let tile = S::OCTETS * OCTET;
        let mut octet = 0;
        for values in row.tiles(tile) {
            self.tile(s, stream, &values, octet, keys);
            octet += S::OCTETS as u32;
        }
        let last = row.after_tiles(tile);
        if last.len() > 0 {
            self.tile(s, stream, &last.padded().0[..tile], octet, keys);
        }
        if !self.all_valid {
            self.invalid |= row.has_invalid();
        }
    }

    /// Filters the next tile, and evaluates what passes: the longer the race, the less.
    #[inline(always)]
    fn tile<S: Simd>(&mut self, s: S, stream: Stream, values: &[T], octet: u32, keys: &RoundKeys) {
        let Stream { row: id, draw, .. } = stream;
        let rest = [s.all_words(id[0]), s.all_words(id[1]), s.all_words(draw << 1)];
        let [coarse] = coarse(s, [[sequence(s, octet), rest[0], rest[1], rest[2]]], keys);
        let rough = T::rough(s, values);
        if T::CHECK_VALID {
            self.all_valid &= T::all_valid(s, rough);
        }
        let upper = upper_scores(s, rough, coarse, T::rough_slope(self.scale));
        if !s.all_below(upper, s.all(self.cutoff)) {
            let mut block = Block::<MAX_TILE>::EMPTY;
            block.store(s, 0, upper, coarse);
            let mask = not_below(s, &block.upper[..S::OCTETS], self.cutoff);
            self.evaluate_passing(stream, values, &block, mask, octet * OCTET as u32);
        }
    }

    /// Evaluates the categories of a tile that pass the filter, and keeps those that are among the best k so
    /// far.
    #[inline(always)]
    fn evaluate_passing(
        &mut self,
        stream: Stream,
        values: &[T],
        block: &Block<MAX_TILE>,
        mut mask: u64,
        first: u32,
    ) {
        while mask != 0 {
            let i = mask.trailing_zeros() as usize;
            mask &= mask - 1;
            match values[i].chance() {
                Chance::None => continue,
                Chance::Invalid => {
                    self.invalid = true;
                    continue;
                }
                Chance::Some => {}
            }
            // a NaN is not below the cutoff, and is evaluated
            let below = block.upper.as_flattened()[i].partial_cmp(&self.cutoff)
                == Some(std::cmp::Ordering::Less);
            if below {
                continue;
            }
            let coarse = block.coarse.as_flattened()[i] as u32;
            let one = Ranked(evaluate(stream, self.scale, first + i as u32, coarse, values[i]));
            if self.taken.len() < self.k {
                self.taken.push(Reverse(one));
            } else if let Some(mut last) = self.taken.peek_mut()
                && one > last.0
            {
                *last = Reverse(one);
            }
            if self.filter
                && self.taken.len() == self.k
                && let Some(Reverse(last)) = self.taken.peek()
                && let Some(threshold) = threshold_at(from_key(last.0.key), 0.0)
            {
                self.cutoff = cutoff_at(threshold) - T::rough_error(self.scale);
            }
        }
    }

    /// Writes the best k categories and their keys, the first one first; nothing if the row has no draw.
    fn write(&mut self, categories: &mut [u32], won: &mut [i64]) {
        if self.invalid {
            self.taken.clear();
        }
        self.in_order.clear();
        self.in_order.extend(self.taken.drain());
        self.in_order.sort_unstable();
        let in_order = self.in_order.iter();
        write(in_order.map(|&Reverse(Ranked(best))| best), categories, won);
    }
}

/// Writes categories and their keys.
///
/// From a slice: the loop over a `vec::IntoIter`, which may end early, is compiled by LLVM 22 with AVX2 to loads that
/// reach 8 bytes beyond the memory. AddressSanitizer saw it in the fuzz target `races`.
fn write(top_k: impl Iterator<Item = Best>, categories: &mut [u32], won: &mut [i64]) {
    for ((category, won), best) in categories.iter_mut().zip(won).zip(top_k) {
        (*category, *won) = (best.category, best.key);
    }
}
