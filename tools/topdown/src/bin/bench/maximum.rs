//! The maximum of each row, the least that a draw must do. As in `benches/cpu/peers.rs`.

use gumbel::Isa;

#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    if b > a { b } else { a }
}

#[inline(always)]
fn larger_each<const N: usize>(mut a: [f32; N], b: &[f32; N]) -> [f32; N] {
    for (a, &b) in a.iter_mut().zip(b) {
        *a = larger(*a, b);
    }
    a
}

#[inline(always)]
fn maximum(row: &[f32]) -> f32 {
    let (vectors, tail) = row.as_chunks::<16>();
    let (blocks, rest) = vectors.as_chunks::<4>();
    let mut most = [[f32::NEG_INFINITY; 16]; 4];
    for block in blocks {
        for (most, x) in most.iter_mut().zip(block) {
            *most = larger_each(*most, x);
        }
    }
    let [a, b, c, d] = most;
    let mut most = larger_each(larger_each(a, &b), &larger_each(c, &d));
    for x in rest {
        most = larger_each(most, x);
    }
    tail.iter().chain(&most).fold(f32::NEG_INFINITY, |a, &b| larger(a, b))
}

#[inline(always)]
fn rows(data: &[f32], categories: usize, out: &mut [f32]) {
    for (row, out) in data.chunks_exact(categories).zip(out) {
        *out = maximum(row);
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn avx512(data: &[f32], categories: usize, out: &mut [f32]) {
    rows(data, categories, out);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn avx2(data: &[f32], categories: usize, out: &mut [f32]) {
    rows(data, categories, out);
}

/// Writes the maximum of each row. The instruction set has to be available.
pub(crate) fn of_rows(isa: Isa, data: &[f32], categories: usize, out: &mut [f32]) {
    assert!(isa.is_available());
    match isa {
        // SAFETY: the instructions are available
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => unsafe { avx512(data, categories, out) },
        // SAFETY: the instructions are available
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => unsafe { avx2(data, categories, out) },
        _ => rows(data, categories, out),
    }
}
