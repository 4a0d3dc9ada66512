// The blocks of two counters, side by side, for devices with SHADER_INT64.
// Plain form with the same words: blocks.wgsl. Needs: nothing.
//
// A word is the low half of a u64 whose high half is anything. So a product is two words at once, and
// nothing has to be taken apart and put together between the rounds, which would cost a processor
// with vectors as much as the products do.

const LOW_HALF: u64 = 0xfffffffflu;

fn wide_round(c: vec4<u64>, k: vec2<u32>) -> vec4<u64> {
    let p0 = 0xd2511f53lu * (c.x & LOW_HALF);
    let p1 = 0xcd9e8d57lu * (c.z & LOW_HALF);
    return vec4<u64>((p1 >> 32u) ^ c.y ^ u64(k.x), p1, (p0 >> 32u) ^ c.w ^ u64(k.y), p0);
}

fn widened(words: vec4<u32>) -> vec4<u64> {
    return vec4<u64>(u64(words.x), u64(words.y), u64(words.z), u64(words.w));
}

fn low_halves(c: vec4<u64>) -> vec4<u32> {
    return vec4<u32>(
        u32(c.x & LOW_HALF),
        u32(c.y & LOW_HALF),
        u32(c.z & LOW_HALF),
        u32(c.w & LOW_HALF),
    );
}

fn blocks_side_by_side(one: vec4<u32>, other: vec4<u32>, key: vec2<u32>) -> array<vec4<u32>, 2> {
    let weyl = vec2<u32>(0x9e3779b9u, 0xbb67ae85u);
    var a = widened(one);
    var b = widened(other);
    a = wide_round(a, key);
    b = wide_round(b, key);
    a = wide_round(a, key + weyl);
    b = wide_round(b, key + weyl);
    a = wide_round(a, key + 2u * weyl);
    b = wide_round(b, key + 2u * weyl);
    a = wide_round(a, key + 3u * weyl);
    b = wide_round(b, key + 3u * weyl);
    a = wide_round(a, key + 4u * weyl);
    b = wide_round(b, key + 4u * weyl);
    a = wide_round(a, key + 5u * weyl);
    b = wide_round(b, key + 5u * weyl);
    a = wide_round(a, key + 6u * weyl);
    b = wide_round(b, key + 6u * weyl);
    a = wide_round(a, key + 7u * weyl);
    b = wide_round(b, key + 7u * weyl);
    a = wide_round(a, key + 8u * weyl);
    b = wide_round(b, key + 8u * weyl);
    a = wide_round(a, key + 9u * weyl);
    b = wide_round(b, key + 9u * weyl);
    return array<vec4<u32>, 2>(low_halves(a), low_halves(b));
}
