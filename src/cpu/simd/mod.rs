//! The vector instructions that the CPU engine needs, and which of them this machine has.
//!
//! A [`Simd`] is a token: it exists only where its instructions do. Code that is generic over it is written
//! once and compiled for each instruction set. The vector types mirror the counter layout: a `Words` holds
//! one word of the Philox blocks of neighbouring octets, and four `Floats` or `Ints` hold the categories of
//! these octets in their order, so that noise meets logits without a gather.
//!
//! Why not a crate: see docs/decisions.md.

use half::{bf16, f16};

use crate::noise::bits::OCTET;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod portable;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128;

/// A value that begins where a cache line does. Vectors that are stored for a short time are aligned like
/// this: a vector that lies in two lines takes twice as long, and where a thread's stack begins is chance.
/// (Rows of 1,024 took 500 ns on one thread and 640 on another.)
#[derive(Clone, Copy)]
#[repr(align(64))]
pub(super) struct Aligned<T>(pub(super) T);

/// The number of octets in the largest tile of any instruction set.
pub(super) const MAX_TILE: usize = 8;

/// The bits of a float's mantissa, and those of 1.
const MANTISSA: i32 = 0x7f_ffff;
pub(super) const ONE: i32 = 0x3f80_0000;

/// A set of vector instructions. Every function is one of them, or a few.
pub(super) trait Simd: Copy {
    /// The number of octets that lie side by side, a multiple of 2. A `Words` has as many lanes, a `Floats`
    /// and an `Ints` have twice as many.
    const OCTETS: usize;

    /// A word of each octet's block.
    type Words: Copy;
    /// Floats of neighbouring categories.
    type Floats: Copy;
    /// Signed integers of neighbouring categories.
    type Ints: Copy;
    /// Whether a NaN has occurred, lane by lane.
    type NanFlags: Copy;

    /// Runs code with the instructions enabled. All of it must be inlined.
    fn run<T: Task>(self, task: T) -> T::Output;

    /// Loads `OCTETS` words.
    fn words(self, words: &[u32]) -> Self::Words;
    /// The same word in all lanes.
    fn all_words(self, word: u32) -> Self::Words;
    /// Stores `OCTETS` words.
    fn store_words(self, words: Self::Words, to: &mut [u32]);
    /// a + b modulo 2³²
    fn add_words(self, a: Self::Words, b: Self::Words) -> Self::Words;
    /// The products with a word, as low and high words.
    fn mul_wide(self, a: Self::Words, b: u32) -> (Self::Words, Self::Words);
    /// a ⊕ b ⊕ c
    fn xor(self, a: Self::Words, b: Self::Words, c: Self::Words) -> Self::Words;
    /// Stores pairs of words as `OCTETS` 64-bit numbers.
    fn store_pairs(self, low: Self::Words, high: Self::Words, to: &mut [u64]);
    /// The 16-bit halves of the four words of blocks, in the order of the categories.
    fn halves(self, words: [Self::Words; 4]) -> [Self::Ints; 4];
    /// All words of blocks, one block after the other.
    fn block_words(self, words: [Self::Words; 4]) -> [Self::Ints; 2];

