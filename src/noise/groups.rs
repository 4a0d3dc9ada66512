//! Noise from the top down, for rows of more than [`FLAT`] categories: first the earliest alarm of
//! each group of 16 categories, and from it the alarms of the group's members.
//!
//! The first of 16 standard exponential alarms rings at rate 16, and which one it is does not depend on when. By lack of
//! memory, each of the other 15 rings a standard exponential time after it. `docs/mathematics.md` proves both. So one
//! word tells of 16 categories what an engine needs to know of nearly all of them: that none of them can win.
//!
//! **Groups.** A span is 256 consecutive categories, or 16 groups. Category c = 256·span + 16·j + l is member j of group
//! g = 16·span + l. So the members of a group lie 16 apart, and the maxima of 16 groups are a maximum of whole vectors.
//! The last span may lack categories. Its groups have 16 alarms all the same, and an alarm without a category is
//! ignored.
//!
//! | block | counter word 0 | counter word 3 | contents |
//! |---|---|---|---|
//! | group | 2³⁰ + ⌊g/4⌋ | 2·draw | word g mod 4: its leading 28 bits are those of u, the others name the member that rings first |
//! | further | 2³⁰ + 2²⁹ + ⌊g/4⌋ | 2·draw | word g mod 4: the other 32 bits of u |
//! | member | 2³¹ − 16 + 16·⌊c/32⌋ + c mod 16 | 2·draw + 1 | Q of two members, which are 16 apart: words 0 and 1 if bit 4 of c is 0, otherwise words 2 and 3; the low word comes first |
//!
//! **P** = 1 − (1 − u)^(1/16), with u a 0.60 fraction and P a 0.64 fraction, belongs to the first alarm:
//! [`first_alarm`]. V of the member that rings first is P.
//!
//! **V** of every other member is P + Q − ⌈P·Q⌉, which is 1 − (1 − P)(1 − Q), with its own noise Q, a 0.64 fraction:
//! [`later_alarm`]. V is at least P, so that no member rings before the first.
//!
//! From V on nothing differs from flat noise: [`gumbel`](super::gumbel), keys and their order.

use super::bits::{FLAT, OCTET, Stream, coarse, coarse_block, noise as flat_noise};
use super::philox::philox4x32_10;
use super::wide::mul_high;

/// The number of categories of a span.
pub const SPAN: usize = 256;
/// The number of members of a group, and of groups of a span.
pub const MEMBERS: usize = 16;
/// Counter word 0 of the first block of groups.
pub const GROUP_BLOCKS: u32 = 1 << 30;
/// Counter word 0 of the first block of further bits.
pub const FURTHER_BLOCKS: u32 = 3 << 29;
/// Counter word 0 of the first block of members. The last one has the number 2³² − 17, as a row has 2³² − 1 categories
/// at most: `uniform` blocks have the number 2³² − 1.
pub const MEMBER_BLOCKS: u32 = (1 << 31) - 16;

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

/// The words of the four groups `4·quad ..= 4·quad + 3`.
#[inline(always)]
pub const fn group_block(stream: Stream, quad: u32) -> [u32; 4] {
    let first = GROUP_BLOCKS + quad;
    philox4x32_10([first, stream.row[0], stream.row[1], stream.draw << 1], stream.key)
}

/// The further bits of u of the four groups `4·quad ..= 4·quad + 3`.
#[inline(always)]
pub const fn further_block(stream: Stream, quad: u32) -> [u32; 4] {
    let first = FURTHER_BLOCKS + quad;
    philox4x32_10([first, stream.row[0], stream.row[1], stream.draw << 1], stream.key)
}

/// The word of one group of a block of four.
#[inline(always)]
pub const fn word_in(block: [u32; 4], group: u32) -> u32 {
    block[group as usize % 4]
}

/// The leading 28 bits of u of a group with this word.
#[inline(always)]
pub const fn leading_bits(word: u32) -> u32 {
    word >> 4
}

/// The member that rings first in a group with this word.
#[inline(always)]
pub const fn first_member(word: u32) -> u32 {
    word & 15
}

/// Counter word 0 of the block with a member's own noise.
#[inline(always)]
pub const fn member_counter(category: u32) -> u32 {
    MEMBER_BLOCKS + (category >> 5 << 4 | category & 15)
}

/// Q, the own noise of a member.
#[inline(always)]
pub const fn own_noise(stream: Stream, category: u32) -> u64 {
    let counter = [member_counter(category), stream.row[0], stream.row[1], (stream.draw << 1) | 1];
    let block = philox4x32_10(counter, stream.key);
    let at = 2 * (category as usize >> 4 & 1);
    (block[at + 1] as u64) << 32 | block[at] as u64
}

