// The blocks of two counters, side by side: a block is a chain of twenty steps that wait for each
// other, and one chain leaves a processor half idle.
// Form with the same words for devices with SHADER_INT64: blocks.u64.wgsl. Needs: philox.
//
// Written out for the same reason as philox4x32_10.

fn blocks_side_by_side(one: vec4<u32>, other: vec4<u32>, key: vec2<u32>) -> array<vec4<u32>, 2> {
    let weyl = vec2<u32>(0x9e3779b9u, 0xbb67ae85u);
    var a = one;
    var b = other;
    a = philox_round(a, key);
    b = philox_round(b, key);
    a = philox_round(a, key + weyl);
    b = philox_round(b, key + weyl);
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
