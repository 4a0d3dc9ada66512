//! Whether a category is kept, by sums of exponentials in floats.
//!
//! The contract compares sums of integer weights. The same sums in floats, relative to the largest value, differ by less
//! than [`SLACK`]·S in all, where S is the sum of the row, for rows of up to 2²⁴ categories:
//!
//! | | of each term, or of S |
//! |---|---|
//! | 2^f by a polynomial of degree 4, for f from −½ to ½: 0.00134·2⁻⁵ of a number from 0.70 on | 6.0·10⁻⁵ |
//! | an exponent t is rounded four times, as log₂e, the slope, x − most and its product with the slope: 4·2⁻²⁴·t, and the mean of t, each term counted by its size, is below 14 with 2²⁴ terms | 0.4·10⁻⁵ |
//! | terms below 2⁻¹²⁶ count as 2⁻¹²⁶ | 10⁻³⁰ |
//! | at most 64 terms are added in a lane: 64·2⁻²⁴ | 0.4·10⁻⁵ |
//! | an integer weight is rounded: half a unit, of which the largest weight has 2^(62 − L), for 2^(L+1) terms | 2⁻¹⁶ |
//! | K is rounded to 2⁻²⁴, and the integer exponential | 10⁻⁷ |
//!
//! together 8.4·10⁻⁵. So a category of which the floats say that less than (p − 2·SLACK)·S lies above it is kept, one
//! with more than (p + 2·SLACK)·S is cut, and in between is a doubt. All of this holds of the values from a bound on too, with
//! their sum as S, since the largest value is among them.

use super::cut::first_word_near;
use crate::cpu::Isa;
use crate::cpu::simd::{Simd, Task};
use crate::cpu::vector_value::VectorValue;
use crate::noise::bits::OCTET;
use crate::noise::groups::MEMBERS;
use crate::noise::order::Scale;
use crate::options::{Truncation, Value, Widen};

/// The error of a sum, as a share of the sum of the row.
pub(super) const SLACK: f64 = 1e-4;
/// The number of values whose exponentials are added in floats: 64 in each lane of four vectors of 8 floats, and fewer in
/// those of wider vectors.
const PIECE: usize = 64 * 4 * OCTET;
/// 2^f for f from −½ to ½: (ln 2)ⁿ/n!, highest power first.
const EXP2: [f32; 5] = [9.618_129e-3, 5.550_411e-2, 0.240_226_5, std::f32::consts::LN_2, 1.0];
/// 1.5·2²³: added to a number it leaves the nearest integer in the lowest bits.
const NEAREST: f32 = 12_582_912.0;

/// What is known of a category.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Kept,
    Cut,
    Doubt,
}

/// A row of which categories are to be judged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tally {
    most: f32,
    scale: Scale,
    categories: usize,
    /// What top-p is a share of, if that is not the sum of the row.
    whole: Option<f64>,
    slack: f64,
}

impl Tally {
    /// A row whose largest value is `most`.
    pub(super) fn new(most: f32, scale: Scale, categories: usize) -> Self {
        Self { most, scale, categories, whole: None, slack: SLACK }
    }

    /// The same row, of which top-p is a share of the values from a bound on.
    pub(super) fn of_rest<T: VectorValue + Widen>(
        self,
        isa: Isa,
        values: &[T],
        least: f32,
    ) -> Self {
        let inverse = self.scale.reciprocal();
        let sums = isa.run(Add { values, most: self.most, inverse, least });
        Self { whole: Some(sums.above), ..self }
    }

    /// The sum of the row's exponentials, relative to the largest.
    pub(super) fn sum<T: VectorValue + Widen>(&self, isa: Isa, values: &[T]) -> f64 {
        let (inverse, least) = (self.scale.reciprocal(), f32::INFINITY);
        isa.run(Add { values, most: self.most, inverse, least }).all
    }

    /// The least value with a larger K than this one, `None` if this K is the largest.
    pub(super) fn bound_above<T: VectorValue + Widen>(&self, drawn: T) -> Option<f32> {
        let is_below = drawn.fixed(self.scale) < self.most.fixed(self.scale);
        is_below.then(|| f32::of_word(self.first_above(drawn)))
    }

