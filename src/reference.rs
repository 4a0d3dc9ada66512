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
use crate::noise::order::{Best, NEG_INFINITY, greedy_key, is_invalid, key};
use crate::options::{Logits, SampleOptions};

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
    let mut best = Best::NONE;
    for (category, logit) in logits.iter().map(|x| x.to_bits()).enumerate() {
        let category = category as u32;
        if is_invalid(logit) {
            return None;
        }
        if logit == NEG_INFINITY {
            continue;
        }
        let key = match temperature {
            Temperature::Greedy => greedy_key(logit),
            Temperature::Scaled(scale) => {
                let block = coarse_block(stream, category / OCTET as u32);
                key(logit, scale, gumbel(noise(stream, category, coarse(block, category))))
            }
        };
        best = best.or(Best { key, category });
    }
    (best != Best::NONE).then_some(best.category)
}

/// The draws of a batch, rows × draws in row-major order. Those of halves are by definition those of
/// the numbers that they are, in `f32`.
///
/// # Errors
/// As [`CpuSampler::sample_rows`](crate::CpuSampler::sample_rows).
pub fn sample_rows(logits: Logits<'_>, options: &SampleOptions<'_>) -> Result<Vec<u32>, Error> {
    let job = Job::new(logits, options)?;
    let mut draws = job.allocate()?;
    for row in 0..logits.rows() {
        let logits = logits.row_f32(row);
        for draw in 0..job.draws {
            draws[row * job.draws as usize + draw as usize] =
                sample_row(&logits, job.stream(row, draw), job.temperature).unwrap_or(NO_DRAW);
        }
    }
    job.report(&draws)?;
    Ok(draws)
}
