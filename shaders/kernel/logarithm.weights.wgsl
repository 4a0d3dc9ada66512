// The logarithms of weights, for sums.
// Other forms: logarithm.wgsl, which says what the functions are for, logarithm.counts.wgsl.
// Needs: measure, octet.

fn can_be_drawn(bits: vec4<u32>) -> vec4<bool> {
    return (bits & vec4<u32>(0x7fffffffu)) != vec4<u32>(0u);
}

fn half_logarithms(bits: vec4<u32>) -> vec4<f32> {
    let subnormal = bits < vec4<u32>(0x800000u);
    let fraction = vec4<f32>(max(bits, vec4<u32>(1u)) & vec4<u32>(0x7fffffu));
    let normal = bitcast<vec4<f32>>(select(bits, vec4<u32>(0x3f800000u), subnormal));
    // 149 ln 2
    let small = log(max(fraction, vec4<f32>(1.0))) - 103.27892;
    return select(log(normal), small, subnormal) * 0.5;
}

fn invalid_among(values: Octet) -> u32 {
    let limit = vec4<u32>(0x7f800000u);
    let zero = vec4<u32>(0x80000000u);
    let low = (values.low >= limit) & (values.low != zero);
    let high = (values.high >= limit) & (values.high != zero);
    return u32(any(low) || any(high));
}
