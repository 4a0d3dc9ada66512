//! Batches that an engine is likely to get wrong, for comparing the engine with the reference.
//!
//! `gumbel check` runs them on every adapter of a machine; the tests of this crate do too.
//!
//! ```
//! use gumbel::{CpuSampler, conformance};
//! let engine = CpuSampler::new();
//! for case in conformance::cases().filter(|case| case.batch().rows() <= 2) {
//!     # if case.batch().categories() > 1000 { continue }
//!     assert_eq!(case.mismatches(&engine, &case.expected())?, 0, "{case}");
//! }
//! # Ok::<(), gumbel::Error>(())
//! ```

use half::{bf16, f16};

use crate::engine::Blocking;
use crate::error::Error;
use crate::job::NO_DRAW;
use crate::noise::order::Scale;
use crate::noise::philox::philox4x32_10;
use crate::options::{
    Batch, Logit, Logits, Penalty, RowIds, SampleOptions, Truncation, Weight, Weights,
};
use crate::reference;
use crate::sampler::Sampler;

mod adjusted;
mod copied;
mod groups;
mod halves;
mod operations;
mod per_row;
mod restricted;
mod soften;
mod weights;
mod zeros;

use adjusted::Entries;
use restricted::Masks;

pub use copied::copied_cases;
pub use operations::SumTolerance;
pub use per_row::per_row_cases;
pub use restricted::restricted_cases;
pub use soften::{SoftErrors, soft_cases};

/// One batch and how to draw from it.
#[derive(Clone, Debug)]
pub struct Case {
    name: &'static str,
    data: Data,
    rows: usize,
    categories: usize,
    row_stride: usize,
    category_stride: usize,
    own: Own,
    options: SampleOptions<'static>,
}

/// What the rows of a case have of their own.
#[derive(Clone, Debug, Default)]
struct Own {
    row_ids: Option<Vec<u64>>,
    seeds: Option<Vec<u64>>,
    temperatures: Option<Vec<f32>>,
    first_draws: Option<Vec<u32>>,
    row_indices: Option<Vec<u32>>,
    truncations: Option<Vec<Truncation>>,
    masks: Option<Masks>,
    bias: Option<Entries<f32>>,
    history: Option<Entries<u32>>,
    penalties: Option<Vec<Penalty>>,
}

/// The memory of a case's rows.
#[derive(Clone, Debug)]
enum Data {
    F32(Vec<f32>),
    F16(Vec<f16>),
    Bf16(Vec<bf16>),
    Weights(Vec<f32>),
    Counts(Vec<u32>),
    F64(Vec<f64>),
    WeightsF64(Vec<f64>),
}

impl From<Vec<f64>> for Data {
    fn from(data: Vec<f64>) -> Self {
        Self::F64(data)
    }
}

impl From<Vec<f32>> for Data {
    fn from(data: Vec<f32>) -> Self {
        Self::F32(data)
    }
}

/// How the values of a case are made: a function of row, category and a random word.
type Fill<T = f32> = fn(row: usize, category: usize, word: u32) -> T;

/// Roughly normal logits with standard deviation 3.
fn normal(_: usize, _: usize, word: u32) -> f32 {
    let bytes: u32 = word.to_le_bytes().iter().map(|&byte| u32::from(byte)).sum();
    (bytes as f32 - 510.0) * (3.0 / 147.8)
}

const SHAPES: &[(usize, &[usize])] = &[
    // rows, categories
    (1, &[1, 2, 7, 8, 9, 63, 64, 65, 255, 256, 257, 1000, 50_257, 128_256, (1 << 20) + 3]),
    (2, &[1, 2, 7, 8, 9, 63, 64, 65, 255, 256, 257, 1000, 50_257, 128_256]),
    (63, &[1, 8, 9, 64, 65, 257, 1000]),
    (64, &[2, 7, 8, 63, 256, 1000]),
    (65, &[1, 8, 9, 64, 65, 255, 257, 1000]),
    (1000, &[1, 2, 7, 8, 9, 63, 64, 65, 255, 256, 257, 1000]),
    (70_000, &[1, 2, 7, 8, 9]),
];

