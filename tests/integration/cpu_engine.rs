//! The CPU engine gives the reference's bytes: on every awkward batch, with the filter and without,
//! on any number of threads.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use gumbel::conformance::{self, Case};
use gumbel::noise::bits::Stream;
use gumbel::noise::groups::noise;
use gumbel::noise::gumbel::{UNIT, gumbel};
use gumbel::{Batch, CpuSampler, Isa, Logits, NO_DRAW, SampleOptions, reference};

/// Returns an engine for each instruction set that this machine has, the one that users get first,
/// and one that evaluates every category.
fn engines() -> Vec<CpuSampler> {
    let isas = Isa::available();
    let each = isas.map(|isa| CpuSampler::new().with_isa(isa));
    let mut engines: Vec<_> = each.filter_map(Result::ok).collect();
    engines.push(CpuSampler::new().with_filter(false));
    engines
}

#[expect(clippy::unwrap_used, reason = "a pool of a few threads can be had")]
fn pool(threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap()
}

/// Returns how many draws of a case an engine gets wrong. Draws that it leaves unwritten are wrong.
fn mismatches(
    case: &Case,
    expected: &[u32],
    engine: impl Fn(Batch<'_>, &SampleOptions<'_>, &mut [u32]),
) -> usize {
    let mut draws = vec![NO_DRAW - 1; expected.len()];
    engine(case.batch(), &case.options(), &mut draws);
    draws.iter().zip(expected).filter(|(got, expected)| got != expected).count()
}

fn run<'a>(
    engine: &CpuSampler,
    batch: impl Into<Batch<'a>>,
    options: &SampleOptions<'a>,
    draws: &mut [u32],
) {
    let done = engine.sample_rows_into(batch, options, draws);
    assert!(done.is_ok(), "{done:?}");
}

/// All cases on 1, 2, 3 and 7 threads.
#[test]
fn every_case_on_any_number_of_threads() {
    let pools = [1, 2, 3, 7].map(pool);
    let engines = engines();
    for case in conformance::cases() {
        let expected = case.expected();
        for engine in &engines {
            for pool in &pools {
                let wrong = pool.install(|| {
                    mismatches(&case, &expected, |logits, options, draws| {
                        run(engine, logits, options, draws);
                    })
                });
                let threads = pool.current_num_threads();
                assert_eq!(wrong, 0, "{case}, {threads} threads, {engine:?}");
            }
        }
    }
}

/// A batch without rows has no ids either, and no draws.
#[test]
fn no_rows_with_ids_of_their_own() {
    for engine in engines() {
        for categories in [1, 5, 1000] {
            let none = Logits::new(&[], categories).unwrap();
            let options = SampleOptions::default().with_row_ids(&[]);
            for temperature in [0.0, 1.0] {
                let options = options.with_temperature(temperature);
                assert_eq!(engine.sample_rows(none, &options).unwrap(), [0; 0], "{engine:?}");
            }
        }
    }
}

/// The public comparison, which users run on their machines: both engines pass, and each draw that
/// is not the expected one counts.
#[test]
fn conformance_counts_what_differs() {
    let engines: Vec<_> = engines();
    for case in conformance::cases().filter(|case| case.batch().categories() <= 256) {
        let mut expected = case.expected();
        for engine in &engines {
            assert_eq!(case.mismatches(engine, &expected).unwrap(), 0, "{case}");
        }
        expected.iter_mut().step_by(3).for_each(|draw| *draw ^= 1);
        let wrong = case.mismatches(&engines[0], &expected).unwrap();
        assert_eq!(wrong, expected.len().div_ceil(3), "{case}");
    }
}

