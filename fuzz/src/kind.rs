//! The kinds of values that a row can have.

use arbitrary::Arbitrary;
use gumbel::half::{bf16, f16};
use gumbel::{Batch, Logits, Weights as WeightRows};

/// A kind of values, and the way in which a word of the fuzzer becomes one.
pub trait Kind {
    /// The type in memory.
    type Value: Copy + Default + 'static;
    /// The lowest temperature above 0 that draws from these values take.
    const LEAST_TEMPERATURE: f32 = f32::from_bits((127 - 100) << 23);
    /// The logarithm of a large value, far below which other values of the same row can be.
    const LARGEST_LOG: f64 = 0.0;
    /// Whether values are logits, to which something can be added.
    const IS_LOGITS: bool = true;

    /// Returns the value with these bits.
    fn from_word(word: u32) -> Self::Value;
    /// Returns a value of a usual size.
    fn moderate(word: u32) -> Self::Value;
    /// Returns the value with nearly this logarithm of its unnormalised probability.
    fn from_log(log: f64) -> Self::Value;
    /// Returns the rows in this memory, which is large enough for them.
    fn batch(data: &[Self::Value], rows: usize, categories: usize, row_stride: usize) -> Batch<'_>;
}

/// Returns a logit from −16 to 16.
fn moderate_logit(word: u32) -> f32 {
    word as i32 as f32 / (1 << 27) as f32
}

macro_rules! logits {
    ($kind:ident, $value:ty, $from_word:expr, $from_f32:expr) => {
        #[doc = concat!("Logits of `", stringify!($value), "`.")]
        pub struct $kind;

        impl Kind for $kind {
            type Value = $value;

            fn from_word(word: u32) -> $value {
                $from_word(word)
            }
            fn moderate(word: u32) -> $value {
                $from_f32(moderate_logit(word))
            }
            fn from_log(log: f64) -> $value {
                $from_f32(log as f32)
            }
            fn batch(data: &[$value], rows: usize, categories: usize, stride: usize) -> Batch<'_> {
                Logits::strided(data, rows, categories, stride).expect("it fits").into()
            }
        }
    };
}

logits!(F32, f32, f32::from_bits, std::convert::identity);
// for both types, the upper half of a word has the bits that make a NaN or an infinity
logits!(F16, f16, |word| f16::from_bits((word >> 16) as u16), f16::from_f32);
logits!(Bf16, bf16, |word| bf16::from_bits((word >> 16) as u16), bf16::from_f32);

/// Logits of `f64`, which are drawn from relative to the largest of their row.
pub struct F64;

/// A double whose upper half is this word.
fn double(word: u32) -> f64 {
    f64::from_bits(u64::from(word) << 32 | u64::from(word.rotate_left(7)))
}

impl Kind for F64 {
    type Value = f64;

    fn from_word(word: u32) -> f64 {
        double(word)
    }
    /// Returns a logit far from 0.
    fn moderate(word: u32) -> f64 {
        f64::from(moderate_logit(word)) + 1e8
    }
    fn from_log(log: f64) -> f64 {
        log
    }
    fn batch(data: &[f64], rows: usize, categories: usize, stride: usize) -> Batch<'_> {
        Logits::strided(data, rows, categories, stride).expect("it fits").into()
    }
}

/// Weights of `f64`.
pub struct WeightsF64;

impl Kind for WeightsF64 {
    type Value = f64;
    const LEAST_TEMPERATURE: f32 = Weights::LEAST_TEMPERATURE;
    const IS_LOGITS: bool = false;

