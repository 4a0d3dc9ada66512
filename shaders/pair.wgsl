// 64-bit integers as pairs of words (low, high); signed numbers in two's complement.
// Twin: src/noise/pair.rs.

fn add64(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    let low = a.x + b.x;
    return vec2<u32>(low, a.y + b.y + u32(low < a.x));
}

fn sub64(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    return vec2<u32>(a.x - b.x, a.y - b.y - u32(a.x < b.x));
}

fn neg64(a: vec2<u32>) -> vec2<u32> {
    return sub64(vec2<u32>(0u, 0u), a);
}

// Shifts by 0..=63. WGSL takes shift amounts modulo 32, hence the detour around n = 0.
fn shl64(a: vec2<u32>, n: u32) -> vec2<u32> {
    let s = n & 31u;
    let carried = select(0u, a.x >> ((32u - s) & 31u), s != 0u);
    let near = vec2<u32>(a.x << s, (a.y << s) | carried);
    return select(near, vec2<u32>(0u, near.x), n >= 32u);
}

fn shr64(a: vec2<u32>, n: u32) -> vec2<u32> {
    let s = n & 31u;
    let carried = select(0u, a.y << ((32u - s) & 31u), s != 0u);
    let near = vec2<u32>((a.x >> s) | carried, a.y >> s);
    return select(near, vec2<u32>(near.y, 0u), n >= 32u);
}

fn leading_zeros64(a: vec2<u32>) -> u32 {
    return select(countLeadingZeros(a.y), 32u + countLeadingZeros(a.x), a.y == 0u);
}

fn extend64(n: i32) -> vec2<u32> {
    return vec2<u32>(bitcast<u32>(n), bitcast<u32>(n >> 31u));
}
