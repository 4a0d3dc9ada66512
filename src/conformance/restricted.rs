//! Cases in which not all categories may be drawn: truncations, and masks of allowed categories.

use half::bf16;

use super::{Case, Data, normal};
use crate::options::{Allowed, Share, Truncation};

/// Masks of the allowed categories of a case.
#[derive(Clone, Debug)]
pub(super) struct Masks {
    words: Vec<u32>,
    /// `None` if all rows share a mask.
    words_per_row: Option<usize>,
}

impl Masks {
    pub(super) fn allowed(&self) -> Allowed<'_> {
        match self.words_per_row {
            None => Allowed::shared(&self.words),
            Some(each) => Allowed::each(&self.words, each),
        }
    }
}

/// Truncations of all kinds.
const TRUNCATIONS: &[(&str, Truncation)] = &[
    ("top-k 1", Truncation::new().with_top_k(1)),
    ("top-k 5", Truncation::new().with_top_k(5)),
    ("top-p 0.9", Truncation::new().with_top_p(0.9)),
    ("top-p 0.3 at temperature 2", Truncation::new().with_top_p(0.3).with_at_temperature(2.0)),
    ("the least top-p", Truncation::new().with_top_p(f32::MIN_POSITIVE)),
    ("min-p 0.05", Truncation::new().with_min_p(0.05)),
    ("epsilon 0.01", Truncation::new().with_epsilon(0.01)),
    ("all cuts", ALL),
    ("all cuts, of all", ALL.with_share(Share::All)),
    ("all cuts, of the rest", ALL.with_share(Share::Rest)),
];

const ALL: Truncation =
    Truncation::new().with_top_k(40).with_top_p(0.95).with_min_p(0.002).with_epsilon(1e-4);

/// Cases whose rows are restricted: truncated, or with masks. In some, logits are adjusted before: by a bias, or by
/// penalties.
///
/// ```
/// use gumbel::{CpuSampler, conformance};
/// for case in conformance::restricted_cases().filter(|case| case.work() < 10_000) {
///     assert_eq!(case.mismatches(&CpuSampler::new(), &case.expected())?, 0, "{case}");
/// }
/// # Ok::<(), gumbel::Error>(())
/// ```
pub fn restricted_cases() -> impl Iterator<Item = Case> {
    let cut = TRUNCATIONS.iter().flat_map(|&(name, truncation)| {
        [(33, 1), (50, 9), (41, 203), (3, 3011), (2, 9001)].map(|(rows, categories)| {
            let mut case = Case::new(name, rows, categories, normal);
            case.options.truncation = truncation;
            // a single draw of a long row is found in another way than several
            case.options.draws = if categories > 500 { 1 } else { 3 };
            case
        })
    });
    super::boxed(cut.chain(others()).chain(super::adjusted::cases()))
}

