//! The right log-probabilities: from the values of a batch and f64's logarithm alone.

use gumbel::half::{bf16, f16};
use gumbel::{Batch, NO_DRAW, SampleOptions, ValueFormat};

/// Returns the logarithms of the weights of a row, divided by the temperature. The division is the one that the crate
/// promises: a product with the f32 nearest to 1/temperature.
fn logits(batch: Batch<'_>, options: &SampleOptions<'_>, row: usize) -> Vec<f64> {
    let inverse = f64::from(1.0 / options.temperature);
    let logit = |bytes: &[u8]| {
        let mut word = [0; 4];
        word[..bytes.len()].copy_from_slice(bytes);
        let word = u32::from_le_bytes(word);
        match batch.format() {
            ValueFormat::F16 => f16::from_bits(word as u16).to_f64(),
            ValueFormat::Bf16 => bf16::from_bits(word as u16).to_f64(),
            ValueFormat::Weights => f64::from(f32::from_bits(word)).ln(),
            ValueFormat::Counts => f64::from(word).ln(),
            _ => f64::from(f32::from_bits(word)),
        }
    };
    let values = batch.bytes_of_row(row).unwrap_or_default().chunks_exact(batch.format().bytes());
    values.take(batch.categories()).map(|bytes| logit(bytes) * inverse).collect()
}

/// Returns the value of `of` for each draw, given its row's logits and its category; NaN for a row
/// without a draw.
fn of_draws(
    batch: Batch<'_>,
    options: &SampleOptions<'_>,
    draws: &[u32],
    of: impl Fn(&[f64], usize) -> f64,
) -> Vec<f64> {
    let each = options.draws as usize;
    let of_row = |(row, draws): (usize, &[u32])| {
        let logits = logits(batch, options, row);
        let of_draw = |&draw: &u32| match draw {
            NO_DRAW => f64::NAN,
            _ => of(&logits, draw as usize),
        };
        draws.iter().map(of_draw).collect::<Vec<_>>()
    };
    draws.chunks(each).enumerate().flat_map(of_row).collect()
}

/// Returns ln Σ exp(logit − most).
fn log_sum(logits: &[f64], most: f64) -> f64 {
    logits.iter().map(|logit| (logit - most).exp()).sum::<f64>().ln()
}

fn largest(logits: &[f64]) -> f64 {
    logits.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

/// Returns log softmax at each draw, relative to the row's largest logit: a number that is added to
/// all logits cancels before anything is rounded.
pub(crate) fn log_probs(batch: Batch<'_>, options: &SampleOptions<'_>, draws: &[u32]) -> Vec<f64> {
    of_draws(batch, options, draws, |logits, draw| {
        let most = largest(logits);
        (logits[draw] - most) - log_sum(logits, most)
    })
}

/// A fault: the difference from a logsumexp, in which a large logit has rounded the differences
/// away.
pub(crate) fn log_probs_by_logsumexp(
    batch: Batch<'_>,
    options: &SampleOptions<'_>,
    draws: &[u32],
) -> Vec<f64> {
    of_draws(batch, options, draws, |logits, draw| {
        let most = largest(logits);
        logits[draw] - (most + log_sum(logits, most))
    })
}

/// A fault: the difference from a logsumexp, in single precision.
pub(crate) fn log_probs_in_single(
    batch: Batch<'_>,
    options: &SampleOptions<'_>,
    draws: &[u32],
) -> Vec<f64> {
    of_draws(batch, options, draws, |logits, draw| {
        let most = largest(logits);
        let logsumexp = most as f32 + log_sum(logits, most) as f32;
        f64::from(logits[draw] as f32 - logsumexp)
    })
}

/// Returns the largest error, as a fraction of the promised one, which is `promised` plus the
/// rounding of the value itself. Infinite if only one of two values is NaN or infinite.
pub(crate) fn furthest(found: &[f64], expected: &[f64], promised: f64) -> f64 {
    assert_eq!(found.len(), expected.len());
    found.iter().zip(expected).fold(0.0, |most: f64, (found, expected)| {
        if found == expected || found.is_nan() && expected.is_nan() {
            return most;
        }
        let share = (found - expected).abs() / (promised + 1e-15 * expected.abs());
        if share.is_nan() { f64::INFINITY } else { most.max(share) }
    })
}

/// Returns, for each draw, the category after the drawn one.
pub(crate) fn next(draws: &[u32], categories: usize) -> Vec<u32> {
    let next = |&draw: &u32| match draw {
        NO_DRAW => NO_DRAW,
        draw => (draw + 1) % categories as u32,
    };
    draws.iter().map(next).collect()
}

/// Rows of logits to which something large was added.
pub(crate) struct Shifted {
    pub(crate) shift: f32,
    pub(crate) categories: usize,
    pub(crate) logits: Vec<f32>,
    /// Whether the difference from a logsumexp of f64 has lost all of a log-probability.
    pub(crate) beyond_f64: bool,
}

/// Returns ties and random rows, three of each, as short rows and as long ones.
pub(crate) fn shifted_rows() -> Vec<Shifted> {
    let ties = [0.0f32, 1e9, 1e14, 3e38, -3e38].map(|shift| (shift, 0.0));
    // in steps of 1/16, the distance of neighbouring numbers near 10^6
    let random = [0.0f32, 1e6, -1e6].map(|shift| (shift, 1.0 / 16.0));
    let rows = ties.into_iter().chain(random);
    let with_sizes = rows.flat_map(|(shift, step)| [203, 3011].map(|n| (shift, step, n)));
    let shifted = with_sizes.map(|(shift, step, categories)| {
        let word = |i: usize| (i as u32).wrapping_mul(2_654_435_761) >> 25;
        let logits = (0..3 * categories).map(|i| shift + word(i) as f32 * step).collect();
        Shifted { shift, categories, logits, beyond_f64: shift.abs() >= 1e14 }
    });
    shifted.collect()
}
