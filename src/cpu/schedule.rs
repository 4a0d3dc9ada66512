//! Which algorithm a call takes, and how its work is divided among threads.
//!
//! | shape | what is done |
//! |---|---|
//! | temperature 0 | the maximum of each row (`greedy`) |
//! | at most [`MAX_CATEGORIES`] categories | many races side by side, decided by bounds (`group`) |
//! | longer rows | each race tile by tile behind the filter (`race`) |
//! | long rows, several draws | up to [`RACES`] races take each piece of a row while it is in the cache |
//!
//! All algorithms are generic over the type of a row's values (`vector_value`).

use std::ops::Range;

use rayon::prelude::*;

use super::bound::RoundKeys;
use super::exact::{Outcome, evaluate_all};
use super::greedy::Greedy;
use super::group::{Group, MAX_CATEGORIES};
use super::keys::Keys;
use super::race::Race;
use super::simd::{Isa, Simd, Task};
use super::threads::{Division, TIMES, are_few, portion};
use super::values::{BatchValues, RowValues, with_values};
use crate::job::{Job, NO_DRAW, Temperature};
use crate::noise::bits::{OCTET, Stream};
use crate::noise::order::Scale;
use crate::options::Data;

/// How races are divided among threads.
const DIVISION: Division = Division::READING;
/// The number of values that several races take in turn while the values are in the nearest cache.
const PIECE: usize = 1 << 12;
/// The most races that take a piece in turn.
const RACES: usize = 32;
const _: () = assert!(DIVISION.segment.is_multiple_of(OCTET) && PIECE.is_multiple_of(OCTET));

/// How races are decided. The draws do not depend on the method.
#[derive(Clone, Copy)]
pub(super) enum Method {
    Greedy,
    /// Every category is evaluated.
    Unfiltered(Temperature),
    Grouped(Scale),
    Filtered(Scale),
}

/// A call, and the method by which its races are decided.
#[derive(Clone, Copy)]
pub(super) struct Plan<'a> {
    pub(super) job: &'a Job<'a>,
    pub(super) isa: Isa,
    pub(super) method: Method,
    pub(super) keys: RoundKeys,
}

impl<'a> Plan<'a> {
    pub(super) fn new(job: &'a Job<'a>, isa: Isa, filter: bool) -> Self {
        let method = match job.temperature {
            temperature if !filter => Method::Unfiltered(temperature),
            Temperature::Greedy => Method::Greedy,
            Temperature::Scaled(scale) if job.logits.categories() <= MAX_CATEGORIES => {
                Method::Grouped(scale)
            }
            Temperature::Scaled(scale) => Method::Filtered(scale),
        };
        Self { job, isa, method, keys: RoundKeys::new(job.seed) }
    }

    /// True if the call is so small that other threads would not pay.
    pub(super) fn is_small(&self) -> bool {
        DIVISION.is_small(self.job.total().saturating_mul(self.job.logits.categories()))
    }

    /// Draws for all races on the threads of the current pool, or on this thread if the call is small.
    pub(super) fn run(&self, draws: &mut [u32]) {
        let categories = self.job.logits.categories();
        if self.is_small() || rayon::current_num_threads() == 1 {
            self.races(0, draws, &mut []);
        } else if DIVISION.is_long(categories) && are_few(draws.len()) {
            for (race, draw) in self.job.races(0).zip(draws) {
                *draw = self.cut(race).draw().unwrap_or(NO_DRAW);
            }
        } else {
            // races that can take pieces of a row in turn stay together, as far as the number of threads
            // allows
            let together = RACES.min(self.job.draws as usize).min(portion(draws.len(), 4));
            let grain = together.max(DIVISION.at_once(categories)).max(portion(draws.len(), TIMES));
            draws.par_chunks_mut(grain).enumerate().for_each(|(i, draws)| {
                self.races(i * grain, draws, &mut []);
            });
        }
    }

