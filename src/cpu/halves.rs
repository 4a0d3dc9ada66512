//! Races of halves: as much as stays in the nearest cache is converted, and raced as `f32`.
//!
//! Short rows are converted some at a time, and are then a call of their own. Of a long one each
//! piece is converted and raced before the next.

use super::exact::Outcome;
use super::race::Race;
use super::schedule::{Advance, Finish, Method, Plan, RACES, groups};
use super::widen::{Half, Widen};
use crate::filter::Filter;
use crate::job::NO_DRAW;
use crate::noise::bits::{OCTET, Stream};
use crate::noise::order::Scale;
use crate::options::Rows;

/// The halves that are converted at a time. They and what becomes of them stay in the nearest cache,
/// and are few enough for the processor to fetch the next ones meanwhile.
const PIECE: usize = 1 << 11;
const _: () = assert!(PIECE.is_multiple_of(OCTET));

// What has a piece on its stack is not inlined, so that no call has two.

impl Plan<'_> {
    /// The races `first ..`, a draw each, on this thread.
    pub(super) fn races_of_halves<T: Half>(
        &self,
        rows: Rows<'_, T>,
        first: usize,
        draws: &mut [u32],
    ) {
        if rows.categories() <= PIECE {
            return self.short_halves(rows, first, draws);
        }
        if let Method::Filtered(scale) = self.method {
            return self.long_halves(scale, rows, first, draws);
        }
        for ((row, number), draw) in self.job.races(first).zip(draws) {
            let outcome = self.race_of_halves(self.job.stream(row, number), rows.row(row), 0);
            *draw = outcome.draw().unwrap_or(NO_DRAW);
        }
    }

    /// The categories `first ..` of a race, on this thread.
    #[inline(never)]
    pub(super) fn race_of_halves<T: Half>(
        &self,
        stream: Stream,
        halves: &[T],
        first: u32,
    ) -> Outcome {
        match self.method {
            Method::Greedy | Method::Unfiltered(_) => {
                let mut outcome = Outcome::NONE;
                self.pieces(halves, |at, piece| {
                    outcome = outcome.merge(self.race(stream, piece, first + at));
                });
                outcome
            }
            Method::Grouped(scale) | Method::Filtered(scale) => {
                let mut race = Race::new(stream, scale, Filter::new(scale).slope);
                let races = std::slice::from_mut(&mut race);
                self.pieces(halves, |at, logits| {
                    self.form.run(Advance {
                        races: &mut *races,
                        logits,
                        first: first + at,
                        keys: self.keys,
                    });
                });
                self.form.run(Finish { race: &mut race })
            }
        }
    }

    /// Rows that fit into a piece.
    #[inline(never)]
    fn short_halves<T: Half>(&self, rows: Rows<'_, T>, first: usize, draws: &mut [u32]) {
        // on the stack, as small calls allocate nothing
        let mut piece = [0.0; PIECE];
        let each = self.job.draws as usize;
        let mut done = 0;
        while done < draws.len() {
            let (row, number) = ((first + done) / each, (first + done) % each);
            let left = (number + draws.len() - done).div_ceil(each);
            let rows = self.converted(rows, row, left, &mut piece);
            let job = self.job.part(row, rows);
            let count = (job.total() - number).min(draws.len() - done);
            let plan = Plan { job: &job, ..*self };
            plan.races_of_singles(rows, number, &mut draws[done..done + count]);
            done += count;
        }
    }

    /// The rows from position `first` on, at most `most` and as many as fit.
    fn converted<'b, T: Half>(
        &self,
        rows: Rows<'_, T>,
        first: usize,
        most: usize,
        piece: &'b mut [f32; PIECE],
    ) -> Rows<'b, f32> {
        let (categories, stride) = (rows.categories(), rows.row_stride());
        let packed = stride > categories;
        let stride = if packed { categories } else { stride };
        let count = match (PIECE - categories).checked_div(stride) {
            Some(more) => most.min(1 + more),
            // one row for all
            None => most,
        };
        if packed {
            for (i, to) in piece.chunks_exact_mut(categories).take(count).enumerate() {
                self.form.run(Widen { halves: rows.row(first + i), to });
            }
        } else {
            self.form.run(Widen { halves: rows.span(first, count), to: piece });
        }
        rows.as_f32(piece, count, stride)
    }

    /// Rows of several pieces: so many races of a row take each piece.
    #[inline(never)]
    fn long_halves<T: Half>(
        &self,
        scale: Scale,
        rows: Rows<'_, T>,
        first: usize,
        draws: &mut [u32],
    ) {
        let slope = Filter::new(scale).slope;
        let mut races: [Race; RACES] =
            std::array::from_fn(|_| Race::new(Stream::new(0, 0, 0), scale, slope));
        let mut rest = draws;
        for (row, numbers) in groups(self.job, first, rest.len()) {
            let (draws, later) = rest.split_at_mut(numbers.len());
            let races = &mut races[..numbers.len()];
            for (race, number) in races.iter_mut().zip(numbers) {
                *race = Race::new(self.job.stream(row, number), scale, slope);
            }
            self.pieces(rows.row(row), |first, logits| {
                self.form.run(Advance { races: &mut *races, logits, first, keys: self.keys });
            });
            for (race, draw) in races.iter_mut().zip(draws) {
                *draw = self.form.run(Finish { race }).draw().unwrap_or(NO_DRAW);
            }
            rest = later;
        }
    }

    /// Does something with each piece and the number of its first logit.
    fn pieces<T: Half>(&self, halves: &[T], mut take: impl FnMut(u32, &[f32])) {
        let mut piece = [0.0; PIECE];
        for (i, halves) in halves.chunks(PIECE).enumerate() {
            let piece = &mut piece[..halves.len()];
            self.form.run(Widen { halves, to: piece });
            take((i * PIECE) as u32, piece);
        }
    }
}
