//! Every category is drawn with its probability, out to the far tail.
//!
//! The CPU engine draws under fixed seeds; other tests check that the other engines give the same
//! draws.

use crate::common::statistics::{ALARM, chi_square, counts};
use gumbel::{CpuSampler, Logits, SampleOptions};
use statrs::distribution::{DiscreteCDF, Poisson};

/// Returns exp(logit) over the sum of all.
fn softmax(logits: &[f32]) -> Vec<f64> {
    let weights: Vec<f64> = logits.iter().map(|&logit| f64::from(logit).exp()).collect();
    let sum: f64 = weights.iter().sum();
    weights.iter().map(|weight| weight / sum).collect()
}

/// Returns how often each category is drawn: `rows` × `draws` draws from one row of logits.
#[expect(clippy::unwrap_used, reason = "the calls of this file are valid")]
fn frequencies(logits: &[f32], rows: usize, draws: u32, seed: u64) -> Vec<u64> {
    let batch = Logits::strided(logits, rows, logits.len(), 0).unwrap();
    let options = SampleOptions::default().with_seed(seed).with_draws(draws);
    counts(CpuSampler::new().sample_rows(batch, &options).unwrap(), logits.len())
}

/// Checks that ten million draws have the row's probabilities, and not those of a row in which
/// every second category is 1 % more probable: the check would notice a tilt of 1 %.
///
/// False alarms: 10⁻⁶ a row.
fn assert_fits(name: &str, logits: &[f32], seed: u64) {
    let counts = frequencies(logits, 10_000, 1000, seed);
    let fit = chi_square(&counts, &softmax(logits));
    let tilted: Vec<f32> = (0..).zip(logits).map(|(i, x)| x + 0.01 * (i % 2) as f32).collect();
    let tilted_fit = chi_square(&counts, &softmax(&tilted));
    println!("{name}: p = {fit:.4}; against the tilted row p = {tilted_fit:.1e}");
    assert!(fit > ALARM, "{name}: p = {fit:e}");
    assert!(tilted_fit < ALARM, "a tilt of {name} is not seen: p = {tilted_fit:e}");
}

#[test]
fn flat_row() {
    assert_fits("flat", &[-2.5; 16], 1);
}

/// Probabilities from 77 % down to some too small for ten million draws.
#[test]
fn peaked_row() {
    let logits: Vec<f32> = (0..61).map(|i| -0.5 * (i * 29 % 61) as f32).collect();
    assert_fits("peaked", &logits, 2);
}

/// Two hills of different width, 136 categories, one octet more than a vector block of
/// the engine.
#[test]
fn bimodal_row() {
    let hill = |i: f32, top: f32, width: f32| -((i - top) / width).powi(2) / 2.0;
    let logits: Vec<f32> = (0..136u16)
        .map(f32::from)
        .map(|i| hill(i, 30.0, 8.0).max(hill(i, 95.0, 20.0) - 0.7))
        .collect();
    assert_fits("bimodal", &logits, 3);
}

/// Two categories in three are masked, by −∞ and by −10³⁰ in turn: none of them is ever drawn,
/// and the others keep their odds.
#[test]
fn masked_row() {
    let logits: Vec<f32> =
        (0..48).map(|i| [0.02 * i as f32, f32::NEG_INFINITY, -1e30][i % 3]).collect();
    assert_fits("masked", &logits, 4);
}

/// Rows so long that their noise comes from the top down: equal logits, two hills, and a row like a language model's. Both
/// the categories and the members of groups, taken together by their number, have their probabilities; and the check
/// would notice if one member in sixteen were 15 % more probable.
///
/// False alarms: 10⁻⁶ for each of the two p-values of three rows.
#[test]
fn long_rows() {
    let flat = vec![0.5; 5000];
    let hills = (0..20_000u16).map(|i| {
        let hill = |top: f32, width: f32| -((f32::from(i) - top) / width).powi(2) / 2.0;
        hill(3000.0, 200.0).max(hill(15_000.0, 900.0) - 1.0)
    });
    let steep = (0..128_256u32).map(|i| -1.2 * ((i * 7919 % 128_256 + 1) as f32).ln());
    let rows: [(_, Vec<f32>, u32); 3] = [
        ("flat", flat, 1_000_000),
        ("hills", hills.collect(), 1_000_000),
        ("steep", steep.collect(), 300_000),
    ];
    for (seed, (name, logits, draws)) in (20..).zip(rows) {
        let counts = frequencies(&logits, 1, draws, seed);
        let probabilities = softmax(&logits);
        let fit = chi_square(&counts, &probabilities);
        let of_members = |weight: &dyn Fn(usize) -> f64| {
            let mut members = [0.0; 16];
            for (category, p) in probabilities.iter().enumerate() {
                members[category / 16 % 16] += p * weight(category / 16 % 16);
            }
            let sum: f64 = members.iter().sum();
            members.map(|p| p / sum)
        };
        let mut counts_of_members = [0; 16];
        for (category, count) in counts.iter().enumerate() {
            counts_of_members[category / 16 % 16] += count;
        }
        let members = chi_square(&counts_of_members, &of_members(&|_| 1.0));
        let tilted = |member: usize| if member == 5 { 1.15 } else { 1.0 };
        let tilted = chi_square(&counts_of_members, &of_members(&tilted));
        println!("{name}: p = {fit:.4}; members p = {members:.4}, tilted p = {tilted:.1e}");
        assert!(fit > ALARM && members > ALARM, "{name}: {fit:e} {members:e}");
        assert!(tilted < ALARM, "a tilt of {name} is not seen: p = {tilted:e}");
    }
}

