// The meaning of a category's value in a race, if the value is a logit.
// Other forms: measure.weights.wgsl, measure.counts.wgsl. Needs: order, filter, octet, rows.

// A unit of a measured value, in the unit of the filter.
const SLOPE: f32 = POWER_LOG2_E;
// The least temperature above 0, as bits: 2^-100.
const LEAST_TEMPERATURE: u32 = 0x0d800000u;

// Values as the filter and the bounds see them: bits of floats.
fn measured(values: Octet) -> Octet {
    return values;
}

// One value, as above.
fn measured_one(value: u32) -> u32 {
    return value;
}

// The cutoffs of the filter and the `threshold` of the bounds, for measured values.

fn sure_cutoff_measured(f: Filter, value: u32, coarse_bits: u32) -> f32 {
    return sure_cutoff(f, value, coarse_bits);
}

fn sure_cutoff_in_group_measured(f: Filter, value: u32, noise: f32) -> f32 {
    return sure_cutoff_in_group(f, value, noise);
}

fn threshold_measured(f: Filter, upper_end: f32, coarse_bits: u32) -> f32 {
    return threshold(upper_end, coarse_bits);
}

fn key_of(row: Row, category: u32, bits: u32, gumbel_units: i32) -> vec2<u32> {
    return key(bits, row.scale, gumbel_units);
}

fn greedy_key_of(row: Row, category: u32, bits: u32) -> vec2<u32> {
    return greedy_key(bits);
}

// For temperature 0: the values as integers, in the same order.

const GREEDY_NONE: i32 = -0x7f800001;

fn greedy_words(bits: vec4<u32>) -> vec4<i32> {
    let sign = bitcast<vec4<i32>>(bits) >> vec4<u32>(31u);
    return (bitcast<vec4<i32>>(bits & vec4<u32>(0x7fffffffu)) ^ sign) - sign;
}

// True if a value is NaN or +inf. Integers beyond those of the infinities are NaNs.
fn greedy_invalid(most: i32, least: i32) -> bool {
    return most >= 0x7f800000 || least < -0x7f800000;
}

// Whether the largest of a row can be drawn: -inf cannot.
fn greedy_drawable(most: i32) -> bool {
    return most > -0x7f800000;
}

fn greedy_word_key(most: i32) -> vec2<u32> {
    return vec2<u32>(0u, bitcast<u32>(most));
}