fn others() -> impl Iterator<Item = Case> {
    let make = |name, rows, categories, change: fn(&mut Case)| {
        let mut case = Case::new(name, rows, categories, normal);
        case.options.draws = 2;
        change(&mut case);
        case
    };
    // few values, so that many are equal
    let ties = |_: usize, _: usize, word: u32| (word % 9) as f32;
    let halves = |case: &mut Case| {
        if let Data::F32(data) = &case.data {
            case.data = Data::Bf16(data.iter().map(|&x| bf16::from_f32(x)).collect());
        }
    };
    let mut of_ties = Case::new("ties, all cuts", 41, 203, ties);
    of_ties.options.truncation = ALL;
    halves(&mut of_ties);
    let mut of_weights = Case::new("weights, top-p", 20, 131, |_, category, word| {
        if category % 5 == 3 { 0.0 } else { (word % 1000) as f32 }
    });
    if let Data::F32(data) = of_weights.data {
        of_weights.data = Data::Weights(data);
    }
    of_weights.options.truncation = Truncation::new().with_top_p(0.5).with_top_k(60);
    let mut of_counts = Case::new("counts, epsilon", 20, 131, ties);
    if let Data::F32(data) = of_counts.data {
        of_counts.data = Data::Counts(data.iter().map(|&x| x as u32 * 1000).collect());
    }
    of_counts.options.truncation = Truncation::new().with_epsilon(0.012).with_top_p(0.99);
    // in the first rows nothing but the largest count, the largest word of all
    let largest = [(20, 131), (2, 5003)].map(|(rows, categories)| {
        let mut case = Case::new("the largest counts, top-p", rows, categories, normal);
        let count = |i: usize| match (i / categories, i % 7) {
            (0, _) => u32::MAX,
            (row, place) if row.is_multiple_of(2) => u32::MAX - (place % 3) as u32,
            (_, place) => [u32::MAX, 0, 7, u32::MAX, 1 << 31, u32::MAX - 1, 0][place],
        };
        case.data = Data::Counts((0..rows * categories).map(count).collect());
        case.options.truncation = Truncation::new().with_top_p(0.3);
        case
    });
    let mut of_f64 = Case::new("f64 far from 0, masked", 20, 131, |_, category, word| {
        // what is not allowed is larger by far
        if category % 7 == 0 { 1e300 } else { 1e15 + f64::from(word % 64) / 8.0 }
    });
    of_f64.own.masks = Some(masks(20, 131, |_, category| category % 7 != 0));
    of_f64.options.truncation = Truncation::new().with_top_p(0.7);
    let mut invalid = Case::new("NaN where nothing is allowed", 7, 203, |row, category, word| {
        if (row, category) == (3, 17) || category == 40 { f32::NAN } else { normal(0, 0, word) }
    });
    invalid.own.masks = Some(masks(7, 203, |_, category| category != 40));
    [
        make("few are allowed", 41, 203, |c| {
            c.own.masks = Some(masks(41, 203, |row, category| category % 50 == row));
        }),
        make("nearly all are allowed", 41, 203, |c| {
            c.own.masks = Some(masks(41, 203, |row, category| category != 5 * row));
        }),
        make("half is allowed, long rows", 3, 9001, |c| {
            c.options.draws = 1;
            c.own.masks = Some(masks(3, 9001, |row, category| (category >> row) & 1 == 0));
        }),
        make("one mask for all rows", 300, 9, |c| {
            let one = masks(1, 9, |_, category| category % 3 > 0);
            c.own.masks = Some(Masks { words_per_row: None, ..one });
        }),
        make("one memory, masked in different ways", 30, 40, |c| {
            c.row_stride = 0;
            c.own.masks = Some(masks(30, 40, |row, category| (category + row) % 3 == 0));
        }),
        make("masks and cuts", 41, 203, |c| {
            c.own.masks = Some(masks(41, 203, |row, category| (category * 7 + row) % 5 < 2));
            c.options.truncation = ALL;
        }),
        make("a truncation for each row", 41, 203, |c| {
            let each = |row: usize| match row % 11 {
                0 => Truncation::new(),
                row => TRUNCATIONS[row - 1].1,
            };
            c.own.truncations = Some((0..41).map(each).collect());
            c.own.temperatures = Some((0..41).map(|row| [1.0, 0.0, 0.7][row % 3]).collect());
        }),
        make("gathered and cut", 41, 203, |c| {
            c.own.row_indices = Some((0..70).map(|row| row * 3 % 41).collect());
            c.own.truncations =
                Some((0..70).map(|row| Truncation::new().with_top_k(1 + row % 7)).collect());
        }),
        make("greedy among what is allowed", 41, 203, |c| {
            c.own.masks = Some(masks(41, 203, |row, category| category % 40 == row % 40));
            c.options.temperature = 0.0;
        }),
        of_ties,
        of_weights,
        of_counts,
        of_f64,
        invalid,
    ]
    .into_iter()
    .chain(largest)
}

/// A mask for each row. Bits beyond the categories are 1, which must not matter, and there is a word more than needed.
fn masks(rows: usize, categories: usize, allows: fn(usize, usize) -> bool) -> Masks {
    let each = categories.div_ceil(32) + 1;
    let bit = |row, category| category >= categories || allows(row, category);
    let word = |row, first| (0..32).map(|i| u32::from(bit(row, first + i)) << i).sum();
    let words = (0..rows).flat_map(|row| (0..each).map(move |i| word(row, 32 * i))).collect();
    Masks { words, words_per_row: Some(each) }
}
