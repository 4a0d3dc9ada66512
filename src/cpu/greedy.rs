//! Temperature 0: the largest value of a row.

use super::exact::Outcome;
use super::simd::{Simd, Task};
use super::values::RowValues;
use super::vector_value::VectorValue;
use crate::noise::order::Best;
use crate::options::{Chance, Value};

/// The number of values that are compared before the category of the largest is looked up.
const BLOCK: usize = 256;

/// The largest of the values of categories `first ..`.
pub(super) struct Greedy<V> {
    pub(super) values: V,
    pub(super) first: u32,
}

impl<V: RowValues> Task for Greedy<V> {
    type Output = Outcome;

    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> Outcome {
        let mut outcome = Outcome::NONE;
        let mut most = i32::MIN;
        for (i, block) in self.values.parts(BLOCK).enumerate() {
            let first = self.first + (i * BLOCK) as u32;
            let (mut highest, mut invalid) = (i32::MIN, false);
            for value in block.iter() {
                invalid |= value.chance() == Chance::Invalid;
                let ordered = value.ordered();
                highest = if ordered > highest { ordered } else { highest };
            }
            outcome.invalid |= invalid;
            if highest > most {
                most = highest;
                outcome.best = largest(block, first).or(outcome.best);
            }
        }
        outcome
    }
}

#[inline(never)]
fn largest<V: RowValues>(values: V, first: u32) -> Best {
    (first..)
        .zip(values.iter())
        .filter(|(_, value)| value.chance() == Chance::Some)
        .map(|(category, value)| Best { key: value.greedy(), category })
        .fold(Best::NONE, Best::or)
}
