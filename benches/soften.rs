//! The cost of soft samples and their gradients on the CPU, beside the price of the noise itself.
//!
//!     cargo bench --bench soften                  # every form, a minute on one core
//!     cargo bench --bench soften -- 1024x1024     # shapes whose names contain one of these
//!
//! Nanoseconds a category, counted once a draw, on one thread; the fastest sample of each counts. *Unfiltered
//! draws* evaluate the noise of every category too, by the scalar functions of the contract.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on ends")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use gumbel::{CpuSampler, Isa, Logits, Relaxation, SampleOptions};

#[expect(dead_code, reason = "medians are for the tables of another benchmark")]
#[path = "cpu/clock.rs"]
mod clock;

const EACH: Duration = Duration::from_millis(500);
const SAMPLE: Duration = Duration::from_millis(20);
/// Rows, categories and draws.
const SHAPES: [(usize, usize, u32); 6] = [
    (100_000, 10, 1),
    (65_536, 16, 1),
    (1024, 1024, 1),
    (8, 128_256, 1),
    (1000, 16, 64),
    (1000, 1000, 4),
];

fn main() {
    let (switches, filters): (Vec<_>, Vec<_>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with('-'));
    if !switches.iter().any(|switch| switch == "--bench") {
        return;
    }
    println!("| rows × categories × draws | isa | soft | gradient | unfiltered draws |");
    println!("|---|---|---|---|---|");
    for (rows, categories, draws) in SHAPES {
        let name = format!("{rows}x{categories}x{draws}");
        if filters.is_empty() || filters.iter().any(|filter| name.contains(filter)) {
            for isa in Isa::available() {
                let [soft, gradient, draw] = time(isa, rows, categories, draws);
                println!("| {name} | {isa} | {soft:.1} | {gradient:.1} | {draw:.1} |");
            }
        }
    }
}

/// Returns the nanoseconds for a category.
fn time(isa: Isa, rows: usize, categories: usize, draws: u32) -> [f64; 3] {
    let alone = Arc::new(rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap());
    let engine = CpuSampler::new().with_isa(isa).unwrap().with_pool(alone);
    let unfiltered = engine.clone().with_filter(false);
    let data: Vec<_> = (0..rows * categories).map(|i| (i * 7919 % 1009) as f32 / 128.0).collect();
    let logits = Logits::new(&data, categories).unwrap();
    let (options, soft) = (SampleOptions::default().with_draws(draws), Relaxation::soft(0.5));
    let total = rows * categories * draws as usize;
    let cotangents: Vec<_> = (0..total).map(|i| (i % 7) as f32 - 3.0).collect();
    let mut samples = vec![0.0; total];
    let mut gradients = vec![0.0; data.len()];
    let mut drawn = vec![0; rows * draws as usize];
    let runs: Vec<Box<dyn FnMut() + '_>> = vec![
        Box::new(|| {
            engine.soften_rows_into(logits, &options, soft, black_box(&mut samples)).unwrap();
        }),
        Box::new(|| {
            let gradients = black_box(&mut gradients);
            engine.soften_rows_vjp_into(logits, &options, soft, &cotangents, gradients).unwrap();
        }),
        Box::new(|| {
            unfiltered.sample_rows_into(logits, &options, black_box(&mut drawn)).unwrap();
        }),
    ];
    let times = clock::in_turn(runs, EACH, SAMPLE);
    [0, 1, 2].map(|i| times[i].minimum * 1e9 / total as f64)
}
