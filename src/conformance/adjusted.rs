//! Cases in which logits are adjusted: by a bias, and by penalties for categories that rows have had before.

use half::bf16;

use super::{Case, Data, normal};
use crate::options::{Bias, History, Penalty, Truncation};

/// The entries of each row of a case.
#[derive(Clone, Debug)]
pub(super) struct Entries<V> {
    /// `None` if all rows share the entries.
    offsets: Option<Vec<usize>>,
    categories: Vec<u32>,
    values: Vec<V>,
}

impl<V> Entries<V> {
    /// Entries for each row, of categories and values.
    fn each<I: IntoIterator<Item = (usize, V)>>(rows: usize, of: impl Fn(usize) -> I) -> Self {
        let mut all = Self { offsets: Some(vec![0]), categories: Vec::new(), values: Vec::new() };
        for row in 0..rows {
            all.extend(of(row));
            if let Some(offsets) = &mut all.offsets {
                offsets.push(all.categories.len());
            }
        }
        all
    }

    fn shared(of: impl IntoIterator<Item = (usize, V)>) -> Self {
        let mut all = Self { offsets: None, categories: Vec::new(), values: Vec::new() };
        all.extend(of);
        all
    }

    fn extend(&mut self, of: impl IntoIterator<Item = (usize, V)>) {
        for (category, value) in of {
            self.categories.push(category as u32);
            self.values.push(value);
        }
    }
}

impl Entries<f32> {
    pub(super) fn bias(&self) -> Bias<'_> {
        let Self { offsets, categories, values } = self;
        match offsets {
            None => Bias::shared(categories, values),
            Some(offsets) => Bias::each(offsets, categories, values),
        }
    }
}

impl Entries<u32> {
    pub(super) fn history(&self) -> History<'_> {
        History::each(self.offsets.as_deref().unwrap_or(&[]), &self.categories, &self.values)
    }
}

/// A bias for some categories of each row: some favoured, some banned, one of them twice.
fn bias(rows: usize, categories: usize) -> Entries<f32> {
    Entries::each(rows, |row| {
        // some rows have none
        let entries = (0..row % 4 * 3).map(move |i| {
            let value = [5.0, -0.37, f32::NEG_INFINITY, 1e-3, -100.0, 2.5][(row + i) % 6];
            ((row * 31 + i * i * 7) % categories, value)
        });
        entries.chain([(row % categories, 0.7), (row % categories, 1e-7)])
    })
}

/// Categories that rows have had before, some of them only in the prompt, and some given twice.
fn history(rows: usize, categories: usize) -> Entries<u32> {
    Entries::each(rows, |row| {
        (0..row % 5 * 20).map(move |i| ((row * 13 + i * i) % categories, (i % 4) as u32))
    })
}

const PENALTY: Penalty =
    Penalty::new().with_repetition(1.3).with_frequency(0.21).with_presence(0.4);

/// A penalty for each row.
fn penalties(rows: usize) -> Vec<Penalty> {
    let of = |row: usize| match row % 4 {
        0 => Penalty::new(),
        1 => PENALTY,
        2 => Penalty::new().with_repetition(0.6),
        _ => Penalty::new().with_frequency(-0.5).with_presence(-1.0),
    };
    (0..rows).map(of).collect()
}

pub(super) fn cases() -> impl Iterator<Item = Case> {
    let shapes = [(33, 1), (50, 9), (41, 203), (3, 3011), (2, 9001)];
    let shapes = shapes.into_iter().flat_map(|(rows, categories)| {
        let make = |name, change: &dyn Fn(&mut Case)| {
            let mut case = Case::new(name, rows, categories, normal);
            // a single draw of a long row is found in another way than several
            case.options.draws = if categories > 500 { 1 } else { 3 };
            change(&mut case);
            case
        };
        [
            make("a bias", &|case| case.own.bias = Some(bias(rows, categories))),
            make("penalties", &|case| {
                case.own.history = Some(history(rows, categories));
                case.options.penalty = PENALTY;
            }),
            make("bias, penalties and a nucleus", &|case| {
                case.own.bias = Some(bias(rows, categories));
                case.own.history = Some(history(rows, categories));
                case.own.penalties = Some(penalties(rows));
                case.options.truncation = Truncation::new().with_top_p(0.9).with_top_k(40);
                case.options.temperature = 0.8;
            }),
        ]
    });
    shapes.chain(others())
}

fn others() -> impl Iterator<Item = Case> {
    let (rows, categories) = (20, 131);
    let mut shared = Case::new("one bias for all rows", rows, categories, normal);
    shared.own.bias =
        Some(Entries::shared([(3, 9.0), (77, f32::NEG_INFINITY), (130, 0.1), (3, 0.2)]));
    let mut of_halves = Case::new("upper halves, penalties", rows, categories, normal);
    if let Data::F32(data) = &of_halves.data {
        of_halves.data = Data::Bf16(data.iter().map(|&x| bf16::from_f32(x)).collect());
    }
    of_halves.own.history = Some(history(rows, categories));
    of_halves.options.penalty = PENALTY;
    let mut of_f64 = Case::new("f64 far from 0, a bias", rows, categories, |_, category, word| {
        if category % 7 == 0 { 1e16 } else { 1e15 + f64::from(word % 64) / 8.0 }
    });
    // the largest logits are banned
    of_f64.own.bias = Some(Entries::shared(
        (0..categories).step_by(7).map(|category| (category, f32::NEG_INFINITY)),
    ));
    of_f64.options.truncation = Truncation::new().with_top_p(0.7);
    let mut large = Case::new("a bias near 3e38", rows, categories, |_, _, word| {
        3e38 + (word % 3) as f32 * 1e37
    });
    large.own.bias = Some(Entries::each(rows, |row| [(row, 3e38), (row + 50, -3e38)]));
    let mut invalid =
        Case::new("a bias, NaN and +inf", 7, 203, |row, category, word| match (row, category) {
            (1, 17) => f32::NAN,
            (2, 40) => f32::INFINITY,
            (3, _) => f32::NEG_INFINITY,
            _ => normal(0, 0, word),
        });
    invalid.own.bias = Some(Entries::shared([(17, 1.0), (40, f32::NEG_INFINITY), (3, 5.0)]));
    let mut banned = Case::new("all but one are banned", 7, 40, normal);
    banned.own.bias = Some(Entries::each(7, |row| {
        (0..40).filter(move |&i| i != row || row == 5).map(|i| (i, f32::NEG_INFINITY))
    }));
    let mut apart = Case::new("penalties, columns", rows, categories, normal);
    (apart.row_stride, apart.category_stride) = (1, rows);
    apart.own.history = Some(history(rows, categories));
    apart.options.penalty = PENALTY;
    let mut gathered = Case::new("gathered, each with a history", 20, 130, normal);
    gathered.own.row_indices = Some((0..50).map(|row| row * 3 % 20).collect());
    gathered.own.history = Some(history(50, 130));
    gathered.own.penalties = Some(penalties(50));
    gathered.own.temperatures = Some((0..50).map(|row| [1.0, 0.0, 0.7][row % 3]).collect());
    [shared, of_halves, of_f64, large, invalid, banned, apart, gathered].into_iter()
}