    /// Loads a float for each lane.
    fn floats(self, floats: &[f32]) -> Self::Floats;
    /// Loads a half for each lane, and widens it.
    #[inline(always)]
    fn floats_of_f16(self, halves: &[f16]) -> Self::Floats {
        let mut floats = [0.0; 16];
        for (float, half) in floats.iter_mut().zip(&halves[..2 * Self::OCTETS]) {
            *float = widen(*half);
        }
        self.floats(&floats)
    }
    /// Loads the upper half of a float for each lane.
    #[inline(always)]
    fn floats_of_bf16(self, halves: &[bf16]) -> Self::Floats {
        let mut floats = [0.0; 16];
        for (float, half) in floats.iter_mut().zip(&halves[..2 * Self::OCTETS]) {
            *float = f32::from_bits(u32::from(half.to_bits()) << 16);
        }
        self.floats(&floats)
    }
    /// Loads a count for each lane, rounded to the nearest float.
    #[inline(always)]
    fn floats_of_counts(self, counts: &[u32]) -> Self::Floats {
        let mut floats = [0.0; 16];
        for (float, &count) in floats.iter_mut().zip(&counts[..2 * Self::OCTETS]) {
            *float = count as f32;
        }
        self.floats(&floats)
    }
    /// The same float in all lanes.
    fn all(self, float: f32) -> Self::Floats;
    /// Stores a float for each lane.
    fn store(self, floats: Self::Floats, to: &mut [f32]);
    /// Loads an integer for each lane.
    fn ints(self, ints: &[i32]) -> Self::Ints;
    /// Stores an integer for each lane.
    fn store_ints(self, ints: Self::Ints, to: &mut [i32]);
    /// a·b + c, rounded once or twice.
    fn mul_add(self, a: Self::Floats, b: Self::Floats, c: Self::Floats) -> Self::Floats;
    /// a·b − c, rounded once or twice.
    fn mul_sub(self, a: Self::Floats, b: Self::Floats, c: Self::Floats) -> Self::Floats;
    /// a − b
    fn sub(self, a: Self::Floats, b: Self::Floats) -> Self::Floats;
    /// The larger of each pair; either if one is NaN.
    fn larger(self, a: Self::Floats, b: Self::Floats) -> Self::Floats;
    /// The integers as floats, rounded.
    fn to_floats(self, a: Self::Ints) -> Self::Floats;
    /// The bits of floats.
    fn bits(self, a: Self::Floats) -> Self::Ints;
    /// The mantissas of floats, from 1 to 2, from their bits.
    fn mantissas(self, bits: Self::Ints) -> Self::Floats;
    /// 2ⁿ, for n from −126 to 127.
    fn power_of_two(self, n: Self::Ints) -> Self::Floats;
    /// The same integer in all lanes.
    fn all_ints(self, a: i32) -> Self::Ints;
    /// Half of each as an unsigned word, rounded down.
    fn halved(self, a: Self::Ints) -> Self::Ints;
    /// a / 2ᴺ as unsigned words, rounded down.
    fn shift_right<const N: u32>(self, a: Self::Ints) -> Self::Ints;
    /// The larger of each pair, as unsigned words.
    fn larger_words(self, a: Self::Ints, b: Self::Ints) -> Self::Ints;
    /// a − b
    fn sub_ints(self, a: Self::Ints, b: Self::Ints) -> Self::Ints;
    /// Flags that say that no NaN has occurred.
    fn no_nans(self) -> Self::NanFlags;
    /// Flags that also say where `a` or `b` is NaN.
    fn flag_nans(self, flags: Self::NanFlags, a: Self::Floats, b: Self::Floats) -> Self::NanFlags;
    /// Whether no NaN has occurred in any lane.
    fn is_nan_free(self, flags: Self::NanFlags) -> bool;
    /// sum + x where a is at least a bound, and sum elsewhere. No float is NaN.
    fn add_from(
        self,
        sum: Self::Floats,
        x: Self::Floats,
        a: Self::Floats,
        bound: Self::Floats,
    ) -> Self::Floats;
    /// True if all lanes are below a bound; a NaN is not below it.
    fn all_below(self, a: [Self::Floats; 4], bound: Self::Floats) -> bool;
    /// A mask of the floats, of eight, that are not below a bound: a bit for each float. A NaN is not below
    /// the bound: its bit is 1.
    fn not_below(self, a: &[f32; OCTET], bound: f32) -> u8;
    /// Asks for memory that will be read soon, where an instruction does so.
    #[inline(always)]
    fn prefetch<T>(self, _: &[T]) {}
    /// The largest float of some octets, NaNs left out; −∞ if there is none.
    #[inline(always)]
    fn max(self, octets: &[[f32; OCTET]]) -> f32 {
        let mut most = [f32::NEG_INFINITY; OCTET];
        for octet in octets {
            for (most, &x) in most.iter_mut().zip(octet) {
                *most = if x > *most { x } else { *most };
            }
        }
        let larger = |a: f32, b: f32| if a > b { a } else { b };
        let [a, b, c, d, e, f, g, h] = most;
        larger(larger(larger(a, e), larger(b, f)), larger(larger(c, g), larger(d, h)))
    }
}

