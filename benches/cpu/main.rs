//! The CPU engine beside what one would otherwise do with the same logits.
//!
//!     cargo bench --bench cpu                        # everything, four minutes on two cores
//!     cargo bench --bench cpu -- 1000000x16 growing  # shapes whose names contain one of these
//!
//! Every instruction set of the engine is timed beside the price of reading (the maximum of all
//! logits, and of each row) and samplers of twenty lines (inverse CDF, and noise on each logit), on
//! one thread and on all. Before that its draws are compared with the reference's.
//!
//! Tables are printed as Markdown; those of the README come from here. A run of everything is
//! written to `benches/results/cpu-YYYY-MM-DD.csv`.
//!
//! **Ratios** are what counts, and the machines are shared. So all things that are compared run in
//! turn, sample by sample, and the minima are compared; criterion times one thing after another,
//! minutes apart, and gives no ratios. A repeated call finds in its caches what fits there: all of
//! a row of 128,256 categories, little of 100 MB.
//!
//! **One thread** is a pool of one thread, in which everything runs. All threads are rayon's global
//! pool, called from outside, as programs call it: the hand-over is part of the time.
//!
//! Without `--bench`, which cargo bench passes, the draws are checked and nothing is timed.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a benchmark that cannot go on ends")]

use std::hint::black_box;
use std::time::Duration;

use gumbel::{CpuSampler, Isa, Logits, SampleOptions};
use rayon::ThreadPoolBuilder;

mod clock;
mod input;
mod peers;
mod report;
mod shapes;

use input::Expected;
use report::{GUMBEL, INVERSE_CDF, INVERSE_CDF_F32, Line, MAXIMUM, NOISE, ROW_MAXIMA};
use shapes::{GROWING, SHAPES, Shape};

/// The time for each operation, in each shape and number of threads.
const EACH: Duration = Duration::from_millis(1000);
/// The time of a sample: longer than a call in most shapes.
const SAMPLE: Duration = Duration::from_millis(20);
/// The time of a sample where a call takes up to a second.
const LONG_SAMPLE: Duration = Duration::from_millis(200);

fn main() {
    let (switches, filters): (Vec<_>, Vec<_>) =
        std::env::args().skip(1).partition(|argument| argument.starts_with('-'));
    let timed = switches.iter().any(|switch| switch == "--bench");
    let wanted =
        |name: &str| filters.is_empty() || filters.iter().any(|filter| name.contains(filter));
    let shapes: Vec<_> = SHAPES.into_iter().filter(|shape| wanted(&shape.name())).collect();
    let most = input::most_logits();
    let growing = GROWING.into_iter().filter(|(name, _)| timed && wanted(name));
    let growing: Vec<_> = growing
        .map(|(name, sizes)| {
            let (fit, rest): (Vec<_>, Vec<_>) =
                sizes.into_iter().partition(|shape| shape.logits() <= most);
            rest.iter().for_each(|shape| println!("left out, no memory: {}", shape.name()));
            (name, fit)
        })
        .collect();
    let all = shapes.iter().chain(growing.iter().flat_map(|(_, sizes)| sizes));
    let Some(most) = all.map(|shape| shape.logits()).max() else {
        println!("nothing is called that; there are:");
        SHAPES.iter().for_each(|shape| println!("  {}", shape.name()));
        GROWING.iter().for_each(|(name, _)| println!("  {name}"));
        return;
    };
    let data = input::normal(most);
    if !input::peers_are_right() {
        panic!("what gumbel is to be compared with is wrong");
    }
    let isas: Vec<_> = Isa::available().collect();
    let best = Isa::detect();
    if !timed {
        shapes.iter().for_each(|&shape| check(shape, &data, &isas));
        return println!("all draws are the reference's");
    }

    println!("{}, {} (UTC), maxima in {}\n", report::machine(), report::date(), peers::isa());
    let threads = rayon::current_num_threads();
    let mut lines = Vec::new();
    for shape in shapes {
        check(shape, &data, &isas);
        for threads in counts(threads) {
            let mut some = on(threads, || measure(&[shape], &data, &isas, threads, Peers::All));
            report::compare(&mut some);
            println!("### {}, {}\n", shape.name(), report::threads(threads));
            report::print_lines(&some);
            lines.append(&mut some);
        }
    }
    let mut growth = Vec::new();
    for (name, sizes) in growing {
        sizes.iter().for_each(|&shape| check(shape, &data, &[best]));
        for threads in counts(threads) {
            let mut some = on(threads, || measure(&sizes, &data, &[best], threads, Peers::Maximum));
            some.chunk_by_mut(|a, b| a.shape == b.shape).for_each(report::compare);
            report::print_growth(name, &some, threads);
            growth.append(&mut some);
        }
    }
    if !lines.is_empty() {
        report::print_summary(&lines, best.name());
        report::print_forms(&lines, &isas.iter().map(|isa| isa.name()).collect::<Vec<_>>());
        report::print_targets(&lines, best.name(), threads);
    }
    lines.append(&mut growth);
    if filters.is_empty() {
        println!("written: {}", report::write_csv(&lines).unwrap().display());
    }
}

