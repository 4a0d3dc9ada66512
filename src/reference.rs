//! The definition of a draw, as plainly as it can be said.
//!
//! This is the specification: every engine gives these bytes, for every shape, device and number of
//! threads. It evaluates the noise of every category and takes no shortcut: use it
//! to check, not to draw.

use crate::error::Error;
pub use crate::job::Temperature;
use crate::job::race::RaceJob;
use crate::job::{Job, NO_DRAW, SumJob};
use crate::noise::bits::{Stream, uniform_bits, uniform_block};
use crate::noise::cdf::point;
use crate::noise::exp::log2_floor;
use crate::noise::groups::noise;
use crate::noise::gumbel::gumbel;
use crate::noise::order::Best;
use crate::noise::relative::{key_shift, shifted_key};
use crate::options::{
    Batch, Chance, Data, LogProbsOf, Method, SampleOptions, Stock, Truncation, Value, with_rows,
    with_stock,
};
use crate::results::{ScoredDraws, TopK, TopKSlices};

mod resample;
mod restricted;
mod soften;
mod verify;

pub use resample::{particle_weights, resample};
#[cfg(any(test, feature = "conformance"))]
pub(crate) use restricted::slopes;
use restricted::{as_adjusted, drawn_row, with_drawn_row};
pub use restricted::{cut_rows, kept_row};
pub(crate) use soften::{gradients_of, sample_of};
pub use soften::{soften_row, soften_rows, soften_rows_vjp};
pub use verify::{verify_rows, verify_rows_by_ratio};

/// Returns the draw of one row, or `None` if the row has none: if a logit is NaN or +∞, or all are −∞.
///
/// The category with the largest key wins, and the lowest of several such categories.
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

/// Returns the integer weights of one row, one for each category, for draws by inverse CDF; `None` if the row has no
/// draw (a logit is NaN or +∞, or all are −∞).
///
/// At temperature 0 the weight of the drawn category is 1, and all other weights are 0.
///
/// ```
/// use gumbel::reference::{Temperature, weights, weighted_draw};
/// let logits = [f32::NEG_INFINITY, 2.0, 2.0];
/// let weights = weights(&logits, Temperature::new(1.0)?).unwrap();
/// assert_eq!(weights, [0, 1 << 61, 1 << 61]);
/// # Ok::<(), gumbel::Error>(())
/// ```
pub fn weights(logits: &[f32], temperature: Temperature) -> Option<Vec<u64>> {
    integer_weights(logits, temperature)
}

/// The integer weights of one row of values of any type, for draws by inverse CDF; `None` if the row has no draw.
fn integer_weights<T: Value>(values: &[T], temperature: Temperature) -> Option<Vec<u64>> {
    let top = winner(values, Stream::new(0, 0, 0), Temperature::Greedy)?.category as usize;
    let Temperature::Scaled(scale) = temperature else {
        return Some((0..values.len()).map(|category| u64::from(category == top)).collect());
    };
    let log2_categories = log2_floor(values.len() as u32);
    let weight = |value: &T| value.integer_weight(values[top], scale, log2_categories);
    Some(values.iter().map(weight).collect())
}

/// Returns the draw by inverse CDF from integer weights: the first category at which the sum of the weights so far is
/// more than the [point]; `None` if all weights are 0. The sum of all weights must be less than 2⁶⁴.
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