    /// Draws for all races on the threads of the current pool, and writes the keys of the winners to `won`.
    pub(super) fn run_with_keys(&self, scale: Scale, draws: &mut [u32], won: &mut [i64]) {
        let Self { job, isa, keys, .. } = *self;
        // bounds on short rows need the coarse bits: `races` leaves those of winners in `won`, and `Keys`
        // need not make them again
        let coarse_known = matches!(self.method, Method::Grouped(_));
        let draw = |first, draws: &mut [u32], won: &mut [i64]| {
            self.races(first, draws, if coarse_known { won } else { &mut [] });
        };
        // a slice of units takes no memory
        let mut nothing = vec![(); draws.len()];
        self.run_in_pieces(draws, won, &mut nothing, draw, |first, categories, won, _| {
            with_values!(job, rows => {
                isa.run(Keys { job, rows, scale, keys, first, categories, coarse_known, won });
            });
        });
    }

    /// Draws, and makes a result of type `A` and one of type `B` from each draw, piece by piece. `then` is
    /// given the number of a piece's first race, the draws of the piece, and the memory for its results;
    /// mostly the values of the piece are still in the cache by then.
    pub(super) fn run_and<A: Send, B: Send>(
        &self,
        draws: &mut [u32],
        a: &mut [A],
        b: &mut [B],
        then: impl Fn(usize, &[u32], &mut [A], &mut [B]) + Sync,
    ) {
        let draw = |first, draws: &mut [u32], _: &mut [A]| self.races(first, draws, &mut []);
        self.run_in_pieces(draws, a, b, draw, then);
    }

    /// Draws with `draw`, and makes two results of each draw with `then`, piece by piece. `draw` may leave
    /// something in `a` for `then`.
    fn run_in_pieces<A: Send, B: Send>(
        &self,
        draws: &mut [u32],
        a: &mut [A],
        b: &mut [B],
        draw: impl Fn(usize, &mut [u32], &mut [A]) + Sync,
        then: impl Fn(usize, &[u32], &mut [A], &mut [B]) + Sync,
    ) {
        if self.is_small() {
            draw(0, draws, a);
            return then(0, draws, a, b);
        }
        // if long rows are few, all draws are made first: `run` may cut each race among all threads
        let few = self.job.logits.categories() > MAX_CATEGORIES && are_few(draws.len());
        if few {
            self.run(draws);
        }
        let together = RACES.min(self.job.draws as usize);
        let grain = DIVISION.at_once(self.job.logits.categories()).next_multiple_of(together);
        let results = a.par_chunks_mut(grain).zip(b.par_chunks_mut(grain));
        draws.par_chunks_mut(grain).zip(results).enumerate().for_each(|(i, (draws, (a, b)))| {
            if !few {
                draw(i * grain, draws, a);
            }
            then(i * grain, draws, a, b);
        });
    }

    /// Draws for the races `first ..` on this thread, one race for each element of `draws`. Writes the coarse
    /// bits of the winners to `coarse_bits` if that is not empty and rows are short.
    fn races(&self, first: usize, draws: &mut [u32], coarse_bits: &mut [i64]) {
        with_values!(self.job, rows => self.races_of(rows, first, draws, coarse_bits));
    }

    /// Draws for the races `first ..` of the job on this thread, from rows whose type is known. `coarse_bits`
    /// is as for `races`.
    #[inline(never)]
    pub(super) fn races_of<B: BatchValues>(
        &self,
        rows: B,
        first: usize,
        draws: &mut [u32],
        coarse_bits: &mut [i64],
    ) {
        let Self { job, isa, method, keys } = *self;
        match method {
            Method::Grouped(scale) => {
                isa.run(Group { job, rows, scale, keys, first, draws, coarse_bits });
            }
            Method::Filtered(scale) => isa.run(LongRows { job, rows, scale, keys, first, draws }),
            Method::Greedy | Method::Unfiltered(_) => {
                for ((row, number), draw) in job.races(first).zip(draws) {
                    let outcome = self.race(job.stream(row, number), rows.row(row), 0);
                    *draw = outcome.draw().unwrap_or(NO_DRAW);
                }
            }
        }
    }

