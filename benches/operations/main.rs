//! The cost of each operation on the CPU, relative to plain draws from the same rows.
//!
//!     cargo bench --bench operations              # all, two minutes on two cores
//!     cargo bench --bench operations -- 16        # shapes whose names contain this
//!
//! All operations run in turn, sample by sample, on all threads, and the minima are compared, since
//! the machines are shared. Prints a table in Markdown. Without `--bench`, which cargo bench
//! passes, every operation runs once and nothing is timed.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on ends")]

use std::hint::black_box;
use std::time::Duration;

#[path = "../common/mod.rs"]
mod common;

use common::{Way, is_timed, logits, minima};
use gumbel::half::{bf16, f16};
use gumbel::{CpuSampler, Logits, Relaxation, SampleOptions, Weights};

/// The numbers of rows and of categories.
const SHAPES: [(usize, usize); 5] =
    [(1, 128_256), (256, 128_256), (4096, 1024), (100_000, 100), (1_000_000, 16)];
/// The time for each shape.
const EACH: Duration = Duration::from_secs(20);

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let timed = is_timed();
    let filters: Vec<_> = arguments.iter().filter(|a| !a.starts_with('-')).collect();
    let mut first = true;
    for (rows, categories) in SHAPES {
        let name = format!("{rows}x{categories}");
        if filters.is_empty() || filters.iter().any(|filter| name.contains(*filter)) {
            let rows = if timed { rows } else { rows.div_ceil(256) };
            measure(rows, categories, timed, first);
            first = false;
        }
    }
}

fn measure(rows: usize, categories: usize, timed: bool, first: bool) {
    let single = logits(rows * categories);
    let half: Vec<_> = single.iter().map(|&x| f16::from_f32(x)).collect();
    let brain: Vec<_> = single.iter().map(|&x| bf16::from_f32(x)).collect();
    let weights: Vec<_> = single.iter().map(|&x| x.exp()).collect();
    let counts: Vec<_> = weights.iter().map(|&x| (x * 1e4) as u32 + 1).collect();
    let logits = Logits::new(&single, categories).unwrap();
    let half = Logits::from_f16(&half, categories).unwrap();
    let brain = Logits::from_bf16(&brain, categories).unwrap();
    let weights = Weights::new(&weights, categories).unwrap();
    let counts = Weights::from_counts(&counts, categories).unwrap();
    let double: Vec<_> = single.iter().map(|&x| f64::from(x) + 1e7).collect();
    let exps: Vec<_> = single.iter().map(|&x| f64::from(x).exp() * 1e-200).collect();
    let double = Logits::from_f64(&double, categories).unwrap();
    let exps = Weights::from_f64(&exps, categories).unwrap();
    let columns: Vec<_> =
        (0..rows * categories).map(|i| single[i % rows * categories + i / rows]).collect();
    let columns = Logits::with_strides(&columns, rows, categories, 1, rows).unwrap();

    let cpu = CpuSampler::new();
    let options = SampleOptions::default();
    let soft = Relaxation::soft(0.5);
    let operations: Vec<Way<'_>> = vec![
        ("logits", Box::new(|| drop(black_box(cpu.sample_rows(logits, &options).unwrap())))),
        ("f16", Box::new(|| drop(black_box(cpu.sample_rows(half, &options).unwrap())))),
        ("bf16", Box::new(|| drop(black_box(cpu.sample_rows(brain, &options).unwrap())))),
        ("weights", Box::new(|| drop(black_box(cpu.sample_rows(weights, &options).unwrap())))),
        ("counts", Box::new(|| drop(black_box(cpu.sample_rows(counts, &options).unwrap())))),
        ("f64", Box::new(|| drop(black_box(cpu.sample_rows(double, &options).unwrap())))),
        ("f64 weights", Box::new(|| drop(black_box(cpu.sample_rows(exps, &options).unwrap())))),
        ("columns", Box::new(|| drop(black_box(cpu.sample_rows(columns, &options).unwrap())))),
        // race_rows gives keys, from which perturbed logits and times are made
        ("keys", Box::new(|| drop(black_box(cpu.race_rows(logits, &options, 1).unwrap())))),
        (
            "times",
            Box::new(|| {
                let top_k = cpu.race_rows(logits, &options, 1).unwrap();
                black_box(top_k.into_times());
            }),
        ),
        (
            "times, weights",
            Box::new(|| {
                let top_k = cpu.race_rows(weights, &options, 1).unwrap();
                black_box(top_k.into_times());
            }),
        ),
        (
            "log-probabilities",
            Box::new(|| {
                black_box(cpu.sample_rows_scored(logits, &options).unwrap());
            }),
        ),
        ("logsumexp", Box::new(|| drop(black_box(cpu.logsumexp_rows(logits, &options).unwrap())))),
        ("10 places", Box::new(|| drop(black_box(cpu.race_rows(logits, &options, 10).unwrap())))),
        (
            "estimates of log Z",
            Box::new(|| drop(black_box(cpu.estimate_log_z(logits, &options).unwrap()))),
        ),
        // soft samples take the noise of every category
        (
            "soft samples",
            Box::new(|| drop(black_box(cpu.soften_rows(logits, &options, soft).unwrap()))),
        ),
    ];
    report(&format!("{rows} × {categories}"), rows * categories, operations, timed, first);
}

/// Times the operations in turn, and prints a line: the time of the first, and the ratios of the
/// others to it.
fn report(shape: &str, values: usize, mut operations: Vec<Way<'_>>, timed: bool, first: bool) {
    let best = minima(&mut operations, timed.then_some(EACH));
    if !timed {
        return println!("{shape}: all operations run");
    }
    if first {
        let names: Vec<_> = operations[1..].iter().map(|(name, _)| *name).collect();
        println!("| rows × categories | logits, ns a category | {} |", names.join(" | "));
        println!("|{}", "---|".repeat(operations.len() + 1));
    }
    let ratios: Vec<_> = best[1..].iter().map(|time| format!("{:.2}", time / best[0])).collect();
    let each = best[0] * 1e9 / values as f64;
    println!("| {shape} | {each:.3} | {} |", ratios.join(" | "));
}
