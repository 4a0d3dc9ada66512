// The meaning of a category's value in a race, if the value is a count.
// Other forms: measure.wgsl, which says what the functions are for, measure.weights.wgsl.
// Needs: weights, filter, log2, octet, rows, values.

const SLOPE: f32 = POWER;
// The least temperature above 0, as bits: 2^-20.
const LEAST_TEMPERATURE: u32 = 0x35800000u;

fn measured(values: Octet) -> Octet {
    return Octet(measured_four(values.low), measured_four(values.high));
}

// Counts as floats. They are converted by halves, as f32(u32) is wrong from 2^31 on on some devices.
fn floats_of(counts: vec4<u32>) -> vec4<f32> {
    return vec4<f32>(counts >> vec4<u32>(16u)) * 65536.0 + vec4<f32>(counts & vec4<u32>(0xffffu));
}

fn measured_four(counts: vec4<u32>) -> vec4<u32> {
    let bits = bitcast<vec4<u32>>(floats_of(counts));
    let log2 = bitcast<vec4<u32>>(log2_of(bits, vec4<f32>(127.0)));
    return select(log2, vec4<u32>(NEG_INFINITY), counts == vec4<u32>(0u));
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
    return add64(fixed_count(value_of(row, category), row.scale), extend64(gumbel_units));
}

fn greedy_key_of(row: Row, category: u32, bits: u32) -> vec2<u32> {
    return greedy_count(value_of(row, category));
}

const GREEDY_NONE: i32 = -0x7fffffff - 1;

fn greedy_words(counts: vec4<u32>) -> vec4<i32> {
    return bitcast<vec4<i32>>(counts ^ vec4<u32>(0x80000000u));
}

fn greedy_invalid(most: i32, least: i32) -> bool {
    return false;
}

fn greedy_drawable(most: i32) -> bool {
    return most > GREEDY_NONE;
}

fn greedy_word_key(most: i32) -> vec2<u32> {
    return greedy_count(bitcast<u32>(most) ^ 0x80000000u);
}
