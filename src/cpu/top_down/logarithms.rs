//! Logarithms of the time of an alarm in floats, as plain loops that the compiler turns into vectors.

use super::BATCH;
use crate::filter::POWER;

/// From words of which u and 1 − u are at least this many units of 2⁻²⁸, scores are made: nearer to 0 or 1 the bits do
/// not tell −ln(1 − u) well enough.
pub(super) const NARROW: u32 = 256;

/// Whether 28 bits of u tell −ln(1 − u) well enough.
#[inline(always)]
pub(super) fn is_narrow(bits: u32) -> bool {
    (NARROW..(1 << 28) - NARROW).contains(&bits)
}

/// −ln(1 − u) for 28 bits of u, with a relative error of at most 2⁻⁹ if the bits are [narrow](is_narrow); tested.
#[inline(always)]
pub(super) fn exponentials(bits: &[u32; BATCH]) -> [f32; BATCH] {
    const UNIT: f32 = 1.0 / (1u32 << 28) as f32;
    let mut times = [0.0; BATCH];
    for (time, &bits) in times.iter_mut().zip(bits) {
        let u = bits as i32 as f32 * UNIT;
        let complement = ((1i32 << 28) - bits as i32) as f32 * UNIT;
        // 2·artanh t, by its first terms
        let t = u / (2.0 - u);
        let t2 = t * t;
        let low = 2.0 * t * (1.0 + t2 * (1.0 / 3.0 + t2 * (0.2 + t2 * (1.0 / 7.0))));
        let high = -std::f32::consts::LN_2 * log2(complement);
        *time = if u < 0.5 { low } else { high };
    }
    times
}

/// log₂ x for a normal x, to within 1/1024; tested.
#[inline(always)]
pub(super) fn log2(x: f32) -> f32 {
    // of the mantissa m: log₂ m − (m − 1), from scripts/derive_bounds.py
    const EXCESS: [f32; 4] = [0.158_243_9, -1.051_854, 2.047_853, -1.153_606];
    let bits = x.to_bits() as i32;
    let m = f32::from_bits((bits & 0x7f_ffff | 0x3f80_0000) as u32);
    let excess = ((EXCESS[0] * m + EXCESS[1]) * m + EXCESS[2]) * m + EXCESS[3];
    (bits - 0x3f80_0000) as f32 * (1.0 / POWER) + excess
}