/// Logits with awkward values, in two shapes.
const VALUES: &[(&str, Fill)] = &[
    ("all equal", |_, _, _| 0.25),
    (
        "one finite among -inf",
        |row, category, _| {
            if category == row * 5 % 203 { -7.0 } else { f32::NEG_INFINITY }
        },
    ),
    (
        "masked with -1e30",
        |row, category, word| {
            if category % 7 == row % 7 { normal(0, 0, word) } else { -1e30 }
        },
    ),
    ("nothing but masks", |_, category, _| if category % 2 == 0 { -1e30 } else { -2e30 }),
    ("near +3e38", |_, _, word| 3e38 + (word % 3) as f32 * 1e37),
    ("near -3e38", |_, _, word| -3e38 - (word % 3) as f32 * 1e37),
    ("of both signs near 3e38", |_, _, word| if word % 2 == 0 { 3e38 } else { -3e38 }),
    ("shifted by 1e5", |_, _, word| 1e5 + (word % 1024) as f32 / 128.0),
    ("shifted by 1e9", |_, _, word| 1e9 + (word % 8) as f32 * 64.0),
    ("around 2^31", |_, _, word| 2_147_483_648.0 + (word % 5) as f32 * 128.0 - 256.0),
    ("subnormal", |_, _, word| f32::from_bits(word & 0x807f_ffff)),
    ("zeros of both signs", |_, _, word| f32::from_bits(word & 0x8000_0000)),
    ("nothing above the least number", |_, category, _| {
        if category % 3 == 0 { f32::MIN } else { f32::NEG_INFINITY }
    }),
    ("any bits", |_, _, word| f32::from_bits(word)),
    ("NaN, infinities and nothing drawable in single rows", |row, category, word| match row % 6 {
        1 if category == 202 => f32::NAN,
        2 if category == 100 => f32::INFINITY,
        3 => f32::NEG_INFINITY,
        4 if category == 0 => f32::from_bits(0xffc0_0000),
        _ => normal(0, 0, word),
    }),
    ("a head and a far tail", |_, category, _| if category == 77 { 0.0 } else { -20.5 }),
];

/// Logits with awkward values far into a row: 7 rows of 3011 categories.
const LATE: &[(&str, Fill)] = &[
    ("one finite among -inf, late", |row, category, _| {
        if category == 3010 - 331 * row { -7.0 } else { f32::NEG_INFINITY }
    }),
    ("NaN, infinities and masks, late", |row, category, word| match row {
        1 if category == 3010 => f32::NAN,
        2 if category == 1500 => f32::INFINITY,
        3 if category == 2999 => -f32::NAN,
        4 | 5 if category < 1400 * (row - 3) => f32::NEG_INFINITY,
        _ => normal(0, 0, word),
    }),
];

/// All cases, each of which is made when the iterator reaches it.
pub fn cases() -> impl Iterator<Item = Case> {
    let shapes = SHAPES.iter().flat_map(|&(rows, categories)| {
        categories
            .iter()
            .map(move |&categories| Case::new("normal logits", rows, categories, normal))
    });
    // short rows and long ones, which engines take in different ways, and ones with noise from the top down
    let values = VALUES.iter().flat_map(|&(name, fill)| {
        [(41, 203), (7, 3011), (6, 4700)]
            .map(|(rows, categories)| Case::new(name, rows, categories, fill))
    });
    let late = LATE.iter().map(|&(name, fill)| Case::new(name, 7, 3011, fill));
    let logits = shapes.chain(values).chain(late).chain(options()).chain(groups::cases());
    boxed(logits.chain(zeros::cases()).chain(halves::cases()).chain(weights::cases()))
}

/// The cases behind a pointer: what makes them is compiled in this crate, and not again for everything that is done with them.
fn boxed(cases: impl Iterator<Item = Case> + 'static) -> Box<dyn Iterator<Item = Case>> {
    Box::new(cases)
}

