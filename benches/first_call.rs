//! The first call of a process beside later ones: the first starts threads, asks for memory, and brings code into memory.
//!
//!     cargo bench --bench first_call
//!
//! Each shape has its own processes, one after another; of all of them the least times are compared, since the machines are
//! shared. Prints a table in Markdown. Without `--bench`, which cargo bench passes, every shape has one process.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on ends")]

use std::hint::black_box;
use std::process::Command;
use std::time::Instant;

#[allow(dead_code, reason = "these calls run in processes of their own, and not in turn")]
mod common;

use common::{is_timed, logits};
use gumbel::{CpuSampler, Logits, SampleOptions};

const SHAPES: [(usize, usize); 4] = [(1, 128_256), (64, 32_000), (256, 128_256), (1_000_000, 16)];
const PROCESSES: usize = 30;
const LATER_CALLS: u32 = 20;
/// In a process of a shape, the number of the shape.
const SHAPE: &str = "GUMBEL_FIRST_CALL";

fn main() {
    if let Ok(shape) = std::env::var(SHAPE) {
        return calls(SHAPES[shape.parse::<usize>().unwrap()]);
    }
    let processes = if is_timed() { PROCESSES } else { 1 };
    println!("| rows × categories | first call, ms | a later one, ms | first / later |");
    println!("|---|---|---|---|");
    for (number, (rows, categories)) in SHAPES.into_iter().enumerate() {
        let [first, later] = (0..processes)
            .map(|_| in_a_process(number))
            .fold([f64::INFINITY; 2], |[a, b], [c, d]| [a.min(c), b.min(d)]);
        println!(
            "| {rows} × {categories} | {:.3} | {:.3} | {:.2} |",
            1e3 * first,
            1e3 * later,
            first / later
        );
    }
}

/// The seconds of the first call, and of the fastest later one, in a process of their own.
fn in_a_process(number: usize) -> [f64; 2] {
    let mut process = Command::new(std::env::current_exe().unwrap());
    let output = process.env(SHAPE, number.to_string()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let words = String::from_utf8(output.stdout).unwrap();
    let seconds: Vec<f64> = words.split_whitespace().map(|word| word.parse().unwrap()).collect();
    seconds.try_into().unwrap()
}

/// Prints the seconds of the first call and of the fastest later one.
fn calls((rows, categories): (usize, usize)) {
    let data = logits(rows * categories);
    let mut draws = vec![1; rows];
    let sampler = CpuSampler::new();
    let batch = Logits::new(&data, categories).unwrap();
    let mut seconds = |seed| {
        let start = Instant::now();
        let options = SampleOptions::default().with_seed(seed);
        sampler.sample_rows_into(batch, &options, black_box(&mut draws)).unwrap();
        start.elapsed().as_secs_f64()
    };
    let first = seconds(0);
    let later = (1..=u64::from(LATER_CALLS)).map(&mut seconds).fold(f64::INFINITY, f64::min);
    println!("{first} {later}");
}
