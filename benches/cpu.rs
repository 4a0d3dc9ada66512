//! The CPU engine beside a bare maximum over the same logits, on one core and on all.
//!
//! `cargo bench --bench cpu`. Throughput is in logits; the draws are checked against the reference
//! before anything is timed.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a benchmark that cannot go on ends")]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gumbel::noise::philox::philox4x32_10;
use gumbel::{CpuSampler, Logits, SampleOptions, reference};
use rayon::prelude::*;

const SHAPES: [(usize, usize); 4] = [(256, 128_256), (16_384, 1024), (1_000_000, 16), (1, 128_256)];

/// Roughly normal logits with standard deviation 3.
fn normal(count: usize) -> Vec<f32> {
    (0..count.div_ceil(4))
        .into_par_iter()
        .flat_map_iter(|i| philox4x32_10([i as u32, 0, 0, 0], [5, 6]))
        .map(|word| word.to_le_bytes().iter().map(|&byte| f32::from(byte)).sum::<f32>())
        .map(|sum| (sum - 510.0) * (3.0 / 147.8))
        .collect()
}

/// What reading the logits costs: the maximum of each row.
fn maxima(logits: Logits<'_>) -> Vec<f32> {
    (0..logits.rows())
        .into_par_iter()
        .map(|row| {
            let (blocks, rest) = logits.row(row).as_chunks::<32>();
            let mut most = [f32::NEG_INFINITY; 32];
            for block in blocks {
                for (most, &x) in most.iter_mut().zip(block) {
                    *most = if x > *most { x } else { *most };
                }
            }
            most.iter().chain(rest).fold(f32::NEG_INFINITY, |a, &b| if b > a { b } else { a })
        })
        .collect()
}

fn check(logits: Logits<'_>, data: &[f32]) {
    let draws = CpuSampler::new().sample_rows(logits, &SampleOptions::default()).unwrap();
    let rows = (100_000 / logits.categories()).clamp(1, logits.rows());
    let few =
        Logits::with_row_stride(data, rows, logits.categories(), logits.row_stride()).unwrap();
    let expected = reference::sample_rows(few, &SampleOptions::default()).unwrap();
    if draws[..rows] != expected {
        panic!("the draws are not the reference's");
    }
}

fn sampling(criterion: &mut Criterion) {
    let data = normal(256 * 128_256);
    for threads in [1, std::thread::available_parallelism().unwrap().get()] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        for (rows, categories) in SHAPES {
            let logits = Logits::with_row_stride(&data, rows, categories, categories).unwrap();
            check(logits, &data);
            let shape = format!("{rows} x {categories}, {threads} threads");
            let mut group = criterion.benchmark_group(shape);
            group.throughput(Throughput::Elements((rows * categories) as u64)).sample_size(10);
            group.bench_function(BenchmarkId::from_parameter("draw"), |bencher| {
                let options = SampleOptions::default();
                let mut draws = vec![0; rows];
                let sampler = CpuSampler::new();
                bencher.iter(|| {
                    pool.install(|| sampler.sample_rows_into(logits, &options, &mut draws))
                        .unwrap();
                });
            });
            group.bench_function(BenchmarkId::from_parameter("maximum"), |bencher| {
                bencher.iter(|| pool.install(|| maxima(logits)));
            });
            group.finish();
        }
    }
}

criterion_group!(benches, sampling);
criterion_main!(benches);
