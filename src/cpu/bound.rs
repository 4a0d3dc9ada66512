//! Bounds on keys from coarse bits alone, many categories at once.
//!
//! Everything here counts in the unit of the [filter](crate::filter), 2⁻²³ of a power of two ("power" below).
//!
//! The 16 coarse bits leave the noise of a category an interval, and so its key. The upper end of the key's
//! interval is evaluated in floats for each category, and the lower end for the category with the highest
//! upper end. Only categories whose upper ends are not below that lower end can win. In a short row that is
//! nearly always one category, and nothing needs to be evaluated exactly.
//!
//! **Upper end.** p ≥ coarse/2¹⁶, so G ≤ g(coarse) = −ln(−ln(1 − coarse/2¹⁶)): [`upper`], to within
//! [`ERROR`]. For coarse = 0, where G is at most 65 powers, [`upper`] gives 150.
//!
//! **Lower end.** E ≥ p gives |dG/dp| = 1/((1 − p)·E) ≤ 1/(p(1 − p)). From coarse to coarse + 1 that
//! integrates to less than 1/coarse + 1/(65535 − coarse): [`interval`].
//!
//! **Roundings.** With u the upper end as computed, the slope, the product and the sums cost at most
//! 2⁻²²·(|u| + 151 powers), and fixed point and the rounding of G less than 2⁻²² of a power. Let M be
//! the largest u, of category w, and key_i ≥ key_w. Both errors, of u_i and of M, are covered by
//! 2·[`ERROR`] + 2⁻²⁰·(|M| + 128 powers), so that u_i ≥ M − interval(w) minus this sum: [`threshold`]. Where
//! values have errors of their own, as logarithms of weights have (the larger, the lower the temperature),
//! twice that error is subtracted as well. (If u_i is so much further from 0 than M that its error is larger,
//! then u_i > M, or key_i < key_w.) For |M| ≥ 2³⁰ powers fixed point is near its end, and no bound is given.

use std::f32::consts::LOG2_E;

use super::simd::{MAX_TILE, ONE, Simd};
use super::vector_value::VectorValue as _;
use crate::filter::POWER;
use crate::noise::bits::{OCTET, Stream};
use crate::noise::philox::{MULTIPLIERS, ROUNDS, WEYL};

/// The most by which [`upper`] differs from g; tested for all coarse bits with every instruction set.
const ERROR: f32 = POWER / 512.0;
/// Bounds are given for keys below this in magnitude.
const RANGE: f32 = POWER * (1 << 30) as f32;

/// Philox's keys for its ten rounds. They stay in memory, from where instructions read them as operands;
/// computed on the way, they would cost as much as the products.
#[derive(Clone, Copy)]
pub(super) struct RoundKeys([[u32; 2]; ROUNDS as usize]);

impl RoundKeys {
    pub(super) fn new(seed: u64) -> Self {
        let mut key = Stream::new(seed, 0, 0).key;
        let mut keys = [key; ROUNDS as usize];
        // not `map`, which the compiler may leave as a call: 60 ns that a single short row would feel
        for round_key in &mut keys {
            *round_key = key;
            key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
        }
        Self(keys)
    }
}

/// The Philox blocks of some tiles of counters. A block is a chain of twenty dependent steps: a
/// processor is busy only if several run at once.
#[inline(always)]
pub(super) fn blocks<S: Simd, const TILES: usize>(
    s: S,
    counters: [[S::Words; 4]; TILES],
    keys: &RoundKeys,
) -> [[S::Words; 4]; TILES] {
    let mut blocks = counters;
    for key in &keys.0 {
        let [k0, k1] = [s.all_words(key[0]), s.all_words(key[1])];
        for words in &mut blocks {
            let (low0, high0) = s.mul_wide(words[0], MULTIPLIERS[0]);
            let (low1, high1) = s.mul_wide(words[2], MULTIPLIERS[1]);
            *words = [s.xor(high1, words[1], k0), low1, s.xor(high0, words[3], k1), low0];
        }
    }
    blocks
}

/// The counter words of octets that follow one another.
#[inline(always)]
pub(super) fn sequence<S: Simd>(s: S, octet: u32) -> S::Words {
    let mut octets = [octet; MAX_TILE];
    for (i, octet) in (0..).zip(&mut octets) {
        *octet += i;
    }
    s.words(&octets)
}

