// The logarithms of logits, for sums: a logit is one.
// Other forms: logarithm.weights.wgsl, logarithm.counts.wgsl. Needs: measure, octet.

// Which categories have a probability above 0.
fn can_be_drawn(bits: vec4<u32>) -> vec4<bool> {
    return bits != vec4<u32>(NEVER);
}

// Half of their logarithms, so that differences are finite.
fn half_logarithms(bits: vec4<u32>) -> vec4<f32> {
    return bitcast<vec4<f32>>(select(bits, vec4<u32>(0u), bits == vec4<u32>(NEVER))) * 0.5;
}

// Not 0 if a value is invalid.
fn invalid_among(values: Octet) -> u32 {
    let infinity = vec4<u32>(0x7f800000u);
    let plus = any(values.low == infinity) || any(values.high == infinity);
    return u32(plus || farthest(values) > 0x7f800000u);
}
