//! The races of a call with long rows, a draw each, and single races.

use super::Race;
use super::maxima::{Flaws, GroupMaxima, MAX_UNIT, OfValues, Stored, categories, groups, maxima};
use super::opening::{FirstGroups, pass};
use crate::cpu::bound::RoundKeys;
use crate::cpu::exact::Outcome;
use crate::cpu::simd::{Simd, Task};
use crate::cpu::values::RowValues;
use crate::cpu::vector_value::VectorValue;
use crate::job::{Job, NO_DRAW};
use crate::noise::bits::Stream;
use crate::noise::groups::MEMBERS;
use crate::noise::order::Scale;
use crate::options::{Rows, Value as _};

/// The number of values of the next row that are prefetched while groups are opened.
const PREFETCHED: usize = 512;
/// The largest pair of units, in categories.
const PAIR: usize = 2 * MAX_UNIT;

/// A race with all that it needs memory for.
pub(super) struct Arena<V: RowValues> {
    pub(super) race: Race<V>,
    first_groups: FirstGroups,
    end: [V::Value; PAIR],
}

impl<V: RowValues> Arena<V> {
    #[inline(always)]
    pub(super) fn new(scale: Scale, row: V, first: u32, k: usize) -> Self {
        let race = Race::new(Stream::new(0, 0, 0), scale, row, first, k);
        Self { race, first_groups: FirstGroups::EMPTY, end: [V::Value::NEVER; PAIR] }
    }

    /// The number of values in whole pairs of units.
    #[inline(always)]
    fn whole<S: Simd>(&self, _: S) -> usize {
        self.race.row.len() / (2 * categories::<S>()) * (2 * categories::<S>())
    }

    /// Copies the values after the whole pairs of units, and fills up their pair with values that are never drawn. Returns the
    /// pair's length, or 0 if no values are left.
    #[inline(always)]
    fn pad_end<S: Simd>(&mut self, s: S) -> usize {
        let (whole, len) = (self.whole(s), self.race.row.len());
        if whole == len {
            return 0;
        }
        let pair = 2 * categories::<S>();
        let (values, padding) = self.end[..pair].split_at_mut(len - whole);
        self.race.row.part(whole..len).copy_to(values);
        padding.fill(V::Value::NEVER);
        pair
    }

    /// Races all values of a row.
    #[inline(always)]
    pub(super) fn run<S: Simd>(&mut self, s: S, stream: Stream, row: V, keys: &RoundKeys) {
        self.race.restart(stream, row);
        let (whole, padded) = (self.whole(s), self.pad_end(s));
        let Self { race, first_groups, end } = self;
        let first = race.first / MEMBERS as u32;
        if whole > 0 {
            let maxima = OfValues(row.part(0..whole));
            s.run(Pass { race, maxima, first, first_groups, keys });
        }
        if padded > 0 {
            let first = first + (whole / MEMBERS) as u32;
            let maxima = OfValues(&end[..padded]);
            s.run(Pass { race, maxima, first, first_groups, keys });
        }
        if race.pending.count > 0 {
            race.open_pending(s, keys);
        }
    }

    /// Stores the maxima of all groups of a row, and returns whether there are invalid values among them; `None` if
    /// there is no memory for the maxima.
    #[inline(always)]
    fn store<S: Simd>(&mut self, s: S, row: V, stored: &mut Vec<f32>) -> Option<bool> {
        self.race.row = row;
        let (whole, padded) = (self.whole(s), self.pad_end(s));
        let count = (whole + padded) / MEMBERS;
        stored.clear();
        stored.try_reserve_exact(count).ok()?;
        stored.resize(count, 0.0);
        let mut flaws = Flaws::none(s);
        let (in_row, in_end) = stored.split_at_mut(whole / MEMBERS);
        store_maxima(s, row.part(0..whole), in_row, &mut flaws);
        store_maxima(s, &self.end[..padded], in_end, &mut flaws);
        Some(flaws.are_some(s))
    }

    /// Races a row whose maxima are stored.
    #[inline(always)]
    fn run_stored<S: Simd>(&mut self, s: S, stream: Stream, stored: &[f32], keys: &RoundKeys) {
        let Self { race, first_groups, .. } = self;
        race.restart(stream, race.row);
        let (maxima, first) = (Stored(stored), race.first / MEMBERS as u32);
        s.run(Pass { race, maxima, first, first_groups, keys });
        if race.pending.count > 0 {
            race.open_pending(s, keys);
        }
    }
}

