// Narrow bounds on keys from coarse bits alone: they nearly always decide a short row, so that no category has
// to be evaluated exactly. src/cpu/bound.rs derives them. The polynomials here have one degree more, as all races of a
// subgroup wait for one that bounds do not decide; scripts/derive_bounds.py has them. Needs: filter.

// The most that a key can be, to within 2^-12 of a power of two; 150 powers for coarse = 0.
fn upper(f: Filter, logit: u32, coarse_bits: u32) -> f32 {
    let complement = bitcast<u32>(1.0 - f32(coarse_bits) * 0.0000152587890625);
    let z = mantissa(complement) - 1.0;
    let linear = f32(bitcast<i32>(0x3f800000u - complement));
    let inner = ((293546.3 * z - 1109745.8) * z + 2177911.2) * z - 3698902.4;
    // E; 0 for coarse = 0. For small p, z - z * z is about as small, so that errors of the product are relative to E.
    let e = bitcast<u32>(inner * (z - z * z) + linear);
    let m = mantissa(e);
    let outer = (((684642.9 * m - 5411845.6) * m + 17789510.6) * m - 25753786.5) * m + 1275417557.6;
    return scaled(f, logit) + outer - f32(bitcast<i32>(e));
}

// The upper bound that a category must reach to win against a category of this upper bound and these coarse
// bits.
fn threshold(upper_end: f32, coarse_bits: u32) -> f32 {
    // Beyond 2^27 powers nothing is claimed. An infinity counts as the largest float, which at the highest temperature is
    // 2^28.5 powers among logits and a little less than 2^28 among weights, and must set no lower end.
    if abs(upper_end) >= 1125899906842624.0 || coarse_bits == 0u || coarse_bits >= 65535u {
        return FILTER_OPEN;
    }
    // 0 with the number of a category may be taken for 0, and the category is then another
    if abs(upper_end) < 1.0 {
        return FILTER_OPEN;
    }
    let c = f32(coarse_bits);
    // a device's division may be off by 2.5 units
    let interval = POWER_LOG2_E * (1.0 / c + 1.0 / (65535.0 - c)) * 1.00001;
    // 2^-11 of a power for two upper ends, 2^-19 of 128 powers and of the bound for roundings, and twice that for numbers
    let slack = POWER * 0.00075 + abs(upper_end) * 7.62939453125e-6;
    return upper_end - interval - slack;
}

// The cutoff that a lower end of a key sets: that of `cutoff_of`, for a key that is at least this.
fn cutoff_at(lower_end: f32) -> f32 {
    let slack = abs(lower_end) * 1e-6 + POWER * 0.001;
    return lower_end - POWER * 143.0 - slack;
}

// At least the score that had these bits but for the four least, which change it by less than 2^-19 of it.
fn without_number(score: f32) -> f32 {
    return score + abs(score) * 1.9073486328125e-6;
}

// The number from 1 to 2 that has the mantissa of these bits.
fn mantissa(bits: u32) -> f32 {
    return bitcast<f32>((bits & 0x7fffffu) | 0x3f800000u);
}
