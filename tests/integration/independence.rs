//! Draws whose seed, row or draw number are neighbours are independent.
//!
//! Each test draws pairs from flat rows of 16 categories and counts how often each of the 256 pairs
//! comes up: independent draws make all of them equally probable. No two pairs share a draw, so
//! Pearson's chi-square is exact enough to state its rate of false alarms.

use crate::common::statistics::{ALARM, chi_square, counts};
use gumbel::{CpuSampler, Logits, Method, SampleOptions};

const CATEGORIES: usize = 16;
const PAIRS: usize = 1_000_000;

/// The two methods: one uses many blocks for each draw, the other half a block.
const METHODS: [Method; 2] = [Method::Gumbel, Method::InverseCdf];

/// Returns one draw from each of `rows` flat rows, or more if the options say so.
#[expect(clippy::unwrap_used, reason = "the calls of this file are valid")]
fn draws(rows: usize, options: SampleOptions<'_>) -> Vec<u32> {
    let logits = Logits::strided(&[0.0f32; CATEGORIES], rows, CATEGORIES, 0).unwrap();
    CpuSampler::new().sample_rows(logits, &options).unwrap()
}

/// Returns the p-value of the frequencies of pairs.
fn p_value(pairs: impl IntoIterator<Item = (u32, u32)>) -> f64 {
    let cells = CATEGORIES * CATEGORIES;
    let pairs = pairs.into_iter().map(|(a, b)| a * CATEGORIES as u32 + b);
    chi_square(&counts(pairs, cells), &vec![1.0 / cells as f64; cells])
}

/// Checks and returns the p-value of the pairs at the same position of two batches.
fn assert_independent(what: &str, a: &[u32], b: &[u32]) -> f64 {
    assert_eq!(a.len(), b.len());
    let p = p_value(a.iter().copied().zip(b.iter().copied()));
    assert!(p > ALARM, "{what}: p = {p:e}");
    p
}

/// Returns the draws at even and at odd positions.
fn neighbours(draws: &[u32]) -> (Vec<u32>, Vec<u32>) {
    draws.as_chunks().0.iter().map(|&[even, odd]| (even, odd)).unzip()
}

/// Rows 2i and 2i + 1, for the first rows, for those around 2³² and for the last ones, by either method.
///
/// False alarms: 10⁻⁶ for each of the six.
#[test]
fn neighbouring_rows() {
    for method in METHODS {
        for first in [0, (1 << 32) - PAIRS as u64, 0u64.wrapping_sub(2 * PAIRS as u64)] {
            let options = SampleOptions::default().with_seed(1).with_first_row(first);
            let (even, odd) = neighbours(&draws(2 * PAIRS, options.with_method(method)));
            let p = assert_independent(&format!("rows, {method:?}"), &even, &odd);
            println!("{method:?} from {first}: p = {p:.4}");
        }
    }
}

/// Draws 2i and 2i + 1 of the same row: of many rows, and of a single one, by either method. By inverse CDF these two
/// share a block. Also draws 2i + 1 and 2i + 2, which do not.
///
/// False alarms: 10⁻⁶ for each of the eight.
#[test]
fn neighbouring_draws() {
    for method in METHODS {
        for (rows, first) in [(1000, 0), (1000, 1), (1, 0), (1, 1)] {
            let options = SampleOptions::default().with_seed(2).with_first_draw(first);
            let options = options.with_method(method).with_draws((2 * PAIRS / rows) as u32);
            let (even, odd) = neighbours(&draws(rows, options));
            let p = assert_independent(&format!("draws, {method:?}"), &even, &odd);
            println!("{method:?} of {rows} rows from {first}: p = {p:.4}");
        }
    }
}

