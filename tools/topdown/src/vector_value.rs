//! Logits of the three types, as vectors of floats. (The library's trait of this name depends on its options,
//! which are private.)

use half::{bf16, f16};

use super::simd::{Simd, widen};
use crate::filter::POWER;
use crate::noise::order::{Scale, fixed, is_invalid};

/// Whether a category can be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chance {
    /// The probability is 0.
    None,
    /// The category can be drawn.
    Some,
    /// The logit is NaN or +∞, and its row has no draw.
    Invalid,
}

/// A type of logits.
pub trait VectorValue: Copy + Send + Sync + 'static {
    /// The logit −∞.
    const NEVER: Self;
    /// The logit as a float, which is exact.
    fn float(self) -> f32;
    /// Loads four vectors of neighbouring logits.
    fn accurate<S: Simd>(s: S, values: &[Self]) -> [S::Floats; 4];
    /// By how much a score grows with the logit, in units of 2⁻²³ powers of two.
    fn slope(scale: Scale) -> f32 {
        scale.reciprocal() * (POWER * std::f32::consts::LOG2_E)
    }
    /// The logit in fixed point.
    fn fixed(self, scale: Scale) -> i64 {
        fixed(self.float().to_bits(), scale)
    }
    /// Whether the category can be drawn.
    fn chance(self) -> Chance {
        let x = self.float();
        if x == f32::NEG_INFINITY {
            Chance::None
        } else if is_invalid(x.to_bits()) {
            Chance::Invalid
        } else {
            Chance::Some
        }
    }
}

macro_rules! logits {
    ($type:ty, $load:ident, $never:expr, $float:expr) => {
        impl VectorValue for $type {
            const NEVER: Self = $never;
            #[inline(always)]
            fn float(self) -> f32 {
                let float: fn(Self) -> f32 = $float;
                float(self)
            }
            #[inline(always)]
            fn accurate<S: Simd>(s: S, values: &[Self]) -> [S::Floats; 4] {
                let lanes = 2 * S::OCTETS;
                [
                    s.$load(values),
                    s.$load(&values[lanes..]),
                    s.$load(&values[2 * lanes..]),
                    s.$load(&values[3 * lanes..]),
                ]
            }
        }
    };
}

logits!(f32, floats, f32::NEG_INFINITY, |x| x);
logits!(bf16, floats_of_bf16, bf16::NEG_INFINITY, |x| f32::from_bits(u32::from(x.to_bits()) << 16));
logits!(f16, floats_of_f16, f16::NEG_INFINITY, |x| widen(x));
