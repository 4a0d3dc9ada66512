//! Philox4x32-10 as a generator of the crate rand.

use rand::rand_core::Infallible;
use rand::rand_core::block::{BlockRng, Generator};
use rand::{SeedableRng, TryRng};

use crate::noise::philox::philox4x32_10;

/// The number of blocks that are computed at once.
const BLOCKS: usize = 4;
/// The words of a block.
const WORDS: usize = 4;
/// The first counter word of block 0. The noise of draws has no such word beside an even last word.
const FIRST: u32 = 1 << 31;
/// The number of blocks of a stream, less 1.
const LAST: u64 = (1 << 62) - 1;

/// The counter of a block, from 0 to [`LAST`], of a stream.
const fn counter(stream: u64, block: u64) -> [u32; 4] {
    let [low, high] = [block as u32 % FIRST, (block >> 31) as u32];
    [FIRST | low, stream as u32, (stream >> 32) as u32, high << 1]
}

/// The generator [Philox4x32-10](crate::noise::philox), for the crate `rand`: seedable, with 2⁶⁴ streams under each
/// seed, and with access to every word of a stream in O(1).
///
/// ```
/// use gumbel::PhiloxRng;
/// use rand::{Rng, RngExt};
/// let mut rng = PhiloxRng::new(42).with_stream(7);
/// let roll = rng.random_range(1..=6);
/// assert!((1..=6).contains(&roll));
///
/// // a million words on, and back again
/// rng.set_word_pos(1_000_000);
/// let word = rng.next_u32();
/// rng.set_word_pos(1_000_000);
/// assert_eq!(rng.next_u32(), word);
/// ```
///
/// The words are the same on every machine, and a change of them is Value-breaking as one of draws is. They pass for
/// random in statistical tests, and are no secret: do not use them for cryptography.
///
/// # Words and counters
///
/// A stream is 2⁶² blocks of four words, which is 2⁶⁴ words; after the last word comes the first again. Block b is the
/// Philox block of
///
/// | word | value |
/// |---|---|
/// | key | the 64-bit seed, low word first |
/// | counter 0 | 2³¹ + b mod 2³¹ |
/// | counter 1, 2 | the 64-bit stream, low word first |
/// | counter 3 | 2·⌊b / 2³¹⌋ |
///
/// **No draw uses these words.** Draws under the same seed use counters with an odd last word, or with a first word
/// below 2³¹ ([`noise::bits`](crate::noise::bits)): a program can take both its draws and its other random numbers from
/// one seed.
///
/// A `u64` is two words, the low one first; bytes are those of the words, low byte first. The crate `rand_philox` gives
/// the same words: `Philox::new(key, counter)` with the key and the counter above, as a 128-bit integer whose lowest
/// word is counter 0, is in step with this generator up to the first multiple of 2³¹ blocks.
///
/// Needs the feature `rand`.
// no Copy, since a copy that nobody sees would repeat words
#[derive(Clone)]
pub struct PhiloxRng {
    blocks: BlockRng<Blocks>,
}

#[derive(Clone)]
struct Blocks {
    seed: u64,
    stream: u64,
    /// The number of the block after the last that was computed, up to [`LAST`].
    next: u64,
}

impl Generator for Blocks {
    type Output = [u32; BLOCKS * WORDS];

    fn generate(&mut self, output: &mut Self::Output) {
        let key = [self.seed as u32, (self.seed >> 32) as u32];
        for (words, block) in output.chunks_exact_mut(WORDS).zip(self.next..) {
            words.copy_from_slice(&philox4x32_10(counter(self.stream, block & LAST), key));
        }
        self.next = (self.next + BLOCKS as u64) & LAST;
    }
}

impl PhiloxRng {
    /// The generator at the first word of stream 0 under this seed, which is the key as it is.
    /// [`seed_from_u64`](SeedableRng::seed_from_u64) is the same.
    ///
    /// ```
    /// use gumbel::PhiloxRng;
    /// use rand::{Rng, SeedableRng};
    /// assert_eq!(PhiloxRng::new(42).next_u64(), PhiloxRng::seed_from_u64(42).next_u64());
    /// ```
    pub fn new(seed: u64) -> Self {
        Self { blocks: BlockRng::new(Blocks { seed, stream: 0, next: 0 }) }
    }