/// Returns the draws of a batch, rows × draws in row-major order. Halves draw by definition what the same numbers in
/// `f32` draw, and rows of `f64` what their [relative](crate::noise::relative) rows draw. For weights, a [logarithm](crate::noise::weights) in integers takes the place of the logit.
///
/// # Errors
/// Those of [`Sampler::sample_rows`](crate::Sampler::sample_rows).
pub fn sample_rows<'a>(
    batch: impl Into<Batch<'a>>,
    options: &SampleOptions<'a>,
) -> Result<Vec<u32>, Error> {
    let call = Job::new(batch, options)?;
    let mut draws = call.allocate()?;
    for (draws, job) in draws.chunks_mut(call.draws as usize).zip(call.each_row()) {
        with_drawn_row!(&job, (values, _) => {
            let weights = match job.method {
                Method::InverseCdf => Some(integer_weights(&values, job.temperature)),
                _ => None,
            };
            for (number, draw) in (0..).zip(draws) {
                let stream = job.stream(0, number);
                let drawn = match &weights {
                    None => winner(&values, stream, job.temperature).map(|best| best.category),
                    Some(weights) => weights.as_ref().and_then(|row| weighted_draw(row, stream)),
                };
                *draw = drawn.unwrap_or(NO_DRAW);
            }
        })?;
    }
    call.check_draws(&draws)?;
    Ok(draws)
}

/// Returns the first `k` categories of each race: those with the largest keys, the largest key first, and the lower
/// category first on ties.
///
/// # Errors
/// Those of [`Sampler::race_rows`](crate::Sampler::race_rows).
pub fn race_rows<'a>(
    batch: impl Into<Batch<'a>>,
    options: &SampleOptions<'a>,
    k: usize,
) -> Result<TopK, Error> {
    let race = RaceJob::new(batch, options, k)?;
    let mut top_k = TopK::unwritten(&race)?;
    top_k.slices_mut().clear();
    let TopKSlices { categories, keys: won } = top_k.slices_mut();
    let mut each = categories.chunks_mut(k).zip(won.chunks_mut(k));
    for job in race.job.each_row() {
        for (number, (categories, won)) in (0..job.draws).zip(&mut each) {
            let stream = job.stream(0, number);
            let (found, shift) = with_drawn_row!(&job, (values, shift) => {
                (keys(&values, stream, job.temperature), shift)
            })?;
            let shift = key_shift(shift, job.scale());
            let mut found = found.unwrap_or_default();
            found.sort_by_key(|best| (std::cmp::Reverse(best.key), best.category));
            for ((category, won), best) in categories.iter_mut().zip(won).zip(found) {
                (*category, *won) = (best.category, shifted_key(best.key, shift));
            }
        }
    }
    race.job.check_races(top_k.categories(), k)?;
    Ok(top_k)
}

/// Returns the logsumexp of each row in `f64`: the logarithm of the sum of exp(logit / temperature), or of
/// weight^(1/temperature). NaN for a row without a draw, if the options ask for sentinels.
///
/// # Errors
/// Those of [`Sampler::logsumexp_rows`](crate::Sampler::logsumexp_rows).
pub fn logsumexp_rows<'a>(
    batch: impl Into<Batch<'a>>,
    options: &SampleOptions<'a>,
) -> Result<Vec<f64>, Error> {
    let call = SumJob::of_rows(batch, options)?;
    let mut sums = Vec::with_capacity(call.job.logits.rows());
    for row in 0..call.job.logits.rows() {
        let SumJob { job, inverse, .. } = call.part(row..row + 1);
        let gaps = with_drawn_row!(&job, row => gaps(row, inverse))?;
        sums.push(gaps.map_or(f64::NAN, |gaps| gaps.most + gaps.log_sum()));
    }
    call.job.check_rows(|row| !sums[row].is_nan())?;
    Ok(sums)
}

