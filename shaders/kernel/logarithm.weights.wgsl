// Weights as mantissas, whose first bits are at the same place, and powers of two, for sums.
// Other forms: logarithm.wgsl, logarithm.counts.wgsl. Needs: measure, octet, positive.

const NOTHING: u32 = 1u;
// The power of a mantissa that is the value itself.
const ONE: i32 = 150;

fn can_be_drawn(bits: vec4<u32>) -> vec4<bool> {
    return (bits & vec4<u32>(0x7fffffffu)) != vec4<u32>(0u);
}

fn invalid_among(values: Octet) -> u32 {
    let limit = vec4<u32>(0x7f800000u);
    let zero = vec4<u32>(0x80000000u);
    let low = (values.low >= limit) & (values.low != zero);
    let high = (values.high >= limit) & (values.high != zero);
    return u32(any(low) || any(high));
}

fn positive(bits: vec4<u32>) -> Positive {
    let exponent = vec4<i32>(bits >> vec4<u32>(23u));
    let fraction = bits & vec4<u32>(0x7fffffu);
    let zeros = countLeadingZeros(max(fraction, vec4<u32>(1u))) - vec4<u32>(8u);
    let subnormal = exponent == vec4<i32>(0);
    return Positive(
        select(fraction | vec4<u32>(0x800000u), fraction << zeros, subnormal),
        select(exponent, 1 - vec4<i32>(zeros), subnormal),
    );
}

fn floats_of(whole: vec4<u32>) -> vec4<f32> {
    return vec4<f32>(whole);
}
