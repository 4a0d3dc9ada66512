//! Which algorithm a call takes, and how its work is divided among threads.
//!
//! | shape | what is done |
//! |---|---|
//! | temperature 0 | the maximum of each row (`greedy`) |
//! | at most [`MAX_CATEGORIES`] categories | many races side by side, decided by bounds (`group`) |
//! | longer rows | each race tile by tile behind the filter (`race`) |
//! | long rows, several draws | so many races take each piece of the row while it is in the cache |
//!
//! Halves are converted on the way (`halves`).

use std::ops::Range;

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
use crate::options::{Data, Rows};

/// Logits, counted once a draw, that are worth the hand-over to another thread.
const GRAIN: usize = 1 << 16;
/// Rows longer than two of these are cut if there are fewer races than threads could take.
const SEGMENT: usize = 1 << 16;
/// The logits that stay in the nearest cache while several races take them.
const PIECE: usize = 1 << 12;
/// How many races take a piece in turn.
pub(super) const RACES: usize = 32;
const _: () = assert!(SEGMENT.is_multiple_of(OCTET) && PIECE.is_multiple_of(OCTET));

/// How races are decided. The draws do not depend on it.
#[derive(Clone, Copy)]
pub(super) enum Method {
    Greedy,
    /// Every category is settled.
    Unfiltered(Temperature),
    Grouped(Scale),
    Filtered(Scale),
}

/// A call, and how it is done.
#[derive(Clone, Copy)]
pub(super) struct Plan<'a> {
    pub(super) job: &'a Job<'a>,
    pub(super) form: CpuForm,
    pub(super) method: Method,
    pub(super) keys: RoundKeys,
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
        match self.job.logits.data() {
            Data::F32(rows) => self.races_of_singles(rows, first, draws),
            Data::F16(rows) => self.races_of_halves(rows, first, draws),
            Data::Bf16(rows) => self.races_of_halves(rows, first, draws),
        }
    }

    /// The same of the job's rows.
    #[inline(never)]
    pub(super) fn races_of_singles(&self, rows: Rows<'_, f32>, first: usize, draws: &mut [u32]) {
        let Self { job, form, method, keys } = *self;
        match method {
            Method::Grouped(scale) => form.run(Group { job, rows, scale, keys, first, draws }),
            Method::Filtered(scale) => form.run(LongRows { job, rows, scale, keys, first, draws }),
            Method::Greedy | Method::Unfiltered(_) => {
                for ((row, number), draw) in job.races(first).zip(draws) {
                    let outcome = self.race(job.stream(row, number), rows.row(row), 0);
                    *draw = outcome.draw().unwrap_or(NO_DRAW);
                }
            }
        }
    }

    /// One race on all threads, a segment of the row each.
    fn cut(&self, (row, number): (usize, u32)) -> Outcome {
        let stream = self.job.stream(row, number);
        match self.job.logits.data() {
            Data::F32(rows) => segments(rows.row(row), |at, part| self.race(stream, part, at)),
            Data::F16(rows) => {
                segments(rows.row(row), |at, part| self.race_of_halves(stream, part, at))
            }
            Data::Bf16(rows) => {
                segments(rows.row(row), |at, part| self.race_of_halves(stream, part, at))
            }
        }
    }

    /// The categories `first ..` of a race, on this thread.
    pub(super) fn race(&self, stream: Stream, logits: &[f32], first: u32) -> Outcome {
        match self.method {
            Method::Greedy => self.form.run(Greedy { logits, first }),
            Method::Unfiltered(temperature) => settle_all(stream, temperature, logits, first),
            Method::Grouped(scale) | Method::Filtered(scale) => {
                let mut race = Race::new(stream, scale, Filter::new(scale).slope);
                let races = std::slice::from_mut(&mut race);
                self.form.run(Advance { races, logits, first, keys: self.keys });
                self.form.run(Finish { race: &mut race })
            }
        }
    }
}

/// The outcomes of a row's segments, on all threads; each is told the number of its first logit.
fn segments<T: Sync>(row: &[T], race: impl Fn(u32, &[T]) -> Outcome + Sync) -> Outcome {
    let segments = row.par_chunks(SEGMENT).enumerate();
    segments
        .map(|(k, segment)| race((k * SEGMENT) as u32, segment))
        .reduce(|| Outcome::NONE, Outcome::merge)
}

/// The next categories of some races of one row.
pub(super) struct Advance<'a> {
    pub(super) races: &'a mut [Race],
    pub(super) logits: &'a [f32],
    pub(super) first: u32,
    pub(super) keys: RoundKeys,
}

impl Task for Advance<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for race in self.races {
            race.run(s, self.logits, self.first, &self.keys);
        }
    }
}

/// The end of a race.
pub(super) struct Finish<'a> {
    pub(super) race: &'a mut Race,
}

impl Task for Finish<'_> {
    type Output = Outcome;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> Outcome {
        self.race.outcome(s)
    }
}

/// Some of the races `first ..`, so many as there are draws: a row and the numbers of up to
/// [`RACES`] of its draws.
pub(super) fn groups(
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
struct LongRows<'a> {
    job: &'a Job<'a>,
    /// The job's.
    rows: Rows<'a, f32>,
    scale: Scale,
    keys: RoundKeys,
    first: usize,
    draws: &'a mut [u32],
}

impl Task for LongRows<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { job, rows, scale, keys, first, draws } = self;
        let slope = Filter::new(scale).slope;
        if job.draws == 1 {
            for (row, draw) in (first..).zip(draws) {
                let mut race = Race::new(job.stream(row, 0), scale, slope);
                race.run(s, rows.row(row), 0, &keys);
                *draw = race.draw(s).unwrap_or(NO_DRAW);
            }
            return;
        }
        // on the stack, as small calls allocate nothing
        let mut races: [Race; RACES] =
            std::array::from_fn(|_| Race::new(Stream::new(0, 0, 0), scale, slope));
        let mut rest = draws;
        for (row, numbers) in groups(job, first, rest.len()) {
            let (draws, later) = rest.split_at_mut(numbers.len());
            let races = &mut races[..numbers.len()];
            for (race, number) in races.iter_mut().zip(numbers) {
                *race = Race::new(job.stream(row, number), scale, slope);
            }
            side_by_side(s, rows.row(row), races, draws, &keys);
            rest = later;
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