    /// Whether the share `p` of the row is sure to keep a category, if `above` are those with a larger K, and `of_groups` is the
    /// sum of the largest of each group: no less than a sixteenth of the sum of the row, to which the slack is relative.
    pub(super) fn is_sure<T: Widen>(&self, p: f32, above: &[(T, u32)], of_groups: f64) -> bool {
        let exp = |x: f32| {
            ((f64::from(x) - f64::from(self.most)) * f64::from(self.scale.reciprocal())).exp()
        };
        let sum: f64 = above.iter().map(|(value, _)| exp(value.widen())).sum();
        sum < (f64::from(p) - 4.0 * MEMBERS as f64 * self.slack) * of_groups
    }

    /// Whether top-p and epsilon keep the category with this value.
    pub(super) fn verdict<T: VectorValue + Widen>(
        &self,
        isa: Isa,
        values: &[T],
        drawn: T,
        truncation: &Truncation,
    ) -> Verdict {
        let Some(least) = self.bound_above(drawn) else { return Verdict::Kept };
        let inverse = self.scale.reciprocal();
        let sums = isa.run(Add { values, most: self.most, inverse, least });
        let compare = |x: f64, limit: f64, slack: f64| {
            if x < limit - slack {
                std::cmp::Ordering::Less
            } else if x > limit + slack {
                std::cmp::Ordering::Greater
            } else {
                std::cmp::Ordering::Equal
            }
        };
        let mut verdict = Verdict::Kept;
        if let Some(p) = truncation.p() {
            let whole = self.whole.unwrap_or(sums.all);
            match compare(sums.above, f64::from(p) * whole, 2.0 * self.slack * whole) {
                std::cmp::Ordering::Less => {}
                std::cmp::Ordering::Greater => return Verdict::Cut,
                std::cmp::Ordering::Equal => verdict = Verdict::Doubt,
            }
        }
        if let Some(epsilon) = truncation.epsilon() {
            let difference = f64::from(drawn.widen()) - f64::from(self.most);
            let weight = (difference * f64::from(inverse)).exp();
            // the integer weight of a category is rounded, as all are
            let unit = 2.0 * self.categories as f64 / 2f64.powi(62);
            let limit = f64::from(epsilon) * sums.all;
            match compare(weight, limit, 2.0 * self.slack * limit + unit) {
                std::cmp::Ordering::Greater => {}
                std::cmp::Ordering::Less => return Verdict::Cut,
                std::cmp::Ordering::Equal => verdict = Verdict::Doubt,
            }
        }
        verdict
    }

    /// The first word with a larger K than this value, which must not have the largest.
    pub(super) fn first_above<T: VectorValue + Widen>(&self, drawn: T) -> u32 {
        let k = drawn.fixed(self.scale);
        let meets = |word| f32::of_word(word).fixed(self.scale) > k;
        first_word_near(drawn.word(), drawn.word(), self.most.word(), meets)
    }
}

/// The sum of a row's exponentials, relative to the largest, and of those from a value on.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    all: f64,
    above: f64,
}

/// Adds up a row.
struct Add<'a, T> {
    values: &'a [T],
    most: f32,
    /// 1/temperature.
    inverse: f32,
    /// The least value that is above.
    least: f32,
}

impl<T: VectorValue + Widen> Task for Add<'_, T> {
    type Output = Sums;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> Sums {
        let Self { values, most, inverse, least } = self;
        let slope = inverse * std::f32::consts::LOG2_E;
        let tile = S::OCTETS * OCTET;
        let mut sums = Sums::default();
        for piece in values.chunks(PIECE) {
            let (mut all, mut above) = ([s.all(0.0); 4], [s.all(0.0); 4]);
            let tiles = piece.chunks_exact(tile);
            let rest = tiles.remainder();
            for values in tiles {
                let floats = T::accurate(s, values);
                for ((all, above), x) in all.iter_mut().zip(&mut above).zip(floats) {
                    let exp = exp2(s, s.sub(x, s.all(most)), slope);
                    *all = s.mul_add(exp, s.all(1.0), *all);
                    *above = s.add_from(*above, exp, x, s.all(least));
                }
            }
            for (all, above) in all.into_iter().zip(above) {
                sums.all += total(s, all);
                sums.above += total(s, above);
            }
            for value in rest {
                let x = value.widen();
                let exp = f64::from((x - most) * inverse).exp();
                sums.all += exp;
                sums.above += if x >= least { exp } else { 0.0 };
            }
        }
        sums
    }
}