    /// Decides one race on all threads, which take a segment of the row each.
    fn cut(&self, (row, number): (usize, u32)) -> Outcome {
        let stream = self.job.stream(row, number);
        with_values!(self.job, rows => {
            let segments = rows.row(row).par_parts(DIVISION.segment).enumerate();
            segments
                .map(|(k, part)| self.race(stream, part, (k * DIVISION.segment) as u32))
                .reduce(|| Outcome::NONE, Outcome::merge)
        })
    }

    /// Decides a race among the categories `first ..`, which have these values, on this thread.
    pub(super) fn race<V: RowValues>(&self, stream: Stream, values: V, first: u32) -> Outcome {
        match self.method {
            Method::Greedy => self.isa.run(Greedy { values, first }),
            Method::Unfiltered(temperature) => evaluate_all(stream, temperature, values, first),
            Method::Grouped(scale) | Method::Filtered(scale) => {
                let race = Race::new(stream, scale, values, first);
                self.isa.run(Whole { race, keys: self.keys })
            }
        }
    }
}

/// A race among all its categories, from the start to the end.
struct Whole<V> {
    race: Race<V>,
    keys: RoundKeys,
}

impl<V: RowValues> Task for Whole<V> {
    type Output = Outcome;

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) -> Outcome {
        let categories = 0..self.race.categories();
        self.race.run(s, categories, &self.keys);
        self.race.outcome(s)
    }
}

/// Divides the `draws` races from `first` on into groups: each group is a row and the numbers of up to
/// [`RACES`] of its draws.
fn groups(
    job: &Job<'_>,
    first: usize,
    draws: usize,
) -> impl Iterator<Item = (usize, Range<u32>)> + use<> {
    let each = job.draws as usize;
    let mut done = 0;
    std::iter::from_fn(move || {
        let (row, number) = ((first + done) / each, (first + done) % each);
        let count = (each - number).min(RACES).min(draws - done);
        done += count;
        (count > 0).then_some((row, number as u32..(number + count) as u32))
    })
}

/// The races `first ..` of a job with long rows.
struct LongRows<'a, B> {
    job: &'a Job<'a>,
    /// The rows of `job`.
    rows: B,
    scale: Scale,
    keys: RoundKeys,
    first: usize,
    draws: &'a mut [u32],
}

impl<B: BatchValues> Task for LongRows<'_, B> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { job, rows, scale, keys, first, draws } = self;
        let categories = rows.categories();
        if job.draws == 1 {
            for (row, draw) in (first..).zip(draws) {
                let mut race = Race::new(job.stream(row, 0), scale, rows.row(row), 0);
                race.run(s, 0..categories, &keys);
                *draw = race.draw(s).unwrap_or(NO_DRAW);
            }
            return;
        }
        if draws.is_empty() {
            return;
        }
        // on the stack, as small calls allocate nothing
        let any = rows.row(first / job.draws as usize);
        let mut races: [Race<B::Row>; RACES] =
            std::array::from_fn(|_| Race::new(Stream::new(0, 0, 0), scale, any, 0));
        let mut rest = draws;
        for (row, numbers) in groups(job, first, rest.len()) {
            let (draws, later) = rest.split_at_mut(numbers.len());
            let races = &mut races[..numbers.len()];
            for (race, number) in races.iter_mut().zip(numbers) {
                *race = Race::new(job.stream(row, number), scale, rows.row(row), 0);
            }
            // each race takes a piece of the row while the piece is in the nearest cache
            for piece in (0..categories).step_by(PIECE) {
                for race in &mut *races {
                    race.run(s, piece..categories.min(piece + PIECE), &keys);
                }
            }
            for (race, draw) in races.iter_mut().zip(draws) {
                *draw = race.draw(s).unwrap_or(NO_DRAW);
            }
            rest = later;
        }
    }
}
