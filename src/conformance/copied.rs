//! Cases whose rows engines cannot read where they are, and copy: rows of `f64`, and rows whose values do not lie side by
//! side.

use half::{bf16, f16};

use super::{Case, Data, Own, normal};

/// Cases of rows that are copied. They are not among [`cases`](super::cases), since bound batches do not copy.
///
/// ```
/// use gumbel::{CpuSampler, conformance};
/// for case in conformance::copied_cases().filter(|case| case.work() < 10_000) {
///     assert_eq!(case.mismatches(&CpuSampler::new(), &case.expected())?, 0, "{case}");
/// }
/// # Ok::<(), gumbel::Error>(())
/// ```
pub fn copied_cases() -> impl Iterator<Item = Case> {
    super::boxed(doubles().chain(weights()).chain(spread()).chain(options()))
}

/// Roughly normal logits, with digits that an `f32` has not.
fn double(row: usize, category: usize, word: u32) -> f64 {
    f64::from(normal(row, category, word))
        + f64::from(word.wrapping_mul(2_654_435_761)) * 2f64.powi(-56)
}

type Fill = fn(row: usize, category: usize, word: u32) -> f64;

/// Logits, far from 0 in several ways.
const LOGITS: &[(&str, Fill)] = &[
    ("normal logits", double),
    ("shifted by 1e7, in halves", |_, _, word| 1e7 + f64::from(word % 8) / 2.0),
    ("shifted by -1e15", |row, category, word| double(row, category, word) - 1e15),
    ("masked with the least number", |row, category, word| {
        if category % 7 == row % 7 { double(row, category, word) } else { f64::MIN }
    }),
    ("nothing but masks", |_, category, _| if category % 2 == 0 { -1e300 } else { -2e300 }),
    ("near 1e300", |_, _, word| 1e300 + f64::from(word % 3) * 1e285),
    ("of both signs near the largest", |_, _, word| if word % 2 == 0 { 1.7e308 } else { -1.7e308 }),
    ("any bits", |_, category, word| {
        f64::from_bits(u64::from(word) << 32 | u64::from(word.rotate_left(category as u32)))
    }),
    ("subnormal", |_, _, word| {
        f64::from_bits(u64::from(word)) * if word % 2 == 0 { 1.0 } else { -1.0 }
    }),
    ("NaN, infinities and nothing drawable in single rows", |row, category, word| match row % 6 {
        1 if category == 202 => f64::NAN,
        2 if category == 100 => f64::INFINITY,
        3 => f64::NEG_INFINITY,
        4 if category == 0 => -f64::NAN,
        5 if category % 3 > 0 => f64::NEG_INFINITY,
        _ => double(0, 0, word),
    }),
];

fn doubles() -> impl Iterator<Item = Case> {
    let shapes: [(usize, usize); 8] =
        [(1, 1), (65, 2), (1000, 9), (33, 131), (7, 3011), (3, 9001), (1, 150_001), (0, 5)];
    let normal =
        shapes.map(|(rows, categories)| Case::new("normal logits", rows, categories, double));
    let awkward = LOGITS.iter().flat_map(|&(name, fill)| {
        [(41, 203), (6, 4700)].map(|(rows, categories)| Case::new(name, rows, categories, fill))
    });
    normal.into_iter().chain(awkward)
}

