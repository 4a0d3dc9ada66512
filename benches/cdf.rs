//! Many draws from one row: the inverse CDF beside `rand_distr`'s alias table, and beside Gumbel noise.
//!
//!     cargo bench --bench cdf              # half a minute
//!
//! All things that are compared run in turn, on one thread and on all, and the fastest sample counts. Draws are
//! nanoseconds each. Draws from the alias table use a new `SmallRng` for each 65,536 draws.
//!
//! Without `--bench`, which cargo bench gives, the draws are checked and nothing is timed.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on ends")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use gumbel::noise::philox::philox4x32_10;
use gumbel::{CpuSampler, Isa, Logits, Method, SampleOptions, reference};
use rand::SeedableRng;
use rand::distr::Distribution;
use rand::rngs::SmallRng;
use rand_distr::weighted::WeightedAliasIndex;
use rayon::prelude::*;

const DRAWS: usize = 1_000_000;
/// The number of the alias table's draws that a thread takes at a time.
const GRAIN: usize = 1 << 16;

/// Returns roughly normal logits with standard deviation 3.
fn normal(categories: usize) -> Vec<f32> {
    let words =
        (0..categories.div_ceil(4)).flat_map(|i| philox4x32_10([i as u32, 0, 0, 0], [5, 6]));
    words
        .map(|word| word.to_le_bytes().iter().map(|&byte| f32::from(byte)).sum::<f32>())
        .map(|sum| (sum - 510.0) * (3.0 / 147.8))
        .take(categories)
        .collect()
}

/// Runs each function in turn. Returns the shortest time of each, in seconds.
fn in_turn<const N: usize>(mut runs: [&mut dyn FnMut(); N], each: Duration) -> [f64; N] {
    let mut best = [f64::MAX; N];
    let start = Instant::now();
    let mut round = 0;
    while round < 3 || start.elapsed() < each * N as u32 {
        for (run, best) in runs.iter_mut().zip(&mut best) {
            let start = Instant::now();
            run();
            *best = best.min(start.elapsed().as_secs_f64());
        }
        round += 1;
    }
    best
}

fn on<T: Send>(threads: usize, run: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(run)
}

fn alias_table(row: &[f32]) -> WeightedAliasIndex<f64> {
    let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    WeightedAliasIndex::new(row.iter().map(|&x| f64::from(x - most).exp()).collect()).unwrap()
}

fn draw_from_alias(table: &WeightedAliasIndex<f64>, draws: &mut [u32]) {
    draws.par_chunks_mut(GRAIN).enumerate().for_each(|(i, draws)| {
        let mut rng = SmallRng::seed_from_u64(i as u64);
        draws.iter_mut().for_each(|draw| *draw = table.sample(&mut rng) as u32);
    });
}

fn check(row: &[f32]) {
    let options = SampleOptions::default().with_method(Method::InverseCdf).with_draws(1000);
    let logits = Logits::new(row, row.len()).unwrap();
    let expected = reference::sample_rows(logits, &options.with_draws(100)).unwrap();
    for isa in Isa::available() {
        let engine = CpuSampler::new().with_isa(isa).unwrap();
        let draws = engine.sample_rows(logits, &options).unwrap();
        assert!(draws.starts_with(&expected), "{isa}: the draws are not the reference's");
    }
}

/// Times the building of a table, 10⁶ draws from it, and both together.
fn compare(row: &[f32], threads: usize, isa: Isa) {
    let engine = CpuSampler::new().with_isa(isa).unwrap();
    let logits = Logits::new(row, row.len()).unwrap();
    let options = SampleOptions::default();
    let cdf = engine.inverse_cdf(logits, &options).unwrap();
    let alias = alias_table(row);
    let mut one = vec![0; DRAWS];
    let mut other = vec![0; DRAWS];
    let mut third = vec![0; DRAWS];
    let whole = options.with_draws(DRAWS as u32).with_method(Method::InverseCdf);
    let [build, build_alias, draw, draw_alias, all] = in_turn(
        [
            &mut || drop(black_box(engine.inverse_cdf(black_box(logits), &options).unwrap())),
            &mut || drop(black_box(alias_table(black_box(row)))),
            &mut || cdf.sample_rows_into(0, &mut one).unwrap(),
            &mut || draw_from_alias(&alias, &mut other),
            &mut || engine.sample_rows_into(logits, &whole, &mut third).unwrap(),
        ],
        Duration::from_millis(400),
    );
    let ns = |seconds: f64, per: usize| seconds * 1e9 / per as f64;
    println!(
        "| {} | {threads} | {isa} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} |",
        row.len(),
        ns(draw, DRAWS),
        ns(draw_alias, DRAWS),
        ns(build, row.len()),
        ns(build_alias, row.len()),
        ns(all, DRAWS),
    );
}

/// Prints the time by Gumbel noise over the time by inverse CDF, for several numbers of draws from
/// a row.
fn break_even(categories: usize) {
    let rows = (1 << 20) / categories;
    let data = normal(rows * categories);
    let logits = Logits::new(&data, categories).unwrap();
    let engine = CpuSampler::new();
    let times = [1, 2, 4, 8, 16, 32, 64].map(|draws| {
        let options = SampleOptions::default().with_draws(draws);
        let mut out = vec![0; rows * draws as usize];
        let mut other = out.clone();
        let inverse = options.with_method(Method::InverseCdf);
        let [gumbel, cdf] = in_turn(
            [&mut || engine.sample_rows_into(logits, &options, &mut out).unwrap(), &mut || {
                engine.sample_rows_into(logits, &inverse, &mut other).unwrap()
            }],
            Duration::from_millis(60),
        );
        format!("{:.2}", gumbel / cdf)
    });
    println!("| {categories} | {} |", times.join(" | "));
}

fn main() {
    let timed = std::env::args().any(|argument| argument == "--bench");
    let rows = [normal(1000), normal(1_000_000)];
    rows.iter().for_each(|row| check(row));
    if !timed {
        return println!("all draws are the reference's");
    }
    println!(
        "| categories | threads | isa | a draw | alias | build, a category | alias | call, a draw |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let all = rayon::current_num_threads();
    for row in &rows {
        for threads in [1, all] {
            for isa in Isa::available() {
                on(threads, || compare(row, threads, isa));
            }
        }
    }
    println!("\nTime by Gumbel noise / by inverse CDF, {all} threads:\n");
    println!(
        "| categories | 1 draw | 2 | 4 | 8 | 16 | 32 | 64 |\n|---|---|---|---|---|---|---|---|"
    );
    for categories in [4, 16, 100, 1000, 10_000, 128_256, 1 << 20] {
        break_even(categories);
    }
}