/// 2^(x·slope), for x ≤ 0.
#[inline(always)]
fn exp2<S: Simd>(s: S, x: S::Floats, slope: f32) -> S::Floats {
    let x = s.larger(x, s.all(-126.0 / slope));
    let rounded = s.mul_add(x, s.all(slope), s.all(NEAREST));
    let power = s.sub_ints(s.bits(rounded), s.all_ints(NEAREST.to_bits() as i32));
    let f = s.mul_sub(x, s.all(slope), s.sub(rounded, s.all(NEAREST)));
    let mut exp2 = s.all(EXP2[0]);
    for &word in &EXP2[1..] {
        exp2 = s.mul_add(exp2, f, s.all(word));
    }
    s.mul_add(exp2, s.power_of_two(power), s.all(0.0))
}

#[inline(always)]
fn total<S: Simd>(s: S, floats: S::Floats) -> f64 {
    let mut lanes = [0.0; 2 * OCTET];
    s.store(floats, &mut lanes);
    lanes.iter().map(|&x| f64::from(x)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sums are within their slack of those in f64, with every instruction set, at all temperatures.
    #[test]
    fn sums_are_within_their_slack() {
        let word = |i: usize| (i as u32).wrapping_mul(0x9e37_79b9).rotate_left(9);
        for (n, spread) in [(700, 0.0), (9000, 1.0), (9001, 20.0), (40_000, 300.0)] {
            let values: Vec<f32> = (0..n).map(|i| word(i) as f32 / 4.3e9 * spread - 7.0).collect();
            let most = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            for inverse in [0.01, 1.0, 2.7, 1e3] {
                for least in [values[3], values[77], most, f32::MIN] {
                    let exp =
                        |x: &f32| ((f64::from(*x) - f64::from(most)) * f64::from(inverse)).exp();
                    let all: f64 = values.iter().map(exp).sum();
                    let above: f64 = values.iter().filter(|x| **x >= least).map(exp).sum();
                    for isa in Isa::available() {
                        let sums = isa.run(Add { values: &values, most, inverse, least });
                        let close = |a: f64, b: f64| (a - b).abs() < SLACK * all;
                        assert!(
                            close(sums.all, all) && close(sums.above, above),
                            "{isa}: {sums:?}, {all}, {above}"
                        );
                    }
                }
            }
        }
    }

    /// Near the boundary of top-p there is a doubt, and away from it none, nor a mistake. Without the slack there would be
    /// mistakes.
    #[test]
    fn what_sums_cannot_tell_is_a_doubt() {
        const COUNT: usize = 700;
        let mut wrong = 0;
        for i in 0..200 {
            // two classes of equal values: errors of 2^f do not cancel
            let (larger, distance) = (100 + i, 0.3 + i as f32 / 97.0);
            let values: Vec<f32> =
                (0..COUNT).map(|at| if at < larger { 0.0 } else { -distance }).collect();
            let smaller = (COUNT - larger) as f64 * (-f64::from(distance)).exp();
            let share = larger as f64 / (larger as f64 + smaller);
            let tally = Tally::new(0.0, Scale::ONE, COUNT);
            for change in [-1e-3, -5e-6, 5e-6, 1e-3] {
                let truncation = Truncation::new().with_top_p((share + change) as f32);
                let exact = if change > 0.0 { Verdict::Kept } else { Verdict::Cut };
                let expected = if change.abs() < 1e-4 { Verdict::Doubt } else { exact };
                for isa in Isa::available() {
                    let of = |tally: Tally| tally.verdict(isa, &values, -distance, &truncation);
                    assert_eq!(of(tally), expected, "{isa}, {i}, {change}");
                    let of_rest = tally.of_rest(isa, &values, -distance);
                    assert_eq!(of(of_rest), expected, "{isa}, {i}, {change}");
                    wrong += usize::from(of(Tally { slack: 0.0, ..tally }) != exact);
                }
            }
        }
        assert!(wrong > 20, "{wrong}");
    }
}
