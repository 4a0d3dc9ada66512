//! P and V without a branch: the compiler turns plain loops over these functions into vector instructions.

use crate::cpu::lanes::{LOW, leading_zeros, mul_high};
use crate::noise::groups::{EXCESS, EXCESS_SEEN, ROOTS};

/// P, as [`first_alarm`](crate::noise::groups::first_alarm) defines it.
#[inline(always)]
pub(in crate::cpu) fn first_alarm(u: u64) -> u64 {
    let is_low = u < 1 << 59;
    let n = (1u64 << 61) - (2 * u + 1);
    let zeros = leading_zeros(n);
    let z = zeros.wrapping_sub(3);
    let x = if is_low { u >> 27 } else { !(n << (zeros & 63)) >> 31 };
    let seen = x & u64::from(EXCESS_SEEN);
    let sum = EXCESS[1..].iter().fold(u64::from(EXCESS[0]), |sum, &word| {
        u64::from(word).wrapping_sub(mul_high(sum, !seen))
    });
    let r = mul_high(seen, sum);
    let low = u.wrapping_add((u >> 32).wrapping_mul(r)).wrapping_add(((u & LOW) * r) >> 32);
    let mut root = !((x >> 5) + (mul_high(x, r) >> 5)) & LOW;
    for (i, &factor) in ROOTS.iter().enumerate() {
        root = if z >> i & 1 == 1 { mul_high(root, factor.into()) } else { root };
    }
    let high = (!(root >> (z >> 4 & 63)) & LOW) << 32;
    if is_low { low } else { high }
}

/// V of a member that is not the first, as [`later_alarm`](crate::noise::groups::later_alarm) defines it, by words.
#[inline(always)]
pub(in crate::cpu) fn later_alarm(p: u64, q: u64) -> u64 {
    let (p0, p1, q0, q1) = (p & LOW, p >> 32, q & LOW, q >> 32);
    let low = p0 * q0;
    let (a, b) = (p1 * q0, p0 * q1);
    let middle = (low >> 32) + (a & LOW) + (b & LOW);
    let high = p1 * q1 + (a >> 32) + (b >> 32) + (middle >> 32);
    let rest = (middle << 32) | (low & LOW);
    p.wrapping_add(q).wrapping_sub(high).wrapping_sub(u64::from(rest != 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::groups;
    use crate::noise::philox::philox4x32_10;

    /// Words of all lengths, near powers of two and without a pattern.
    fn words() -> impl Iterator<Item = u64> {
        let random = (0..100_000).map(|i| philox4x32_10([i, 0, 0, 9], [3, 4]));
        let random = random.map(|[a, b, c, _]| (u64::from(a) << 32 | u64::from(b)) >> (c % 64));
        let edges = (0..64).flat_map(|i| [1 << i, (1 << i) - 1, !(1 << i), u64::MAX << i]);
        random.chain(edges).flat_map(|word| [word, !word])
    }

    #[test]
    fn first_alarms_are_the_contracts() {
        for u in words().map(|word| word >> 4) {
            assert_eq!(first_alarm(u), groups::first_alarm(u), "{u:#x}");
        }
    }

    #[test]
    fn later_alarms_are_the_contracts() {
        let mut q = u64::MAX;
        for p in words() {
            assert_eq!(later_alarm(p, q), groups::later_alarm(p, q), "{p:#x} {q:#x}");
            assert_eq!(later_alarm(p, p), groups::later_alarm(p, p), "{p:#x}");
            q = p;
        }
    }
}
