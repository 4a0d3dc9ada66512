//! 64-bit integers as pairs of words `(low, high)`: the arithmetic that the shaders need spelled out.
//!
//! Rust has `u64`; these functions exist as the definition that the WGSL twin is held against.

/// A 64-bit integer as `[low, high]`; signed numbers in two's complement.
pub type Pair = [u32; 2];

/// The pair of a 64-bit integer.
#[inline]
pub const fn pair(n: u64) -> Pair {
    [n as u32, (n >> 32) as u32]
}

/// The 64-bit integer of a pair.
#[inline]
pub const fn unpair(p: Pair) -> u64 {
    (p[1] as u64) << 32 | p[0] as u64
}

/// a + b modulo 2⁶⁴.
pub const fn add64(a: Pair, b: Pair) -> Pair {
    pair(unpair(a).wrapping_add(unpair(b)))
}

/// a − b modulo 2⁶⁴.
pub const fn sub64(a: Pair, b: Pair) -> Pair {
    pair(unpair(a).wrapping_sub(unpair(b)))
}

/// −a modulo 2⁶⁴.
pub const fn neg64(a: Pair) -> Pair {
    pair(unpair(a).wrapping_neg())
}

/// a·2ⁿ modulo 2⁶⁴, for n in 0..=63.
pub const fn shl64(a: Pair, n: u32) -> Pair {
    pair(unpair(a) << n)
}

/// ⌊a / 2ⁿ⌋, for n in 0..=63.
pub const fn shr64(a: Pair, n: u32) -> Pair {
    pair(unpair(a) >> n)
}

/// The number of leading zero bits, 64 for zero.
pub const fn leading_zeros64(a: Pair) -> u32 {
    unpair(a).leading_zeros()
}

/// A signed word as a pair.
pub const fn extend64(n: i32) -> Pair {
    pair(n as i64 as u64)
}
