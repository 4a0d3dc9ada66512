// The blocks of two counters that differ in their first words, side by side, for devices that emulate a GPU
// and have SHADER_INT64. Plain form with the same words: blocks.wgsl. Needs: begin.
//
// A GPU does not get this form: RADV's compiler puts the halves of each product together and shifts them apart
// again. A word is the low half of a u64 whose high half is arbitrary. So a product holds two words at once, and
// no u64 has to be taken apart and put together between the rounds, which would cost a processor with
// vectors as much as the products do. `u64(u32(word))` takes the low half, not a mask: for vectors of u64,
// LLVM 15 turns a mask into shuffles.

fn begun(begin: vec4<u64>, first: u32) -> vec4<u64> {
    let p0 = 0xd2511f53lu * u64(first);
    let p1 = 0xcd9e8d57lu * u64(u32((p0 >> 32u) ^ begin.x));
    return vec4<u64>((p1 >> 32u) ^ begin.y, p1, p0 ^ begin.z, begin.w);
}

fn wide_round(c: vec4<u64>, k: vec2<u64>) -> vec4<u64> {
    let p0 = 0xd2511f53lu * u64(u32(c.x));
    let p1 = 0xcd9e8d57lu * u64(u32(c.z));
    return vec4<u64>((p1 >> 32u) ^ c.y ^ k.x, p1, (p0 >> 32u) ^ c.w ^ k.y, p0);
}

fn low_halves(c: vec4<u64>) -> vec4<u32> {
    return vec4<u32>(u32(c.x), u32(c.y), u32(c.z), u32(c.w));
}

fn blocks_side_by_side(one: u32, other: u32, rest: vec3<u32>, key: vec2<u32>) -> array<vec4<u32>, 2> {
    let weyl = vec2<u64>(0x9e3779b9lu, 0xbb67ae85lu);
    let k = vec2<u64>(u64(key.x), u64(key.y));
    let words = begin_of(rest, key);
    let begin = vec4<u64>(u64(words.x), u64(words.y), u64(words.z), u64(words.w));
    var a = begun(begin, one);
    var b = begun(begin, other);
    a = wide_round(a, k + 2lu * weyl);
    b = wide_round(b, k + 2lu * weyl);
    a = wide_round(a, k + 3lu * weyl);
    b = wide_round(b, k + 3lu * weyl);
    a = wide_round(a, k + 4lu * weyl);
    b = wide_round(b, k + 4lu * weyl);
    a = wide_round(a, k + 5lu * weyl);
    b = wide_round(b, k + 5lu * weyl);
    a = wide_round(a, k + 6lu * weyl);
    b = wide_round(b, k + 6lu * weyl);
    a = wide_round(a, k + 7lu * weyl);
    b = wide_round(b, k + 7lu * weyl);
    a = wide_round(a, k + 8lu * weyl);
    b = wide_round(b, k + 8lu * weyl);
    a = wide_round(a, k + 9lu * weyl);
    b = wide_round(b, k + 9lu * weyl);
    return array<vec4<u32>, 2>(low_halves(a), low_halves(b));
}
