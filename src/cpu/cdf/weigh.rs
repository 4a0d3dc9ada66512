//! From logits to sums of weights, many at once.
//!
//! The contract's [`fixed`] is for logits of any size. Where the largest of a row is no larger than 2²⁶
//! once it is scaled, the product of a logit and the scale and its rounding to 2⁻²⁴ are exact in f64, to
//! which a sum with 1.5·2⁵² rounds as an instruction does; what is below −2²⁷ weighs nothing, and may be
//! cut off there. All the rest is integers, in plain loops that the compiler turns into vectors.

use half::{bf16, f16};
use rayon::prelude::*;

use super::super::exact::Outcome;
use super::super::greedy::Greedy;
use super::super::simd::{CpuForm, Simd, Task};
use super::super::widen::{Half, Widen};
use super::table::SEGMENT;
use crate::noise::exp::{NOTHING_FROM, log2_floor, weight};
use crate::noise::gumbel::UNIT;
use crate::noise::order::{NEG_INFINITY, Scale, fixed};
use crate::options::Known;

/// The halves that are converted at a time.
const PIECE: usize = 1 << 10;

/// A type of logits, and as `f32` a piece at a time.
pub(super) trait Source: Known {
    /// Does something with each piece and the position of its first logit.
    fn pieces(form: CpuForm, logits: &[Self], take: impl FnMut(usize, &[f32]));
}

impl Source for f32 {
    fn pieces(_: CpuForm, logits: &[Self], mut take: impl FnMut(usize, &[f32])) {
        take(0, logits);
    }
}

impl Source for f16 {
    fn pieces(form: CpuForm, logits: &[Self], take: impl FnMut(usize, &[f32])) {
        widened(form, logits, take);
    }
}

impl Source for bf16 {
    fn pieces(form: CpuForm, logits: &[Self], take: impl FnMut(usize, &[f32])) {
        widened(form, logits, take);
    }
}

fn widened<T: Half>(form: CpuForm, halves: &[T], mut take: impl FnMut(usize, &[f32])) {
    let mut piece = [0.0; PIECE];
    for (i, halves) in halves.chunks(PIECE).enumerate() {
        form.run(Widen { halves, to: &mut piece });
        take(i * PIECE, &piece[..halves.len()]);
    }
}

/// What a row's weights depend on beside the logits themselves.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rule {
    /// All are 0: the row has no draw.
    Nothing,
    /// All but one: temperature 0.
    One(u32),
    /// As far below the largest as this.
    Below { most: i64, scale: Scale, log2_categories: u32 },
}

impl Rule {
    /// The rule of a row. `scale` is `None` at temperature 0.
    pub(super) fn of<T: Source>(
        form: CpuForm,
        row: &[T],
        scale: Option<Scale>,
        parallel: bool,
    ) -> Self {
        let of_segment = |(i, logits)| largest(form, logits, i * SEGMENT);
        let outcome = if parallel && row.len() > SEGMENT {
            row.par_chunks(SEGMENT)
                .enumerate()
                .map(of_segment)
                .reduce(|| Outcome::NONE, Outcome::merge)
        } else {
            largest(form, row, 0)
        };
        match (outcome.draw(), scale) {
            (None, _) => Self::Nothing,
            (Some(category), None) => Self::One(category),
            (Some(category), Some(scale)) => Self::Below {
                most: fixed(row[category as usize].widen().to_bits(), scale),
                scale,
                log2_categories: log2_floor(row.len() as u32),
            },
        }
    }

    /// The weights of the categories `first ..`, each added to those before it from `first` on.
    pub(super) fn weigh<T: Source>(
        self,
        form: CpuForm,
        logits: &[T],
        first: usize,
        sums: &mut [u64],
    ) {
        match self {
            Self::Nothing => sums.fill(0),
            Self::One(category) => {
                for (i, sum) in (first..).zip(sums) {
                    *sum = u64::from(i >= category as usize && first <= category as usize);
                }
            }
            Self::Below { most, scale, log2_categories } => {
                let mut before = 0;
                T::pieces(form, logits, |at, logits| {
                    let sums = &mut sums[at..][..logits.len()];
                    before = form.run(Weigh { logits, most, scale, log2_categories, before, sums });
                });
            }
        }
    }
}

/// The largest of the logits of categories `first ..`.
fn largest<T: Source>(form: CpuForm, logits: &[T], first: usize) -> Outcome {
    let mut outcome = Outcome::NONE;
    T::pieces(form, logits, |at, logits| {
        outcome = outcome.merge(form.run(Greedy { logits, first: (first + at) as u32 }));
    });
    outcome
}

