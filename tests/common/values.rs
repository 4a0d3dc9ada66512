//! What a log-probability should be: from the values of a batch and f64's logarithm alone.

use gumbel::half::{bf16, f16};
use gumbel::{Batch, NO_DRAW, SampleOptions, ValueFormat};

/// The logit that a value is, or the logarithm of the weight that it is.
fn log_weight(batch: Batch<'_>, row: usize, category: usize) -> f64 {
    let size = batch.format().bytes();
    let bytes = &batch.bytes_of_row(row)[category * size..][..size];
    let mut word = [0; 4];
    word[..size].copy_from_slice(bytes);
    let word = u32::from_le_bytes(word);
    match batch.format() {
        ValueFormat::F16 => f16::from_bits(word as u16).to_f64(),
        ValueFormat::Bf16 => bf16::from_bits(word as u16).to_f64(),
        ValueFormat::Weights => f64::from(f32::from_bits(word)).ln(),
        ValueFormat::Counts => f64::from(word).ln(),
        _ => f64::from(f32::from_bits(word)),
    }
}

/// Log softmax at each draw: its value over the temperature, less the sum of its row; NaN for what was
/// not drawn. The temperature divides as the crate promises, by the f32 nearest to its reciprocal.
pub(crate) fn log_probs(
    batch: Batch<'_>,
    options: &SampleOptions<'_>,
    draws: &[u32],
    sums: &[f64],
) -> Vec<f64> {
    let inverse = f64::from(1.0 / options.temperature);
    let of_draw = |(i, &draw): (usize, &u32)| {
        let row = i / options.draws as usize;
        match draw {
            NO_DRAW => f64::NAN,
            _ => log_weight(batch, row, draw as usize) * inverse - sums[row],
        }
    };
    draws.iter().enumerate().map(of_draw).collect()
}

/// The largest difference in tolerances, of which each row has one for its sum; infinite if one is a
/// number where the other is none.
pub(crate) fn furthest(
    found: &[f64],
    expected: &[f64],
    sums: &[f64],
    tolerance: impl Fn(f64) -> f64,
) -> f64 {
    assert_eq!(found.len(), expected.len());
    let draws = if sums.is_empty() { 1 } else { found.len() / sums.len() };
    let each = found.iter().zip(expected).enumerate();
    each.fold(0.0, |most: f64, (i, (found, expected))| {
        if found.is_nan() != expected.is_nan() {
            return f64::INFINITY;
        }
        most.max((found - expected).abs() / tolerance(sums[i / draws]))
    })
}
