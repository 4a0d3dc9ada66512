//! The peers that the sampler is measured beside.
//!
//! The maxima are the price of reading the logits. They are plain loops that the compiler turns
//! into the widest vectors of this machine, since the sampler uses these too; a build for the
//! lowest machine would compare the sampler with slower loops. The samplers are what one would
//! write in twenty lines of Rust.

use std::hint::black_box;

use rand::RngExt;
use rand::rngs::SmallRng;
use rayon::prelude::*;

/// The number of logits that is worth the hand-over to another thread.
const GRAIN: usize = 1 << 16;

/// Returns the largest of all logits, however they are divided into rows.
pub(crate) fn maximum_of_all(logits: &[f32]) -> f32 {
    let one = |piece: &[f32]| {
        let mut most = [0.0];
        maxima(piece, piece.len(), 1, &mut most);
        most[0]
    };
    if logits.len() < 2 * GRAIN {
        return one(logits);
    }
    logits.par_chunks(GRAIN).map(one).reduce(|| f32::NEG_INFINITY, larger)
}

/// Finds the largest logit of each row, anew for each draw.
pub(crate) fn maximum_of_each_row(
    logits: &[f32],
    categories: usize,
    draws: usize,
    out: &mut [f32],
) {
    if out.len() * categories < 2 * GRAIN {
        return maxima(logits, categories, draws, out);
    }
    if draws == 1 {
        let rows = GRAIN.div_ceil(categories);
        out.par_chunks_mut(rows)
            .zip(logits.par_chunks(rows * categories))
            .for_each(|(out, logits)| maxima(logits, categories, 1, out));
    } else {
        out.par_chunks_mut(draws).zip(logits.par_chunks(categories)).for_each(|(out, row)| {
            let some = GRAIN.div_ceil(categories);
            out.par_chunks_mut(some).for_each(|out| maxima(row, categories, out.len(), out));
        });
    }
}

/// Returns the name of the vectors that the maxima are compiled for on this machine.
pub(crate) fn isa() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") {
            return "AVX-512";
        }
        if is_x86_feature_detected!("avx2") {
            return "AVX2";
        }
    }
    "portable"
}

/// Finds the largest logit of each row, `draws` times.
fn maxima(logits: &[f32], categories: usize, draws: usize, out: &mut [f32]) {
    #[cfg(target_arch = "x86_64")]
    #[expect(unsafe_code, reason = "each is called where this machine has its instructions")]
    {
        #[target_feature(enable = "avx512f")]
        fn avx512(logits: &[f32], categories: usize, draws: usize, out: &mut [f32]) {
            plain(logits, categories, draws, out);
        }
        #[target_feature(enable = "avx2")]
        fn avx2(logits: &[f32], categories: usize, draws: usize, out: &mut [f32]) {
            plain(logits, categories, draws, out);
        }
        if is_x86_feature_detected!("avx512f") {
            // SAFETY: this machine has AVX-512F
            return unsafe { avx512(logits, categories, draws, out) };
        }
        if is_x86_feature_detected!("avx2") {
            // SAFETY: this machine has AVX2
            return unsafe { avx2(logits, categories, draws, out) };
        }
    }
    plain(logits, categories, draws, out);
}

#[inline(always)]
fn plain(logits: &[f32], categories: usize, draws: usize, out: &mut [f32]) {
    for (row, out) in logits.chunks_exact(categories).zip(out.chunks_mut(draws)) {
        for out in out {
            // `black_box` keeps the compiler from using one maximum for several draws
            *out = maximum(black_box(row));
        }
    }
}

