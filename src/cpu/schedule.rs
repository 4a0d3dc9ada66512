//! Which algorithm a call takes, and how its work is divided among threads.
//!
//! | shape | what is done |
//! |---|---|
//! | temperature 0 | the maximum of each row (`greedy`) |
//! | at most [`MAX_CATEGORIES`] categories | many races side by side, decided by bounds (`group`) |
//! | longer rows | each race tile by tile behind the filter (`race`) |
//! | long rows, several draws | so many races take each piece of the row while it is in the cache |

use rayon::prelude::*;

use super::bound::RoundKeys;
use super::exact::{Outcome, settle_all};
use super::greedy::Greedy;
use super::group::{Group, MAX_CATEGORIES};
use super::race::Race;
use super::simd::{CpuForm, Simd, Task};
use crate::filter::Filter;
use crate::job::{Job, NO_DRAW, Temperature};
use crate::noise::bits::{OCTET, Stream};
use crate::noise::order::Scale;

/// Logits, counted once a draw, that are worth the hand-over to another thread.
const GRAIN: usize = 1 << 16;
/// Rows longer than two of these are cut if there are fewer races than threads could take.
const SEGMENT: usize = 1 << 16;
/// The logits that stay in the nearest cache while several races take them.
const PIECE: usize = 1 << 12;
/// How many races take a piece in turn.
const RACES: usize = 32;
const _: () = assert!(SEGMENT.is_multiple_of(OCTET) && PIECE.is_multiple_of(OCTET));

/// How races are decided. The draws do not depend on it.
#[derive(Clone, Copy)]
enum Method {
    Greedy,
    /// Every category is settled.
    Unfiltered(Temperature),
    Grouped(Scale),
    Filtered(Scale),
}

/// A call, and how it is done.
#[derive(Clone, Copy)]
pub(super) struct Plan<'a> {
    job: &'a Job<'a>,
    form: CpuForm,
    method: Method,
    keys: RoundKeys,
}

impl<'a> Plan<'a> {
    pub(super) fn of(job: &'a Job<'a>, form: CpuForm, filter: bool) -> Self {
        let method = match job.temperature {
            temperature if !filter => Method::Unfiltered(temperature),
            Temperature::Greedy => Method::Greedy,
            Temperature::Scaled(scale) if job.logits.categories() <= MAX_CATEGORIES => {
                Method::Grouped(scale)
            }
            Temperature::Scaled(scale) => Method::Filtered(scale),
        };
        Self { job, form, method, keys: RoundKeys::of(job.seed) }
    }

    /// Whether other threads would not pay.
    pub(super) fn is_small(&self) -> bool {
        self.job.total().saturating_mul(self.job.logits.categories()) < 2 * GRAIN
    }

    /// Draws for all races on this thread.
    pub(super) fn run_here(&self, draws: &mut [u32]) {
        self.races(0, draws);
    }

    /// Draws for all races on the threads of the current pool.
    pub(super) fn run(&self, draws: &mut [u32]) {
        let threads = rayon::current_num_threads();
        let categories = self.job.logits.categories();
        if threads == 1 {
            self.races(0, draws);
        } else if draws.len() < 4 * threads && categories > 2 * SEGMENT {
            for (race, draw) in self.job.races(0).zip(draws) {
                *draw = self.cut(race).draw().unwrap_or(NO_DRAW);
            }
        } else {
            // races that would take a row side by side stay together, as far as threads allow
            let together = RACES.min(self.job.draws as usize).min(draws.len() / (4 * threads));
            let grain = together.max(GRAIN / categories).max(draws.len() / (64 * threads)).max(1);
            draws.par_chunks_mut(grain).enumerate().for_each(|(i, draws)| {
                self.races(i * grain, draws);
            });
        }
    }