/// Cases of normal logits, or awkward ones, which together use every option.
fn options() -> impl Iterator<Item = Case> {
    let make = |name, change: fn(&mut Case)| {
        let mut case = Case::new(name, 33, 131, normal);
        change(&mut case);
        case
    };
    let long = |name, change: fn(&mut Case)| {
        let mut case = Case::new(name, 2, 9001, normal);
        change(&mut case);
        case
    };
    // rows that a team of 256 invocations takes as a whole
    let infinite = |name, temperature| {
        let (_, fill) = LATE[1];
        let mut case = Case::new(name, 7, 3011, fill);
        case.options.temperature = temperature;
        case
    };
    let values = |name, temperature, fill| {
        let mut case = Case::new(name, 41, 203, fill);
        case.options.temperature = temperature;
        case
    };
    [
        make("temperature 0", |c| c.options.temperature = 0.0),
        values("temperature 0, ties", 0.0, |_, _, word| f32::from_bits(word & 0x8000_0000)),
        values("temperature 0, any bits", 0.0, |_, _, word| f32::from_bits(word & 0xff7f_ffff)),
        values("temperature 0, subnormal", 0.0, |_, _, word| f32::from_bits(word & 0x807f_ffff)),
        make("temperature 0.7", |c| c.options.temperature = 0.7),
        make("temperature 3", |c| c.options.temperature = 3.0),
        make("temperature 1e-30", |c| c.options.temperature = 1e-30),
        make("temperature 1e30", |c| c.options.temperature = 1e30),
        values("temperature 1e-30, any size", 1e-30, |_, _, word| {
            f32::from_bits(word & 0xbfff_ffff)
        }),
        values("temperature 1e30, any size", 1e30, |_, _, word| f32::from_bits(word & 0xff7f_ffff)),
        infinite("temperature 1e30, infinities", 1e30),
        infinite("the highest temperature, infinities", Scale::MAX_TEMPERATURE),
        make("5 draws a row", |c| c.options.draws = 5),
        long("70 draws of long rows", |c| c.options.draws = 70),
        long("temperature 0.7, long rows", |c| c.options.temperature = 0.7),
        long("temperature 1e-30, long rows", |c| c.options.temperature = 1e-30),
        long("temperature 1e30, long rows", |c| c.options.temperature = 1e30),
        long("one long row for all", |c| (c.rows, c.row_stride) = (100, 0)),
        make("the last draws of a row", |c| {
            c.options.draws = 3;
            c.options.first_draw = (1 << 31) - 3;
        }),
        make("rows numbered across 2^32", |c| {
            c.options.row_ids = RowIds::Consecutive((1 << 32) - 7)
        }),
        make("rows numbered across 2^64", |c| {
            c.options.row_ids = RowIds::Consecutive(u64::MAX - 7)
        }),
        make("explicit row ids", |c| {
            c.own.row_ids = Some((0..33).map(|i| (i * i) << 29).collect());
        }),
        make("a seed of 64 bits", |c| c.options.seed = 0xfedc_ba98_7654_3210),
        make("a row stride above the categories", |c| (c.categories, c.row_stride) = (120, 131)),
        make("overlapping rows", |c| (c.rows, c.row_stride) = (1000, 3)),
        make("one row for all", |c| (c.rows, c.row_stride) = (3000, 0)),
        make("no rows", |c| c.rows = 0),
    ]
    .into_iter()
}

