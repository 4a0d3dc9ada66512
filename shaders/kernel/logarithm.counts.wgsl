// The logarithms of counts, for sums.
// Other forms: logarithm.wgsl, which says what the functions are for, logarithm.weights.wgsl.
// Needs: measure, octet.

fn can_be_drawn(counts: vec4<u32>) -> vec4<bool> {
    return counts != vec4<u32>(0u);
}

fn half_logarithms(counts: vec4<u32>) -> vec4<f32> {
    return log(floats_of(max(counts, vec4<u32>(1u)))) * 0.5;
}

fn invalid_among(values: Octet) -> u32 {
    return 0u;
}
