//! P and V without a branch: the compiler turns plain loops over these functions into vector instructions.

use crate::definition::{EXCESS, ROOTS, SEEN};

const LOW: u64 = 0xffff_ffff;

#[inline(always)]
fn mul_high(a: u64, b: u64) -> u64 {
    ((a & LOW) * (b & LOW)) >> 32
}

/// The number of leading zeros of n > 0, as in the library's `lanes.rs`, where it is private.
#[inline(always)]
fn leading_zeros(n: u64) -> u64 {
    const UNITS: u64 = 0x4330_0000_0000_0000;
    let high = n >> 32;
    let (word, of_one) = if high != 0 { (high, 1023 + 31) } else { (n & LOW, 1023 + 63) };
    let float = f64::from_bits(UNITS | word) - f64::from_bits(UNITS);
    of_one - (float.to_bits() >> 52)
}

/// P, as [`definition::first_alarm`](crate::definition::first_alarm).
#[inline(always)]
pub fn first_alarm(u: u64) -> u64 {
    let is_low = u < 1 << 59;
    let n = (1u64 << 61) - (2 * u + 1);
    let zeros = leading_zeros(n);
    let z = zeros.wrapping_sub(3);
    let x = if is_low { u >> 27 } else { !(n << (zeros & 63)) >> 31 };
    let seen = x & u64::from(SEEN);
    let sum = EXCESS[1..].iter().fold(u64::from(EXCESS[0]), |sum, &word| {
        u64::from(word).wrapping_sub(mul_high(sum, !seen))
    });
    let r = mul_high(seen, sum);
    let low = u.wrapping_add((u >> 32) * r).wrapping_add(((u & LOW) * r) >> 32);
    let mut root = !((x >> 5) + (mul_high(x, r) >> 5)) & LOW;
    for i in 0..4 {
        root = if z >> i & 1 == 1 { mul_high(root, ROOTS[i].into()) } else { root };
    }
    let high = (!(root >> (z >> 4 & 63)) & LOW) << 32;
    if is_low { low } else { high }
}

/// V of a member that is not the first, as [`definition::later_alarm`](crate::definition::later_alarm), by words.
#[inline(always)]
pub fn later_alarm(p: u64, q: u64) -> u64 {
    let (p0, p1, q0, q1) = (p & LOW, p >> 32, q & LOW, q >> 32);
    let low = p0 * q0;
    let (a, b) = (p1 * q0, p0 * q1);
    let middle = (low >> 32) + (a & LOW) + (b & LOW);
    let high = p1 * q1 + (a >> 32) + (b >> 32) + (middle >> 32);
    let rest = (middle << 32) | (low & LOW);
    p.wrapping_add(q).wrapping_sub(high).wrapping_sub(u64::from(rest != 0))
}