    /// Few words become negative weights, since a row with one of these has no draw.
    fn from_word(word: u32) -> f64 {
        let negative = word >> 28 == 0xf || word == 1 << 31;
        double(if negative { word } else { word & 0x7fff_ffff })
    }
    /// Returns a weight near 10⁻³⁰⁰, and sometimes 0.
    fn moderate(word: u32) -> f64 {
        f64::from(Weights::moderate(word)) * 1e-300
    }
    fn from_log(log: f64) -> f64 {
        log.exp().min(f64::MAX)
    }
    fn batch(data: &[f64], rows: usize, categories: usize, stride: usize) -> Batch<'_> {
        WeightRows::strided(data, rows, categories, stride).expect("it fits").into()
    }
}

/// Weights of `f32`.
pub struct Weights;

impl Kind for Weights {
    type Value = f32;
    const LEAST_TEMPERATURE: f32 = f32::from_bits((127 - 20) << 23);
    const IS_LOGITS: bool = false;

    /// Few words become negative weights, since a row with one of these has no draw.
    fn from_word(word: u32) -> f32 {
        let negative = word >> 28 == 0xf || word == 1 << 31;
        f32::from_bits(if negative { word } else { word & 0x7fff_ffff })
    }
    /// Returns a weight from 2⁻³² to 2³², and sometimes 0.
    fn moderate(word: u32) -> f32 {
        match word & 0x1f {
            0 => 0.0,
            _ => f32::from_bits((word >> 3 & 0x1fff_ffff) + ((127 - 32) << 23)),
        }
    }
    fn from_log(log: f64) -> f32 {
        (log.exp() as f32).min(f32::MAX)
    }
    fn batch(data: &[f32], rows: usize, categories: usize, stride: usize) -> Batch<'_> {
        WeightRows::strided(data, rows, categories, stride).expect("it fits").into()
    }
}

/// Counts.
pub struct Counts;

impl Kind for Counts {
    type Value = u32;
    const LEAST_TEMPERATURE: f32 = Weights::LEAST_TEMPERATURE;
    const IS_LOGITS: bool = false;
    const LARGEST_LOG: f64 = 22.0;

    fn from_word(word: u32) -> u32 {
        word
    }
    /// Returns counts of all sizes, mostly small ones.
    fn moderate(word: u32) -> u32 {
        word >> (word % 32)
    }
    /// Returns exp(log) times 2¹⁶, so that fractions count.
    fn from_log(log: f64) -> u32 {
        (log.exp() * 65_536.0).round() as u32
    }
    fn batch(data: &[u32], rows: usize, categories: usize, stride: usize) -> Batch<'_> {
        WeightRows::strided(data, rows, categories, stride).expect("it fits").into()
    }
}

/// A kind of values, for targets that take all of them.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum AnyKind {
    /// [`F32`].
    F32,
    /// [`F16`].
    F16,
    /// [`Bf16`].
    Bf16,
    /// [`Weights`].
    Weights,
    /// [`Counts`].
    Counts,
    /// [`F64`].
    F64,
    /// [`WeightsF64`].
    WeightsF64,
}

/// Runs the code with a case of the kind that the fuzzer has chosen.
#[macro_export]
macro_rules! with_case {
    ($kind:expr, $input:expr, $case:ident => $do:expr) => {
        match $kind {
            $crate::AnyKind::F32 => {
                let $case = $crate::Case::<$crate::F32>::new($input);
                $do
            }
            $crate::AnyKind::F16 => {
                let $case = $crate::Case::<$crate::F16>::new($input);
                $do
            }
            $crate::AnyKind::Bf16 => {
                let $case = $crate::Case::<$crate::Bf16>::new($input);
                $do
            }
            $crate::AnyKind::Weights => {
                let $case = $crate::Case::<$crate::Weights>::new($input);
                $do
            }
            $crate::AnyKind::Counts => {
                let $case = $crate::Case::<$crate::Counts>::new($input);
                $do
            }
            $crate::AnyKind::F64 => {
                let $case = $crate::Case::<$crate::F64>::new($input);
                $do
            }
            $crate::AnyKind::WeightsF64 => {
                let $case = $crate::Case::<$crate::WeightsF64>::new($input);
                $do
            }
        }
    };
}
