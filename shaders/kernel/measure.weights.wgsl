// The meaning of a category's value in a race, if the value is a weight of f32.
// Other forms: measure.wgsl, which says what the functions are for, measure.counts.wgsl.
// Needs: weights, filter, log2, octet, rows, values.

const SLOPE: f32 = POWER;
// The least temperature above 0, as bits: 2^-20.
const LEAST_TEMPERATURE: u32 = 0x35800000u;

fn measured(values: Octet) -> Octet {
    return Octet(measured_four(values.low), measured_four(values.high));
}

fn measured_four(bits: vec4<u32>) -> vec4<u32> {
    // a subnormal weight as a normal number, 2^149 times as large
    let subnormal = bits < vec4<u32>(0x800000u);
    let whole = select(bits, bitcast<vec4<u32>>(vec4<f32>(bits & vec4<u32>(0x7fffffu))), subnormal);
    let powers = select(vec4<f32>(127.0), vec4<f32>(127.0 + 149.0), subnormal);
    let log2 = bitcast<vec4<u32>>(log2_of(whole, powers));
    let zero = (bits & vec4<u32>(0x7fffffffu)) == vec4<u32>(0u);
    // a NaN for a value that is negative, infinite or NaN
    let valid = select(log2, vec4<u32>(0x7fc00000u), bits >= vec4<u32>(0x7f800000u));
    return select(valid, vec4<u32>(NEG_INFINITY), zero);
}

fn measured_one(value: u32) -> u32 {
    return measured_four(vec4<u32>(value)).x;
}

// Cutoffs and threshold are lowered by as much as a logarithm may be too large: 2^-9.

fn sure_cutoff_measured(f: Filter, value: u32, coarse_bits: u32) -> f32 {
    return sure_cutoff(f, value, coarse_bits) - f.slope * 0.001953125;
}

fn sure_cutoff_in_group_measured(f: Filter, value: u32, noise: f32) -> f32 {
    return sure_cutoff_in_group(f, value, noise) - f.slope * 0.001953125;
}

fn threshold_measured(f: Filter, upper_end: f32, coarse_bits: u32) -> f32 {
    return threshold(upper_end, coarse_bits) - f.slope * 0.001953125;
}

fn key_of(row: Row, category: u32, bits: u32, gumbel_units: i32) -> vec2<u32> {
    return add64(fixed_weight(value_of(row, category), row.scale), extend64(gumbel_units));
}

fn greedy_key_of(row: Row, category: u32, bits: u32) -> vec2<u32> {
    return greedy_weight(value_of(row, category));
}

const GREEDY_NONE: i32 = -1;

fn greedy_words(bits: vec4<u32>) -> vec4<i32> {
    let zero = (bits & vec4<u32>(0x7fffffffu)) == vec4<u32>(0u);
    let invalid = bits >= vec4<u32>(0x7f800000u);
    let words = select(bitcast<vec4<i32>>(bits), vec4<i32>(0x7f800000), invalid);
    return select(words, vec4<i32>(0), zero);
}

fn greedy_invalid(most: i32, least: i32) -> bool {
    return most >= 0x7f800000;
}

fn greedy_drawable(most: i32) -> bool {
    return most > 0;
}

fn greedy_word_key(most: i32) -> vec2<u32> {
    return greedy_weight(bitcast<u32>(most));
}
