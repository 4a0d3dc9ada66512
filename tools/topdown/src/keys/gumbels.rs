//! Keys from noise, many at once.
//!
//! A copy of `gumbels` in `src/cpu/exact_keys.rs` and of `fixed_all` in `src/cpu/vector_value.rs`, which are private.

use super::{LANES, NO_KEY};
use crate::lanes::{NEAR, gumbel_of, is_low, low_gumbel_of, magnitude, near_fixed, outer, tail};
use crate::noise::gumbel::{UNIT, gumbel};
use crate::noise::order::{Scale, fixed, is_invalid};

#[inline(always)]
fn fixed_all(values: &[f32], scale: Scale, to: &mut [i64]) {
    let factor = f64::from(scale.reciprocal());
    let mut farthest = 0;
    for (to, &logit) in to.iter_mut().zip(values) {
        farthest = farthest.max(magnitude(logit));
        *to = near_fixed(logit, factor * UNIT as f64);
    }
    if !(f64::from(f32::from_bits(farthest)) * factor < NEAR) {
        for (to, &logit) in to.iter_mut().zip(values) {
            let some = logit != f32::NEG_INFINITY && !is_invalid(logit.to_bits());
            *to = if some { fixed(logit.to_bits(), scale) } else { 0 };
        }
    }
}

#[inline(always)]
fn gumbels(noise: &[u64], gumbels: &mut [i64], scratch: &mut [[u64; LANES]; 2]) {
    let [outers, tails] = scratch;
    for (outer_of, &v) in outers.iter_mut().zip(noise) {
        *outer_of = outer(v);
    }
    for (tail_of, &v) in tails.iter_mut().zip(noise) {
        *tail_of = tail(v);
    }
    let high: u64 = noise.iter().map(|v| v >> 63).sum();
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

/// Writes the keys of categories with this noise.
#[inline(always)]
pub(super) fn add_keys(values: &[f32], scale: Scale, noise: &[u64; LANES], keys: &mut [i64]) {
    let count = values.len();
    gumbels(&noise[..count], keys, &mut [[0; LANES]; 2]);
    let mut fixed = [0; LANES];
    fixed_all(values, scale, &mut fixed[..count]);
    for (key, fixed) in keys.iter_mut().zip(fixed) {
        *key = key.wrapping_add(fixed);
    }
    for (key, logit) in keys.iter_mut().zip(values) {
        *key = if logit.is_finite() { *key } else { NO_KEY };
    }
}
