// Products of 32-bit words that keep all 64 bits, from four 16-bit products.
// Twin: src/noise/wide.rs. Alternative form with the same words: wide.u64.wgsl.

// The 64-bit product, as (low, high).
fn mul_wide(a: u32, b: u32) -> vec2<u32> {
    let a0 = a & 0xffffu;
    let a1 = a >> 16u;
    let b0 = b & 0xffffu;
    let b1 = b >> 16u;
    let low = a0 * b0;
    // At most (2^16 - 1)^2 + 2^16 - 1 < 2^32: none of these sums can carry out.
    let mid = a1 * b0 + (low >> 16u);
    let mid2 = a0 * b1 + (mid & 0xffffu);
    let high = a1 * b1 + (mid >> 16u) + (mid2 >> 16u);
    return vec2<u32>((mid2 << 16u) | (low & 0xffffu), high);
}

fn mul_high(a: u32, b: u32) -> u32 {
    return mul_wide(a, b).y;
}
