//! The ratio test of drafts.

use rayon::prelude::*;

use super::cdf::sum_weights_of;
use super::threads::on_pool;
use super::{Copies, Cpu};
use crate::error::Error;
use crate::job::verify::RatioJob;
use crate::job::{Job, NO_DRAW, Temperature, lengthen};
use crate::noise::verification::{Odds, accepts, residual, share_of, uniform_numbers};
use crate::options::{Chance, Data, Value, with_rows};
use crate::results::Verified;

/// The integer weights of a row, each added to those before it.
#[derive(Default)]
struct Weights {
    sums: Vec<u64>,
}

impl Weights {
    /// Weighs the row of a job of one row, and returns what chance one of its categories has. A row without a draw has no
    /// weights.
    fn weigh(&mut self, cpu: &Cpu, job: &Job<'_>, category: usize) -> Result<Chance, Error> {
        let categories = job.logits.categories();
        lengthen(&mut self.sums, categories, 0).map_err(|bytes| Error::NoMemoryForRows {
            rows: 1,
            categories,
            bytes,
        })?;
        let copies = match job.is_in_place() {
            true => None,
            false => Some(Copies::new(cpu, job)?),
        };
        let batch = copies.as_ref().map_or(job.logits, Copies::batch);
        sum_weights_of(cpu.isa, batch.data(), job.scale(), &mut self.sums);
        Ok(with_rows!(batch.data(), rows => rows.value(0, category).chance()))
    }

    fn total(&self) -> u64 {
        self.sums.last().copied().unwrap_or(0)
    }

    fn odds(&self, category: usize) -> Odds {
        let before = if category == 0 { 0 } else { self.sums[category - 1] };
        Odds { weight: self.sums[category] - before, total: self.total() }
    }
}

impl Cpu {
    /// Verifies drafts, given a draw for each row of the target. Threads share the requests.
    ///
    /// # Errors
    /// [`Error::NoMemoryForRows`], [`Error::TooManyDraws`] and [`Error::Entries`].
    pub(crate) fn verify(&self, of: &RatioJob<'_>, draws: &[u32]) -> Result<Verified, Error> {
        let requests = of.drafts.requests();
        let mut verified = Verified::begin(&of.drafts)?;
        let mut all = Vec::new();
        lengthen(&mut all, requests, Ok(Vec::new())).map_err(|_| no_memory(of))?;
        on_pool(self.pool.as_ref(), requests < 2, || {
            all.par_iter_mut().enumerate().for_each(|(request, to)| {
                *to = self.verify_request(of, draws, request);
            });
        });
        for drawn in all {
            verified.push(drawn?);
        }
        Ok(verified)
    }

    /// The categories that a request goes on with, each with its row.
    fn verify_request(
        &self,
        of: &RatioJob<'_>,
        draws: &[u32],
        request: usize,
    ) -> Result<Vec<(u32, u32)>, Error> {
        let (root, guesses) = (of.drafts.root(request), of.drafts.guesses(request));
        let (mut target, mut drafter) = (Weights::default(), Weights::default());
        let mut drawn = Vec::new();
        drawn.try_reserve_exact(guesses.len() + 1).map_err(|_| no_memory(of))?;
        for (at, &guess) in guesses.iter().enumerate() {
            let row = root + at;
            let job = of.target.part(row..row + 1);
            let draw = draws[row];
            let is_right = if job.temperature == Temperature::Greedy || draw == NO_DRAW {
                drawn.push((at as u32, draw));
                draw == guess
            } else {
                let category = guess as usize;
                target.weigh(self, &job, category)?;
                let chance = drafter.weigh(self, &of.drafter.part(row..row + 1), category)?;
                if chance != Chance::Some || drafter.total() == 0 {
                    let problem = format!(
                        "draft {at} of request {request}, category {guess}, cannot be drawn from the drafter's row for it"
                    );
                    return Err(Error::Entries { what: "drafts", problem });
                }
                let [test, rest] = uniform_numbers(job.stream(0, 0));
                let is_accepted = accepts(test, target.odds(category), drafter.odds(category));
                let other = if is_accepted { None } else { other(&target, &drafter, rest) };
                drawn.push((at as u32, other.unwrap_or(guess)));
                other.is_none()
            };
            if !is_right {
                return Ok(drawn);
            }
        }
        drawn.push((guesses.len() as u32, draws[root + guesses.len()]));
        Ok(drawn)
    }
}

/// The error for want of memory for the categories that were drawn.
fn no_memory(of: &RatioJob<'_>) -> Error {
    Error::TooManyDraws { rows: of.drafts.rows(), draws: 1 }
}

/// The draw by the residuals of two rows; `None` if there are none, which is so where both rows have the same weights, and
/// a category of weight 0 was drafted.
fn other(target: &Weights, drafter: &Weights, uniform: u64) -> Option<u32> {
    let residuals = || (0..target.sums.len()).map(|i| residual(target.odds(i), drafter.odds(i)));
    let point = share_of(uniform, residuals().sum());
    let mut sum = 0;
    let exceeds = residuals().position(|residual| {
        sum += residual;
        sum > point
    });
    exceeds.map(|category| category as u32)
}
