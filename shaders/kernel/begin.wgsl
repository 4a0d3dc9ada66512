// The shared beginning of Philox blocks whose counters differ in the first word alone: the part of the first
// two rounds that does not depend on that word. Needs: wide.

// The words (x, y, z, w) for counters (first, rest). After two rounds a block is (h ^ y, l, low ^ z, w),
// with (low, high) = 0xd2511f53 · first and (l, h) = 0xcd9e8d57 · (high ^ x).
fn begin_of(rest: vec3<u32>, key: vec2<u32>) -> vec4<u32> {
    let second_key = key + vec2<u32>(0x9e3779b9u, 0xbb67ae85u);
    let p1 = mul_wide(0xcd9e8d57u, rest.y);
    let p0 = mul_wide(0xd2511f53u, p1.y ^ rest.x ^ key.x);
    return vec4<u32>(rest.z ^ key.y, p1.x ^ second_key.x, p0.y ^ second_key.y, p0.x);
}