impl Case {
    fn new<T>(name: &'static str, rows: usize, categories: usize, fill: Fill<T>) -> Self
    where
        Data: From<Vec<T>>,
    {
        let data: Vec<T> = (0..rows * categories)
            .map(|i| {
                let word = philox4x32_10([(i / 4) as u32, categories as u32, 0, 0], [1, 2])[i % 4];
                fill(i / categories, i % categories, word)
            })
            .collect();
        let seed = (rows * categories) as u64;
        let options = SampleOptions { seed, sentinels: true, ..SampleOptions::default() };
        Self {
            name,
            data: data.into(),
            rows,
            categories,
            row_stride: categories,
            category_stride: 1,
            own: Own::default(),
            options,
        }
    }

    /// The rows.
    ///
    /// # Panics
    /// Never: the cases of this module hold the rows that they announce.
    #[expect(clippy::expect_used, reason = "every case is built in this module, and tested")]
    pub fn batch(&self) -> Batch<'_> {
        match &self.data {
            Data::F32(data) => self.logits_of(data),
            Data::F16(data) => self.logits_of(data),
            Data::Bf16(data) => self.logits_of(data),
            Data::F64(data) => self.logits_of(data),
            Data::Weights(data) => self.weights_of(data),
            Data::Counts(data) => self.weights_of(data),
            Data::WeightsF64(data) => self.weights_of(data),
        }
        .expect("a case holds its rows")
    }

    fn logits_of<'a, T: Logit>(&self, data: &'a [T]) -> Result<Batch<'a>, Error> {
        let &Self { rows, categories, row_stride, category_stride, .. } = self;
        Logits::with_strides(data, rows, categories, row_stride, category_stride).map(Batch::from)
    }

    fn weights_of<'a, T: Weight>(&self, data: &'a [T]) -> Result<Batch<'a>, Error> {
        let &Self { rows, categories, row_stride, category_stride, .. } = self;
        Weights::with_strides(data, rows, categories, row_stride, category_stride).map(Batch::from)
    }

    /// The rows as logits, or `None` if they are weights or counts.
    pub fn logits(&self) -> Option<Logits<'_>> {
        self.batch().logits()
    }

    /// The options of the case, with sentinels, so that rows without a draw are compared too.
    pub fn options(&self) -> SampleOptions<'_> {
        let Own { row_ids, seeds, temperatures, first_draws, row_indices, .. } = &self.own;
        let Own { truncations, masks, bias, history, penalties, .. } = &self.own;
        SampleOptions {
            row_ids: row_ids.as_deref().map_or(self.options.row_ids, RowIds::Each),
            seeds: seeds.as_deref(),
            temperatures: temperatures.as_deref(),
            first_draws: first_draws.as_deref(),
            row_indices: row_indices.as_deref(),
            truncations: truncations.as_deref(),
            allowed: masks.as_ref().map(Masks::allowed),
            bias: bias.as_ref().map(Entries::bias),
            history: history.as_ref().map(Entries::history),
            penalties: penalties.as_deref(),
            ..self.options
        }
    }

    /// The number of rows that are drawn from.
    fn drawn_rows(&self) -> usize {
        self.own.row_indices.as_ref().map_or(self.rows, Vec::len)
    }

    /// The reference's draws.
    ///
    /// # Panics
    /// Never: the cases of this module are valid.
    #[expect(clippy::expect_used, reason = "every case is built in this module, and tested")]
    pub fn expected(&self) -> Vec<u32> {
        reference::sample_rows(self.batch(), &self.options()).expect("a case is valid")
    }

    /// Returns how many of an engine's draws differ from the expected ones. A draw that the engine
    /// leaves unwritten counts.
    ///
    /// # Errors
    /// Those of [`Sampler::sample_rows_into`].
    pub fn mismatches(
        &self,
        engine: &Sampler<impl Blocking>,
        expected: &[u32],
    ) -> Result<usize, Error> {
        // a word that is no draw and not the sentinel either
        let mut draws = vec![NO_DRAW - 1; expected.len()];
        engine.sample_rows_into(self.batch(), &self.options(), &mut draws)?;
        Ok(draws.iter().zip(expected).filter(|(got, expected)| got != expected).count())
    }
}

impl std::fmt::Display for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} x {}: {}", self.rows, self.categories, self.name)?;
        match self.data {
            Data::F32(_) => Ok(()),
            _ => write!(f, ", {}", self.batch().format()),
        }
    }
}
