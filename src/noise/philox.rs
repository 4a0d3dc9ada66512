//! The counter-based generator Philox4x32 with ten rounds.
//!
//! Source: J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, "Parallel random numbers: as easy as
//! 1, 2, 3", SC'11. The words are those of the Random123 library.

use super::wide::mul_wide;

/// The multipliers of the two products of a round.
pub const MULTIPLIERS: [u32; 2] = [0xd251_1f53, 0xcd9e_8d57];
/// The increments of the key between rounds: the golden ratio and √3 − 1, as 0.32 fractions.
pub const WEYL: [u32; 2] = [0x9e37_79b9, 0xbb67_ae85];
/// The number of rounds.
pub const ROUNDS: u32 = 10;

/// One round: two wide products, their halves crossed and mixed with the key.
#[inline(always)]
pub const fn philox_round(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let (low0, high0) = mul_wide(MULTIPLIERS[0], counter[0]);
    let (low1, high1) = mul_wide(MULTIPLIERS[1], counter[2]);
    [high1 ^ counter[1] ^ key[0], low1, high0 ^ counter[3] ^ key[1], low0]
}

/// The four words that Philox4x32-10 gives for a counter under a key.
///
/// ```
/// use gumbel::noise::philox::philox4x32_10;
/// // Random123's known answer for all zeros
/// let words = philox4x32_10([0; 4], [0; 2]);
/// assert_eq!(words, [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
/// ```
#[inline(always)]
pub const fn philox4x32_10(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    let mut i = 0;
    while i < ROUNDS {
        counter = philox_round(counter, key);
        key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
        i += 1;
    }
    counter
}
