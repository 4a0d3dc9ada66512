//! The cost of truncations and masks on the CPU: draws with each of them beside a plain draw of the same logits, and
//! beside what a decoder in Rust does by hand, on one thread.
//!
//!     cargo bench --bench decoding
//!
//! The ways run in turn, and the minima are compared, since the machines are shared. Prints a table in Markdown. Without
//! `--bench`, which cargo bench passes, every way runs once and nothing is timed.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on ends")]

use std::hint::black_box;
use std::time::Duration;

mod common;

use common::{Way, is_timed, logits, minima};
use gumbel::{Allowed, CpuSampler, Logits, SampleOptions, Share, Truncation};

/// The numbers of rows and of categories.
const SHAPES: [(usize, usize); 4] = [(256, 128_256), (64, 32_000), (1, 128_256), (4096, 1024)];
/// The time for each table.
const EACH: Duration = Duration::from_secs(8);

fn main() {
    let timed = is_timed();
    println!("CPU engine, {}\n", gumbel::Isa::detect());
    for (rows, categories) in SHAPES {
        let rows = if timed { rows } else { rows.div_ceil(64) };
        measure("normal logits, N(0, 3)", &logits(rows * categories), categories, timed);
    }
    // the rows that are worst for a selection or for a check
    let (rows, categories) = if timed { (16, 128_256) } else { (1, 5000) };
    let n = rows * categories;
    let kinds: [(&str, Vec<f32>); 4] = [
        ("all equal", vec![0.5; n]),
        ("two values", (0..n).map(|i| (i % 2) as f32).collect()),
        ("sorted", (0..n).map(|i| -((i % categories) as f32) / 8192.0).collect()),
        ("one head", (0..n).map(|i| if i % categories == 7 { 30.0 } else { 0.0 }).collect()),
    ];
    for (name, data) in kinds {
        measure(name, &data, categories, timed);
    }
}

/// A mask for each row, of the categories of which a hash is below a share of 2³².
fn masks(rows: usize, categories: usize, share: f64) -> (Vec<u32>, usize) {
    let each = categories.div_ceil(32);
    let hash =
        |i: usize| (i as u32).wrapping_mul(0x9e37_79b9).rotate_left(15).wrapping_mul(0x85eb_ca6b);
    // something is allowed in each row
    let bit = |i: usize| {
        u32::from(i.is_multiple_of(1000) || f64::from(hash(i)) < share * 4_294_967_296.0)
    };
    let word = |word: usize| (0..32).map(|i| bit(32 * word + i) << i).sum();
    ((0..rows * each).map(word).collect(), each)
}

/// Top-k and top-p as a decoder does them by hand: select, sort, add up, draw.
fn by_hand(row: &[f32], k: usize, p: f32, uniform: f32, order: &mut Vec<(f32, u32)>) -> u32 {
    order.clear();
    order.extend(row.iter().zip(0..).map(|(&x, i)| (x, i)));
    let k = k.min(row.len());
    if k < row.len() {
        order.select_nth_unstable_by(k - 1, |a, b| b.0.total_cmp(&a.0));
        order.truncate(k);
    }
    order.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
    let most = order[0].0;
    let total: f32 = order.iter().map(|(x, _)| (x - most).exp()).sum();
    let mut sum = 0.0;
    let kept = order.iter().take_while(|(x, _)| {
        let before = sum;
        sum += (x - most).exp();
        before < p * total
    });
    let kept = kept.count();
    let point = uniform * order[..kept].iter().map(|(x, _)| (x - most).exp()).sum::<f32>();
    let mut sum = 0.0;
    let found = order[..kept].iter().find(|(x, _)| {
        sum += (x - most).exp();
        sum > point
    });
    found.unwrap_or(&order[0]).1
}

