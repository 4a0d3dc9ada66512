//! The definition of the verification of drafts.

use super::restricted::{as_adjusted, drawn_row, with_drawn_row};
use super::{integer_weights, sample_rows};
use crate::error::Error;
use crate::job::verify::RatioJob;
use crate::job::{Job, NO_DRAW, Temperature};
use crate::noise::verification::{Odds, accepts, residual, share_of, uniform_numbers};
use crate::options::{
    Batch, Chance, Data, Drafts, SampleOptions, Stock, Value, with_rows, with_stock,
};
use crate::results::Verified;

/// Verifies drafts: the target draws from each row, and the drafts that are its draws are accepted.
///
/// # Errors
/// Those of [`Sampler::verify_rows`](crate::Sampler::verify_rows).
pub fn verify_rows<'a>(
    target: impl Into<Batch<'a>>,
    drafts: &Drafts<'_>,
    options: &SampleOptions<'a>,
) -> Result<Verified, Error> {
    let target = target.into();
    Job::of_drafts(target, drafts, options)?;
    Verified::by_draws(drafts, &sample_rows(target, options)?)
}

/// Verifies drafts by the [ratio test](crate::noise::verification).
///
/// # Errors
/// Those of [`Sampler::verify_rows_by_ratio`](crate::Sampler::verify_rows_by_ratio).
pub fn verify_rows_by_ratio<'a>(
    target: impl Into<Batch<'a>>,
    drafter: impl Into<Batch<'a>>,
    drafts: &Drafts<'a>,
    options: &SampleOptions<'a>,
) -> Result<Verified, Error> {
    let (target, mut indices) = (target.into(), Vec::new());
    let draws = sample_rows(target, options)?;
    let of = RatioJob::new(target, drafter.into(), drafts, options, &mut indices)?;
    let mut verified = Verified::begin(drafts)?;
    for request in 0..drafts.requests() {
        let (root, guesses) = (drafts.root(request), drafts.guesses(request));
        let mut drawn = Vec::new();
        for (at, &guess) in guesses.iter().enumerate() {
            let row = root + at;
            let job = of.target.part(row..row + 1);
            let category = if job.temperature == Temperature::Greedy || draws[row] == NO_DRAW {
                draws[row]
            } else {
                let category = guess as usize;
                let (target, _) = weighed(&job, category)?;
                let (drafter, can_be_drawn) = weighed(&of.drafter.part(row..row + 1), category)?;
                if !can_be_drawn {
                    let problem = format!(
                        "draft {at} of request {request}, category {guess}, cannot be drawn from the drafter's row for it"
                    );
                    return Err(Error::Entries { what: "drafts", problem });
                }
                let odds = |weights: &[u64], i: usize| Odds {
                    weight: weights[i],
                    total: weights.iter().sum(),
                };
                let [test, rest] = uniform_numbers(job.stream(0, 0));
                let residual = |i| residual(odds(&target, i), odds(&drafter, i));
                let all: Vec<u128> = (0..target.len()).map(residual).collect();
                let (total, mut sum) = (all.iter().sum(), 0);
                // without residuals the two distributions are one
                if accepts(test, odds(&target, category), odds(&drafter, category)) || total == 0 {
                    guess
                } else {
                    let point = share_of(rest, total);
                    let exceeds = |residual: &u128| {
                        sum += residual;
                        sum > point
                    };
                    all.iter().position(exceeds).map_or(NO_DRAW, |category| category as u32)
                }
            };
            drawn.push((at as u32, category));
            if category != guess {
                break;
            }
        }
        // every draft has been accepted
        if drawn.iter().map(|(_, category)| category).eq(guesses) {
            drawn.push((guesses.len() as u32, draws[root + guesses.len()]));
        }
        verified.push(drawn);
    }
    Ok(verified)
}

/// The integer weights of the row of a job of one row, zeros if it has no draw; and whether a category can be drawn.
fn weighed(job: &Job<'_>, category: usize) -> Result<(Vec<u64>, bool), Error> {
    with_drawn_row!(job, (values, _) => {
        let weights = integer_weights(&values, job.temperature);
        let can_be_drawn = weights.is_some() && values[category].chance() == Chance::Some;
        (weights.unwrap_or_else(|| vec![0; values.len()]), can_be_drawn)
    })
}
