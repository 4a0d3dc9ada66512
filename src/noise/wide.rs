//! Products of 32-bit words that keep all 64 bits.
//!
//! The WGSL twin comes in two forms with the same words out: `wide.wgsl` from four 16-bit products,
//! and `wide.u64.wgsl` for devices with [`wgpu::Features::SHADER_INT64`].

/// The 64-bit product of two words, as `(low, high)`.
#[inline(always)]
pub const fn mul_wide(a: u32, b: u32) -> (u32, u32) {
    let product = a as u64 * b as u64;
    (product as u32, (product >> 32) as u32)
}

/// The high word of the product: ⌊a·b / 2³²⌋, the product of two 0.32 fixed-point numbers.
#[inline(always)]
pub const fn mul_high(a: u32, b: u32) -> u32 {
    mul_wide(a, b).1
}
