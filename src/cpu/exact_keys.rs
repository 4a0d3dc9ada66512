//! The exact keys of many categories at once, by the contract's integers in vectors.
//!
//! This is the only place that makes keys many at a time; [`exact`](super::exact) makes them one by one. The
//! categories may belong to any races: [`keys`](super::keys) asks for the winners of many races, each with a
//! stream of its own, and [`soften`](super::soften) for every category of a row. Once the 64 bits of noise are
//! known, all categories are treated alike: two polynomials of 64 bits turn them into a Gumbel value, and the
//! value in fixed point is added. The noise of short rows is put together here; that of long rows comes from
//! [`top_down`](super::top_down).

use super::bound::{RoundKeys, blocks};
use super::lanes::{gumbel_of, is_low, low_gumbel_of, outer, tail};
use super::simd::{Aligned, MAX_TILE, Simd};
use super::vector_value::VectorValue;
use crate::noise::gumbel::gumbel;
use crate::noise::order::Scale;

/// Writes the keys of the first `values.len()` of `LANES` categories with this noise. The key of a category that cannot
/// be drawn means nothing.
#[inline(always)]
pub(super) fn exact_keys<T: VectorValue, const LANES: usize>(
    values: &[T],
    scale: Scale,
    noise: &[u64; LANES],
    keys: &mut [i64],
) {
    let count = values.len();
    let keys = &mut keys[..count];
    gumbels(&noise[..count], keys, &mut [[0; LANES]; 2]);
    let mut fixed = [0; LANES];
    T::fixed_all(values, scale, &mut fixed[..count]);
    for (key, fixed) in keys.iter_mut().zip(fixed) {
        *key = key.wrapping_add(fixed);
    }
}

/// The 64 bits of flat noise of the first `count` of `LANES` categories.
///
/// `coarse` holds the coarse bits of each category. `fine_counter(at)` returns the counter words of the
/// Philox blocks that hold the fine bits of the categories `at .. at + S::OCTETS`; it is called for whole
/// pairs of such vectors.
#[inline(always)]
pub(super) fn flat_noise<S: Simd, const LANES: usize>(
    s: S,
    count: usize,
    coarse: &[i32; LANES],
    fine_counter: impl Fn(usize) -> [S::Words; 4],
    round_keys: &RoundKeys,
) -> [u64; LANES] {
    const { assert!(LANES.is_multiple_of(2 * MAX_TILE)) }
    let Aligned([low, middle]) = &mut Aligned([[0; LANES]; 2]);
    for at in (0..count).step_by(2 * S::OCTETS) {
        let counters = [fine_counter(at), fine_counter(at + S::OCTETS)];
        let fine = blocks(s, counters, round_keys);
        for ([first, second, ..], at) in fine.into_iter().zip([at, at + S::OCTETS]) {
            s.store_words(first, &mut low[at..]);
            s.store_words(second, &mut middle[at..]);
        }
    }
    let mut noise = [0; LANES];
    for (i, noise) in noise[..count].iter_mut().enumerate() {
        let high = (coarse[i] as u32) << 16 | middle[i] & 0xffff;
        *noise = u64::from(high) << 32 | u64::from(low[i]);
    }
    noise
}

/// The Gumbel values of noise. `scratch` is for the two logarithms of each.
#[inline(always)]
fn gumbels<const LANES: usize>(
    noise: &[u64],
    gumbels: &mut [i64],
    scratch: &mut [[u64; LANES]; 2],
) {
    // one step for all values before the next: so few numbers are in use at a time that registers hold them
    let [outers, tails] = scratch;
    for (outer_of, &v) in outers.iter_mut().zip(noise) {
        *outer_of = outer(v);
    }
    for (tail_of, &v) in tails.iter_mut().zip(noise) {
        *tail_of = tail(v);
    }
    let high: u64 = noise.iter().map(|v| v >> 63).sum();
    // a p of ½ or more takes the logarithm of a logarithm; a winner among many categories seldom has such a p
    if high as usize > noise.len() / 8 {
        for (i, (gumbel, &v)) in gumbels.iter_mut().zip(noise).enumerate() {
            *gumbel = gumbel_of(v, outers[i], tails[i]);
        }
        return;
    }
    for (i, gumbel) in gumbels.iter_mut().enumerate() {
        *gumbel = low_gumbel_of(outers[i], tails[i]);
    }
    if high > 0 {
        for (g, &v) in gumbels.iter_mut().zip(noise).filter(|(_, v)| !is_low(**v)) {
            *g = gumbel(v).into();
        }
    }
}