fn measure(name: &str, data: &[f32], categories: usize, timed: bool) {
    let rows = data.len() / categories;
    let logits = Logits::new(data, categories).unwrap();
    let cpu = CpuSampler::new();
    let plain = SampleOptions::default();
    let new = Truncation::new;
    let (half, each) = masks(rows, categories, 0.5);
    let (most, _) = masks(rows, categories, 0.95);
    let (few, _) = masks(rows, categories, 0.001);
    let allowed = |words| plain.with_allowed(Allowed::each(words, each));
    let cut = |truncation| plain.with_truncation(truncation);
    let draws = std::cell::RefCell::new(vec![0; rows]);
    let draw = |options: SampleOptions<'_>| {
        let draws = &mut draws.borrow_mut();
        cpu.sample_rows_into(logits, &options, draws).unwrap();
        black_box(&draws);
    };
    let all = new().with_top_k(50).with_top_p(0.9).with_min_p(0.02);
    let mut ways: Vec<Way<'_>> = vec![
        ("plain", Box::new(|| draw(plain))),
        ("mask of 95 %", Box::new(|| draw(allowed(&most)))),
        ("mask of 50 %", Box::new(|| draw(allowed(&half)))),
        ("mask of 0.1 %", Box::new(|| draw(allowed(&few)))),
        ("min-p 0.05", Box::new(|| draw(cut(new().with_min_p(0.05))))),
        ("top-k 50", Box::new(|| draw(cut(new().with_top_k(50))))),
        ("top-p 0.9", Box::new(|| draw(cut(new().with_top_p(0.9))))),
        ("top-p 0.1", Box::new(|| draw(cut(new().with_top_p(0.1))))),
        ("epsilon 3e-4", Box::new(|| draw(cut(new().with_epsilon(3e-4))))),
        ("min-p and top-p", Box::new(|| draw(cut(new().with_min_p(0.05).with_top_p(0.9))))),
        ("k, p, min-p", Box::new(|| draw(cut(all)))),
        ("k, p of all", Box::new(|| draw(cut(all.with_share(Share::All))))),
        ("mask, k, p, min-p", Box::new(|| draw(allowed(&half).with_truncation(all)))),
    ];
    let mut slow: Vec<Way<'_>> = vec![
        ("plain", Box::new(|| draw(plain))),
        (
            "logsumexp, top-p",
            Box::new(|| {
                black_box(cpu.logsumexp_rows(logits, &cut(new().with_top_p(0.9))).unwrap());
            }),
        ),
        (
            "cuts, top-p",
            Box::new(|| {
                black_box(cpu.cut_rows(logits, &cut(new().with_top_p(0.9))).unwrap());
            }),
        ),
        (
            "by hand, one thread, k, p",
            Box::new(|| {
                let mut order = Vec::with_capacity(categories);
                for (i, row) in data.chunks(categories).enumerate() {
                    let uniform = (i as f32 * 0.618).fract();
                    black_box(by_hand(row, 50, 0.9, uniform, &mut order));
                }
            }),
        ),
        (
            "by hand, one thread, p",
            Box::new(|| {
                let mut order = Vec::with_capacity(categories);
                for (i, row) in data.chunks(categories).enumerate() {
                    let uniform = (i as f32 * 0.618).fract();
                    black_box(by_hand(row, categories, 0.9, uniform, &mut order));
                }
            }),
        ),
    ];
    // what is slow takes the rows out of the caches
    table((rows, categories), name, &mut ways, timed);
    table((rows, categories), &format!("{name}, among slower ways"), &mut slow, timed);
}

/// Times ways, of which the first is a plain draw, and prints them.
fn table((rows, categories): (usize, usize), name: &str, ways: &mut [Way<'_>], timed: bool) {
    let best = minima(ways, timed.then_some(EACH));
    if !timed {
        return;
    }
    println!(
        "{rows} × {categories}, {name}: a plain draw of all rows takes {:.1} µs\n",
        best[0] * 1e6
    );
    println!("| | × a plain draw |\n|---|---|");
    for ((name, _), time) in ways.iter().zip(&best).skip(1) {
        println!("| {name} | {:.2} |", time / best[0]);
    }
    println!();
}
