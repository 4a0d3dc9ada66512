//! The definition of noise from the top down: first the earliest alarm of a group of 16 categories, then those
//! of its members.
//!
//! A span is 256 consecutive categories, or 16 groups. Category c = 256·span + 16·j + l is member j of group
//! g = 16·span + l. Counter words 1 and 2 are the row's, and counter word 3 is 2·draw, for all blocks:
//!
//! | block | counter word 0 | contents |
//! |---|---|---|
//! | groups | 2³⁰ + ⌊g / 4⌋ | word g mod 4: the leading 28 bits of u, then 4 bits, the member that rings first |
//! | further bits | 2³⁰ + 2²⁹ + ⌊g / 4⌋ | word g mod 4: 32 further bits of u |
//! | members | 2³¹ + 16·⌊c / 32⌋ + c mod 16 | Q, two words, low first: words 0 and 1 if bit 4 of c is 0, otherwise words 2 and 3 |
//!
//! The coarse blocks of the flat noise have a counter word 0 below 2²⁹, and its fine and uniform blocks an odd
//! counter word 3, so draws use no block twice. But `PhiloxRng` uses blocks of the members.

use crate::noise::bits::Stream;
use crate::noise::philox::philox4x32_10;
use crate::noise::wide::mul_high;

/// The number of categories of a span.
pub const SPAN: usize = 256;
/// The number of members of a group.
pub const MEMBERS: usize = 16;
/// Counter word 0 of the first block of groups.
pub const GROUP_BLOCKS: u32 = 1 << 30;
/// Counter word 0 of the first block of further bits.
pub const FURTHER_BLOCKS: u32 = 3 << 29;
/// Counter word 0 of the first block of members.
pub const MEMBER_BLOCKS: u32 = 1 << 31;

/// The group of a category.
#[inline(always)]
pub const fn group_of(category: u32) -> u32 {
    category >> 8 << 4 | category & 15
}

/// The number of a category within its group.
#[inline(always)]
pub const fn member_of(category: u32) -> u32 {
    category >> 4 & 15
}

/// The category that is this member of a group.
#[inline(always)]
pub const fn category_of(group: u32, member: u32) -> u32 {
    group >> 4 << 8 | member << 4 | group & 15
}

#[inline(always)]
const fn block(stream: Stream, counter: u32) -> [u32; 4] {
    philox4x32_10([counter, stream.row[0], stream.row[1], stream.draw << 1], stream.key)
}

/// The word of a group: 28 bits of u, and the member that rings first.
#[inline(always)]
pub const fn group_word(stream: Stream, group: u32) -> u32 {
    block(stream, GROUP_BLOCKS + group / 4)[group as usize % 4]
}

/// The further bits of a group's u.
#[inline(always)]
pub const fn further_bits(stream: Stream, group: u32) -> u32 {
    block(stream, FURTHER_BLOCKS + group / 4)[group as usize % 4]
}

/// The member that rings first.
#[inline(always)]
pub const fn first_member(word: u32) -> u32 {
    word & 15
}

/// u of a group, 60 bits.
#[inline(always)]
pub const fn u_of(word: u32, further_bits: u32) -> u64 {
    ((word >> 4) as u64) << 32 | further_bits as u64
}

/// Counter word 0 of a member's block.
#[inline(always)]
pub const fn member_counter(category: u32) -> u32 {
    MEMBER_BLOCKS + (category >> 5 << 4 | category & 15)
}

/// Q, the noise of a member of its own, as a 0.64 fraction.
#[inline(always)]
pub const fn own_noise(stream: Stream, category: u32) -> u64 {
    let block = block(stream, member_counter(category));
    let at = 2 * (category as usize >> 4 & 1);
    (block[at + 1] as u64) << 32 | block[at] as u64
}

/// The coefficients of (16(1 − (1 − x/2)^(1/16))/(x/2) − 1)/x as a polynomial of 1 − x, for x from 0 to 1, highest
/// power first, as 0.32 fractions with alternating signs. From `derive_first_alarm.py`.
pub const EXCESS: [u32; 10] = [
    0x0054_22dc,
    0x0206_562f,
    0x05da_1d46,
    0x0afa_553c,
    0x0ff7_b03e,
    0x14ab_f0c6,
    0x1a5a_25d5,
    0x232d_54e3,
    0x33aa_3837,
    0x5b50_5d52,
];
/// 2^(−1/16), 2^(−2/16), 2^(−4/16) and 2^(−8/16) as 0.32 fractions.
pub const ROOTS: [u32; 4] = [0xf525_7d15, 0xeac0_c6e8, 0xd744_fccb, 0xb504_f334];
/// The bits of its argument that the polynomial uses.
pub const SEEN: u32 = !31;

/// ρ − 1 as a 0.32 fraction, where 1 − (1 − u)^(1/16) = u·ρ/16 and x = 2u is a 0.32 fraction.
#[inline(always)]
pub fn excess(x: u32) -> u32 {
    let x = x & SEEN;
    let sum = EXCESS[1..].iter().fold(EXCESS[0], |sum, &word| word.wrapping_sub(mul_high(sum, !x)));
    mul_high(x, sum)
}

/// P = 1 − (1 − u)^(1/16) as a 0.64 fraction, of 60 bits of u. It never decreases.
#[inline(always)]
pub fn first_alarm(u: u64) -> u64 {
    if u < 1 << 59 {
        let r = excess((u >> 27) as u32);
        // u·(1 + r / 2³²): the unit of u is 2⁻⁶⁰, and 16 units of P
        u + (u >> 32) * u64::from(r) + (((u & 0xffff_ffff) * u64::from(r)) >> 32)
    } else {
        // 1 − u = n / 2⁶¹ = 2^−z·(1 − x/2), taken in the middle of u's last unit, so that n is odd and z > 0
        let n = (1u64 << 61) - (2 * u + 1);
        let zeros = n.leading_zeros();
        let z = zeros - 3;
        let x = ((!(n << zeros)) >> 31) as u32;
        let r = excess(x);
        // (1 − x/2)^(1/16), then times 2^(−z/16)
        let mut root = !((x >> 5) + (mul_high(x, r) >> 5));
        for (i, &factor) in ROOTS.iter().enumerate() {
            if z >> i & 1 == 1 {
                root = mul_high(root, factor);
            }
        }
        u64::from(!(root >> (z >> 4))) << 32
    }
}

/// V of a member that is not the first: P + Q − ⌈P·Q⌉ of 0.64 fractions.
///
/// The product is rounded up so that V stays below 1 for P and Q next to 1, and V is Q if P is 0.
#[inline(always)]
pub const fn later_alarm(p: u64, q: u64) -> u64 {
    let product = p as u128 * q as u128;
    let up = (product as u64 != 0) as u64;
    p.wrapping_add(q).wrapping_sub((product >> 64) as u64 + up)
}

/// V, the 64 bits of noise of a category.
pub fn noise(stream: Stream, category: u32) -> u64 {
    let group = group_of(category);
    let word = group_word(stream, group);
    let p = first_alarm(u_of(word, further_bits(stream, group)));
    if first_member(word) == member_of(category) {
        p
    } else {
        later_alarm(p, own_noise(stream, category))
    }
}
