//! What the CPU engine allocates beside the draws: nothing for a row or a few, little for more.
//!
//! One test, since the counts are those of the whole process.

#![expect(unsafe_code, reason = "an allocator that counts is an unsafe trait's")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use gumbel::noise::philox::philox4x32_10;
use gumbel::{CpuForm, CpuSampler, Logits, SampleOptions};

static CALLS: AtomicUsize = AtomicUsize::new(0);
static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator, which is asked for all that is handed out.
struct Counting;

// SAFETY: what is asked for goes to the system's allocator, and what that gives comes back.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.fetch_add(1, Relaxed);
        let live = LIVE.fetch_add(layout.size(), Relaxed) + layout.size();
        PEAK.fetch_max(live, Relaxed);
        // SAFETY: the caller keeps the same promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as above, and `memory` comes from the system's allocator.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often something allocates, and how many bytes more than before it holds at most.
fn count(work: impl FnOnce()) -> (usize, usize) {
    let (calls, live) = (CALLS.load(Relaxed), LIVE.load(Relaxed));
    PEAK.store(live, Relaxed);
    work();
    (CALLS.load(Relaxed) - calls, PEAK.load(Relaxed) - live)
}

/// Roughly normal logits.
fn logits(count: usize) -> Vec<f32> {
    let words = (0..count.div_ceil(4) as u32).flat_map(|i| philox4x32_10([i, 0, 0, 0], [3, 4]));
    let normal = |word: u32| word.to_le_bytes().iter().map(|&x| f32::from(x) / 49.0).sum();
    words.take(count).map(normal).collect()
}

fn forms() -> impl Iterator<Item = CpuForm> {
    CpuForm::ALL.into_iter().filter(|form| form.is_available())
}

/// rows, categories, draws
const SMALL: [(usize, usize, u32); 4] = [(1, 128_256, 1), (1, 5, 1), (1000, 100, 1), (50, 20, 100)];
const LARGE: [(usize, usize, u32); 5] =
    [(2000, 1024, 1), (100_000, 16, 1), (1, 200_000, 100), (1, 1_000_000, 1), (200, 5000, 40)];
/// Of each thread.
const STACK: usize = 64 << 10;
const HEAP: usize = 64 << 10;

#[test]
fn memory_beside_the_draws() {
    let one = count(|| drop(std::hint::black_box(vec![0u8; 1000])));
    assert_eq!(one, (1, 1000), "the allocator does not count");
    // deep recursion or large arrays would not fit on the stacks
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).stack_size(STACK).build().unwrap();
    let engine = CpuSampler::new().with_pool(Arc::new(pool));
    // a pool allocates for itself when it is used first, and so does a queue in it from time to time
    for (rows, categories, draws) in SMALL.into_iter().chain(LARGE) {
        let data = logits(rows * categories);
        let logits = Logits::new(&data, categories).unwrap();
        let mut drawn = vec![0; rows * draws as usize];
        for (form, temperature) in forms().flat_map(|form| [(form, 0.0), (form, 0.7)]) {
            let options = SampleOptions::default().with_draws(draws).with_temperature(temperature);
            let mut sample = |engine: &CpuSampler| {
                let mut run = || engine.sample_rows_into(logits, &options, &mut drawn).unwrap();
                // detects, and fills thread-local memory
                run();
                count(run)
            };
            let shape = format!("{rows} x {categories} x {draws} at {temperature}, {form}");
            if rows * categories * (draws as usize) < 1 << 17 {
                let without_pool = CpuSampler::new().with_form(form).unwrap();
                assert_eq!(sample(&without_pool), (0, 0), "{shape}");
            }
            let (calls, bytes) = sample(&engine.clone().with_form(form).unwrap());
            println!("{shape}: {calls} allocations, at most {bytes} bytes");
            assert!(bytes <= 2 * HEAP, "{shape}: {bytes} bytes");
        }
    }
}