/// Returns the maximum of a row, in several vectors of 16 logits side by side. If the length is no
/// multiple of 16, the last 16 logits are read again, which is faster than one by one.
#[inline(always)]
fn maximum(row: &[f32]) -> f32 {
    let Some(last) = row.last_chunk::<16>() else {
        return row.iter().fold(f32::NEG_INFINITY, |a, &b| larger(a, b));
    };
    let (vectors, tail) = row.as_chunks::<16>();
    let (blocks, rest) = vectors.as_chunks::<4>();
    let mut most = [[f32::NEG_INFINITY; 16]; 4];
    for block in blocks {
        for (most, x) in most.iter_mut().zip(block) {
            *most = each_larger(*most, x);
        }
    }
    let [a, b, c, d] = most;
    let mut most = each_larger(each_larger(a, &b), &each_larger(c, &d));
    for x in rest {
        most = each_larger(most, x);
    }
    if !tail.is_empty() {
        most = each_larger(most, last);
    }
    // these steps, with values and not references, let the compiler keep everything in registers
    let [a, b, c, d, e, f, g, h] = halved(most);
    let [a, b, c, d] = halved([a, b, c, d, e, f, g, h]);
    larger(larger(a, c), larger(b, d))
}

#[inline(always)]
fn each_larger<const N: usize>(mut a: [f32; N], b: &[f32; N]) -> [f32; N] {
    for (a, &b) in a.iter_mut().zip(b) {
        *a = larger(*a, b);
    }
    a
}

#[inline(always)]
fn halved<const N: usize, const HALF: usize>(most: [f32; N]) -> [f32; HALF] {
    std::array::from_fn(|i| larger(most[i], most[i + HALF]))
}

/// One instruction, unlike `f32::max`, which has a rule for NaN.
#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    if b > a { b } else { a }
}

/// Draws by a sum of the softmax of each row, and a search in the sums for the uniform number of
/// each draw. Of all operations measured, only this one and [`inverse_cdf_f32`] read a row once for
/// all its draws.
///
/// In f64: sums in f32 lose categories that are less likely than some 10⁻⁷.
pub(crate) fn inverse_cdf(logits: &[f32], categories: usize, draws: usize, out: &mut [u32]) {
    let rows = out.par_chunks_mut(draws).zip(logits.par_chunks_exact(categories));
    rows.for_each(|(out, row)| {
        let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let mut total = 0.0;
        let add = |&x: &f32| {
            total += f64::from(x - most).exp();
            total
        };
        let sums: Vec<f64> = row.iter().map(add).collect();
        for draw in out {
            let at = rand::random::<f64>() * total;
            *draw = sums.partition_point(|&sum| sum <= at).min(categories - 1) as u32;
        }
    });
}

/// A version of [`inverse_cdf`] that is fast at the cost of the tail: in f32, with a small
/// generator, and with memory that is used again from row to row.
pub(crate) fn inverse_cdf_f32(logits: &[f32], categories: usize, draws: usize, out: &mut [u32]) {
    out.par_chunks_mut(draws).zip(logits.par_chunks_exact(categories)).for_each_init(
        || (rand::make_rng::<SmallRng>(), Vec::with_capacity(categories)),
        |(rng, sums), (out, row)| {
            let most = row.iter().copied().fold(f32::NEG_INFINITY, larger);
            let mut total = 0.0;
            sums.clear();
            sums.extend(row.iter().map(|x| {
                total += (x - most).exp();
                total
            }));
            for draw in out {
                let at = rng.random::<f32>() * total;
                *draw = sums.partition_point(|&sum| sum <= at).min(categories - 1) as u32;
            }
        },
    );
}

/// Adds Gumbel noise to each logit, and takes the largest sum of each row.
pub(crate) fn noise_on_each(logits: &[f32], categories: usize, draws: usize, out: &mut [u32]) {
    out.par_iter_mut().enumerate().for_each_init(rand::make_rng::<SmallRng>, |rng, (i, draw)| {
        let row = &logits[i / draws * categories..][..categories];
        let mut best = (f32::NEG_INFINITY, 0);
        for (category, &logit) in (0..).zip(row) {
            let key = logit - (-rng.random::<f32>().ln()).ln();
            if key > best.0 {
                best = (key, category);
            }
        }
        *draw = best.1;
    });
}
