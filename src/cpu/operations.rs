//! The CPU engine's operations beside the draw: top k, sums and log-probabilities.

use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use super::Cpu;
use super::logsumexp::sums_of;
use super::schedule::Plan;
use super::threads::{Division, each, in_chunks, on_pool};
use super::top_k::TopKRaces;
use super::values::RowValues;
use crate::error::Error;
#[cfg(feature = "gpu")]
use crate::job::Job;
use crate::job::race::RaceJob;
use crate::job::{SumJob, zeroed};
use crate::noise::order::Scale;
use crate::options::{Data, with_rows};
use crate::results::{Scores, Sum, TopKSlices, score};

impl Cpu {
    /// Writes the top k of each race: categories and keys.
    ///
    /// # Errors
    /// [`Error::TopKTooLarge`] if there is no memory in which to look for them.
    pub(crate) fn race(&self, race: &RaceJob<'_>, to: &mut TopKSlices<'_>) -> Result<(), Error> {
        let RaceJob { job, scale, k } = *race;
        if to.categories.is_empty() {
            return Ok(());
        }
        let plan = Plan::new(&job, self.isa, self.filter);
        if k == 1 {
            self.on_threads(|| plan.run_with_keys(scale, to.categories, to.keys));
            return Ok(());
        }
        let as_asked = (self.filter, k);
        let found = self.on_threads(|| top_k_races(&plan, scale, as_asked, to.categories, to.keys));
        found.ok_or(Error::TopKTooLarge { races: job.total(), k })
    }

    /// Writes the logarithm of the sum of each row.
    pub(crate) fn logsumexp(&self, of: &SumJob<'_>, sums: &mut [f64]) {
        self.on_threads(|| self.sums(of, Sum::ln, sums));
    }

    /// Writes a draw for each race, unless there are draws, the log-probability of the draw, and the logarithm of the sum of
    /// each row.
    pub(crate) fn score(&self, of: &SumJob<'_>, to: &mut Scores<'_>) -> Result<(), Error> {
        let SumJob { job, inverse, has_draws } = *of;
        if has_draws || job.draws > 1 || job.inverse_cdf().is_some() {
            if !has_draws {
                self.draw(&job, to.draws)?;
            }
            let (rows, draws) = (job.logits.rows(), job.draws);
            let mut sums = zeroed(rows).ok_or(Error::TooManyDraws { rows, draws })?;
            self.on_threads(|| {
                self.sums(of, |sum| sum, &mut sums);
                to.fill(&job, inverse, &sums);
            });
            return Ok(());
        }
        let plan = Plan::new(&job, self.isa, self.filter);
        let Scores { draws, log_probs, logsumexps } = to;
        self.on_threads(|| {
            plan.run_and(draws, log_probs, logsumexps, |row, draws, probs, sums| {
                with_rows!(job.logits.data(), rows => {
                    sums_of(self.isa, rows, row..row + draws.len(), inverse, |i, sum| {
                        let sum = sum.log();
                        let (values, draw) = (rows.row(row + i), draws[i] as usize);
                        let drawn = (draw < values.len()).then(|| values.value(draw));
                        sums[i] = sum.whole();
                        probs[i] = score(drawn, inverse, sum);
                    });
                });
            });
        });
        Ok(())
    }

    /// Writes `make` of the sum of each row to `all`.
    fn sums<A: Send>(&self, of: &SumJob<'_>, make: impl Fn(Sum) -> A + Sync + Send, all: &mut [A]) {
        let SumJob { job, inverse, .. } = of;
        let rows = all.len();
        let grain = Division::READING.at_once(job.logits.categories());
        in_chunks(all, grain, rows > grain, |i, all| {
            let some = i * grain..i * grain + all.len();
            with_rows!(job.logits.data(), rows => {
                sums_of(self.isa, rows, some, *inverse, |i, sum| all[i] = make(sum));
            });
        });
    }

    /// Runs `what` on the threads of the sampler.
    fn on_threads<R: Send>(&self, what: impl FnOnce() -> R + Send) -> R {
        on_pool(self.pool.as_ref(), false, what)
    }
}

/// Writes the top k of one race, where k is the length of `categories`; `None` if there is no memory in which to look for
/// them. The GPU engine calls this function where the device has no memory for all categories that may be among them.
#[cfg(feature = "gpu")]
pub(crate) fn top_k_of_race(
    job: &Job<'_>,
    scale: Scale,
    (row, number): (usize, u32),
    categories: &mut [u32],
    won: &mut [i64],
) -> Option<()> {
    let keys = super::bound::RoundKeys::new(job.seed);
    let stream = job.stream(row, number);
    with_rows!(job.logits.data(), rows => {
        let values = rows.row(row);
        let race = super::top_k::OneRace { values, scale, keys, stream, categories, won };
        super::Isa::detect().run(race)
    })
}

/// Writes the top k of all races; `None` if a thread has no memory in which to look for them.
fn top_k_races(
    plan: &Plan<'_>,
    scale: Scale,
    (filter, k): (bool, usize),
    categories: &mut [u32],
    won: &mut [i64],
) -> Option<()> {
    let Plan { job, isa, keys, .. } = *plan;
    let races = Division::READING.at_once(job.logits.categories());
    // no more races than there are, so that `at_once` is at most the length of the slice
    let races = races.min(categories.len() / k);
    let at_once = races * k;
    let some = categories.par_chunks_mut(at_once).zip(won.par_chunks_mut(at_once));
    let has_memory = AtomicBool::new(true);
    each(some, &|i, (categories, won)| {
        let first = i * races;
        // on this thread, since the first write to memory takes the system's time
        (TopKSlices { categories, keys: won }).clear();
        let found = with_rows!(job.logits.data(), rows => isa.run(TopKRaces {
            job, rows, scale, keys, filter, k, first, categories, won,
        }));
        has_memory.fetch_and(found.is_some(), Ordering::Relaxed);
    });
    has_memory.into_inner().then_some(())
}
