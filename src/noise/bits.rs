//! The counter layout: which 64 bits of noise belong to (seed, row, draw, category).
//!
//! | word | value |
//! |---|---|
//! | key | the 64-bit seed, low word first |
//! | counter 0 | `coarse`: category / 8; `fine`: category; `uniform`: 2³² − 1 |
//! | counter 1, 2 | the 64-bit row, low word first |
//! | counter 3 | `coarse`: 2·draw; `fine`: 2·draw + 1; `uniform`: 2·⌊draw / 2⌋ + 1 |
//!
//! One `coarse` block gives the leading 16 bits of eight categories; the other 48 bits of one
//! category are a `fine` block of its own, which engines evaluate only for categories that can
//! still win. Nothing else enters: not the batch, the thread, nor the device.
//!
//! No draw has a counter whose first word is 2²⁹ or more and whose last word is even. Those with a first word of 2³¹ or
//! more are the counters of `PhiloxRng`, the generator for the crate rand.
//!
//! A draw by an inverse CDF takes one `uniform` number of 64 bits. Two draws share a `uniform` block. Its counter 0 is
//! a category that no row has, so that the number is independent of all Gumbel noise.

use super::philox::philox4x32_10;

/// The number of categories that share a coarse block.
pub const OCTET: usize = 8;

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

/// The whole noise of one category: V = coarse·2⁴⁸ + 48 fine bits, as one integer.
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