/// Returns the draws of a batch with their log-probabilities, log softmax(logits / temperature) at their indices, and
/// the logsumexp of each row, in `f64`.
///
/// A log-probability is (logit − largest)/temperature − ln Σ exp((logits − largest)/temperature), with the largest
/// logit of the row. In exact arithmetic that is logit/temperature − logsumexp, but no rounding in the first formula
/// depends on a constant that is added to all logits: with 203 equal logits the log-probability is −ln 203, whether
/// they are 0 or 3·10³⁸. For weights, the logarithm of a weight takes the place of a logit. The log-probability of a
/// category is the same for all methods.
///
/// ```
/// use gumbel::{Logits, SampleOptions, reference};
/// let logits = [3e38; 4];
/// let scored = reference::sample_rows_scored(Logits::new(&logits, 4)?, &SampleOptions::default())?;
/// assert_eq!(scored.log_probs, [-4f64.ln()]);
/// # Ok::<(), gumbel::Error>(())
/// ```
///
/// # Errors
/// Those of [`Sampler::sample_rows_scored`](crate::Sampler::sample_rows_scored).
pub fn sample_rows_scored<'a>(
    batch: impl Into<Batch<'a>>,
    options: &SampleOptions<'a>,
) -> Result<ScoredDraws, Error> {
    let batch = batch.into();
    let draws = sample_rows(batch, options)?;
    let of_allowed = SampleOptions { truncation: Truncation::new(), truncations: None, ..*options };
    let options = match options.log_probs_of {
        LogProbsOf::Kept => options,
        LogProbsOf::Allowed => &of_allowed,
    };
    let call = SumJob::of_draws(batch, options)?;
    let mut log_probs = Vec::with_capacity(draws.len());
    for (row, draws) in draws.chunks(call.job.draws as usize).enumerate() {
        let SumJob { job, inverse, .. } = call.part(row..row + 1);
        let gaps = with_drawn_row!(&job, row => gaps(row, inverse))?;
        let log_sum = gaps.as_ref().map_or(f64::NAN, Gaps::log_sum);
        log_probs.extend(draws.iter().map(|&draw| match &gaps {
            Some(gaps) if draw != NO_DRAW => gaps.of[draw as usize] - log_sum,
            _ => f64::NAN,
        }));
    }
    let logsumexps = logsumexp_rows(batch, options)?;
    Ok(ScoredDraws { draws, log_probs, logsumexps })
}

/// The logits of a row (for weights, their logarithms), relative to the largest and divided by the temperature.
struct Gaps {
    /// The largest logit divided by the temperature.
    most: f64,
    /// For each category, its logit less the largest, divided by the temperature: 0 at most.
    of: Vec<f64>,
}

impl Gaps {
    /// ln Σ exp(gap) over all categories.
    fn log_sum(&self) -> f64 {
        self.of.iter().map(|gap| gap.exp()).sum::<f64>().ln()
    }
}

/// Returns the gaps of a row, `None` for a row without a draw.
fn gaps<T: Value>((row, shift): (Vec<T>, f64), inverse: f64) -> Option<Gaps> {
    let most = row.iter().map(|value| value.log_weight()).fold(f64::NEG_INFINITY, f64::max);
    let invalid = row.iter().any(|value| value.chance() == Chance::Invalid);
    if invalid || most == f64::NEG_INFINITY {
        return None;
    }
    let of = row.iter().map(|value| (value.log_weight() - most) * inverse).collect();
    Some(Gaps { most: (most + shift) * inverse, of })
}

fn winner<T: Value>(row: &[T], stream: Stream, temperature: Temperature) -> Option<Best> {
    let best = keys(row, stream, temperature)?.into_iter().fold(Best::NONE, Best::or);
    (best != Best::NONE).then_some(best)
}

/// Returns the categories of a row that can be drawn, with their keys; `None` if a value of the row is invalid.
fn keys<T: Value>(row: &[T], stream: Stream, temperature: Temperature) -> Option<Vec<Best>> {
    let mut keys = Vec::with_capacity(row.len());
    for (category, value) in (0..).zip(row) {
        let key = match (value.chance(), temperature) {
            (Chance::Invalid, _) => return None,
            (Chance::None, _) => continue,
            (Chance::Some, Temperature::Greedy) => value.greedy(),
            (Chance::Some, Temperature::Scaled(scale)) => {
                let g = gumbel(noise(stream, category, row.len()));
                value.fixed(scale) + i64::from(g)
            }
        };
        keys.push(Best { key, category });
    }
    Some(keys)
}