/// The coarse bits of some tiles of octets.
#[inline(always)]
pub(super) fn coarse<S: Simd, const TILES: usize>(
    s: S,
    counters: [[S::Words; 4]; TILES],
    keys: &RoundKeys,
) -> [[S::Ints; 4]; TILES] {
    let blocks = blocks(s, counters, keys);
    // not `map`: the compiler may compile its closure without the vector instructions
    let mut coarse = [[s.all_ints(0); 4]; TILES];
    for (coarse, words) in coarse.iter_mut().zip(blocks) {
        *coarse = s.halves(words);
    }
    coarse
}

/// −(log₂ m − (m − 1))/(m − 1) in the unit, for m from 1 to 2, as a polynomial of m − 1 with a root at m = 2,
/// so that the relative error of E is small where 1 − p is near 1. Highest power first. From
/// `scripts/derive_bounds.py`.
const INNER: [f32; 4] = [544_459.9, -2_393_510.0, 5_493_458.4, -3_644_408.2];
/// 150 − log₂ ln 2 − (log₂ m − (m − 1)) in the unit, for m from 1 to 2. Highest power first. From
/// the same script.
const OUTER: [f32; 4] = [-1_327_446.3, 8_823_588.5, -17_178_638.6, 1_272_403_964.7];

/// The [`upper`] ends of a tile.
#[inline(always)]
pub(super) fn uppers<S: Simd>(
    s: S,
    logits: [S::Floats; 4],
    coarse: [S::Ints; 4],
    slope: f32,
) -> [S::Floats; 4] {
    let slope = s.all(slope);
    let mut uppers = logits;
    for (one, coarse) in uppers.iter_mut().zip(coarse) {
        *one = upper(s, *one, slope, coarse);
    }
    uppers
}

/// logit·slope + g(coarse), to within [`ERROR`] and the roundings that are named above.
///
/// A float's bits, read as a number, are its exponent and mantissa: in the unit, a logarithm that lacks
/// log₂ m − (m − 1). A polynomial adds what is missing, once for E = −ln(1 − p) and once for −log₂ E.
#[inline(always)]
pub(super) fn upper<S: Simd>(
    s: S,
    logits: S::Floats,
    slope: S::Floats,
    coarse: S::Ints,
) -> S::Floats {
    let complement = s.mul_add(s.to_floats(coarse), s.all(-1.0 / 65536.0), s.all(1.0));
    let bits = s.bits(complement);
    let z = s.sub(s.mantissas(bits), s.all(1.0));
    let linear = s.to_floats(s.sub_ints(s.all_ints(ONE), bits));
    // E·log₂e·2²³; 0 for coarse = 0
    let e = s.bits(s.mul_add(polynomial(s, INNER, z), z, linear));
    let rest = polynomial(s, OUTER, s.mantissas(e));
    s.sub(s.mul_add(logits, slope, rest), s.to_floats(e))
}

#[inline(always)]
fn polynomial<S: Simd>(s: S, words: [f32; 4], x: S::Floats) -> S::Floats {
    words[1..].iter().fold(s.all(words[0]), |sum, &word| s.mul_add(sum, x, s.all(word)))
}

/// The most by which a key may lie below its upper end, errors not included.
#[inline(always)]
pub(super) fn interval(coarse: i32) -> f32 {
    if coarse == 0 {
        // upper takes log₂ 0 for −127
        return POWER * (150.54 - 16.0);
    }
    POWER * LOG2_E * (1.0 / coarse as f32 + 1.0 / (65535 - coarse) as f32)
}

/// A lower bound on the key of a category with this upper score and these coarse bits, errors subtracted.
/// `None` and `off` are as for [`threshold_at`].
///
/// E = −ln(1 − p) ≤ p·y with y = (1 − p/2)/(1 − p), at the interval's far end p = (coarse + 1)/2¹⁶. A
/// float's bits fall short of log₂ coarse and of log₂ y by at most 0.0861 each.
#[inline(always)]
pub(super) fn least(upper_score: f32, coarse: i32, off: f32) -> Option<f32> {
    if coarse == 0 {
        // its upper score takes log₂ 0 for −127, and E is at most 2⁻¹⁶/(1 − 2⁻¹⁶)
        return threshold_at(upper_score + POWER * 15.99, off);
    }
    let c = coarse as f32;
    let y = (131_071.0 - c) / (131_070.0 - 2.0 * c);
    let log2_y = (y.to_bits() as i32 - ONE) as f32;
    threshold_at(upper_score + POWER * (143.0 - 2.0 * 0.0861) - log2_y - POWER * LOG2_E / c, off)
}

