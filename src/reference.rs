//! The definition of a draw, as plainly as it can be said.
//!
//! This is the specification: every engine gives these bytes, for every shape, device and number of
//! threads. It evaluates the noise of every category and takes no shortcut: use it
//! to check, not to draw.

use crate::error::Error;
pub use crate::job::Temperature;
use crate::job::{Job, NO_DRAW};
use crate::noise::bits::{OCTET, Stream, coarse, coarse_block, noise};
use crate::noise::gumbel::gumbel;
use crate::noise::order::Best;
use crate::options::{Batch, Chance, Data, Known, SampleOptions, with_rows};

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
