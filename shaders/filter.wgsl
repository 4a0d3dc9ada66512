// The filter: whether a category can still win, from its coarse bits alone.
// Twin: src/filter.rs, which proves it. Needs: nothing.
//
// Its float arithmetic only ever discards categories: the draws do not depend on it.

// -2^101: below every product that a slope and a logit can have.
const FILTER_OPEN: f32 = -2535301200456458802993406410752.0;
// A power of two in the unit of the filter, and log2(e) times as much.
const POWER: f32 = 8388608.0;
const POWER_LOG2_E: f32 = 12102203.0;

struct Filter {
    slope: f32,
    // The largest magnitude that a logit counts as, as bits.
    clamp_bits: u32,
}

// The most that a category can reach, in the unit of the filter.
fn upper_score(f: Filter, logit: u32, coarse_bits: u32) -> f32 {
    return scaled(f, logit) - log2_low(coarse_bits);
}

// The logit in the unit of the filter. The logit is clamped as an integer: a compiler may assume that no
// float is infinite or NaN, so neither must become a float.
fn scaled(f: Filter, logit: u32) -> f32 {
    // the first minimum is for negative logits, and the second for others
    let above_least = bitcast<i32>(min(logit, f.clamp_bits | 0x80000000u));
    return bitcast<f32>(min(above_least, bitcast<i32>(f.clamp_bits))) * f.slope;
}

// The upper score below which no category can win against the best key, (low, high).
fn cutoff_of(best_key: vec2<u32>) -> f32 {
    let high = bitcast<i32>(best_key.y);
    // beyond 2^31 keys are not on the linear scale
    if high >= 8388608 || high < -8388608 {
        return FILTER_OPEN;
    }
    let value = f32(high) * 256.0 + f32(best_key.x >> 8u) * 0.0000152587890625;
    let cutoff = value * POWER_LOG2_E;
    let slack = abs(cutoff) * 9.5367431640625e-7 + POWER * 0.0009765625;
    return cutoff - slack - POWER * 143.0;
}

// The cutoff of the key that a category has at least, whatever its fine bits.
fn sure_cutoff(f: Filter, logit: u32, coarse_bits: u32) -> f32 {
    let high = select(log2_low(coarse_bits + 1u), POWER * 149.0, coarse_bits >= 4096u);
    let sure = scaled(f, logit) - high;
    // beyond 2^30 powers of two the key may not be on the linear scale, as above
    if abs(sure) >= 9007199254740992.0 {
        return FILTER_OPEN;
    }
    return sure - abs(sure) * 1.9073486328125e-6 - POWER * 0.25;
}

// A float that is at most (log2(coarse) + 127)*2^23; 0 for coarse = 0.
fn log2_low(coarse_bits: u32) -> f32 {
    let coarse_float = f32(bitcast<i32>(coarse_bits));
    return f32(bitcast<i32>(coarse_float));
}

// For the noise of groups, in units of 2^-32: the same bounds from the leading bits of a group's first alarm, and the
// high word of a member's own noise.

// No alarm rings before this noise.
fn least_noise(leading_bits: u32, own: u32) -> f32 {
    // 31 bits, as some devices convert words from 2^31 on wrongly
    return f32(bitcast<i32>(leading_bits)) + f32(bitcast<i32>(own >> 1u)) * 2.0;
}

// The alarm of which this is the least noise rings before this.
fn most_noise(least: f32) -> f32 {
    return least + 4.0;
}

// A float that is at most (log2(noise / 2^16) + 127)*2^23.
fn log2_low_of(noise: f32) -> f32 {
    return f32(bitcast<i32>(noise)) - POWER * 16.0;
}

// The most that a member with this value can reach, if no alarm of its group rings before `noise`.
fn upper_score_in_group(f: Filter, value: u32, noise: f32) -> f32 {
    return scaled(f, value) - log2_low_of(noise);
}

// The cutoff of the key that a category has at least whose alarm rings before `noise`.
fn sure_cutoff_in_group(f: Filter, value: u32, noise: f32) -> f32 {
    // no alarm rings after 2^149, in this unit
    let high = select(log2_low_of(noise), POWER * 149.0, noise > 134217728.0);
    let sure = scaled(f, value) - high;
    // beyond 2^30 powers of two the key may not be on the linear scale, as above
    if abs(sure) >= 9007199254740992.0 {
        return FILTER_OPEN;
    }
    return sure - abs(sure) * 1.9073486328125e-6 - POWER * select(0.25, 0.625, noise > 16777216.0);
}
