//! From values to sums of integer weights, many at once.
//!
//! The contract's [`fixed`](crate::noise::order::fixed) is for logits of any size. If the largest scaled
//! logit of a row is below 2²⁶ in magnitude, f64 is exact: the product of a logit and the scale has no error,
//! and adding 1.5·2⁵² rounds it to 2⁻²⁴ as an instruction for that would. A scaled logit below −2²⁷ has
//! weight 0, and may be clamped there. All the rest is integers, in plain loops that the compiler turns into
//! vectors.

use half::{bf16, f16};

use super::super::exact::Outcome;
use super::super::greedy::Greedy;
use super::super::simd::{Isa, Simd, Task};
use super::super::values::RowValues;
use super::super::vector_value::VectorValue;
use super::table::SEGMENT;
use crate::noise::exp::{NOTHING_FROM, log2_floor, weight};
use crate::noise::gumbel::UNIT;
use crate::noise::order::Scale;
use crate::options::{Positive, Value, Widen};

/// The number of halves that are converted at a time.
const PIECE: usize = 1 << 10;

/// A type of values that have integer weights.
pub(super) trait IntegerWeights: VectorValue {
    /// Writes the weights of these values, each added to those before it; here one by one.
    fn sum_weights<V: RowValues<Value = Self>>(
        isa: Isa,
        values: V,
        scaled: Scaled<Self>,
        sums: &mut [u64],
    ) {
        isa.run(Sum { values, scaled, sums });
    }
}

impl IntegerWeights for Positive {}

impl IntegerWeights for u32 {}

impl IntegerWeights for f32 {
    fn sum_weights<V: RowValues<Value = Self>>(
        isa: Isa,
        logits: V,
        scaled: Scaled<Self>,
        sums: &mut [u64],
    ) {
        isa.run(FloatWeights { logits, scaled, before: 0, sums });
    }
}

impl IntegerWeights for f16 {
    fn sum_weights<V: RowValues<Value = Self>>(
        isa: Isa,
        halves: V,
        scaled: Scaled<Self>,
        sums: &mut [u64],
    ) {
        widened(isa, halves, scaled, sums);
    }
}

impl IntegerWeights for bf16 {
    fn sum_weights<V: RowValues<Value = Self>>(
        isa: Isa,
        halves: V,
        scaled: Scaled<Self>,
        sums: &mut [u64],
    ) {
        widened(isa, halves, scaled, sums);
    }
}

fn widened<V: RowValues<Value: Widen>>(
    isa: Isa,
    halves: V,
    scaled: Scaled<V::Value>,
    sums: &mut [u64],
) {
    let Scaled { most, scale, log2_categories } = scaled;
    let scaled = Scaled { most: most.widen(), scale, log2_categories };
    let mut piece = [0.0; PIECE];
    let mut before = 0;
    for (halves, sums) in halves.parts(PIECE).zip(sums.chunks_mut(PIECE)) {
        let logits = &mut piece[..halves.len()];
        halves.widen_to(logits);
        before = isa.run(FloatWeights { logits: &*logits, scaled, before, sums });
    }
}

/// The parameters of the weights of a row that has a draw: what a weight depends on beside its value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scaled<T> {
    most: T,
    scale: Scale,
    log2_categories: u32,
}

/// How the weights of a row follow from its values.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rule<T> {
    /// All weights are 0: the row has no draw.
    Nothing,
    /// All weights but that of this category are 0: temperature 0.
    One(u32),
    /// A weight depends on how far its value lies below the largest.
    Scaled(Scaled<T>),
}

impl<T: IntegerWeights> Rule<T> {
    /// The rule of a row. `scale` is `None` at temperature 0.
    pub(super) fn new<V: RowValues<Value = T>>(
        isa: Isa,
        row: V,
        scale: Option<Scale>,
        parallel: bool,
    ) -> Self {
        let largest = |first, values| isa.run(Greedy { values, first });
        let outcome = if parallel && row.len() > SEGMENT {
            row.of_parts(SEGMENT, largest).into_iter().fold(Outcome::NONE, Outcome::merge)
        } else {
            largest(0, row)
        };
        match (outcome.draw(), scale) {
            (None, _) => Self::Nothing,
            (Some(category), None) => Self::One(category),
            (Some(category), Some(scale)) => Self::Scaled(Scaled {
                most: row.value(category as usize),
                scale,
                log2_categories: log2_floor(row.len() as u32),
            }),
        }
    }

    /// Writes the weights of the categories `first ..`, each added to those before it from `first` on.
    pub(super) fn sum_weights<V: RowValues<Value = T>>(
        self,
        isa: Isa,
        values: V,
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
            Self::Scaled(scaled) => T::sum_weights(isa, values, scaled, sums),
        }
    }
}

/// The running sums of the weights of values of any type.
struct Sum<'a, V: RowValues> {
    values: V,
    scaled: Scaled<V::Value>,
    sums: &'a mut [u64],
}

impl<V: RowValues> Task for Sum<'_, V> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let Scaled { most, scale, log2_categories } = self.scaled;
        let mut sum = 0;
        for (to, value) in self.sums.iter_mut().zip(self.values.iter()) {
            sum += value.integer_weight(most, scale, log2_categories);
            *to = sum;
        }
    }
}

/// The number of weights that are computed before they are added up.
const BLOCK: usize = 128;

/// The magnitude, in units of 2⁻²⁴, from which the largest scaled logit of a row is too large for f64.
const IN_F64: i64 = UNIT << 26;

