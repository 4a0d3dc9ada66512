//! The definition of a draw, as plainly as it can be said.
//!
//! This is the specification: every engine gives these bytes, for every shape, device and number of
//! threads. It evaluates the noise of every category and takes no shortcut: use it
//! to check, not to draw.

use crate::arrivals::Arrivals;
use crate::error::Error;
pub use crate::job::Temperature;
use crate::job::{Job, NO_DRAW};
use crate::noise::bits::{OCTET, Stream, coarse, coarse_block, noise};
use crate::noise::gumbel::gumbel;
use crate::noise::order::Best;
use crate::options::{Batch, Chance, Data, Known, SampleOptions, with_rows};

mod soften;

pub use soften::{soften_row, soften_rows, soften_rows_vjp};

/// The draw of one row, or `None` if it has none: a logit is NaN or +∞, or all are −∞.
///
/// The winner is the category with the largest key, and the lowest of several such.
///
/// ```
/// use gumbel::noise::bits::Stream;
/// use gumbel::reference::{Temperature, sample_row};
/// let never_the_second = [0.0, f32::NEG_INFINITY];
/// let draw = sample_row(&never_the_second, Stream::new(1, 0, 0), Temperature::new(1.0)?);
/// assert_eq!(draw, Some(0));
/// # Ok::<(), gumbel::Error>(())
/// ```
pub fn sample_row(logits: &[f32], stream: Stream, temperature: Temperature) -> Option<u32> {
    winner(logits, stream, temperature).map(|best| best.category)
}

/// The draws of a batch, rows × draws in row-major order. Those of halves are by definition those of
/// the numbers that they are, in `f32`; of weights, a [logarithm](crate::noise::weights) in integers takes
/// the place of the logit.
///
/// # Errors
/// As [`CpuSampler::sample_rows`](crate::CpuSampler::sample_rows).
pub fn sample_rows<'a>(
    batch: impl Into<Batch<'a>>,
    options: &SampleOptions<'a>,
) -> Result<Vec<u32>, Error> {
    let job = Job::new(batch, options)?;
    let mut draws = job.allocate()?;
    for (draw, (row, number)) in draws.iter_mut().zip(job.races(0)) {
        let stream = job.stream(row, number);
        let best = with_rows!(job.logits.data(), rows => {
            winner(rows.row(row), stream, job.temperature)
        });
        *draw = best.map_or(NO_DRAW, |best| best.category);
    }
    job.report(&draws)?;
    Ok(draws)
}

/// The first places of each race: the categories with the largest keys, largest first, the lower
/// category first on ties.
///
/// # Errors
/// As [`CpuSampler::race_rows`](crate::CpuSampler::race_rows).
pub fn race_rows<'a>(
    batch: impl Into<Batch<'a>>,
    options: &SampleOptions<'a>,
    places: usize,
) -> Result<Arrivals, Error> {
    let job = Job::new(batch, options)?;
    let mut arrivals = Arrivals::of(&job, places)?;
    let (categories, won) = arrivals.parts();
    let each = categories.chunks_mut(places).zip(won.chunks_mut(places));
    for ((categories, won), (row, number)) in each.zip(job.races(0)) {
        let stream = job.stream(row, number);
        let found = with_rows!(job.logits.data(), rows => {
            keys(rows.row(row), stream, job.temperature)
        });
        let mut found = found.unwrap_or_default();
        found.sort_by_key(|best| (std::cmp::Reverse(best.key), best.category));
        for ((category, won), best) in categories.iter_mut().zip(won).zip(found) {
            (*category, *won) = (best.category, best.key);
        }
    }
    job.report_races(arrivals.categories(), places)?;
    Ok(arrivals)
}

/// The logarithm of the sum of exp(logit / temperature) of each row, or of weight^(1/temperature), in
/// f64; NaN for a row without a draw, if sentinels are asked for.
///
/// # Errors
/// As [`CpuSampler::logsumexp_rows`](crate::CpuSampler::logsumexp_rows).
pub fn logsumexp_rows<'a>(
    batch: impl Into<Batch<'a>>,
    options: &SampleOptions<'a>,
) -> Result<Vec<f64>, Error> {
    let job = Job::new(batch, options)?;
    let inverse = job.inverse_temperature("logsumexp")?;
    let mut sums = Vec::with_capacity(job.logits.rows());
    for row in 0..job.logits.rows() {
        let sum = with_rows!(job.logits.data(), rows => {
            let row = rows.row(row);
            let invalid = row.iter().any(|value| value.chance() == Chance::Invalid);
            let scaled = || row.iter().map(|value| value.log_weight() * inverse);
            let most = scaled().fold(f64::NEG_INFINITY, f64::max);
            let sum: f64 = scaled().map(|x| (x - most).exp()).sum();
            if invalid || most == f64::NEG_INFINITY { f64::NAN } else { most + sum.ln() }
        });
        sums.push(sum);
    }
    job.report_rows(|row| !sums[row].is_nan())?;
    Ok(sums)
}

fn winner<T: Known>(row: &[T], stream: Stream, temperature: Temperature) -> Option<Best> {
    let best = keys(row, stream, temperature)?.into_iter().fold(Best::NONE, Best::or);
    (best != Best::NONE).then_some(best)
}

/// The categories of a row that can be drawn, with their keys; `None` if one is invalid.
fn keys<T: Known>(row: &[T], stream: Stream, temperature: Temperature) -> Option<Vec<Best>> {
    let mut keys = Vec::with_capacity(row.len());
    for (category, value) in (0..).zip(row) {
        let key = match (value.chance(), temperature) {
            (Chance::Invalid, _) => return None,
            (Chance::None, _) => continue,
            (Chance::Some, Temperature::Greedy) => value.greedy(),
            (Chance::Some, Temperature::Scaled(scale)) => {
                let block = coarse_block(stream, category / OCTET as u32);
                let g = gumbel(noise(stream, category, coarse(block, category)));
                value.fixed(scale) + i64::from(g)
            }
        };
        keys.push(Best { key, category });
    }
    Some(keys)
}
