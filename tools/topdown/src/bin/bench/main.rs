//! Times of the prototype beside those of the library's CPU engine, on one thread.

use gumbel::Isa;

mod batches;
mod keys;
mod many;
mod maximum;
mod timing;
mod top_k;

const USAGE: &str = "\
usage: bench rows ROWS CATEGORIES KIND      draws of rows, beside a bare maximum
       bench halves ROWS CATEGORIES KIND    draws of rows of f32, bf16 and f16
       bench many DRAWS CATEGORIES KIND     many draws of one row
       bench top K ROWS CATEGORIES KIND     the top k of rows
       bench keys CATEGORIES KIND           all keys of a row

KIND is a standard deviation of normal logits, or zipf, holes, sparse or peaked. The variable ISA names one instruction
set (all), and SAMPLES is the number of samples of each time (15).";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let samples = std::env::var("SAMPLES").ok().and_then(|n| n.parse().ok()).unwrap_or(15);
    // today's engine must not use another thread
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let run = || run(&arguments, samples).is_some();
    if !pool.is_ok_and(|pool| pool.install(run)) {
        eprintln!("{USAGE}");
        std::process::exit(2);
    }
}

/// `None` if the arguments mean nothing.
fn run(arguments: &[&str], samples: usize) -> Option<()> {
    let number = |at: usize| arguments.get(at)?.parse::<usize>().ok().filter(|&n| n > 0);
    let kind = *arguments.last()?;
    match (*arguments.first()?, arguments.len()) {
        ("rows", 4) => batches::rows(number(1)?, number(2)?, kind, samples),
        ("halves", 4) => batches::halves(number(1)?, number(2)?, kind, samples),
        ("many", 4) => many::bench(number(1)?, number(2)?, kind, samples),
        ("top", 5) => top_k::bench([number(1)?, number(2)?, number(3)?], kind, samples),
        ("keys", 3) => keys::bench(number(1)?, kind, samples),
        _ => None,
    }
}

/// The instruction sets to measure.
fn instruction_sets() -> impl Iterator<Item = Isa> {
    let only = std::env::var("ISA").ok();
    Isa::available().filter(move |isa| only.as_ref().is_none_or(|only| only == isa.name()))
}

/// Logits of a kind; `None` if there is no such kind.
fn logits(kind: &str, count: usize) -> Option<Vec<f32>> {
    let mut random = gumbel_topdown::random::Rng(88172645463325252);
    let sd = kind.parse::<f64>();
    let mut one = || {
        Some(match kind {
            "zipf" => -1.1 * ((random.uniform() * 50_000.0) as f32 + 1.0).ln(),
            "holes" if random.uniform() < 0.7 => f32::NEG_INFINITY,
            "holes" => (2.0 * random.normal()) as f32,
            "sparse" if random.uniform() < 1.0 / 16.0 => 3.0,
            "sparse" => -12.0,
            "peaked" if random.uniform() < 1e-4 => 12.0,
            "peaked" => random.normal() as f32,
            _ => (sd.as_ref().ok()? * random.normal()) as f32,
        })
    };
    // a million different ones are enough
    let some: Vec<f32> = (0..(1 << 20) + 7).map(|_| one()).collect::<Option<_>>()?;
    Some((0..count).map(|i| some[i % some.len()]).collect())
}
