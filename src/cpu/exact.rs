//! Exact evaluation: keys by the contract's integers, and the best of them, in whatever order they are found.

use super::values::RowValues;
use crate::job::Temperature;
use crate::noise::bits::{FLAT, OCTET, Stream, coarse, coarse_block, noise};
use crate::noise::groups::{
    MEMBERS, SPAN, first_alarm, first_member, further_block, group_block, group_of, later_alarm,
    leading_bits, member_of, noise_of_long_row, own_noise, word_in,
};
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

/// The exact key of a category of a short row that can be drawn and has these coarse bits.
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

/// The exact key of a category of a long row that can be drawn.
pub(super) fn evaluate_in_group<T: Value>(
    stream: Stream,
    scale: Scale,
    category: u32,
    value: T,
) -> Best {
    let g = gumbel(noise_of_long_row(stream, category));
    Best { key: value.fixed(scale) + i64::from(g), category }
}

/// The outcome among the categories `first ..` with these values, all evaluated exactly. `categories` is the number of
/// categories of the whole row, which decides on the noise. `first` is a multiple of eight, or of a span in a long row.
#[cold]
#[inline(never)]
pub(super) fn evaluate_all<V: RowValues>(
    stream: Stream,
    temperature: Temperature,
    values: V,
    first: u32,
    categories: usize,
) -> Outcome {
    let mut outcome = Outcome::NONE;
    let add = |one| outcome.best = outcome.best.or(one);
    outcome.invalid = match temperature {
        Temperature::Greedy => {
            each(values, first, add, |category, value| Best { key: value.greedy(), category })
        }
        Temperature::Scaled(scale) => each_exactly(stream, scale, values, first, categories, add),
    };
    outcome
}

/// Calls `found` with each of the categories `first ..` that can be drawn, and its exact key. Returns whether one of
/// the values is invalid. `first` and `categories` are as for [`evaluate_all`].
fn each_exactly<V: RowValues>(
    stream: Stream,
    scale: Scale,
    values: V,
    first: u32,
    categories: usize,
    mut found: impl FnMut(Best),
) -> bool {
    if categories > FLAT {
        return each_in_groups(stream, scale, values, first, found);
    }
    let mut invalid = false;
    for (octet, values) in (first / OCTET as u32..).zip(values.parts(OCTET)) {
        let block = coarse_block(stream, octet);
        invalid |= each(values, octet * OCTET as u32, &mut found, |category, value| {
            evaluate(stream, scale, category, coarse(block, category), value)
        });
    }
    invalid
}

/// Calls `found` with each of the categories `first ..` of a long row that can be drawn, and its exact key. Returns
/// whether one of the values is invalid. `first` is a multiple of a span.
pub(super) fn each_in_groups<V: RowValues>(
    stream: Stream,
    scale: Scale,
    values: V,
    first: u32,
    mut found: impl FnMut(Best),
) -> bool {
    let mut invalid = false;
    for (span, values) in (first / SPAN as u32..).zip(values.parts(SPAN)) {
        // much of a row may be without a chance
        let mut first_alarms = None;
        invalid |= each(values, span * SPAN as u32, &mut found, |category, value| {
            let alarms = first_alarms.get_or_insert_with(|| of_span(stream, span));
            let (first, p) = alarms[group_of(category) as usize % MEMBERS];
            let is_first = first == member_of(category);
            let v = if is_first { p } else { later_alarm(p, own_noise(stream, category)) };
            Best { key: value.fixed(scale) + i64::from(gumbel(v)), category }
        });
    }
    invalid
}

/// For each group of a span, the member that rings first, and P.
fn of_span(stream: Stream, span: u32) -> [(u32, u64); MEMBERS] {
    std::array::from_fn(|l| {
        let group = span * MEMBERS as u32 + l as u32;
        let word = word_in(group_block(stream, group / 4), group);
        let further = word_in(further_block(stream, group / 4), group);
        let u = u64::from(leading_bits(word)) << 32 | u64::from(further);
        (first_member(word), first_alarm(u))
    })
}

/// Calls `found` with what `evaluate` makes of each of the categories `first ..` that can be drawn. Returns whether one
/// of the values is invalid.
#[inline(always)]
fn each<V: RowValues>(
    values: V,
    first: u32,
    mut found: impl FnMut(Best),
    mut evaluate: impl FnMut(u32, V::Value) -> Best,
) -> bool {
    let mut invalid = false;
    for (i, value) in values.iter().enumerate() {
        let category = first + i as u32;
        match value.chance() {
            Chance::None => {}
            Chance::Invalid => invalid = true,
            Chance::Some => found(evaluate(category, value)),
        }
    }
    invalid
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
                let outcome = evaluate_all(stream, temperature, logits, u32::MAX - 7, FLAT);
                assert_eq!(outcome.draw(), Some(u32::MAX - 1));
            }
            let mut logits = [f32::NEG_INFINITY; SPAN - 1];
            logits[SPAN - 2] = 0.0;
            let first = u32::MAX - (SPAN as u32 - 1);
            let outcome = evaluate_all(stream, temperature, &logits[..], first, u32::MAX as usize);
            assert_eq!(outcome.draw(), Some(u32::MAX - 1));
        }
        let mut logits = [0.0; 255];
        logits[254] = 1.0;
        let greedy = Greedy { values: &logits[..], first: u32::MAX - 255 };
        assert_eq!(Isa::detect().run(greedy).draw(), Some(u32::MAX - 1));
    }
}
