//! Which algorithm a call takes, and how its work is divided among threads.
//!
//! | shape | what is done |
//! |---|---|
//! | temperature 0 | the maximum of each row (`greedy`) |
//! | at most [`MAX_CATEGORIES`] categories | many races side by side, decided by bounds (`group`) |
//! | up to [`FLAT`] categories | each race tile by tile behind the filter (`race`) |
//! | longer rows | each race by the first alarms of groups (`top_down`) |
//! | longer rows, several draws | the greatest value of each group is stored, and the draws take these |
//!
//! All algorithms are generic over the type of a row's values (`vector_value`).

use rayon::prelude::*;

use super::bound::RoundKeys;
use super::exact::{Outcome, evaluate_all};
use super::greedy::Greedy;
use super::group::{Group, MAX_CATEGORIES};
use super::keys::Keys;
use super::race::Race;
use super::simd::{Isa, Simd, Task};
use super::threads::{Division, TIMES, are_few, each, in_chunks, portion};
use super::top_down::{OneRace, Races, StoredRace};
use super::values::RowValues;
use super::vector_value::VectorValue;
use crate::job::{Job, NO_DRAW, Temperature};
use crate::noise::bits::{FLAT, Stream};
use crate::noise::groups::SPAN;
use crate::noise::order::Scale;
use crate::options::{Data, Rows, with_rows};

/// How races are divided among threads.
const DIVISION: Division = Division::READING;
/// The number of draws of a row that stay together on a thread: the more, the less it matters that each thread reads the
/// row once.
const TOGETHER: usize = 32;
// rows that are cut are long ones
const _: () = assert!(DIVISION.segment.is_multiple_of(SPAN) && 2 * DIVISION.segment >= FLAT);

/// How races are decided. The draws do not depend on the method.
#[derive(Clone, Copy)]
pub(super) enum Method {
    Greedy,
    /// Every category is evaluated.
    Unfiltered(Temperature),
    Grouped(Scale),
    Filtered(Scale),
    TopDown(Scale),
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
        // the length of the whole row decides on its noise, also where a row is cut into segments
        let categories = job.logits.categories();
        let method = match job.temperature {
            temperature if !filter => Method::Unfiltered(temperature),
            Temperature::Greedy => Method::Greedy,
            Temperature::Scaled(scale) if categories <= MAX_CATEGORIES => Method::Grouped(scale),
            Temperature::Scaled(scale) if categories <= FLAT => Method::Filtered(scale),
            Temperature::Scaled(scale) => Method::TopDown(scale),
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
            // draws of a row stay together, as far as the number of threads allows
            let together = TOGETHER.min(self.job.draws as usize).min(portion(draws.len(), 4));
            let grain = together.max(DIVISION.at_once(categories)).max(portion(draws.len(), TIMES));
            in_chunks(draws, grain, true, |i, draws| self.races(i * grain, draws, &mut []));
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
            with_rows!(job.logits.data(), rows => {
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
        let together = TOGETHER.min(self.job.draws as usize);
        let grain = DIVISION.at_once(self.job.logits.categories()).next_multiple_of(together);
        let results = a.par_chunks_mut(grain).zip(b.par_chunks_mut(grain));
        each(draws.par_chunks_mut(grain).zip(results), &|i, (draws, (a, b))| {
            if !few {
                draw(i * grain, draws, a);
            }
            then(i * grain, draws, a, b);
        });
    }

    /// Draws for the races `first ..` on this thread, one race for each element of `draws`. Writes the coarse
    /// bits of the winners to `coarse_bits` if that is not empty and rows are short.
    pub(super) fn races(&self, first: usize, draws: &mut [u32], coarse_bits: &mut [i64]) {
        with_rows!(self.job.logits.data(), rows => self.races_of(rows, first, draws, coarse_bits));
    }

    /// Draws for the races `first ..` of the job on this thread, from rows whose type is known. `coarse_bits`
    /// is as for `races`.
    #[inline(never)]
    pub(super) fn races_of<T: VectorValue>(
        &self,
        rows: Rows<'_, T>,
        first: usize,
        draws: &mut [u32],
        coarse_bits: &mut [i64],
    ) {
        let Self { job, isa, method, keys } = *self;
        match method {
            Method::Grouped(scale) => {
                isa.run(Group { job, rows, scale, keys, first, draws, coarse_bits });
            }
            Method::Filtered(scale) => {
                isa.run(FilteredRows { job, rows, scale, keys, first, draws });
            }
            Method::TopDown(scale) => isa.run(Races { job, rows, scale, keys, first, draws }),
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
        with_rows!(self.job.logits.data(), rows => {
            let of_segments = rows.row(row).of_parts(DIVISION.segment, |first, values| {
                self.race(stream, values, first)
            });
            of_segments.into_iter().fold(Outcome::NONE, Outcome::merge)
        })
    }

    /// Decides a race among the categories `first ..`, which have these values, on this thread. A race with flat noise is
    /// among all categories of its row.
    pub(super) fn race<V: RowValues>(&self, stream: Stream, values: V, first: u32) -> Outcome {
        match self.method {
            Method::Greedy => self.isa.run(Greedy { values, first }),
            Method::Unfiltered(temperature) => {
                evaluate_all(stream, temperature, values, first, self.job.logits.categories())
            }
            Method::Grouped(scale) | Method::Filtered(scale) => {
                let race = Race::new(stream, scale, values);
                self.isa.run(Whole { race, keys: self.keys })
            }
            Method::TopDown(scale) => {
                self.isa.run(OneRace { stream, scale, values, first, keys: self.keys })
            }
        }
    }

    /// Decides a race among all categories of a row on this thread. `maxima` are the largest values of its
    /// [groups](crate::noise::groups), padded to a multiple of 64 with −∞; races with flat noise do not read the maxima.
    pub(super) fn race_of_maxima<V: RowValues>(
        &self,
        stream: Stream,
        values: V,
        maxima: &[f32],
    ) -> Outcome {
        match self.method {
            Method::TopDown(scale) => {
                self.isa.run(StoredRace { stream, scale, values, maxima, keys: self.keys })
            }
            _ => self.race(stream, values, 0),
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
        self.race.run(s, &self.keys);
        self.race.outcome(s)
    }
}

/// The races `first ..` of a job with flat noise, one by one.
struct FilteredRows<'a, T> {
    job: &'a Job<'a>,
    /// The rows of `job`.
    rows: Rows<'a, T>,
    scale: Scale,
    keys: RoundKeys,
    first: usize,
    draws: &'a mut [u32],
}

impl<T: VectorValue> Task for FilteredRows<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { job, rows, scale, keys, first, draws } = self;
        for ((row, number), draw) in job.races(first).zip(draws) {
            let mut race = Race::new(job.stream(row, number), scale, rows.row(row));
            race.run(s, &keys);
            *draw = race.draw(s).unwrap_or(NO_DRAW);
        }
    }
}