/// The running sums of the weights of some logits, on top of the sum `before` them. The output is the last
/// sum.
struct FloatWeights<'a, V> {
    logits: V,
    scaled: Scaled<f32>,
    before: u64,
    sums: &'a mut [u64],
}

impl<V: RowValues<Value = f32>> Task for FloatWeights<'_, V> {
    type Output = u64;

    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> u64 {
        let Self { logits, scaled, before, sums } = self;
        let Scaled { scale, log2_categories, .. } = scaled;
        let most = scaled.most.fixed(scale);
        let slope = f64::from(scale.reciprocal()) * UNIT as f64;
        let mut sum = before;
        for (logits, sums) in logits.parts(BLOCK).zip(sums.chunks_mut(BLOCK)) {
            if most.abs() < IN_F64 {
                let most = most as f64;
                for (sum, logit) in sums.iter_mut().zip(logits.iter()) {
                    *sum = weight_in_f64(logit, slope, most, log2_categories);
                }
            } else {
                for (sum, logit) in sums.iter_mut().zip(logits.iter()) {
                    *sum = logit.integer_weight(scaled.most, scale, log2_categories);
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

/// The contract's weights of the logits of a row in f64, if its largest logit is near enough to 0 for that.
#[inline(always)]
pub(in crate::cpu) fn weight_of_near(
    most: f32,
    scale: Scale,
    log2_categories: u32,
) -> Option<impl Fn(f32) -> u64> {
    let most = most.fixed(scale);
    let slope = f64::from(scale.reciprocal()) * UNIT as f64;
    let weight = move |logit| weight_in_f64(logit, slope, most as f64, log2_categories);
    (most.abs() < IN_F64).then_some(weight)
}

/// The contract's weight of a logit that is no larger than `most`, which is less than [`IN_F64`] in
/// magnitude.
#[inline(always)]
fn weight_in_f64(logit: f32, slope: f64, most: f64, log2_categories: u32) -> u64 {
    /// Added to a number and subtracted again, `ROUND` rounds the number to an integer. `INTEGER`, added to
    /// an integer, leaves the integer in the lowest bits.
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
    use crate::options::{Batch, Data, Logits, Rows, Weights, with_rows};

    /// Logits near `center`, and some of every other kind.
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

    /// With every instruction set, the weights are the contract's, whatever the largest logit and the
    /// temperature.
    #[test]
    fn every_weight_is_the_contracts() {
        let edge = (IN_F64 / UNIT) as f32;
        let scales = [1.0, 0.7, 1e-3, 1e30, 1e-30].map(|t| Scale::from_temperature(t).unwrap());
        for isa in Isa::available() {
            for center in [0.0, -1.0, 1e-30, 1e3, edge - 4.0, edge, 2.5e9, 3e38, -3e38] {
                let mut logits = logits(center);
                for scale in scales {
                    logits.iter_mut().for_each(|x| *x = x.min(center));
                    let rule = Rule::new(isa, &logits[..], Some(scale), false);
                    let mut sums = vec![1; logits.len()];
                    rule.sum_weights(isa, &logits[..], 0, &mut sums);
                    let mut sum = 0;
                    for (i, (&got, &logit)) in sums.iter().zip(&logits).enumerate() {
                        sum += logit.integer_weight(center, scale, log2_floor(3000));
                        assert_eq!(got, sum, "{isa}: {i}, {logit} below {center}, {scale:?}");
                    }
                }
            }
        }
    }

    /// The running sums of the first row.
    fn sums<T: IntegerWeights>(rows: Rows<'_, T>, isa: Isa, parallel: bool) -> Vec<u64> {
        let row = rows.row(0);
        let mut sums = vec![1; rows.categories()];
        let rule = Rule::new(isa, row, Some(Scale::ONE), parallel);
        rule.sum_weights(isa, row, 0, &mut sums);
        sums
    }

    /// Values of every type, on one thread and on several.
    #[test]
    fn what_is_never_drawn_weighs_nothing_and_all_else_something() {
        for n in [1, 100, 3000, SEGMENT + 7] {
            let allowed = |i: usize| i % 5 != 1;
            let of = |unit: f32, never: f32| {
                let value = |i| if allowed(i) { unit * (1 + i % 7) as f32 } else { never };
                (0..n).map(value).collect::<Vec<_>>()
            };
            let (logits, weights) = (of(-0.5, f32::NEG_INFINITY), of(0.5, 0.0));
            let halves: Vec<_> = logits.iter().map(|&x| f16::from_f32(x)).collect();
            let counts: Vec<_> = weights.iter().map(|&x| (2.0 * x) as u32).collect();
            let batches: [Batch<'_>; 4] = [
                Logits::new(&logits, n).unwrap().into(),
                Logits::from_f16(&halves, n).unwrap().into(),
                Weights::new(&weights, n).unwrap().into(),
                Weights::from_counts(&counts, n).unwrap().into(),
            ];
            for (batch, parallel) in batches.into_iter().flat_map(|x| [(x, false), (x, true)]) {
                for isa in Isa::available() {
                    let sums = with_rows!(batch.data(), rows => sums(rows, isa, parallel));
                    let mut last = 0;
                    for (i, sum) in sums.into_iter().enumerate() {
                        let format = batch.format();
                        assert_eq!(sum > last, allowed(i), "{isa}: {i} of {n}, {format:?}");
                        last = sum;
                    }
                }
            }
        }
    }
}
