//! The definition of a draw, as plainly as it can be said.
//!
//! This is the specification: every engine gives these bytes, for every shape, device and number of
//! threads. It evaluates the noise of every category and takes no shortcut: use it
//! to check, not to draw.

use crate::error::Error;
pub use crate::job::Temperature;
use crate::job::{Job, NO_DRAW};
use crate::noise::bits::{OCTET, Stream, coarse, coarse_block, noise, uniform_bits, uniform_block};
use crate::noise::exp::{log2_floor, weight};
use crate::noise::gumbel::gumbel;
use crate::noise::order::{Best, NEG_INFINITY, fixed, greedy_key, is_invalid, key};
use crate::noise::weight::point;
use crate::options::{Logits, Method, SampleOptions};

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

/// The weights of one row, for draws by inverse CDF; `None` if the row has no draw.
///
/// At temperature 0 the draw's weight is 1, and all others are 0.
///
/// ```
/// use gumbel::reference::{Temperature, weights, weighted_draw};
/// let logits = [f32::NEG_INFINITY, 2.0, 2.0];
/// let weights = weights(&logits, Temperature::new(1.0)?).unwrap();
/// assert_eq!(weights, [0, 1 << 61, 1 << 61]);
/// # Ok::<(), gumbel::Error>(())
/// ```
pub fn weights(logits: &[f32], temperature: Temperature) -> Option<Vec<u64>> {
    let top = sample_row(logits, Stream::new(0, 0, 0), Temperature::Greedy)? as usize;
    let Temperature::Scaled(scale) = temperature else {
        return Some((0..logits.len()).map(|category| u64::from(category == top)).collect());
    };
    let log2_categories = log2_floor(logits.len() as u32);
    let most = fixed(logits[top].to_bits(), scale);
    let weight_of = |logit: &f32| match logit.to_bits() {
        NEG_INFINITY => 0,
        bits => weight((most as u64).wrapping_sub(fixed(bits, scale) as u64), log2_categories),
    };
    Some(logits.iter().map(weight_of).collect())
}

/// A draw by inverse CDF from weights: the first category whose weight, with all before it, is more
/// than the [point]; `None` if all weights are 0. The sum must be less than 2⁶⁴.
///
/// ```
/// use gumbel::noise::bits::Stream;
/// use gumbel::reference::weighted_draw;
/// assert_eq!(weighted_draw(&[0, 5, 0], Stream::new(1, 2, 3)), Some(1));
/// assert_eq!(weighted_draw(&[0, 0, 0], Stream::new(1, 2, 3)), None);
/// ```
pub fn weighted_draw(weights: &[u64], stream: Stream) -> Option<u32> {
    let total = weights.iter().sum();
    let point = point(uniform_bits(uniform_block(stream), stream.draw), total);
    let mut sum = 0;
    let mut exceeds = weights.iter().map(|weight| {
        sum += weight;
        sum > point
    });
    exceeds.position(|exceeds| exceeds).map(|category| category as u32)
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
        let weights = (job.method == Method::InverseCdf).then(|| weights(&logits, job.temperature));
        for draw in 0..job.draws {
            let stream = job.stream(row, draw);
            let drawn = match &weights {
                None => sample_row(&logits, stream, job.temperature),
                Some(weights) => weights.as_ref().and_then(|row| weighted_draw(row, stream)),
            };
            draws[row * job.draws as usize + draw as usize] = drawn.unwrap_or(NO_DRAW);
        }
    }
    job.report(&draws)?;
    Ok(draws)
}