/// If the largest of some upper ends is at most [`NEAR_RANGE`] in magnitude and its coarse bits are
/// [narrow](is_narrow), their [`threshold`] lies below it by no more than this and twice the error of values.
pub(super) const NEAR: f32 = POWER * 0.034;
pub(super) const NEAR_RANGE: f32 = POWER * 4096.0;

/// Whether the interval of these coarse bits is shorter than [`NEAR`] less the errors.
#[inline(always)]
pub(super) fn is_narrow(coarse: i32) -> bool {
    (64..65536 - 64).contains(&coarse)
}

/// The upper ends or the upper scores of the keys of some octets, and the coarse bits they are made from.
/// [Aligned](super::simd::Aligned).
#[repr(align(64))]
pub(super) struct Block<const OCTETS: usize> {
    pub(super) upper: [[f32; OCTET]; OCTETS],
    pub(super) coarse: [[i32; OCTET]; OCTETS],
}

impl<const OCTETS: usize> Block<OCTETS> {
    pub(super) const EMPTY: Self =
        Self { upper: [[0.0; OCTET]; OCTETS], coarse: [[0; OCTET]; OCTETS] };

    /// Stores the bounds and the coarse bits of a tile, from octet `at` on.
    #[inline(always)]
    pub(super) fn store<S: Simd>(
        &mut self,
        s: S,
        at: usize,
        upper: [S::Floats; 4],
        coarse: [S::Ints; 4],
    ) {
        for i in 0..4 {
            let at = at * OCTET + i * 2 * S::OCTETS;
            s.store(upper[i], &mut self.upper.as_flattened_mut()[at..]);
            s.store_ints(coarse[i], &mut self.coarse.as_flattened_mut()[at..]);
        }
    }
}

/// The least upper end with which one of these categories can win, or `None` if there is no bound. `off` is
/// as for [`threshold_at`].
#[inline(always)]
pub(super) fn threshold<S: Simd>(
    s: S,
    upper: &[[f32; OCTET]],
    coarse: &[[i32; OCTET]],
    off: f32,
) -> Option<f32> {
    let most = s.max(upper);
    let threshold = threshold_at(most, off)?;
    Some(threshold - interval(coarse.as_flattened()[first(s, upper, most)]))
}

/// The least upper end with which a category can win against `key`, which is a key or the upper end of one.
/// `None` if `key` is NaN or too large for a bound. `off` is the most by which values may be off, in the
/// unit: their [`accurate_error`](super::vector_value::VectorValue::accurate_error).
#[inline(always)]
pub(super) fn threshold_at(key: f32, off: f32) -> Option<f32> {
    // the comparison below is false for ±∞ as well
    let errors = 2.0 * (ERROR + off);
    (key.abs() < RANGE).then(|| key - errors - (key.abs() + POWER * 128.0) / (1 << 20) as f32)
}

/// The filter's [upper score](crate::filter) of each category.
#[inline(always)]
pub(super) fn upper_scores<S: Simd>(
    s: S,
    logits: [S::Floats; 4],
    coarse: [S::Ints; 4],
    slope: f32,
) -> [S::Floats; 4] {
    let slope = s.all(slope);
    let mut upper_scores = logits;
    for (upper_score, coarse) in upper_scores.iter_mut().zip(coarse) {
        // the exponent and mantissa of `coarse` as a float, read as one number
        let log2 = s.to_floats(s.bits(s.to_floats(coarse)));
        *upper_score = s.mul_sub(*upper_score, slope, log2);
    }
    upper_scores
}

/// The position of the first float that is not below a bound; callers make sure that there is one. A NaN is
/// not below the bound either: callers check for it, as no bound on its key holds.
#[inline(always)]
pub(super) fn first<S: Simd>(s: S, octets: &[[f32; OCTET]], bound: f32) -> usize {
    let mut at = 0;
    for octets in octets.chunks(S::OCTETS) {
        let whole = octets.len() == S::OCTETS;
        if !(whole && s.all_below(f32::accurate(s, octets.as_flattened()), s.all(bound))) {
            let mask = not_below(s, octets, bound);
            if mask != 0 {
                return at + mask.trailing_zeros() as usize;
            }
        }
        at += S::OCTETS * OCTET;
    }
    0
}

/// A mask of the floats, up to 64, that are not below a bound: a bit for each float.
#[inline(always)]
pub(super) fn not_below<S: Simd>(s: S, octets: &[[f32; OCTET]], bound: f32) -> u64 {
    octets
        .iter()
        .enumerate()
        .fold(0, |mask, (i, octet)| mask | u64::from(s.not_below(octet, bound)) << (8 * i))
}

#[cfg(test)]
mod tests;