    /// The races `first ..`, a draw each, on this thread.
    fn races(&self, first: usize, draws: &mut [u32]) {
        let Self { job, form, method, keys } = *self;
        match method {
            Method::Grouped(scale) => form.run(Group { job, scale, keys, first, draws }),
            Method::Filtered(scale) => form.run(LongRows { job, scale, keys, first, draws }),
            Method::Greedy | Method::Unfiltered(_) => {
                for ((row, number), draw) in job.races(first).zip(draws) {
                    let outcome = self.race(job.stream(row, number), job.logits.row(row), 0);
                    *draw = outcome.draw().unwrap_or(NO_DRAW);
                }
            }
        }
    }

    /// One race on all threads, a segment of the row each.
    fn cut(&self, (row, number): (usize, u32)) -> Outcome {
        let stream = self.job.stream(row, number);
        let segments = self.job.logits.row(row).par_chunks(SEGMENT).enumerate();
        segments
            .map(|(k, segment)| self.race(stream, segment, (k * SEGMENT) as u32))
            .reduce(|| Outcome::NONE, Outcome::merge)
    }

    /// The categories `first ..` of a race, on this thread.
    fn race(&self, stream: Stream, logits: &[f32], first: u32) -> Outcome {
        match self.method {
            Method::Greedy => self.form.run(Greedy { logits, first }),
            Method::Unfiltered(temperature) => settle_all(stream, temperature, logits, first),
            Method::Grouped(scale) | Method::Filtered(scale) => {
                let race = Race::new(stream, scale, Filter::new(scale).slope);
                self.form.run(Run { logits, first, keys: self.keys, race })
            }
        }
    }
}

/// A run of categories of one race.
struct Run<'a> {
    logits: &'a [f32],
    first: u32,
    keys: RoundKeys,
    race: Race,
}

impl Task for Run<'_> {
    type Output = Outcome;

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) -> Outcome {
        self.race.run(s, self.logits, self.first, &self.keys);
        self.race.outcome(s)
    }
}

/// The races `first ..` of a job with long rows.
struct LongRows<'a> {
    job: &'a Job<'a>,
    scale: Scale,
    keys: RoundKeys,
    first: usize,
    draws: &'a mut [u32],
}

impl Task for LongRows<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { job, scale, keys, first, draws } = self;
        let each = job.draws as usize;
        let slope = Filter::new(scale).slope;
        if each == 1 {
            for (row, draw) in (first..).zip(draws) {
                let mut race = Race::new(job.stream(row, 0), scale, slope);
                race.run(s, job.logits.row(row), 0, &keys);
                *draw = race.draw(s).unwrap_or(NO_DRAW);
            }
            return;
        }
        // on the stack, as small calls allocate nothing
        let mut races: [Race; RACES] =
            std::array::from_fn(|_| Race::new(Stream::new(0, 0, 0), scale, slope));
        let mut done = 0;
        while done < draws.len() {
            let (row, number) = ((first + done) / each, (first + done) % each);
            let count = (each - number).min(RACES).min(draws.len() - done);
            let draws = &mut draws[done..done + count];
            let numbers = number as u32..(number + count) as u32;
            let races = &mut races[..count];
            for (race, number) in races.iter_mut().zip(numbers) {
                *race = Race::new(job.stream(row, number), scale, slope);
            }
            side_by_side(s, job.logits.row(row), races, draws, &keys);
            done += count;
        }
    }
}

/// Some races of one row: each takes a piece of it while the piece is in the nearest cache.
#[inline(always)]
fn side_by_side<S: Simd>(
    s: S,
    logits: &[f32],
    races: &mut [Race],
    draws: &mut [u32],
    keys: &RoundKeys,
) {
    for (i, piece) in logits.chunks(PIECE).enumerate() {
        for race in &mut *races {
            race.run(s, piece, (i * PIECE) as u32, keys);
        }
    }
    for (race, draw) in races.iter_mut().zip(draws) {
        *draw = race.draw(s).unwrap_or(NO_DRAW);
    }
}
