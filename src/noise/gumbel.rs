//! 64 bits of noise as a standard Gumbel variable, by integer arithmetic alone.
//!
//! With p = (V + ½)/2⁶⁴ in (0, 1), E = −ln(1 − p) is Exp(1) and G = −ln E is standard Gumbel. The
//! winning end is p → 0, where G → −ln p, so that its 64 bits have full relative precision where
//! the noise decides. G lies in [−3.81, 45.05] and is *defined* here, as an integer number of
//! [units](UNIT) of 2⁻²⁴:
//!
//! * p < ½: G = −ln p − T(p), where T(p) = ln(−ln(1 − p) / p) is smooth;
//! * p ≥ ½: 1 − p is an exact integer as well, and G = −ln(−ln(1 − p)) takes the same logarithm
//!   twice.
//!
//! **Accuracy.** |G − true G| < 0.85 units, and G never increases with V. Both polynomials use only
//! the leading 27 bits of their argument, which costs at most 0.19 units. In return, a test can
//! walk through *every* argument, and a step of the argument moves the true value by more than all
//! roundings together, which makes the result monotone.
//!
//! The coefficients come from `scripts/derive_polynomials.py`.

use super::wide::mul_high;

/// The number of units in 1: noise and logits are integers in units of 2⁻²⁴.
pub const UNIT: i64 = 1 << 24;

/// ln 2, as a 0.32 fraction.
pub(crate) const LN2: u32 = 2_977_044_472;

/// The words of Q(f) = (f − ln(1 + f)) / f² on [0, 1], highest power first. Error: 1.8·2⁻³².
pub(crate) const LN1P: [u32; 11] = [
    0x0074_0aca,
    0x0300_6e94,
    0x094c_13f3,
    0x1271_c54b,
    0x1b95_6aef,
    0x233b_877a,
    0x2a67_2204,
    0x332b_379d,
    0x3fff_818e,
    0x5555_523b,
    0x7fff_fffd,
];

/// The words of U(1 − x) = ln(−ln(1 − x/2) / (x/2)) / x on [0, 1], highest power first.
/// Error: 1.7·2⁻³².
pub(crate) const TAIL: [u32; 10] = [
    0x001d_21cc,
    0x00b4_ae24,
    0x0210_060d,
    0x03f1_3b09,
    0x05ea_57a4,
    0x080b_3389,
    0x0b0b_383b,
    0x1089_73d7,
    0x1db6_265c,
    0x539e_4d85,
];

/// A mask of the bits of a 0.32 argument that the polynomials use.
pub(crate) const SEEN: u32 = !31;

/// A polynomial with alternating signs, all words and sums being 0.32 fractions.
#[inline(always)]
fn alternating(words: &[u32], x: u32) -> u32 {
    words[1..].iter().fold(words[0], |sum, &word| word.wrapping_sub(mul_high(sum, x)))
}

/// ln(1 + f) of a 0.32 fraction f, as a 0.32 fraction: at most 0.15 units too small, of which 0.125
/// are due to the unused bits, and at most 0.03 units too large.
#[inline(always)]
pub(super) fn ln1p(f: u32) -> u32 {
    let f = f & SEEN;
    f.wrapping_sub(mul_high(f, mul_high(f, alternating(&LN1P, f))))
}

/// T(p) = ln(−ln(1 − p) / p) for x = 2p, a 0.32 fraction, as a 0.32 fraction.
#[inline(always)]
fn tail(x: u32) -> u32 {
    let x = x & SEEN;
    mul_high(x, alternating(&TAIL, !x))
}

/// −ln(n / 2⁶⁵) for n > 0, in units of 2⁻³².
#[inline(always)]
fn neg_ln(n: u64) -> u64 {
    let zeros = n.leading_zeros();
    // n = 2^(63 - zeros)·(1 + f); the shift takes out the leading one
    let f = ((n << zeros) >> 31) as u32;
    (zeros + 2) as u64 * LN2 as u64 - ln1p(f) as u64
}

/// Standard Gumbel noise from 64 uniform bits, in units of 2⁻²⁴.
///
/// Never increases with `v`; within 0.85 units of −ln(−ln(1 − p)) with p = (v + ½)/2⁶⁴.
///
/// ```
/// use gumbel::noise::gumbel::{UNIT, gumbel};
/// // the median of the Gumbel distribution is -ln(ln 2)
/// let median = f64::from(gumbel(1 << 63)) / UNIT as f64;
/// assert!((median - 0.36651292058166435).abs() < 1e-7);
/// ```
#[inline]
pub fn gumbel(v: u64) -> i32 {
    // p or 1 - p, whichever is below ½, is n / 2^65 with n odd
    let n = 2 * v.min(!v) + 1;
    let l = neg_ln(n);
    let g = if v < 1 << 63 {
        l as i64 - tail((v >> 31) as u32) as i64
    } else {
        // l / 2^32 = l·2^33 / 2^65
        neg_ln(l) as i64 - 33 * LN2 as i64
    };
    ((g + (1 << 7)) >> 8) as i32
}

#[cfg(test)]
mod tests;
