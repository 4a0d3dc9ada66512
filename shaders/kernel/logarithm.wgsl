// Logits relative to the largest of them, for sums: a logit is a logarithm already.
// Other forms: logarithm.weights.wgsl, logarithm.counts.wgsl. Needs: measure, octet.

// The largest value where no value can be drawn: no finite logit is below it.
const NOTHING: u32 = 0xff7fffffu;

// Which categories have a probability above 0.
fn can_be_drawn(bits: vec4<u32>) -> vec4<bool> {
    return bits != vec4<u32>(NEVER);
}

// Not 0 if a value is invalid.
fn invalid_among(values: Octet) -> u32 {
    let infinity = vec4<u32>(0x7f800000u);
    let plus = any(values.low == infinity) || any(values.high == infinity);
    return u32(plus || farthest(values) > 0x7f800000u);
}

fn largest_of(bits: vec4<u32>) -> u32 {
    let x = bitcast<vec4<f32>>(bits);
    return bitcast<u32>(max(max(x.x, x.y), max(x.z, x.w)));
}

// The logarithm of a value at temperature 1.
fn log_of(bits: u32) -> f32 {
    return bitcast<f32>(bits);
}

// The logarithms of the ratios of the values' probabilities to that of `most`, which no value exceeds:
// (x - most) / temperature, from -200 on, below which nothing is drawn. Logits are halved first, so that differences are
// finite.
fn log_ratio(bits: vec4<u32>, most: u32, inverse: f32) -> vec4<f32> {
    let behind = bitcast<vec4<f32>>(bits) * 0.5 - bitcast<f32>(most) * 0.5;
    return max(behind, vec4<f32>(-100.0 / inverse)) * (2.0 * inverse);
}

// The ratios of the values' probabilities to that of `most`.
fn relative(bits: vec4<u32>, most: u32, inverse: f32) -> vec4<f32> {
    return exp(log_ratio(bits, most, inverse));
}