/// Draws from tilted logits fail the test against the original logits.
#[test]
fn a_tilted_engine_is_seen() {
    let tilted: Vec<f32> = (0..16).map(|i| 0.01 * (i % 2) as f32).collect();
    let p = chi_square(&frequencies(&tilted, 10_000, 1000, 5), &softmax(&[0.0; 16]));
    assert!(p < ALARM, "p = {p:e}");
}

/// Categories of probability 10⁻⁵, 10⁻⁶ and 10⁻⁷ in a short row, four of each, at 20 million
/// draws; one of probability 0 is never drawn.
///
/// False alarms: 10⁻⁶ for each of the three Poisson counts and both of its ends.
#[test]
fn rare_categories() {
    let mut logits = [0.0; 24];
    for (level, odds) in [1e-5f64, 1e-6, 1e-7].into_iter().enumerate() {
        logits[5 + 4 * level..][..4].fill((odds * 11.0).ln() as f32);
    }
    logits[17] = f32::NEG_INFINITY;
    let probabilities = softmax(&logits);
    let counts = frequencies(&logits, 20_000, 1000, 6);
    assert_eq!(counts[17], 0);
    let mut levels = Vec::new();
    for level in 0..3 {
        let level = 5 + 4 * level..9 + 4 * level;
        let mean = 2e7 * probabilities[level.clone()].iter().sum::<f64>();
        let count = counts[level].iter().sum::<u64>();
        println!("{count} draws, expected {mean:.1}: {:.2e}", poisson(count, mean));
        levels.push((count, mean));
    }
    assert!(levels.iter().all(|&(count, mean)| poisson(count, mean) > ALARM), "{levels:?}");
    // the test would notice a tail that is half or twice as heavy
    assert!(poisson(levels[0].0 / 2, levels[0].1) < ALARM);
    assert!(poisson(levels[0].0 * 2, levels[0].1) < ALARM);
}

/// Returns the probability of a Poisson count at least as far from its mean, on the same side.
#[expect(clippy::unwrap_used, reason = "the mean is positive")]
fn poisson(count: u64, mean: f64) -> f64 {
    let distribution = Poisson::new(mean).unwrap();
    let above = if count == 0 { 1.0 } else { distribution.sf(count - 1) };
    distribution.cdf(count).min(above)
}

/// Checks the tail's total: one head at 0 and 262,144 categories at −20.5 share `rows` draws, and
/// the tail's total must be within 4 sigma of its expectation, 3.28·10⁻⁴ a draw.
///
/// Noise of 24 bits could not draw the tail at all: such noise ends at −ln 2⁻²⁵ = 17.3.
fn assert_tail(rows: usize, seed: u64) {
    let mut logits = vec![-20.5; 262_145];
    logits[100_003] = 0.0;
    let counts = frequencies(&logits, rows, 1, seed);
    let share = 1.0 - softmax(&logits)[100_003];
    assert!((share - 3.28e-4).abs() < 1e-6);
    let expected = rows as f64 * share;
    let within = |count: f64| (count - expected).abs() <= 4.0 * expected.sqrt();
    let tail = rows as u64 - counts[100_003];
    println!("{tail} draws in the tail, expected {expected:.1}");
    assert!(within(tail as f64), "{tail}, expected {expected}");
    // the check would notice a tail that is never drawn, and one of twice the weight
    assert!(!within(0.0) && !within(2.0 * expected));
    // and the tail is flat
    let low = counts[..100_003].iter().sum::<u64>();
    let flat = chi_square(&[low, tail - low], &[100_003.0 / 262_144.0, 162_141.0 / 262_144.0]);
    assert!(flat > ALARM, "{low} of {tail} below the head: p = {flat:e}");
}

/// False alarms: 1.2·10⁻⁴, the two ends of a Poisson count of 65.5 beyond 4 sigma.
#[test]
fn far_tail() {
    assert_tail(200_000, 7);
}

/// False alarms: 6·10⁻⁵.
#[test]
#[ignore = "takes 11 minutes on two cores: cargo test --release --package engine-tests --test integration -- --ignored distribution::"]
fn far_tail_at_length() {
    assert_tail(4_000_000, 8);
}
