//! The cost of options of rows on the CPU: one call in which each row has a seed, a temperature and a first draw of its
//! own, beside one call with the same options for all rows, and beside a call for each row. Then the time of backward
//! sampling, in which each of many chains draws its next state from the row of the state that it is in.
//!
//!     cargo bench --bench per_row
//!
//! The ways run in turn, and the minima are compared, since the machines are shared. Prints tables in Markdown. Without
//! `--bench`, which cargo bench passes, every way runs once and nothing is timed.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on ends")]

use std::hint::black_box;
use std::time::Duration;

mod common;

use common::{Way, is_timed, logits, minima};
use gumbel::{CpuSampler, Logits, Method, SampleOptions, Sequence, Weights};

/// The numbers of rows and of categories.
const SHAPES: [(usize, usize); 5] =
    [(64, 32_000), (256, 128_256), (4096, 1024), (100_000, 50), (1_000_000, 16)];
/// The numbers of steps, chains and states of backward sampling.
const STEPS: usize = 100;
const CHAINS: usize = 100_000;
const STATES: usize = 50;
/// The time for each shape.
const EACH: Duration = Duration::from_secs(12);

fn main() {
    let timed = is_timed();
    for (n, (rows, categories)) in SHAPES.into_iter().enumerate() {
        let rows = if timed { rows } else { rows.div_ceil(256) };
        measure(rows, categories, timed, n == 0);
    }
    measure_backward(if timed { CHAINS } else { CHAINS.div_ceil(256) }, timed);
}

/// Chains that go through steps: in each step a chain draws from one of as many rows as there are states, chosen by its state.
fn measure_backward(chains: usize, timed: bool) {
    let each = STATES * STATES;
    let weights: Vec<f32> = logits(STEPS * each).into_iter().map(f32::exp).collect();
    let cpu = CpuSampler::new();
    let backward = |method| {
        let options = SampleOptions::default().with_method(method);
        let (mut sequence, mut states, mut next) =
            (Sequence::new(1), vec![0; chains], vec![0; chains]);
        for rows in weights.chunks_exact(each) {
            let options = sequence.take(&options).unwrap().with_row_indices(&states);
            let rows = Weights::new(rows, STATES).unwrap();
            cpu.sample_rows_into(rows, &options, &mut next).unwrap();
            std::mem::swap(&mut states, &mut next);
        }
        black_box(states);
    };
    let mut ways: Vec<Way<'_>> = vec![
        ("by races", Box::new(|| backward(Method::Gumbel))),
        ("auto", Box::new(|| backward(Method::Auto))),
    ];
    let best = minima(&mut ways, timed.then_some(EACH));
    if timed {
        println!("\n| {STEPS} steps, {chains} chains × {STATES} states, gathered | s |\n|---|---|");
        for ((name, _), best) in ways.iter().zip(best) {
            println!("| {name} | {best:.3} |");
        }
    }
}

fn measure(rows: usize, categories: usize, timed: bool, first: bool) {
    let data = logits(rows * categories);
    let logits = Logits::new(&data, categories).unwrap();
    let seeds: Vec<u64> = (0..rows as u64).map(|row| row * row).collect();
    let temperatures: Vec<f32> = (0..rows)
        .map(|row| if row % 8 == 0 { 0.0 } else { 0.5 + (row % 7) as f32 / 8.0 })
        .collect();
    let first_draws: Vec<u32> = (0..rows as u32).map(|row| row * 7 % 1000).collect();
    let reversed: Vec<u32> = (0..rows as u32).rev().collect();
    // the next states of many chains
    let states = 50.min(rows);
    let of_states = Logits::new(&data[..states * categories], categories).unwrap();
    let few: Vec<u32> = (0..rows).map(|row| (row * 7 % states) as u32).collect();
    let plain = SampleOptions::default();
    let own =
        plain.with_seeds(&seeds).with_temperatures(&temperatures).with_first_draws(&first_draws);
    let cpu = CpuSampler::new();
    let mut draws = vec![0; rows];
    let draws = std::cell::RefCell::new(&mut draws);
    let draw_from = |logits: Logits<'_>, options: SampleOptions<'_>| {
        cpu.sample_rows_into(logits, &options, &mut draws.borrow_mut()).unwrap();
        black_box(&draws);
    };
    let draw = |options| draw_from(logits, options);
    let mut ways: Vec<Way<'_>> = vec![
        ("the same", Box::new(|| draw(plain))),
        ("first draws", Box::new(|| draw(plain.with_first_draws(&first_draws)))),
        ("seeds", Box::new(|| draw(plain.with_seeds(&seeds)))),
        ("temperatures", Box::new(|| draw(plain.with_temperatures(&temperatures)))),
        ("all three", Box::new(|| draw(own))),
        ("all, gathered", Box::new(|| draw(own.with_row_indices(&reversed)))),
        ("gathered", Box::new(|| draw(plain.with_row_indices(&reversed)))),
        ("from 50 rows", Box::new(|| draw_from(of_states, plain.with_row_indices(&few)))),
        (
            "from 50 rows, auto",
            Box::new(|| {
                draw_from(of_states, plain.with_row_indices(&few).with_method(Method::Auto));
            }),
        ),
        (
            "a call each",
            Box::new(|| {
                for row in 0..rows {
                    let one =
                        Logits::new(&data[row * categories..][..categories], categories).unwrap();
                    let options = plain
                        .with_seed(seeds[row])
                        .with_temperature(temperatures[row])
                        .with_first_draw(first_draws[row])
                        .with_first_row(row as u64);
                    cpu.sample_rows_into(one, &options, &mut draws.borrow_mut()[row..=row])
                        .unwrap();
                }
            }),
        ),
    ];
    let best = minima(&mut ways, timed.then_some(EACH));
    if !timed {
        return;
    }
    if first {
        let names: Vec<_> = ways[1..].iter().map(|(name, _)| *name).collect();
        println!("| rows × categories | the same for all rows, µs | {} |", names.join(" | "));
        println!("|{}", "---|".repeat(ways.len() + 1));
    }
    let base = best[0];
    let ratios: Vec<_> = best[1..].iter().map(|time| format!("{:.2}", time / base)).collect();
    println!("| {rows} × {categories} | {:.1} | {} |", base * 1e6, ratios.join(" | "));
}