/// The same rows under seeds 2i and 2i + 1: a million rows under one pair of seeds, and ten rows
/// under 100,000 pairs; by either method.
///
/// False alarms: 10⁻⁶ for each of the four.
#[test]
fn neighbouring_seeds() {
    for method in METHODS {
        for seeds in [1, 100_000] {
            let options = SampleOptions::default().with_method(method);
            let at = |seed| draws(PAIRS / seeds, options.with_seed(seed));
            let (mut even, mut odd) = (Vec::new(), Vec::new());
            for seed in (1000..).step_by(2).take(seeds) {
                even.extend(at(seed));
                odd.extend(at(seed + 1));
            }
            let p = assert_independent(&format!("seeds, {method:?}"), &even, &odd);
            println!("{method:?}, {seeds} seeds: p = {p:.4}");
        }
    }
}

/// A step on one counter and a step back on another: a layout that adds these counters, or that
/// numbers the draws of all rows, would make the same draw twice.
///
/// False alarms: 10⁻⁶ for each of the three.
#[test]
fn steps_that_cancel_out() {
    let base = SampleOptions::default().with_seed(50).with_first_row(70).with_first_draw(90);
    let seed_and_row = base.with_seed(51).with_first_row(69);
    let row_and_draw = base.with_first_row(71).with_first_draw(89);
    let seed_and_draw = base.with_seed(51).with_first_draw(89);
    let drawn = draws(PAIRS, base);
    for other in [seed_and_row, row_and_draw, seed_and_draw] {
        let what = format!("{other:?}");
        println!("p = {:.4}", assert_independent(&what, &drawn, &draws(PAIRS, other)));
    }
}

/// Seeds, rows and draw numbers that differ in one bit, whichever it is: 100,000 pairs for each of
/// the 64 + 64 + 31 bits.
///
/// False alarms: 10⁻⁶ for each bit, 1.6·10⁻⁴ in all.
#[test]
fn single_bits() {
    let base = SampleOptions::default().with_seed(0x5eed << 20);
    let many = PAIRS / 10;
    let ids: Vec<u64> = (0..many as u64).map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
    let check = |name: &str, bits: u32, flipped: &dyn Fn(u32) -> Vec<u32>, plain: &[u32]| {
        let p_values =
            (0..bits).map(|bit| assert_independent(&format!("{name} {bit}"), plain, &flipped(bit)));
        println!("{name}: lowest of {bits} p-values {:.4}", p_values.fold(1.0, f64::min));
    };
    let plain = draws(many, base.with_row_ids(&ids));
    let seed = |bit: u32| draws(many, base.with_row_ids(&ids).with_seed(base.seed ^ 1 << bit));
    check("seed bit", 64, &seed, &plain);
    let row = |bit: u32| {
        let ids: Vec<u64> = ids.iter().map(|id| id ^ 1 << bit).collect();
        draws(many, base.with_row_ids(&ids))
    };
    check("row bit", 64, &row, &plain);
    let draw = |bit: u32| draws(many, base.with_row_ids(&ids).with_first_draw(1 << bit));
    check("draw bit", 31, &draw, &plain);
}

/// The test notices a stream of pairs of which one in a hundred is correlated: its second draw
/// equals the first one, or is the next category.
#[test]
fn correlated_pairs_are_seen() {
    let (even, odd) = neighbours(&draws(2 * PAIRS, SampleOptions::default().with_seed(4)));
    assert_independent("the pairs as they are", &even, &odd);
    let spoilt = |spoil: fn(u32, u32) -> u32| {
        let pairs = even.iter().copied().zip(odd.iter().copied()).enumerate();
        p_value(pairs.map(|(i, (a, b))| (a, if i % 100 == 0 { spoil(a, b) } else { b })))
    };
    let copied = spoilt(|a, _| a);
    let next = spoilt(|a, _| (a + 1) % CATEGORIES as u32);
    assert!(copied < ALARM && next < ALARM, "{copied:e} {next:e}");
    // the test also notices an engine that ignores a part of the counter
    assert!(p_value(even.iter().copied().zip(even.iter().copied())) < ALARM);
}
