//! The cases of rows whose noise comes from the top down, and of rows that are a little too short for that: around the
//! borders of spans and groups, with the winner, a tie or an invalid value where an engine may look least.

use half::{bf16, f16};

use super::{Case, Data, Fill, normal};
use crate::noise::bits::{FLAT, Stream};
use crate::noise::groups::{MEMBERS, SPAN, noise};
use crate::noise::gumbel::{UNIT, gumbel};
use crate::noise::philox::philox4x32_10;

/// Lengths around the longest flat row, around whole spans, and where the last groups lack their first members.
const LENGTHS: [usize; 9] = [
    FLAT - 1,
    FLAT,
    FLAT + 1,
    FLAT + MEMBERS + 1,
    FLAT + SPAN - 1,
    FLAT + SPAN,
    5000,
    2 * FLAT,
    70_001,
];

/// A row of this number of categories, as all fills below.
const CATEGORIES: usize = 5000;

/// All cases.
pub(super) fn cases() -> impl Iterator<Item = Case> {
    let lengths = LENGTHS.into_iter().flat_map(|categories| {
        let rows = if categories > 10_000 { 1 } else { 2 };
        let make = move |draws| {
            let mut cases = [
                Case::new("normal logits, of any length", rows, categories, normal),
                of_logits("halves, of any length", (rows, categories), |data| {
                    Data::F16(data.into_iter().map(f16::from_f32).collect())
                }),
                of_logits("upper halves, of any length", (rows, categories), |data| {
                    Data::Bf16(data.into_iter().map(bf16::from_f32).collect())
                }),
                of_logits("weights, of any length", (rows, categories), |data| {
                    Data::Weights(data.into_iter().map(f32::exp).collect())
                }),
                of_logits("counts, of any length", (rows, categories), |data| {
                    Data::Counts(data.into_iter().map(|x| (x.exp() * 50.0) as u32).collect())
                }),
            ];
            cases.iter_mut().for_each(|case| case.options.draws = draws);
            cases
        };
        [1, 3].into_iter().flat_map(make)
    });
    let values = VALUES.iter().map(|&(name, fill)| Case::new(name, 6, CATEGORIES, fill));
    lengths.chain(values).chain(ties())
}

/// A case of normal logits, or of what is made of them.
fn of_logits(
    name: &'static str,
    (rows, categories): (usize, usize),
    make: impl Fn(Vec<f32>) -> Data,
) -> Case {
    let mut case = Case::new(name, rows, categories, normal);
    if let Data::F32(data) = &mut case.data {
        case.data = make(std::mem::take(data));
    }
    case
}

/// Logits that are out of the ordinary in some members of groups, or in the last span.
const VALUES: &[(&str, Fill)] = &[
    ("one member of each group", |row, category, word| {
        let member = category / MEMBERS % MEMBERS;
        if member == row * 3 { normal(0, 0, word) } else { f32::NEG_INFINITY }
    }),
    ("all but one group of each span", |row, category, word| {
        if category % MEMBERS == row { f32::NEG_INFINITY } else { normal(0, 0, word) }
    }),
    ("invalid in the last span, or in a group that cannot win", |row, category, word| {
        match (row, category) {
            (1, 4999) | (4, 4864) => f32::NAN,
            (2, 4999) | (5, 4095) => f32::INFINITY,
            (3, 777) => -f32::NAN,
            // a group with nothing else to draw
            (5, _) if category % 16 == 4095 % 16 => -1e30,
            _ => normal(0, 0, word),
        }
    }),
    (
        "all in the last span",
        |row, category, _| {
            if category >= 4864 + 16 * row { 0.5 } else { f32::NEG_INFINITY }
        },
    ),
    ("members at two levels", |_, category, word| {
        if (category / MEMBERS).is_multiple_of(2) { 10.0 } else { normal(0, 0, word) }
    }),
];

/// Rows in which noise and logits cancel out: the largest keys are equal, or one unit of 2⁻²⁴ more in one category; or
/// keys differ by far less than floats tell.
fn ties() -> impl Iterator<Item = Case> {
    let near = (0..4).map(|row| {
        // in row 0 all keys are equal, and in the others one is larger, in a group with many equal ones or elsewhere
        let more = [None, Some(4990), Some(2000), Some(16)][row];
        (row, more)
    });
    let data = near.flat_map(|(row, more)| {
        (0..CATEGORIES).map(move |category| {
            let lead = -units(row, category) + i64::from(Some(category) == more);
            if lead.abs() < UNIT { lead as f32 / UNIT as f32 } else { f32::NEG_INFINITY }
        })
    });
    let tied = with_data("equal keys", data.collect());
    let level = (0..4).flat_map(|row| {
        (0..CATEGORIES).map(move |category| {
            let [word, ..] = philox4x32_10([category as u32, row as u32, 0, 5], [1, 2]);
            let off = (f64::from(word) / 2f64.powi(32) - 0.5) * 0.05;
            (off - units(row, category) as f64 / UNIT as f64) as f32
        })
    });
    [tied, with_data("level", level.collect())].into_iter()
}

/// The noise of a category of the [`ties`], in units of 2⁻²⁴.
fn units(row: usize, category: usize) -> i64 {
    // the seed of a case is the number of its values
    let stream = Stream::new((4 * CATEGORIES) as u64, row as u64, 0);
    gumbel(noise(stream, category as u32, CATEGORIES)).into()
}

fn with_data(name: &'static str, data: Vec<f32>) -> Case {
    let mut case = Case::new(name, 4, CATEGORIES, normal);
    case.data = Data::F32(data);
    case
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::NO_DRAW;

    /// Each row of the ties has the draw that it is made for.
    #[test]
    fn the_ties_are_ties() {
        let case = ties().next().unwrap();
        let lowest = |row| (0..CATEGORIES).find(|&c| units(row, c).abs() < UNIT).unwrap() as u32;
        let drawn = case.expected();
        assert_eq!(drawn[0], lowest(0));
        for (row, more) in [(1, 4990), (2, 2000), (3, 16)] {
            let can_be_drawn = (1 - units(row, more)).abs() < UNIT;
            assert_eq!(drawn[row], if can_be_drawn { more as u32 } else { lowest(row) });
        }
    }

    /// The invalid values are where they are said to be.
    #[test]
    fn rows_with_invalid_values_have_no_draw() {
        let case = cases().find(|case| case.name.starts_with("invalid")).unwrap();
        let none: Vec<_> = case.expected().iter().map(|&draw| draw == NO_DRAW).collect();
        assert_eq!(none, [false, true, true, true, true, true]);
    }
}
