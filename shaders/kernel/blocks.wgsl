// The blocks of two counters that differ in their first words, side by side: a block is a chain of twenty
// dependent steps, and one chain leaves a processor half idle.
// Form with the same words for emulations with SHADER_INT64: blocks.u64.wgsl. Needs: philox, begin.
//
// The rounds are written out for the same reason as in philox4x32_10.

fn begun(begin: vec4<u32>, first: u32) -> vec4<u32> {
    let p0 = mul_wide(0xd2511f53u, first);
    let p1 = mul_wide(0xcd9e8d57u, p0.y ^ begin.x);
    return vec4<u32>(p1.y ^ begin.y, p1.x, p0.x ^ begin.z, begin.w);
}

fn blocks_side_by_side(one: u32, other: u32, rest: vec3<u32>, key: vec2<u32>) -> array<vec4<u32>, 2> {
    let weyl = vec2<u32>(0x9e3779b9u, 0xbb67ae85u);
    let begin = begin_of(rest, key);
    var a = begun(begin, one);
    var b = begun(begin, other);
    a = philox_round(a, key + 2u * weyl);
    b = philox_round(b, key + 2u * weyl);
    a = philox_round(a, key + 3u * weyl);
    b = philox_round(b, key + 3u * weyl);
    a = philox_round(a, key + 4u * weyl);
    b = philox_round(b, key + 4u * weyl);
    a = philox_round(a, key + 5u * weyl);
    b = philox_round(b, key + 5u * weyl);
    a = philox_round(a, key + 6u * weyl);
    b = philox_round(b, key + 6u * weyl);
    a = philox_round(a, key + 7u * weyl);
    b = philox_round(b, key + 7u * weyl);
    a = philox_round(a, key + 8u * weyl);
    b = philox_round(b, key + 8u * weyl);
    a = philox_round(a, key + 9u * weyl);
    b = philox_round(b, key + 9u * weyl);
    return array<vec4<u32>, 2>(a, b);
}
