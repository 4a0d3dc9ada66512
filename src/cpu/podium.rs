//! The first places of races: the categories with the largest keys.
//!
//! What the filter admits is settled at once. When all places are taken the last of them sets the floor,
//! so of n categories in random order about k·(1 + ln(n/k)) are settled for k places.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::bound::{Block, RoundKeys, coarse, not_below, standings, threshold_at};
use super::exact::settle;
use super::simd::{Aligned, MAX_TILE, Simd, Task};
use super::source::Source;
use crate::filter::{floor_at, from_key};
use crate::job::Job;
use crate::noise::bits::{OCTET, Stream};
use crate::noise::order::{Best, Scale};
use crate::options::{Chance, Rows};

/// The races `first ..` of a job, so many as there is room for.
pub(super) struct Podiums<'a, T> {
    pub(super) job: &'a Job<'a>,
    /// The job's.
    pub(super) rows: Rows<'a, T>,
    pub(super) scale: Scale,
    pub(super) keys: RoundKeys,
    pub(super) filter: bool,
    pub(super) places: usize,
    pub(super) first: usize,
    /// Places × races, with nobody in them yet.
    pub(super) categories: &'a mut [u32],
    pub(super) won: &'a mut [i64],
}

impl<T: Source> Task for Podiums<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { job, rows, scale, keys, filter, places, first, categories, won } = self;
        let mut podium = Podium::<T>::new(places, scale, filter);
        let room = categories.chunks_exact_mut(places).zip(won.chunks_exact_mut(places));
        for ((categories, won), (row, number)) in room.zip(job.races(first)) {
            podium.race(s, job.stream(row, number), rows.row(row), &keys);
            for ((category, won), best) in categories.iter_mut().zip(won).zip(podium.arrivals()) {
                (*category, *won) = (best.category, best.key);
            }
        }
    }
}

/// A single race.
#[cfg(feature = "gpu")]
pub(super) struct OneRace<'a, T> {
    pub(super) values: &'a [T],
    pub(super) scale: Scale,
    pub(super) keys: RoundKeys,
    pub(super) stream: Stream,
    /// As many as there are places, with nobody in them yet.
    pub(super) categories: &'a mut [u32],
    pub(super) won: &'a mut [i64],
}

#[cfg(feature = "gpu")]
impl<T: Source> Task for OneRace<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let mut podium = Podium::<T>::new(self.categories.len(), self.scale, true);
        podium.race(s, self.stream, self.values, &self.keys);
        let room = self.categories.iter_mut().zip(self.won);
        for ((category, won), best) in room.zip(podium.arrivals()) {
            (*category, *won) = (best.category, best.key);
        }
    }
}

/// The places of a race under way.
struct Podium<T> {
    places: usize,
    scale: Scale,
    filter: bool,
    /// Those who have a place; the last of them is on top.
    taken: BinaryHeap<Reverse<Ranked>>,
    /// The standing below which no category gets a place.
    floor: f32,
    invalid: bool,
    of: std::marker::PhantomData<T>,
}

/// A category in the order of winners.
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

impl<T: Source> Podium<T> {
    fn new(places: usize, scale: Scale, filter: bool) -> Self {
        let of = std::marker::PhantomData;
        let (taken, floor) = (BinaryHeap::new(), f32::NEG_INFINITY);
        Self { places, scale, filter, taken, floor, invalid: false, of }
    }

    #[inline(always)]
    fn race<S: Simd>(&mut self, s: S, stream: Stream, row: &[T], keys: &RoundKeys) {
        self.taken.clear();
        (self.floor, self.invalid) = (f32::NEG_INFINITY, false);
        let slope = T::rough_slope(self.scale);
        let tile = S::OCTETS * OCTET;
        let Stream { row: id, draw, .. } = stream;
        let rest = [s.all_words(id[0]), s.all_words(id[1]), s.all_words(draw << 1)];
        let mut octets = [0; MAX_TILE];
        let mut watched = true;
        for (k, values) in row.chunks(tile).enumerate() {
            for (octet, number) in octets.iter_mut().zip((k * S::OCTETS) as u32..) {
                *octet = number;
            }
            let counter = [s.words(&octets), rest[0], rest[1], rest[2]];
            let [coarse] = coarse(s, [counter], keys);
            // categories of probability 0 make the last tile a whole one
            let Aligned(whole) = &mut Aligned([T::NEVER; MAX_TILE * OCTET]);
            let values = if values.len() == tile {
                values
            } else {
                whole[..values.len()].copy_from_slice(values);
                &whole[..tile]
            };
            let rough = T::rough(s, values);
            if T::WATCHED {
                watched &= T::all_valid(s, rough);
            }
            let reach = standings(s, rough, coarse, slope);
            if !s.all_below(reach, s.all(self.floor)) {
                let mut block = Block::<MAX_TILE>::EMPTY;
                block.store(s, 0, reach, coarse);
                let mask = not_below(s, &block.reach[..S::OCTETS], self.floor);
                self.admit(stream, values, &block, mask, (k * tile) as u32);
            }
        }
        if !watched {
            self.invalid |= row.iter().any(|value| value.chance() == Chance::Invalid);
        }
    }

    /// Settles what the filter admits of a tile, and gives it a place if it deserves one.
    fn admit(
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
            // not `<`, which is false for what is no number
            let below = block.reach.as_flattened()[i].partial_cmp(&self.floor)
                == Some(std::cmp::Ordering::Less);
            if below {
                continue;
            }
            let coarse = block.coarse.as_flattened()[i] as u32;
            let one = Ranked(settle(stream, self.scale, first + i as u32, coarse, values[i]));
            if self.taken.len() < self.places {
                self.taken.push(Reverse(one));
            } else if let Some(mut last) = self.taken.peek_mut()
                && one > last.0
            {
                *last = Reverse(one);
            }
            if self.filter
                && self.taken.len() == self.places
                && let Some(Reverse(last)) = self.taken.peek()
                && let Some(threshold) = threshold_at(from_key(last.0.key), 0.0)
            {
                self.floor = floor_at(threshold) - T::rough_error(self.scale);
            }
        }
    }

    /// Those who have a place, the first one first; nobody if the row has no draw.
    fn arrivals(&mut self) -> impl Iterator<Item = Best> {
        if self.invalid {
            self.taken.clear();
        }
        let mut all: Vec<_> = self.taken.drain().collect();
        all.sort_unstable();
        all.into_iter().map(|Reverse(Ranked(best))| best)
    }
}