    /// The generator at the first word of this stream. Streams are independent: give one to each thread or task.
    ///
    /// ```
    /// use gumbel::PhiloxRng;
    /// use rand::Rng;
    /// let rngs = PhiloxRng::new(42);
    /// let [a, b] = [1, 2].map(|stream| rngs.clone().with_stream(stream).next_u64());
    /// assert_ne!(a, b);
    /// ```
    #[must_use]
    pub fn with_stream(self, stream: u64) -> Self {
        Self { blocks: BlockRng::new(Blocks { stream, next: 0, ..self.blocks.core }) }
    }

    /// The seed, which is the key.
    ///
    /// ```
    /// assert_eq!(gumbel::PhiloxRng::new(42).seed(), 42);
    /// ```
    pub fn seed(&self) -> u64 {
        self.blocks.core.seed
    }

    /// The number of the stream.
    ///
    /// ```
    /// assert_eq!(gumbel::PhiloxRng::new(42).with_stream(7).stream(), 7);
    /// ```
    pub fn stream(&self) -> u64 {
        self.blocks.core.stream
    }

    /// The number of words of the stream that lie before the next word, modulo 2⁶⁴. Where bytes end within a word, the
    /// rest of the word is not used.
    ///
    /// ```
    /// use gumbel::PhiloxRng;
    /// use rand::Rng;
    /// let mut rng = PhiloxRng::new(42);
    /// (rng.next_u32(), rng.next_u64(), rng.fill_bytes(&mut [0; 5]));
    /// assert_eq!(rng.word_pos(), 1 + 2 + 2);
    /// ```
    pub fn word_pos(&self) -> u64 {
        let computed = self.blocks.core.next.wrapping_mul(WORDS as u64);
        computed.wrapping_sub(self.blocks.remaining_results().len() as u64)
    }

    /// Goes to the word before which `word_pos` words of the stream lie.
    ///
    /// ```
    /// use gumbel::PhiloxRng;
    /// use rand::Rng;
    /// let mut rng = PhiloxRng::new(42);
    /// let words: Vec<u32> = (0..100).map(|_| rng.next_u32()).collect();
    /// rng.set_word_pos(73);
    /// assert_eq!(rng.next_u32(), words[73]);
    /// ```
    pub fn set_word_pos(&mut self, word_pos: u64) {
        self.blocks.core.next = word_pos / WORDS as u64;
        self.blocks.reset_and_skip((word_pos % WORDS as u64) as usize);
    }
}

/// A seed of 16 bytes: the key and the number of the stream, 64 bits each, low byte first.
impl SeedableRng for PhiloxRng {
    type Seed = [u8; 16];

    fn from_seed(seed: Self::Seed) -> Self {
        let number = u128::from_le_bytes(seed);
        Self::new(number as u64).with_stream((number >> 64) as u64)
    }

    fn seed_from_u64(seed: u64) -> Self {
        Self::new(seed)
    }
}

impl TryRng for PhiloxRng {
    type Error = Infallible;

    #[inline]
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.blocks.next_word())
    }

    #[inline]
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.blocks.next_u64_from_u32())
    }

    #[inline]
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.blocks.fill_bytes(bytes);
        Ok(())
    }
}

/// Generators are equal if they are at the same word of the same stream of the same seed.
impl PartialEq for PhiloxRng {
    fn eq(&self, other: &Self) -> bool {
        let place = |rng: &Self| (rng.seed(), rng.stream(), rng.word_pos());
        place(self) == place(other)
    }
}

impl Eq for PhiloxRng {}

impl std::fmt::Debug for PhiloxRng {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PhiloxRng")
            .field("seed", &self.seed())
            .field("stream", &self.stream())
            .field("word_pos", &self.word_pos())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::bits::{MAX_DRAWS, OCTET};

    /// The counters of the noise of draws have an odd last word, or a first word below 2²⁹ (an octet). Those of the
    /// generator have neither, for the blocks at every edge.
    #[test]
    fn no_draw_has_a_counter_of_the_generator() {
        let largest_octet = u32::MAX / OCTET as u32;
        assert!(largest_octet < FIRST);
        for bit in 0..62 {
            for block in [1 << bit, (1u64 << bit) - 1, LAST - (1 << bit), LAST] {
                let [first, low, high, last] = counter(0x0123_4567_89ab_cdef, block);
                assert!(first > largest_octet && last.is_multiple_of(2), "{block}");
                assert_eq!([low, high], [0x89ab_cdef, 0x0123_4567]);
                // two blocks have two counters
                let back = u64::from(first - FIRST) | u64::from(last) << 30;
                assert_eq!(back, block);
            }
        }
        assert_eq!(counter(0, LAST)[3], (MAX_DRAWS - 1) << 1);
    }
}
