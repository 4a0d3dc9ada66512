// f16 as f32, exactly, by integer arithmetic: some drivers flush subnormal numbers.
// Needs: nothing.

fn widen(halves: vec4<u32>) -> vec4<u32> {
    let magnitude = halves & vec4<u32>(0x7fffu);
    let sign = (halves & vec4<u32>(0x8000u)) << vec4<u32>(16u);
    // the exponent's bias is 127 instead of 15, and 255 stands for infinity and NaN instead of 31
    let exponent = select(vec4<u32>(112u), vec4<u32>(224u), magnitude >= vec4<u32>(0x7c00u));
    let normal = (magnitude << vec4<u32>(13u)) + (exponent << vec4<u32>(23u));
    // m*2^-24 with m < 2^10: the first bit of m goes to where a float has none
    let zeros = countLeadingZeros(magnitude);
    let shifted = magnitude << (zeros - vec4<u32>(8u));
    let subnormal = ((vec4<u32>(133u) - zeros) << vec4<u32>(23u)) + shifted;
    let small = select(subnormal, vec4<u32>(0u), magnitude == vec4<u32>(0u));
    return sign | select(normal, small, magnitude < vec4<u32>(0x400u));
}