/// Faults in an engine: the comparison has to see them in every case where they change the draws.
#[test]
fn the_comparison_sees_faults() {
    let mut seen = [0; 5];
    let engines = engines();
    for case in conformance::cases().filter(|case| case.batch().categories() <= 256) {
        let expected = case.expected();
        let engine = &engines[0];
        // two neighbours that differ, exchanged
        if let Some(at) = expected.windows(2).position(|pair| pair[0] != pair[1]) {
            let wrong = mismatches(&case, &expected, |logits, options, draws| {
                run(engine, logits, options, draws);
                draws.swap(at, at + 1);
            });
            assert_eq!(wrong, 2, "{case}");
            seen[0] += 1;
        }
        // the last draw not written
        if let Some(last) = expected.len().checked_sub(1) {
            let wrong = mismatches(&case, &expected, |logits, options, draws| {
                let before = draws[last];
                run(engine, logits, options, draws);
                draws[last] = before;
            });
            assert_eq!(wrong, 1, "{case}");
            seen[1] += 1;
        }
        // noise of another call: another seed, other row ids or other draw numbers
        let others: [fn(SampleOptions<'_>) -> SampleOptions<'_>; 3] = [
            |options| options.with_seed(options.seed + 1),
            |options| options.with_first_row(1 << 50),
            |options| options.with_first_draw(options.first_draw ^ 1 << 20),
        ];
        for (count, other) in seen[2..].iter_mut().zip(others) {
            let wrong = mismatches(&case, &expected, |logits, options, draws| {
                run(engine, logits, &other(*options), draws);
            });
            *count += u32::from(wrong > 0);
        }
    }
    println!("cases in which each fault is seen: {seen:?}");
    assert!(seen.iter().all(|&cases| cases > 50), "{seen:?}");
}

/// Of two categories with the same largest key the lower one wins, wherever in the row they are and
/// whichever thread finds them; if the other's key is one unit of 2⁻²⁴ larger, the other wins.
#[test]
fn ties_go_to_the_lowest_category() {
    let pools = [1, 2, 7].map(pool);
    let noise_of = |row: u64, category: u32, categories: usize| {
        i64::from(gumbel(noise(Stream::new(9, row, 0), category, categories)))
    };
    let engines = engines();
    let mut ties = 0;
    let pairs = [
        (0, 1),
        (3, 5),
        (7, 8),
        (2, 127),
        (127, 128),
        (5, 16_384),
        (40_000, 99_999),
        // two members of a group
        (4609, 4641),
        (20_010, 20_122),
    ];
    for (low, high) in pairs {
        let categories = high as usize + 1;
        for row in 0..40 {
            // the category with more noise gets a logit of 0, and the logit of the other makes the
            // keys equal
            let lead = noise_of(row, low, categories) - noise_of(row, high, categories);
            if lead.abs() >= UNIT || lead == 0 {
                continue;
            }
            let mut logits = vec![f32::NEG_INFINITY; categories];
            for (winner, more) in [(low, 0), (high, 1), (low, -1)] {
                logits[low as usize] = 0.0;
                logits[high as usize] = (lead + more) as f32 / UNIT as f32;
                let batch = Logits::new(&logits, logits.len()).unwrap();
                let options = SampleOptions::default().with_seed(9).with_first_row(row);
                assert_eq!(reference::sample_rows(batch, &options).unwrap(), [winner]);
                for engine in &engines {
                    for pool in &pools {
                        let drawn = pool.install(|| engine.sample_rows(batch, &options)).unwrap();
                        assert_eq!(drawn, [winner], "{low}, {high}, row {row}, {more} more");
                    }
                }
            }
            ties += 1;
        }
    }
    assert!(ties > 90, "only {ties} ties");
}

/// The caller's own pool does the work: as long as its one thread is blocked, nothing is drawn.
#[test]
fn the_callers_pool_is_used() {
    let pool = Arc::new(pool(1));
    let sampler = CpuSampler::new().with_pool(Arc::clone(&pool));
    let data = vec![0.0; 1 << 20];
    for categories in [16, 1 << 10, 1 << 20] {
        let logits = Logits::new(&data, categories).unwrap();
        let draw =
            |sampler: &CpuSampler| sampler.sample_rows(logits, &SampleOptions::default()).unwrap();
        let (release, held) = channel::<()>();
        pool.spawn(move || held.recv().unwrap());
        let (done, drawn) = channel();
        std::thread::scope(|scope| {
            scope.spawn(|| done.send(draw(&sampler)).unwrap());
            assert!(drawn.recv_timeout(Duration::from_millis(200)).is_err(), "{categories}");
            release.send(()).unwrap();
            assert_eq!(drawn.recv().unwrap(), draw(&CpuSampler::new()), "{categories}");
        });
    }
}
