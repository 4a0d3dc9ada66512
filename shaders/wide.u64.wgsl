// Products of 32-bit words that keep all 64 bits, for devices with SHADER_INT64.
// Twin: src/noise/wide.rs. Plain form with the same words: wide.wgsl.

// The 64-bit product, as (low, high).
fn mul_wide(a: u32, b: u32) -> vec2<u32> {
    let product = u64(a) * u64(b);
    return vec2<u32>(u32(product & 0xfffffffflu), u32(product >> 32u));
}

fn mul_high(a: u32, b: u32) -> u32 {
    return u32((u64(a) * u64(b)) >> 32u);
}
