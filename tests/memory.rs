//! The CPU engine reads and writes nothing beyond the memory that it is given or allocates: here each allocation ends
//! at the end of a page, and the next page cannot be touched.
//!
//! A reach beyond the end ends this process by SIGSEGV. The fuzz targets have AddressSanitizer for the same purpose, but
//! run by hand; this test runs with all others.

#![cfg(target_os = "linux")]
#![expect(unsafe_code, reason = "an allocator is an unsafe trait's, and pages are the system's")]
#![expect(clippy::unwrap_used, reason = "all that is asked for is valid")]

use std::alloc::{GlobalAlloc, Layout};
use std::ptr::null_mut;

use gumbel::half::{bf16, f16};
use gumbel::noise::philox::philox4x32_10;
use gumbel::{
    Allowed, Batch, CpuSampler, Drafts, Isa, LogZ, Logits, Method, Particles, Relaxation,
    Resampling, SampleOptions, Shard, Truncation, Weights, reference,
};

/// At least the size of a page, and a multiple of it.
const PAGE: usize = 1 << 16;

/// An allocator whose memory ends before a page that cannot be touched.
struct Guarded;

/// The bytes of the pages that hold the layout's memory.
fn pages(layout: Layout) -> usize {
    layout.size().next_multiple_of(PAGE)
}

