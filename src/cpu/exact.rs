//! Exact evaluation: keys by the contract's integers, and the best of them, in whatever order they are found.

use super::values::RowValues;
use crate::job::Temperature;
use crate::noise::bits::{OCTET, Stream, coarse, coarse_block, noise};
use crate::noise::gumbel::gumbel;
use crate::noise::order::{Best, Scale};
use crate::options::{Chance, Value};

/// The winner among some categories of a row, and whether a value was seen that leaves the row
/// without a draw.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outcome {
    pub(super) best: Best,
    pub(super) invalid: bool,
}

impl Outcome {
    pub(super) const NONE: Self = Self { best: Best::NONE, invalid: false };

    pub(super) fn merge(self, other: Self) -> Self {
        Self { best: self.best.or(other.best), invalid: self.invalid | other.invalid }
    }

    pub(super) fn draw(self) -> Option<u32> {
        (!self.invalid && self.best != Best::NONE).then_some(self.best.category)
    }
}

/// The exact key of a category that can be drawn and has these coarse bits.
pub(super) fn evaluate<T: Value>(
    stream: Stream,
    scale: Scale,
    category: u32,
    coarse: u32,
    value: T,
) -> Best {
    let g = gumbel(noise(stream, category, coarse));
    Best { key: value.fixed(scale) + i64::from(g), category }
}

/// The outcome among the categories `first ..` with these values, all evaluated exactly.
#[cold]
#[inline(never)]
pub(super) fn evaluate_all<V: RowValues>(
    stream: Stream,
    temperature: Temperature,
    values: V,
    first: u32,
) -> Outcome {
    let mut outcome = Outcome::NONE;
    for (k, values) in values.parts(OCTET).enumerate() {
        let octet = first / OCTET as u32 + k as u32;
        let block = match temperature {
            Temperature::Greedy => [0; 4],
            Temperature::Scaled(_) => coarse_block(stream, octet),
        };
        for (i, value) in values.iter().enumerate() {
            match value.chance() {
                Chance::None => {}
                Chance::Invalid => outcome.invalid = true,
                Chance::Some => {
                    let category = octet * OCTET as u32 + i as u32;
                    outcome.best = outcome.best.or(match temperature {
                        Temperature::Greedy => Best { key: value.greedy(), category },
                        Temperature::Scaled(scale) => {
                            evaluate(stream, scale, category, coarse(block, category), value)
                        }
                    });
                }
            }
        }
    }
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::greedy::Greedy;
    use crate::cpu::simd::Isa;
    use crate::noise::order::Scale;

    /// A row has up to 2³² − 1 categories. The last of them are evaluated, and also a tile that is filled up
    /// beyond them.
    #[test]
    fn the_last_categories_do_not_overflow() {
        let stream = Stream::new(1, 2, 3);
        let mut logits = [f32::NEG_INFINITY; 8];
        logits[6] = 0.0;
        for temperature in [Temperature::Greedy, Temperature::Scaled(Scale::ONE)] {
            for logits in [&logits[..7], &logits] {
                let outcome = evaluate_all(stream, temperature, logits, u32::MAX - 7);
                assert_eq!(outcome.draw(), Some(u32::MAX - 1));
            }
        }
        let mut logits = [0.0; 255];
        logits[254] = 1.0;
        let greedy = Greedy { values: &logits[..], first: u32::MAX - 255 };
        assert_eq!(Isa::detect().run(greedy).draw(), Some(u32::MAX - 1));
    }
}