#[inline(always)]
fn store_maxima<S: Simd, V: RowValues>(s: S, values: V, to: &mut [f32], flaws: &mut Flaws<S>) {
    for (unit, to) in values.parts(categories::<S>()).zip(to.chunks_exact_mut(groups::<S>())) {
        let [a, b] = maxima(s, unit, flaws);
        s.store(a, to);
        s.store(b, &mut to[2 * S::OCTETS..]);
    }
}

/// A pass over some of a race's groups. A task of its own, so that it is compiled once.
struct Pass<'b, V: RowValues, M> {
    race: &'b mut Race<V>,
    maxima: M,
    first: u32,
    first_groups: &'b mut FirstGroups,
    keys: &'b RoundKeys,
}

impl<V: RowValues, M: GroupMaxima> Task for Pass<'_, V, M> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { race, maxima, first, first_groups, keys } = self;
        let mut flaws = Flaws::none(s);
        pass(s, race, (maxima, first), keys, first_groups, &mut flaws);
        race.evaluated.invalid |= flaws.are_some(s);
    }
}

/// A race among the categories `first ..`, which have these values.
pub(in crate::cpu) struct OneRace<V> {
    pub(in crate::cpu) stream: Stream,
    pub(in crate::cpu) scale: Scale,
    pub(in crate::cpu) values: V,
    /// A multiple of a span.
    pub(in crate::cpu) first: u32,
    pub(in crate::cpu) keys: RoundKeys,
}

impl<V: RowValues> Task for OneRace<V> {
    type Output = Outcome;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> Outcome {
        let Self { stream, scale, values, first, keys } = self;
        let mut arena = Arena::new(scale, values, first, 0);
        arena.run(s, stream, values, &keys);
        arena.race.outcome()
    }
}

/// A race among all categories of a row. The maxima of its groups are stored, padded to a multiple of 64 with the float of a
/// value that is never drawn.
pub(in crate::cpu) struct StoredRace<'a, V> {
    pub(in crate::cpu) stream: Stream,
    pub(in crate::cpu) scale: Scale,
    pub(in crate::cpu) values: V,
    pub(in crate::cpu) maxima: &'a [f32],
    pub(in crate::cpu) keys: RoundKeys,
}

impl<V: RowValues> Task for StoredRace<'_, V> {
    type Output = Outcome;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> Outcome {
        let Self { stream, scale, values, maxima, keys } = self;
        let mut arena = Arena::new(scale, values, 0, 0);
        arena.run_stored(s, stream, maxima, &keys);
        arena.race.outcome()
    }
}

/// The races `first ..` of a job, row by row, a draw each.
pub(in crate::cpu) struct Races<'a, T> {
    pub(in crate::cpu) job: &'a Job<'a>,
    /// The rows of `job`.
    pub(in crate::cpu) rows: Rows<'a, T>,
    pub(in crate::cpu) scale: Scale,
    pub(in crate::cpu) keys: RoundKeys,
    pub(in crate::cpu) first: usize,
    pub(in crate::cpu) draws: &'a mut [u32],
}

impl<T: VectorValue> Task for Races<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { job, rows, scale, keys, first, draws } = self;
        if draws.is_empty() {
            return;
        }
        let each = job.draws as usize;
        let mut arena = Arena::new(scale, rows.row(first / each), 0, 0);
        let mut stored = Vec::new();
        let (mut next, mut rest) = (first, draws);
        while !rest.is_empty() {
            let row = next / each;
            let values = rows.row(row);
            let (draws, later) = rest.split_at_mut((each - next % each).min(rest.len()));
            // several draws read the row once
            let several = draws.len() > 1;
            let invalid = if several { arena.store(s, values, &mut stored) } else { None };
            let follows = !several && !later.is_empty();
            arena.race.next = follows.then(|| beginning(rows.row(row + 1)));
            let numbers = (next % each) as u32..;
            for (number, draw) in numbers.zip(&mut *draws) {
                let stream = job.stream(row, number);
                match invalid {
                    None => arena.run(s, stream, values, &keys),
                    Some(false) => arena.run_stored(s, stream, &stored, &keys),
                    Some(true) => {}
                }
                let drawn = if invalid == Some(true) { None } else { arena.race.draw() };
                *draw = drawn.unwrap_or(NO_DRAW);
            }
            next += draws.len();
            rest = later;
        }
    }
}

/// The beginning of a row.
#[inline(always)]
fn beginning<V: RowValues>(row: V) -> V {
    row.part(0..row.len().min(PREFETCHED))
}