fn weights() -> impl Iterator<Item = Case> {
    const WEIGHTS: &[(&str, Fill)] = &[
        ("near 1e-300", |_, _, word| 1e-300 * f64::from(1 + word % 4)),
        ("of any size", |_, _, word| f64::from_bits(u64::from(word) << 31)),
        ("subnormal", |_, _, word| f64::from_bits(u64::from(word) << (word % 20))),
        (
            "one weight and far smaller ones",
            |row, category, _| {
                if category == row % 200 { 1e300 } else { 1e-300 }
            },
        ),
        ("zeros of both signs", |_, category, word| match category % 3 {
            0 => f64::from(1 + word % 9) / 3.0,
            1 => 0.0,
            _ => -0.0,
        }),
        ("invalid ones, and nothing but zeros, in single rows", |row, category, word| {
            match row % 5 {
                1 if category == 202 => f64::NAN,
                2 if category == 100 => f64::INFINITY,
                3 => 0.0,
                4 if category == 1 => -1e-320,
                _ => f64::from(word % 9),
            }
        }),
    ];
    WEIGHTS.iter().flat_map(|&(name, fill)| {
        [(41, 203), (6, 4700)].map(|(rows, categories)| {
            let mut case = Case::new(name, rows, categories, fill);
            if let Data::F64(data) = case.data {
                case.data = Data::WeightsF64(data);
            }
            case
        })
    })
}

/// Rows of all types, whose values do not lie side by side.
fn spread() -> impl Iterator<Item = Case> {
    // column by column, and every third value of rows that lie apart
    let of_type = |make: fn(Vec<f64>) -> Data| {
        [(1000, 9), (70, 131), (3, 4700)].into_iter().flat_map(move |(rows, categories)| {
            let mut columns = Case::new("column by column", rows, categories, double);
            (columns.row_stride, columns.category_stride) = (1, rows);
            let mut apart = Case::new("every third value", rows, categories, double);
            (apart.rows, apart.row_stride, apart.category_stride) = (rows / 3, 3 * categories, 3);
            [columns, apart].map(|mut case| {
                if let Data::F64(data) = case.data {
                    case.data = make(data);
                }
                case
            })
        })
    };
    [
        of_type(Data::F64),
        of_type(|data| Data::F32(data.into_iter().map(|x| x as f32).collect())),
        of_type(|data| Data::F16(data.into_iter().map(f16::from_f64).collect())),
        of_type(|data| Data::Bf16(data.into_iter().map(bf16::from_f64).collect())),
        of_type(|data| Data::Weights(data.into_iter().map(|x| x.exp() as f32).collect())),
        of_type(|data| Data::WeightsF64(data.into_iter().map(|x| x.exp() * 1e-200).collect())),
        of_type(|data| Data::Counts(data.into_iter().map(|x| (x.exp() * 50.0) as u32).collect())),
    ]
    .into_iter()
    .flatten()
}

/// Every way in which rows share copies, and options of rows.
fn options() -> impl Iterator<Item = Case> {
    let make = |name, rows, change: fn(&mut Case)| {
        let mut case = Case::new(name, rows, 131, double);
        change(&mut case);
        case
    };
    [
        make("one row for all", 33, |case| (case.rows, case.row_stride) = (300, 0)),
        make("overlapping rows", 33, |case| (case.rows, case.row_stride) = (1000, 3)),
        make("overlapping rows, gathered", 33, |case| {
            (case.rows, case.row_stride) = (100, 3);
            case.own.row_indices = Some((0..300).map(|i| i * 7 % 100).collect());
        }),
        make("rows gathered often", 33, |case| {
            case.own.row_indices = Some((0..300).map(|i| i * 7 % 33).collect());
        }),
        make("few rows gathered", 33, |case| case.own.row_indices = Some(vec![31, 2, 2])),
        make("temperature 0", 33, |case| case.options.temperature = 0.0),
        make("temperature 0.3, 5 draws a row", 33, |case| {
            (case.options.temperature, case.options.draws) = (0.3, 5);
        }),
        make("options of rows", 33, |case| {
            case.options.draws = 3;
            case.own = Own {
                row_ids: Some((0..66).map(|row| (row * row) << 29).collect()),
                seeds: Some((0..66).map(|row| row / 2).collect()),
                temperatures: Some((0..66).map(|row| [1.0, 0.5, 0.0][row % 3]).collect()),
                first_draws: Some((0..66).map(|row| row % 3).collect()),
                row_indices: Some((0..66).map(|i| i * 7 % 33).collect()),
                ..Own::default()
            };
        }),
    ]
    .into_iter()
}