/// The coefficients of (16(1 − (1 − x/2)^(1/16))/(x/2) − 1)/x as a polynomial of 1 − x, for x from 0 to 1, highest
/// power first, as 0.32 fractions with alternating signs. From `scripts/derive_first_alarm.py`.
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
/// 2^(−1/16), 2^(−2/16), 2^(−4/16) and 2^(−8/16) as 0.32 fractions. From the same script.
pub const ROOTS: [u32; 4] = [0xf525_7d15, 0xeac0_c6e8, 0xd744_fccb, 0xb504_f334];
/// The bits of its argument that the polynomial uses.
pub(crate) const EXCESS_SEEN: u32 = !31;

/// ρ − 1 as a 0.32 fraction, where 1 − (1 − u)^(1/16) = u·ρ/16 and x = 2u is a 0.32 fraction.
#[inline(always)]
pub fn excess(x: u32) -> u32 {
    let x = x & EXCESS_SEEN;
    let sum = EXCESS[1..].iter().fold(EXCESS[0], |sum, &word| word.wrapping_sub(mul_high(sum, !x)));
    mul_high(x, sum)
}

/// P = 1 − (1 − u)^(1/16) as a 0.64 fraction, for u below 2⁶⁰, a 0.60 fraction.
///
/// P is within a relative 2⁻²⁴ of its true value and never decreases with u; both are tested. For u below ½, P is the
/// product of u and the polynomial of [`excess`]. For larger u, 1 − u is taken in the middle of u's last unit and
/// written as 2⁻ᶻ(1 − x/2): the root of 1 − x/2 comes from the same polynomial, that of 2⁻ᶻ from [`ROOTS`], and the low
/// word of P is 0.
#[inline(always)]
pub fn first_alarm(u: u64) -> u64 {
    if u < 1 << 59 {
        let r = excess((u >> 27) as u32);
        // u·(1 + r / 2³²): the unit of u is 2⁻⁶⁰, and 16 units of P
        u + (u >> 32) * u64::from(r) + (((u & 0xffff_ffff) * u64::from(r)) >> 32)
    } else {
        // 1 − u = n / 2⁶¹ = 2^−z·(1 − x/2), so that n is odd and z > 0
        let n = (1u64 << 61) - (2 * u + 1);
        let zeros = n.leading_zeros();
        let z = zeros - 3;
        let x = ((!(n << zeros)) >> 31) as u32;
        // (1 − x/2)^(1/16), then times 2^(−z/16)
        let mut root = !((x >> 5) + (mul_high(x, excess(x)) >> 5));
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
/// The product is rounded up, so that V stays below 1 for P and Q next to 1, and V is Q if P is 0.
#[inline(always)]
pub const fn later_alarm(p: u64, q: u64) -> u64 {
    let product = p as u128 * q as u128;
    let up = (product as u64 != 0) as u64;
    p.wrapping_add(q).wrapping_sub((product >> 64) as u64 + up)
}

/// V, the 64 bits of noise of a category whose group has this word and these further bits.
#[inline(always)]
pub fn noise_in_group(stream: Stream, category: u32, word: u32, further: u32) -> u64 {
    let p = first_alarm(u64::from(leading_bits(word)) << 32 | u64::from(further));
    if first_member(word) == member_of(category) {
        p
    } else {
        later_alarm(p, own_noise(stream, category))
    }
}

/// V, the 64 bits of noise of a category of a long row.
pub fn noise_of_long_row(stream: Stream, category: u32) -> u64 {
    let group = group_of(category);
    let word = word_in(group_block(stream, group / 4), group);
    let further = word_in(further_block(stream, group / 4), group);
    noise_in_group(stream, category, word, further)
}

/// V, the 64 bits of noise of a category in a row of this many categories: flat up to [`FLAT`] categories, and
/// otherwise from the top down. This is the definition; engines find out most of it without these words.
///
/// ```
/// use gumbel::noise::{bits::Stream, groups::noise, gumbel::gumbel};
/// let stream = Stream::new(7, 0, 0);
/// // the row's length decides which noise a category has
/// assert_ne!(gumbel(noise(stream, 5, 4096)), gumbel(noise(stream, 5, 4097)));
/// ```
pub fn noise(stream: Stream, category: u32, categories: usize) -> u64 {
    if categories > FLAT {
        return noise_of_long_row(stream, category);
    }
    let block = coarse_block(stream, category / OCTET as u32);
    flat_noise(stream, category, coarse(block, category))
}

#[cfg(test)]
mod tests;