/// Returns the numbers of threads: one, and all.
fn counts(all: usize) -> impl Iterator<Item = usize> {
    [1, all].into_iter().take(if all == 1 { 1 } else { 2 })
}

/// Runs a function on one thread, or on this thread with all others in rayon's global pool.
fn on<T: Send>(threads: usize, run: impl FnOnce() -> T + Send) -> T {
    if threads == 1 {
        ThreadPoolBuilder::new().num_threads(1).build().unwrap().install(run)
    } else {
        run()
    }
}

fn options(shape: Shape) -> SampleOptions<'static> {
    SampleOptions::default().with_draws(shape.draws as u32)
}

fn sampler(isa: Isa) -> CpuSampler {
    CpuSampler::new().with_isa(isa).unwrap()
}

fn logits(shape: Shape, data: &[f32]) -> Logits<'_> {
    Logits::new(&data[..shape.logits()], shape.categories).unwrap()
}

/// Ends the run unless the draws equal the reference's, on one thread and on all.
fn check(shape: Shape, data: &[f32], isas: &[Isa]) {
    let expected = Expected::new(shape, data).unwrap();
    for &isa in isas {
        for threads in counts(rayon::current_num_threads()) {
            let draw = || sampler(isa).sample_rows(logits(shape, data), &options(shape));
            let draws = on(threads, draw).unwrap();
            if !expected.are(&draws) {
                panic!("{}, {isa:?}: the draws are not the reference's", shape.name());
            }
        }
    }
}

/// The peers that run beside the sampler.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Peers {
    All,
    /// The price of reading only.
    Maximum,
}

/// Times all operations in turn.
fn measure(
    shapes: &[Shape],
    data: &[f32],
    isas: &[Isa],
    threads: usize,
    peers: Peers,
) -> Vec<Line> {
    let mut names = Vec::new();
    let mut runs: Vec<Box<dyn FnMut()>> = Vec::new();
    for &shape in shapes {
        let Shape { categories, draws, .. } = shape;
        let data = &data[..shape.logits()];
        let mut add = |what: &'static str, isa: &'static str, run: Box<dyn FnMut()>| {
            names.push((shape, what, isa));
            runs.push(run);
        };
        for &isa in isas {
            let (sampler, logits, options) = (sampler(isa), logits(shape, data), options(shape));
            let mut out = vec![0; shape.races()];
            add(
                GUMBEL,
                isa.name(),
                Box::new(move || {
                    sampler.sample_rows_into(black_box(logits), &options, &mut out).unwrap();
                }),
            );
        }
        if draws == 1 {
            add(
                MAXIMUM,
                peers::isa(),
                Box::new(move || {
                    black_box(peers::maximum_of_all(black_box(data)));
                }),
            );
        }
        if peers == Peers::Maximum {
            continue;
        }
        let mut out = vec![0.0; shape.races()];
        add(
            ROW_MAXIMA,
            peers::isa(),
            Box::new(move || peers::maximum_of_each_row(data, categories, draws, &mut out)),
        );
        for (what, draw) in [
            (INVERSE_CDF, peers::inverse_cdf as fn(&[f32], usize, usize, &mut [u32])),
            (INVERSE_CDF_F32, peers::inverse_cdf_f32),
            (NOISE, peers::noise_on_each),
        ] {
            let mut out = vec![0; shape.races()];
            add(
                what,
                "plain",
                Box::new(move || draw(black_box(data), categories, draws, &mut out)),
            );
        }
    }
    let sample = if peers == Peers::All { SAMPLE } else { LONG_SAMPLE };
    let times = clock::in_turn(runs, EACH, sample);
    names
        .into_iter()
        .zip(times)
        .map(|((shape, what, isa), time)| Line { what, isa, threads, shape, time, ratio: None })
        .collect()
}
