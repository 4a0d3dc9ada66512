//! The memory that the CPU engine allocates for a call, its results aside: none for one row or a
//! few, little for more. And where there is no memory for what a caller asks for, a call is an error.
//!
//! All is one test, since memory is counted for the whole process.

#![expect(unsafe_code, reason = "an allocator that counts is an unsafe trait's")]

mod operations;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use gumbel::half::f16;
use gumbel::noise::philox::philox4x32_10;
use gumbel::{CpuSampler, Isa, Logits, Relaxation, SampleOptions};

use operations::{more_rows_than_memory, where_memory_ends};

thread_local! {
    /// How often this thread has allocated. The test harness allocates too, on a thread of its own.
    static CALLS: Cell<usize> = const { Cell::new(0) };
}
static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
/// How many more large allocations are granted; none once this is 0.
static LARGE_LEFT: AtomicUsize = AtomicUsize::new(usize::MAX);
/// What is smaller than this is always granted: no caller chooses its size.
const LARGE_BYTES: usize = 8 << 10;

/// The system's allocator, with a count of everything that it hands out, and a limit.
struct Counting;

// SAFETY: every request that is not refused goes to the system's allocator, and its answer is returned.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.size() >= LARGE_BYTES {
            let one_less =
                |left| if left == usize::MAX { Some(left) } else { usize::checked_sub(left, 1) };
            if LARGE_LEFT.fetch_update(Relaxed, Relaxed, one_less).is_err() {
                return std::ptr::null_mut();
            }
        }
        CALLS.set(CALLS.get() + 1);
        let live = LIVE.fetch_add(layout.size(), Relaxed) + layout.size();
        PEAK.fetch_max(live, Relaxed);
        // SAFETY: the caller gives the guarantees that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as for `alloc`, and `memory` comes from the system's allocator.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Returns how often this thread allocates during `work`, and the most bytes that all threads hold
/// then, less the bytes held before.
fn count(work: impl FnOnce()) -> (usize, usize) {
    let (calls, live) = (CALLS.get(), LIVE.load(Relaxed));
    PEAK.store(live, Relaxed);
    work();
    (CALLS.get() - calls, PEAK.load(Relaxed).saturating_sub(live))
}

/// Roughly normal logits.
fn logits(count: usize) -> Vec<f32> {
    let words = (0..count.div_ceil(4) as u32).flat_map(|i| philox4x32_10([i, 0, 0, 0], [3, 4]));
    let normal = |word: u32| word.to_le_bytes().iter().map(|&x| f32::from(x) / 49.0).sum();
    words.take(count).map(normal).collect()
}

fn isas() -> impl Iterator<Item = Isa> {
    Isa::available()
}

/// Rows, categories and draws of calls that stay on the thread of their caller.
const SMALL: [(usize, usize, u32); 6] =
    [(1, 128_256, 1), (1, 5, 1), (1000, 100, 1), (50, 20, 100), (1, 1000, 10), (3, 300, 4)];
/// Rows, categories and draws of calls that use other threads.
const LARGE: [(usize, usize, u32); 5] =
    [(2000, 1024, 1), (100_000, 16, 1), (1, 200_000, 100), (1, 1_000_000, 1), (200, 5000, 40)];

/// The stack of each of the pool's threads. Deep recursion or large arrays would not fit on it.
const STACK: usize = 64 << 10;
const HEAP: usize = 64 << 10;
const THREADS: usize = 2;

/// Calls `counted` with the counts of the second of two calls, for each shape, instruction set,
/// temperature and type of logits.
#[expect(clippy::unwrap_used, reason = "all that is asked for is valid")]
fn each(
    shapes: &[(usize, usize, u32)],
    engine: &CpuSampler,
    mut counted: impl FnMut(&str, usize, usize),
) {
    for &(rows, categories, draws) in shapes {
        let data = logits(rows * categories);
        let halves: Vec<_> = data.iter().map(|&logit| f16::from_f32(logit)).collect();
        let singles = Logits::new(&data, categories).unwrap();
        let halves = Logits::from_f16(&halves, categories).unwrap();
        let mut drawn = vec![0; rows * draws as usize];
        for (isa, temperature) in isas().flat_map(|isa| [(isa, 0.0), (isa, 0.7)]) {
            let engine = engine.clone().with_isa(isa).unwrap();
            let options = SampleOptions::default().with_draws(draws).with_temperature(temperature);
            for logits in [singles, halves] {
                let mut sample = || engine.sample_rows_into(logits, &options, &mut drawn).unwrap();
                sample();
                let (calls, bytes) = count(sample);
                let format = logits.format();
                let shape =
                    format!("{rows} x {categories} {format} x {draws} at {temperature}, {isa}");
                counted(&shape, calls, bytes);
            }
        }
    }
}

/// Soft samples of a few rows, and their gradients, allocate nothing either, except a row of floats for several draws
/// of a longer row.
#[expect(clippy::unwrap_used, reason = "all that is asked for is valid")]
fn soften_small() {
    for (rows, categories, draws, expected) in [(20, 7, 3, 0), (3, 1000, 1, 0), (1, 1000, 3, 1)] {
        let data = logits(rows * categories);
        let logits = Logits::new(&data, categories).unwrap();
        let (options, soft) = (SampleOptions::default().with_draws(draws), Relaxation::soft(0.5));
        let mut samples = vec![0.0; data.len() * draws as usize];
        let (cotangents, mut gradients) = (samples.clone(), data.clone());
        for isa in isas() {
            let engine = CpuSampler::new().with_isa(isa).unwrap();
            let (calls, _) = count(|| {
                engine.soften_rows_into(logits, &options, soft, &mut samples).unwrap();
            });
            assert_eq!(calls, 0, "samples of {rows} x {categories} x {draws}, {isa}");
            let (calls, _) = count(|| {
                let gradients = &mut gradients;
                engine
                    .soften_rows_vjp_into(logits, &options, soft, &cotangents, gradients)
                    .unwrap();
            });
            assert_eq!(calls, expected, "gradients of {rows} x {categories} x {draws}, {isa}");
        }
    }
}

#[test]
fn memory_beside_the_draws() {
    let (calls, bytes) = count(|| drop(std::hint::black_box(vec![0u8; 1000])));
    assert!(calls == 1 && bytes >= 1000, "the allocator does not count");

    // waking a pool would allocate once, on this thread
    each(&SMALL, &CpuSampler::new(), |shape, calls, _| {
        assert_eq!(calls, 0, "{shape}");
    });

    soften_small();

    let pool = rayon::ThreadPoolBuilder::new().num_threads(THREADS).stack_size(STACK);
    let engine = CpuSampler::new().with_pool(Arc::new(pool.build().unwrap()));
    each(&LARGE, &engine, |shape, _, bytes| {
        println!("{shape}: at most {bytes} bytes");
        assert!(bytes <= THREADS * HEAP, "{shape}: {bytes} bytes");
    });

    more_rows_than_memory();

    for (name, errors) in where_memory_ends() {
        println!("{name}: {errors} errors");
        assert!(errors > 0, "{name} never lacked memory");
    }
}
