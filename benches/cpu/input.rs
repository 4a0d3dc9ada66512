//! The logits, and the draws that are right.

use gumbel::noise::philox::philox4x32_10;
use gumbel::{Logits, SampleOptions, reference};
use rayon::prelude::*;

use crate::peers;
use crate::shapes::Shape;

/// The number of logits after which they repeat. The draws do not repeat, since rows have numbers.
const PERIOD: usize = 1 << 25;
/// The number of logits, counted once for each draw, for which the reference makes the draws at
/// each end of a shape.
const CHECKED: usize = 100_000;

/// Returns roughly normal logits with standard deviation 3.
pub(crate) fn normal(count: usize) -> Vec<f32> {
    let pattern: Vec<f32> = (0..count.min(PERIOD).div_ceil(4))
        .into_par_iter()
        .flat_map_iter(|i| philox4x32_10([i as u32, 0, 0, 0], [5, 6]))
        .map(|word| word.to_le_bytes().iter().map(|&byte| f32::from(byte)).sum::<f32>())
        .map(|sum| (sum - 510.0) * (3.0 / 147.8))
        .collect();
    let mut logits = vec![0.0; count];
    for logits in logits.chunks_mut(PERIOD) {
        let piece = 1 << 20;
        logits
            .par_chunks_mut(piece)
            .zip(pattern.par_chunks(piece))
            .for_each(|(to, from)| to.copy_from_slice(&from[..to.len()]));
    }
    logits
}

/// Returns how many logits fit into half of the memory that is free.
pub(crate) fn most_logits() -> usize {
    let kib = std::fs::read_to_string("/proc/meminfo").ok().and_then(|info| {
        let line = info.lines().find(|line| line.starts_with("MemAvailable:"))?;
        line.split_whitespace().nth(1)?.parse::<usize>().ok()
    });
    kib.unwrap_or(4 << 20) * 1024 / 2 / size_of::<f32>()
}

/// The reference's first and last draws of a shape.
pub(crate) struct Expected {
    first: Vec<u32>,
    last: Vec<u32>,
}

impl Expected {
    pub(crate) fn new(shape: Shape, data: &[f32]) -> Result<Self, gumbel::Error> {
        let Shape { rows, categories, draws } = shape;
        let few_draws = (CHECKED / categories).clamp(1, draws);
        let few_rows = if draws == 1 { (CHECKED / categories).clamp(1, rows) } else { 1 };
        let at = |row: usize, draw: usize| {
            let data = &data[row * categories..][..few_rows * categories];
            let options = SampleOptions::default()
                .with_first_row(row as u64)
                .with_first_draw(draw as u32)
                .with_draws(few_draws as u32);
            reference::sample_rows(Logits::new(data, categories)?, &options)
        };
        let (first, last) = rayon::join(|| at(0, 0), || at(rows - few_rows, draws - few_draws));
        Ok(Self { first: first?, last: last? })
    }

    /// Returns whether draws begin and end with the expected ones.
    pub(crate) fn are(&self, draws: &[u32]) -> bool {
        draws.starts_with(&self.first) && draws.ends_with(&self.last)
    }
}

/// Returns whether the peers are right: maxima are the maxima, and frequencies are within 5
/// standard deviations of the probabilities.
pub(crate) fn peers_are_right() -> bool {
    let (rows, categories) = (300_000, 21);
    let row = &normal(categories)[..];
    let logits = row.repeat(rows);
    let largest = |row: &[f32]| row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut maxima = vec![0.0; rows];
    peers::maximum_of_each_row(&logits, categories, 1, &mut maxima);
    let mut again = vec![0.0; rows];
    peers::maximum_of_each_row(row, categories, rows, &mut again);
    let most = largest(row);
    let rows_are_right = maxima.iter().chain(&again).all(|&x| x == most);
    // all lengths, since a maximum could leave out a vector at an end; the largest may be anywhere
    let some = normal(1000);
    let mut pieces = (1..400).flat_map(|count| [&some[..count], &some[count..2 * count]]);
    let pieces_are_right = pieces.all(|piece| peers::maximum_of_all(piece) == largest(piece));

    let total: f64 = row.iter().map(|&x| f64::from(x).exp()).sum();
    let fair = |draw: fn(&[f32], usize, usize, &mut [u32])| {
        let mut draws = vec![0; rows];
        draw(&logits, categories, 1, &mut draws[..rows / 2]);
        draw(row, categories, rows / 2, &mut draws[rows / 2..]);
        let mut counts = vec![0.0; categories];
        draws.iter().for_each(|&draw| counts[draw as usize] += 1.0);
        counts.iter().zip(row).all(|(count, &x)| {
            let p = f64::from(x).exp() / total;
            let expected = p * rows as f64;
            (count - expected).abs() < 5.0 * (expected * (1.0 - p)).sqrt() + 1.0
        })
    };
    rows_are_right
        && pieces_are_right
        && fair(peers::inverse_cdf)
        && fair(peers::inverse_cdf_f32)
        && fair(peers::noise_on_each)
}
