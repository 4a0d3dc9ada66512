// The counter-based generator Philox4x32 with ten rounds (Salmon et al., SC'11).
// Twin: src/noise/philox.rs. Needs: wide.

fn philox_round(c: vec4<u32>, k: vec2<u32>) -> vec4<u32> {
    let p0 = mul_wide(0xd2511f53u, c.x);
    let p1 = mul_wide(0xcd9e8d57u, c.z);
    return vec4<u32>(p1.y ^ c.y ^ k.x, p1.x, p0.y ^ c.w ^ k.y, p0.x);
}

// The rounds are written out: Mesa 22.3 ends all loops of an invocation after 65,535 iterations
// in total, and a loop of ten for every block of noise would use that up.
fn philox4x32_10(counter: vec4<u32>, key: vec2<u32>) -> vec4<u32> {
    let weyl = vec2<u32>(0x9e3779b9u, 0xbb67ae85u);
    var c = philox_round(counter, key);
    c = philox_round(c, key + weyl);
    c = philox_round(c, key + 2u * weyl);
    c = philox_round(c, key + 3u * weyl);
    c = philox_round(c, key + 4u * weyl);
    c = philox_round(c, key + 5u * weyl);
    c = philox_round(c, key + 6u * weyl);
    c = philox_round(c, key + 7u * weyl);
    c = philox_round(c, key + 8u * weyl);
    c = philox_round(c, key + 9u * weyl);
    return c;
}