/// Widens a half to a float, where no instruction does so.
///
/// The computation is by integers but for one subtraction. The subtraction is exact, and neither its operands
/// nor its result are subnormal: a thread may be set to flush subnormals.
#[inline(always)]
pub(super) fn widen(half: f16) -> f32 {
    /// By how much the exponents of the two types differ.
    const BIAS: u32 = 127 - 15;
    const INFINITY: u32 = 0x7c00 << 13;
    let half = u32::from(half.to_bits());
    let (sign, magnitude) = ((half & 0x8000) << 16, (half & 0x7fff) << 13);
    let normal = magnitude + (BIAS << 23);
    // a subnormal that is read with the lowest normal exponent has a leading one too many, which is
    // subtracted
    let subnormal = f32::from_bits(normal + (1 << 23)) - f32::from_bits((BIAS + 1) << 23);
    let bits = if magnitude >= INFINITY {
        normal + (BIAS << 23)
    } else if magnitude < 1 << 23 {
        subnormal.to_bits()
    } else {
        normal
    };
    f32::from_bits(sign | bits)
}

/// Something to be done with vector instructions.
pub(super) trait Task {
    /// The result of the work.
    type Output;
    /// Does the work. Implementations have to be marked `#[inline(always)]`: only code that is inlined into
    /// [`Simd::run`] is compiled for the instructions.
    fn run<S: Simd>(self, s: S) -> Self::Output;
}

/// The vector instructions that a [`CpuSampler`](crate::CpuSampler) uses. All give the same draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Isa {
    /// AVX-512 F, BW, DQ and VL with BMI1, BMI2, LZCNT and POPCNT, on x86-64.
    Avx512,
    /// AVX2, FMA and F16C with BMI1, BMI2, LZCNT and POPCNT, on x86-64.
    Avx2,
    /// NEON, on AArch64.
    Neon,
    /// WebAssembly's vectors of 128 bits, in a module that is compiled with `target-feature=+simd128`. Such a module has no
    /// other instruction set: what runs it has these vectors.
    Simd128,
    /// Plain loops, compiled for the lowest machine of the target.
    Portable,
}

impl Isa {
    /// All instruction sets that this machine has, the widest first.
    ///
    /// ```
    /// use gumbel::Isa;
    /// assert_eq!(Isa::available().next(), Some(Isa::detect()));
    /// assert_eq!(Isa::available().last(), Some(Isa::Portable));
    /// ```
    pub fn available() -> impl Iterator<Item = Self> {
        let all = [Self::Avx512, Self::Avx2, Self::Neon, Self::Simd128, Self::Portable];
        all.into_iter().filter(|isa| isa.is_available())
    }

    /// The widest instruction set that this machine has.
    pub fn detect() -> Self {
        Self::available().next().unwrap_or(Self::EVERYWHERE)
    }

    /// The instruction set of every machine that the build is for.
    const EVERYWHERE: Self = if cfg!(all(target_arch = "wasm32", target_feature = "simd128")) {
        Self::Simd128
    } else {
        Self::Portable
    };

    /// The name of the instruction set.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Avx512 => "AVX-512",
            Self::Avx2 => "AVX2",
            Self::Neon => "NEON",
            Self::Simd128 => "simd128",
            Self::Portable => "portable",
        }
    }

    /// Whether this machine has the instruction set.
    pub fn is_available(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => avx512::Avx512::detect().is_some(),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => avx2::Avx2::detect().is_some(),
            #[cfg(target_arch = "aarch64")]
            Self::Neon => true,
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Self::Simd128 => true,
            #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
            Self::Portable => true,
            _ => false,
        }
    }

    /// Runs a task with this instruction set, or with [the one that every machine has](Self::EVERYWHERE) if the machine
    /// lacks this one.
    #[inline]
    pub(super) fn run<T: Task>(self, task: T) -> T::Output {
        #[cfg(target_arch = "x86_64")]
        match self {
            Self::Avx512 => {
                if let Some(s) = avx512::Avx512::detect() {
                    return s.run(task);
                }
            }
            Self::Avx2 => {
                if let Some(s) = avx2::Avx2::detect() {
                    return s.run(task);
                }
            }
            _ => {}
        }
        #[cfg(target_arch = "aarch64")]
        if self == Self::Neon {
            return neon::Neon::new().run(task);
        }
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        return simd128::Simd128::new().run(task);
        #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
        portable::Portable.run(task)
    }
}

impl std::fmt::Display for Isa {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
