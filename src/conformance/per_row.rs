//! Cases whose rows have seeds, temperatures and first draws of their own, or are gathered.

use half::bf16;

use super::{Case, Own, normal};

/// The temperatures that rows take in turn: the greedy ones, and the extremes.
const TEMPERATURES: [f32; 7] = [1.0, 0.0, 0.7, 1.0, 1e-30, 3.0, 1e30];

/// Cases with options of rows. They are not among [`cases`](super::cases): bound batches and kept inverse CDFs take
/// these options in other ways, or not at all.
///
/// ```
/// use gumbel::{CpuSampler, conformance};
/// for case in conformance::per_row_cases().filter(|case| case.work() < 10_000) {
///     assert_eq!(case.mismatches(&CpuSampler::new(), &case.expected())?, 0, "{case}");
/// }
/// # Ok::<(), gumbel::Error>(())
/// ```
pub fn per_row_cases() -> impl Iterator<Item = Case> {
    // one row alone, rows side by side in vectors, rows one by one, and long rows
    const SHAPES: [(usize, usize); 7] =
        [(1, 5), (33, 1), (300, 9), (1000, 16), (41, 203), (9, 3011), (5, 9001)];
    let own = SHAPES.into_iter().flat_map(|(rows, categories)| {
        let make = |name, own: fn(usize) -> Own| {
            let mut case = Case::new(name, rows, categories, normal);
            case.own = own(rows);
            case.options.draws = 3;
            case.options.first_draw = 11;
            case
        };
        [
            make("a seed for each row", |rows| Own { seeds: Some(seeds(rows)), ..Own::default() }),
            make("a temperature for each row", |rows| Own {
                temperatures: Some(temperatures(rows, 1)),
                ..Own::default()
            }),
            make("a temperature for every three rows", |rows| Own {
                temperatures: Some(temperatures(rows, 3)),
                ..Own::default()
            }),
            make("a first draw for each row", |rows| Own {
                first_draws: Some((0..rows as u32).map(|row| row % 2 * 5).collect()),
                ..Own::default()
            }),
            make("rows in another order", |rows| Own {
                row_indices: Some((0..rows as u32).rev().collect()),
                ..Own::default()
            }),
            make("some rows gathered often", |rows| Own {
                row_indices: Some(gathered(rows, 2 * rows)),
                ..all(2 * rows)
            }),
            make("few rows gathered", |rows| Own {
                row_indices: Some(gathered(rows, rows.div_ceil(3))),
                ..Own::default()
            }),
        ]
    });
    let halves = |data: Vec<f32>| data.into_iter().map(bf16::from_f32).collect::<Vec<_>>();
    let mut of_halves = Case::new("upper halves, gathered", 20, 130, normal);
    if let super::Data::F32(data) = of_halves.data {
        of_halves.data = super::Data::Bf16(halves(data));
    }
    of_halves.own = Own { row_indices: Some(gathered(20, 50)), ..all(50) };
    let mut weights = Case::new("weights, gathered", 20, 131, |row, category, word| {
        if category % 5 == row % 5 { 0.0 } else { (word % 1000) as f32 }
    });
    if let super::Data::F32(data) = weights.data {
        weights.data = super::Data::Weights(data);
    }
    weights.own =
        Own { row_indices: Some(gathered(20, 50)), seeds: Some(seeds(50)), ..Own::default() };
    let mut invalid = Case::new("a NaN, gathered", 7, 40, |row, category, word| {
        if (row, category) == (3, 17) { f32::NAN } else { normal(row, category, word) }
    });
    invalid.own = Own { row_indices: Some(gathered(7, 30)), ..all(30) };
    let mut none = Case::new("no row gathered", 7, 40, normal);
    none.own = Own { row_indices: Some(Vec::new()), ..Own::default() };
    let mut one = Case::new("rows that are one in memory, gathered", 20, 130, normal);
    one.row_stride = 0;
    one.own = Own { row_indices: Some(gathered(20, 50)), ..Own::default() };
    super::boxed(own.chain([of_halves, weights, invalid, none, one]))
}

fn seeds(rows: usize) -> Vec<u64> {
    (0..rows as u64).map(|row| (row / 2).wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect()
}

fn temperatures(rows: usize, alike: usize) -> Vec<f32> {
    (0..rows).map(|row| TEMPERATURES[row / alike % TEMPERATURES.len()]).collect()
}

/// Everything that a row can have of its own.
fn all(rows: usize) -> Own {
    Own {
        row_ids: Some((0..rows as u64).map(|row| (row * row) << 29).collect()),
        seeds: Some(seeds(rows)),
        temperatures: Some(temperatures(rows, 2)),
        first_draws: Some((0..rows as u32).map(|row| (row % 3) << 20).collect()),
        ..Own::default()
    }
}

/// Positions among `rows` rows: the first one often, and the last one at the end.
fn gathered(rows: usize, count: usize) -> Vec<u32> {
    let index = |i| if i % 3 == 0 { 0 } else { i * 7 % rows };
    let mut indices: Vec<_> = (0..count).map(|i| index(i) as u32).collect();
    if let Some(last) = indices.last_mut() {
        *last = rows as u32 - 1;
    }
    indices
}