// SAFETY: memory is mapped for each request alone, large enough and aligned, and unmapped as a whole.
unsafe impl GlobalAlloc for Guarded {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let bytes = pages(layout);
        let (access, kind) =
            (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // SAFETY: new memory, at an address of the system's choice.
        let first = unsafe { libc::mmap(null_mut(), bytes + PAGE, access, kind, -1, 0) };
        if first == libc::MAP_FAILED {
            return null_mut();
        }
        let first = first.cast::<u8>();
        // SAFETY: the last of the pages that were mapped just now.
        if unsafe { libc::mprotect(first.add(bytes).cast(), PAGE, libc::PROT_NONE) } != 0 {
            return null_mut();
        }
        let begin = (bytes - layout.size()) & !(layout.align() - 1);
        // SAFETY: within the pages.
        unsafe { first.add(begin) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        let bytes = pages(layout);
        let begin = (bytes - layout.size()) & !(layout.align() - 1);
        // SAFETY: `alloc` has mapped these pages for this layout.
        unsafe { libc::munmap(memory.sub(begin).cast(), bytes + PAGE) };
    }
}

#[global_allocator]
static ALLOCATOR: Guarded = Guarded;

/// Logits of about −5 to 5, and a few of −∞.
fn logits(rows: usize, categories: usize) -> Vec<f32> {
    let count = rows * categories;
    let words = (0..count.div_ceil(4) as u32).flat_map(|i| philox4x32_10([i, 0, 0, 0], [3, 4]));
    let logit = |word: u32| match word % 17 {
        0 => f32::NEG_INFINITY,
        _ => (word >> 8) as f32 / 1_700_000.0 - 5.0,
    };
    let mut logits: Vec<_> = words.take(count).map(logit).collect();
    // no row is without a draw
    logits.iter_mut().step_by(categories).for_each(|logit| *logit = logit.max(0.5));
    logits
}

/// Every operation on a batch, with memory for results that ends where it has to.
fn operations(sampler: &CpuSampler, batch: Batch<'_>) {
    let options = SampleOptions::default().with_seed(9);
    for draws in [1, 3] {
        for temperature in [0.0, 0.7, 1.0] {
            let options = options.with_draws(draws).with_temperature(temperature);
            for method in [Method::Gumbel, Method::InverseCdf] {
                let options = options.with_method(method);
                let drawn = sampler.sample_rows(batch, &options).unwrap();
                assert!(drawn == reference::sample_rows(batch, &options).unwrap());
            }
        }
        let options = options.with_draws(draws);
        for k in [1, 2, 10, 28] {
            let top_k = sampler.race_rows(batch, &options, k).unwrap();
            assert!(top_k == reference::race_rows(batch, &options, k).unwrap(), "{k}");
        }
        let new = Truncation::new;
        let masks = vec![0xf0f0_ff11; batch.categories().div_ceil(32)];
        for truncation in [new(), new().with_top_k(7), new().with_top_p(0.4), new().with_min_p(0.3)]
        {
            let cut = options.with_truncation(truncation);
            for options in [cut, cut.with_allowed(Allowed::shared(&masks))] {
                let drawn = sampler.sample_rows(batch, &options.with_sentinels(true)).unwrap();
                let expected =
                    reference::sample_rows(batch, &options.with_sentinels(true)).unwrap();
                assert!(drawn == expected, "{truncation:?}");
                let cuts = sampler.cut_rows(batch, &options.with_sentinels(true)).unwrap();
                assert_eq!(cuts.len(), batch.rows());
            }
        }
        let prepared = sampler.inverse_cdf(batch, &options).unwrap();
        assert_eq!(prepared.sample_rows(0, draws).unwrap().len(), batch.rows() * draws as usize);
        assert_eq!(
            sampler.sample_rows_scored(batch, &options).unwrap().logsumexps.len(),
            batch.rows()
        );
        assert_eq!(sampler.logsumexp_rows(batch, &options).unwrap().len(), batch.rows());
        let estimates: Vec<LogZ> = sampler.estimate_log_z(batch, &options).unwrap();
        assert_eq!(estimates.len(), batch.rows());
        if let Some(logits) = batch.logits() {
            let soft = Relaxation::soft(0.5);
            let samples = sampler.soften_rows(logits, &options, soft).unwrap();
            let gradients = sampler.soften_rows_vjp(logits, &options, soft, &samples).unwrap();
            assert_eq!(gradients.len(), batch.rows() * batch.categories());
        }
    }
}

/// Both ways to verify drafts, of one request: the drafter has a row for each row of the target but one.
fn verifications(sampler: &CpuSampler, target: Batch<'_>, drafter: Batch<'_>) {
    let options = SampleOptions::default().with_seed(9);
    let guesses = sampler.sample_rows(drafter, &options).unwrap();
    let offsets = [0, guesses.len()];
    let drafts = Drafts::chains(&offsets, &guesses).unwrap();
    let verified = sampler.verify_rows(target, &drafts, &options).unwrap();
    assert_eq!(verified, reference::verify_rows(target, &drafts, &options).unwrap());
    let verified = sampler.verify_rows_by_ratio(target, drafter, &drafts, &options).unwrap();
    let expected = reference::verify_rows_by_ratio(target, drafter, &drafts, &options).unwrap();
    assert_eq!(verified, expected);
}

/// A shard that has all categories, and one that has some.
fn shards(sampler: &CpuSampler, logits: Logits<'_>) {
    let options = SampleOptions::default().with_seed(9);
    let categories = logits.categories();
    for truncation in [Truncation::new().with_top_k(7), Truncation::new().with_top_p(0.4)] {
        let options = options.with_truncation(truncation);
        let all = Shard::new(0, categories).unwrap();
        let draws = sampler.sample_shard(logits, all, &options).unwrap();
        let sums = sampler.sum_shard(logits, all, &options, &draws).unwrap();
        let drawn = draws.draws(Some(&sums)).unwrap();
        assert_eq!(drawn, sampler.sample_rows(logits, &options).unwrap());
        let some = Shard::new(3, categories + 5).unwrap();
        sampler.sample_shard(logits, some, &options).unwrap();
    }
}

#[test]
fn nothing_reaches_beyond_the_end_of_memory() {
    // one to three rows of a length on both sides of each choice of an algorithm, and then many short ones
    let lengths =
        [1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 27, 33, 64, 100, 127, 129, 255, 511, 1000, 4999];
    let shapes = lengths.map(|categories| (3, categories)).into_iter();
    for (rows, categories) in shapes.chain([(1, 33_001), (40, 16), (40, 27), (65, 5)]) {
        let logits = logits(rows, categories);
        let f16: Vec<_> = logits.iter().map(|&x| f16::from_f32(x)).collect();
        let bf16: Vec<_> = logits.iter().map(|&x| bf16::from_f32(x)).collect();
        let weights: Vec<_> = logits.iter().map(|x| x.exp()).collect();
        let counts: Vec<_> = weights.iter().map(|&x| (4.0 * x) as u32).collect();
        for isa in Isa::available() {
            let sampler = CpuSampler::new().with_isa(isa).unwrap();
            let batches = |first: usize| -> [Batch<'_>; 5] {
                [
                    Logits::new(&logits[first..], categories).unwrap().into(),
                    Logits::from_f16(&f16[first..], categories).unwrap().into(),
                    Logits::from_bf16(&bf16[first..], categories).unwrap().into(),
                    Weights::new(&weights[first..], categories).unwrap().into(),
                    Weights::from_counts(&counts[first..], categories).unwrap().into(),
                ]
            };
            for (batch, but_one) in batches(0).into_iter().zip(batches(categories)) {
                operations(&sampler, batch);
                verifications(&sampler, batch, but_one);
                if let Some(logits) = batch.logits() {
                    shards(&sampler, logits);
                }
            }
        }
    }
}

/// Particles, whose ancestors are written a few positions at a time.
#[test]
fn particles_stay_within_their_memory() {
    let schemes = [Resampling::Systematic, Resampling::Stratified, Resampling::Residual];
    for particles in [1, 2, 3, 5, 8, 16, 17, 100, 1023, 2047, 2049] {
        let log_weights: Vec<f64> = logits(1, particles).into_iter().map(f64::from).collect();
        let weights = reference::particle_weights(&log_weights).unwrap();
        for positions in [1, 3, 4, 5, particles, particles + 2, particles + 2049] {
            let ids: Vec<_> = (0..positions as u64).rev().collect();
            let plain = SampleOptions::default().with_seed(positions as u64);
            for (scheme, options) in schemes
                .into_iter()
                .flat_map(|scheme| [(scheme, plain), (scheme, plain.with_row_ids(&ids))])
            {
                let expected = reference::resample(&weights, scheme, &options, positions);
                for isa in Isa::available() {
                    let mut of = Particles::default().with_isa(isa).unwrap();
                    of.weigh(&log_weights).unwrap();
                    let ancestors = of.resample(scheme, &options, positions).unwrap();
                    assert!(ancestors == expected, "{particles}, {positions}, {scheme:?}, {isa}");
                }
            }
        }
    }
}

/// The allocator guards: another process, which touches the byte after its memory, is ended for it.
#[test]
fn the_page_behind_memory_cannot_be_touched() {
    const ASKED: &str = "GUMBEL_TOUCH_BEYOND";
    if std::env::var_os(ASKED).is_some() {
        let memory = vec![1u8; 1000];
        // SAFETY: none; it is what must end this process.
        let beyond = unsafe { memory.as_ptr().add(memory.len()).read_volatile() };
        println!("read {beyond}");
        return;
    }
    let itself = std::env::current_exe().unwrap();
    let mut command = std::process::Command::new(itself);
    command.args(["--exact", "the_page_behind_memory_cannot_be_touched"]).env(ASKED, "1");
    let output = command.output().unwrap();
    let signal = std::os::unix::process::ExitStatusExt::signal(&output.status);
    assert_eq!(signal, Some(libc::SIGSEGV), "{output:?}");
}