/// As many weights are found before they are added up.
const BLOCK: usize = 128;

/// Up to this, in units, the largest logit of a row is one that f64 can do.
const IN_F64: i64 = UNIT << 26;

/// The sums of some weights and of what was before them; what comes out is the last.
struct Weigh<'a> {
    logits: &'a [f32],
    most: i64,
    scale: Scale,
    log2_categories: u32,
    before: u64,
    sums: &'a mut [u64],
}

impl Task for Weigh<'_> {
    type Output = u64;

    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> u64 {
        let Self { logits, most, scale, log2_categories, before, sums } = self;
        let slope = f64::from(scale.reciprocal()) * UNIT as f64;
        let mut sum = before;
        for (logits, sums) in logits.chunks(BLOCK).zip(sums.chunks_mut(BLOCK)) {
            if most.abs() < IN_F64 {
                let most = most as f64;
                for (sum, &logit) in sums.iter_mut().zip(logits) {
                    *sum = weight_in_f64(logit, slope, most, log2_categories);
                }
            } else {
                for (sum, &logit) in sums.iter_mut().zip(logits) {
                    *sum = weight_of(logit, scale, most, log2_categories);
                }
            }
            for weight in sums {
                sum += *weight;
                *weight = sum;
            }
        }
        sum
    }
}

/// The contract's weight of any logit.
fn weight_of(logit: f32, scale: Scale, most: i64, log2_categories: u32) -> u64 {
    match logit.to_bits() {
        NEG_INFINITY => 0,
        bits => weight((most as u64).wrapping_sub(fixed(bits, scale) as u64), log2_categories),
    }
}

/// The same of a logit that is no larger than `most`, which is less than [`IN_F64`].
#[inline(always)]
fn weight_in_f64(logit: f32, slope: f64, most: f64, log2_categories: u32) -> u64 {
    /// What is added to round to an integer, and the bits below which that stands.
    const ROUND: f64 = 1.5 * (1u64 << 52) as f64;
    const INTEGER: f64 = (1u64 << 52) as f64;
    const LOWEST: f64 = -((1u64 << 51) as f64);
    const NOTHING: f64 = NOTHING_FROM as f64;
    let scaled = f64::from(logit) * slope;
    let scaled = if scaled > LOWEST { scaled } else { LOWEST };
    let difference = most - ((scaled + ROUND) - ROUND);
    let difference = if difference < NOTHING { difference } else { NOTHING };
    weight((difference + INTEGER).to_bits() & 0xffff_ffff, log2_categories)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::philox::philox4x32_10;

    /// Logits near `center`, and all else there is.
    fn logits(center: f32) -> Vec<f32> {
        (0..3000u32)
            .map(|i| {
                let [a, b, ..] = philox4x32_10([i, 0, 0, 0], [7, 8]);
                match a % 8 {
                    0 => f32::NEG_INFINITY,
                    1 => f32::from_bits(b | 0x8000_0000).max(-f32::MAX),
                    2 => f32::from_bits(b & 0x807f_ffff),
                    3 => center,
                    _ => center - b as f32 / (1u32 << (20 + a % 12)) as f32,
                }
            })
            .collect()
    }

    /// In all forms, whatever the largest logit and the temperature.
    #[test]
    fn every_weight_is_the_contracts() {
        let edge = (IN_F64 / UNIT) as f32;
        let scales = [1.0, 0.7, 1e-3, 1e30, 1e-30].map(|t| Scale::from_temperature(t).unwrap());
        for form in CpuForm::ALL.into_iter().filter(|form| form.is_available()) {
            for center in [0.0, -1.0, 1e-30, 1e3, edge - 4.0, edge, 2.5e9, 3e38, -3e38] {
                let mut logits = logits(center);
                for scale in scales {
                    logits.iter_mut().for_each(|x| *x = x.min(center));
                    let rule = Rule::of(form, &logits, Some(scale), false);
                    let mut sums = vec![1; logits.len()];
                    rule.weigh(form, &logits, 0, &mut sums);
                    let most = fixed(center.to_bits(), scale);
                    let mut sum = 0;
                    for (i, (&got, &logit)) in sums.iter().zip(&logits).enumerate() {
                        sum += weight_of(logit, scale, most, log2_floor(3000));
                        assert_eq!(got, sum, "{form}: {i}, {logit} below {center}, {scale:?}");
                    }
                }
            }
        }
    }
}
