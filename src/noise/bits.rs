//! The counter layout: which 64 bits of noise belong to (seed, row, draw, category).
//!
//! The key of all blocks is the 64-bit seed, low word first. Counter words 1 and 2 are the 64-bit row, low word first.
//!
//! | block | counter word 0 | counter word 3 | contents |
//! |---|---|---|---|
//! | `coarse` | category / 8 | 2·draw | the leading 16 bits of eight categories |
//! | `fine` | category | 2·draw + 1 | the other 48 bits of one category |
//! | `uniform` | 2³² − 1 | 2·⌊draw / 2⌋ + 1 | a number of 64 bits for each of two draws |
//! | [verification](super::verification) | 2³² − 2 | 2·draw + 1 | two numbers of 64 bits |
//! | [groups](super::groups) | 2³⁰ to 2³¹ − 1 | 2·draw | the first alarms of four groups |
//! | members of groups | 2³¹ − 16 to 2³² − 17 | 2·draw + 1 | the own noise of two categories |
//! | `PhiloxRng` | 2³¹ to 2³² − 1 | an even word | numbers for the crate rand |
//!
//! The noise of a row with up to [`FLAT`] categories is *flat*: each category has a coarse and a fine part of its own, and
//! engines evaluate the fine block only for categories that can still win. Longer rows have the noise of
//! [groups](super::groups). Nothing else enters: not the batch, the thread, nor the device.
//!
//! A draw by an inverse CDF takes one `uniform` number of 64 bits. Two draws share a `uniform` block. Its counter 0 is
//! a category that no row has, so that the number is independent of all Gumbel noise.

use super::philox::philox4x32_10;

/// The number of categories that share a coarse block.
pub const OCTET: usize = 8;

/// The largest number of categories of a row whose noise is flat. A longer row has the noise of
/// [groups](super::groups).
///
/// By measurement: from the top down every longer row was drawn at least 1.22 times as fast on a CPU, while some rows of
/// up to 3,000 categories were slower (`benches/results/topdown-2026-11-28.md`).
pub const FLAT: usize = 4096;

/// The largest number of draws from a row: the draw number has 31 bits of a counter word.
pub const MAX_DRAWS: u32 = 1 << 31;

/// One row's noise for one draw: everything that the noise depends on but the category.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream {
    /// The seed, low word first.
    pub key: [u32; 2],
    /// The row, low word first.
    pub row: [u32; 2],
    /// The draw number, below [`MAX_DRAWS`].
    pub draw: u32,
}

impl Stream {
    /// The noise of draw number `draw`, below [`MAX_DRAWS`], of row `row` under `seed`.
    #[inline]
    pub const fn new(seed: u64, row: u64, draw: u32) -> Self {
        Self {
            key: [seed as u32, (seed >> 32) as u32],
            row: [row as u32, (row >> 32) as u32],
            draw,
        }
    }
}

/// The coarse bits of the eight categories `8·octet ..= 8·octet + 7`: 16 bits each, two to a word,
/// the lower category in the lower half.
#[inline(always)]
pub const fn coarse_block(stream: Stream, octet: u32) -> [u32; 4] {
    philox4x32_10([octet, stream.row[0], stream.row[1], stream.draw << 1], stream.key)
}

/// The coarse 16 bits of one category of a block.
#[inline(always)]
pub const fn coarse(block: [u32; 4], category: u32) -> u32 {
    let lane = category as usize % OCTET;
    (block[lane / 2] >> (16 * (lane as u32 % 2))) & 0xffff
}

/// The flat noise of one category: V = coarse·2⁴⁸ + 48 fine bits, as one integer.
///
/// The fine bits are the first word of the fine block and the low half of the second.
#[inline(always)]
pub const fn noise(stream: Stream, category: u32, coarse: u32) -> u64 {
    let fine =
        philox4x32_10([category, stream.row[0], stream.row[1], (stream.draw << 1) | 1], stream.key);
    ((coarse as u64) << 48) | (((fine[1] & 0xffff) as u64) << 32) | fine[0] as u64
}

/// The Philox block that holds the uniform numbers of draws 2n and 2n + 1, where n = ⌊`stream.draw` / 2⌋.
#[inline(always)]
pub const fn uniform_block(stream: Stream) -> [u32; 4] {
    philox4x32_10([u32::MAX, stream.row[0], stream.row[1], stream.draw | 1], stream.key)
}

/// The uniform number of a draw in its block: the first two words of the block if the draw's number is even, the last
/// two if it is odd; the low word first.
#[inline(always)]
pub const fn uniform_bits(block: [u32; 4], draw: u32) -> u64 {
    let at = 2 * (draw as usize % 2);
    (block[at + 1] as u64) << 32 | block[at] as u64
}
