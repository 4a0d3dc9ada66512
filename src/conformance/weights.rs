//! The cases of weights and counts.

use super::{Case, Data, Fill, normal};
use crate::noise::bits::Stream;
use crate::noise::groups::noise;
use crate::noise::gumbel::{UNIT, gumbel};
use crate::noise::order::Scale;
use crate::noise::philox::philox4x32_10;
use crate::options::RowIds;

/// A number of `f32`, as a weight.
#[derive(Clone, Copy)]
struct Weight(f32);

impl From<Vec<Weight>> for Data {
    fn from(data: Vec<Weight>) -> Self {
        Self::Weights(data.into_iter().map(|weight| weight.0).collect())
    }
}

impl From<Vec<u32>> for Data {
    fn from(data: Vec<u32>) -> Self {
        Self::Counts(data)
    }
}

const SHAPES: &[(usize, &[usize])] = &[
    // rows, categories
    (1, &[1, 2, 7, 8, 9, 64, 203, 257, 1000, 9001, 140_001]),
    (2, &[9, 3011]),
    (65, &[1, 2, 7, 9, 15, 64, 256, 257]),
    (1000, &[1, 7, 8, 9, 203]),
];

/// All cases of weights.
pub(super) fn cases() -> impl Iterator<Item = Case> {
    let shapes = SHAPES.iter().flat_map(|&(rows, categories)| {
        categories.iter().flat_map(move |&categories| {
            let counts: Fill<u32> = |_, _, word| word >> (word % 32);
            [
                Case::new("usual", rows, categories, usual),
                Case::new("of every length", rows, categories, counts),
            ]
        })
    });
    let of_weights = values().into_iter().flat_map(|(name, fill)| {
        [(41, 203), (7, 3011), (8, 4700)]
            .map(|(rows, categories)| Case::new(name, rows, categories, fill))
    });
    let of_counts = counts().into_iter().flat_map(|(name, fill)| {
        [(41, 203), (7, 3011), (3, 4700)]
            .map(|(rows, categories)| Case::new(name, rows, categories, fill))
    });
    // rows take other paths if there is a zero, or another weight than the usual ones: on no path may an invalid weight
    // be missed
    let beside_zeros = [(65, 9), (41, 203), (7, 3011), (7, 4700)].map(|(rows, categories)| {
        Case::new("invalid beside zeros, in single rows", rows, categories, beside_zeros)
    });
    // an invalid weight is then no larger than others can be
    let hottest = [(65, 9), (41, 203), (7, 3011)].map(|(rows, categories)| {
        let name = "temperature 2^100, invalid beside zeros";
        let mut case = Case::new(name, rows, categories, self::beside_zeros);
        case.options.temperature = Scale::MAX_TEMPERATURE;
        case
    });
    let beside_huge = Case::new("invalid beside huge ones, in single rows", 6, 33_001, beside_huge);
    shapes
        .chain(of_weights)
        .chain(beside_zeros)
        .chain(hottest)
        .chain([beside_huge])
        .chain(of_counts)
        .chain(options::<Weight>(usual))
        .chain(options::<u32>(|_, _, word| word >> (word % 32)))
        .chain(level())
}

/// Weights whose logarithms with noise are nearly level, to within a twentieth or so: an engine that is not exact then
/// misses the winner. An error in the logarithm of a weight is multiplied by 1/temperature.
fn level() -> impl Iterator<Item = Case> {
    let shapes = [(3000, 2), (1000, 9), (300, 16), (60, 203), (40, 300), (3, 3011), (2, 4700)];
    let temperatures = [1.0f32, 0.1, 0.01, 1e-3];
    shapes.into_iter().flat_map(move |(rows, categories)| {
        temperatures.map(|temperature| {
            let mut case = Case::new("level", rows, categories, usual);
            case.options.temperature = temperature;
            let (seed, first) = (case.options.seed, 0);
            let weight = |i: usize| {
                let (row, category) = (i / categories, (i % categories) as u32);
                let stream = Stream::new(seed, row as u64, first);
                let g = f64::from(gumbel(noise(stream, category, categories))) / UNIT as f64;
                let [word, ..] = philox4x32_10([i as u32, 0, 0, 5], [1, 2]);
                let off = (f64::from(word) / 2f64.powi(32) - 0.5) * 0.05;
                ((off - g) * f64::from(temperature)).exp() as f32
            };
            case.data = Data::Weights((0..rows * categories).map(weight).collect());
            case
        })
    })
}

fn usual(row: usize, category: usize, word: u32) -> Weight {
    Weight(normal(row, category, word).exp())
}

fn beside_zeros(row: usize, category: usize, word: u32) -> Weight {
    match invalid(row) {
        Some(invalid) if category == 5 => Weight(invalid),
        _ if category.is_multiple_of(3) => Weight(0.0),
        _ => usual(row, category, word),
    }
}

/// With noise, the weights of 1e38 exceed the upper scores of -1e-45 and infinity, so that an engine would not evaluate
/// those two for the draw.
fn beside_huge(row: usize, category: usize, _: u32) -> Weight {
    match invalid(row) {
        Some(invalid) if category == 20_005 => Weight(invalid),
        _ => Weight(1e38),
    }
}

/// The invalid weight of a row, `None` for rows that have none.
fn invalid(row: usize) -> Option<f32> {
    match row % 7 {
        1 => Some(-1.0),
        2 => Some(-1e-45),
        3 => Some(f32::NEG_INFINITY),
        4 => Some(f32::from_bits(0xffc0_0000)),
        5 => Some(f32::INFINITY),
        _ => None,
    }
}

fn of_bits(_: usize, _: usize, word: u32) -> Weight {
    Weight(f32::from_bits(word))
}

fn values() -> [(&'static str, Fill<Weight>); 16] {
    [
        ("all equal", |_, _, _| Weight(0.25)),
        ("any bits", of_bits),
        ("any valid bits", |_, _, word| {
            let bits = word & 0x7fff_ffff;
            Weight(f32::from_bits(if bits >= 0x7f80_0000 { bits - 0x0080_0000 } else { bits }))
        }),
        ("subnormal", |_, _, word| Weight(f32::from_bits(word & 0x007f_ffff))),
        ("subnormal, of every length", |_, _, word| {
            Weight(f32::from_bits((word & 0x007f_ffff) >> (word >> 27)))
        }),
        ("subnormal or little more", |_, _, word| Weight(f32::from_bits(word & 0x01ff_ffff))),
        ("subnormal among normal", |row, category, word| match (category + row) % 5 {
            0 => Weight(1e-37),
            _ => Weight(f32::from_bits(word & 0x007f_ffff)),
        }),
        ("huge", |_, _, word| Weight(f32::from_bits(0x7f7f_ffff - (word & 0x00ff_ffff)))),
        ("the largest", |_, _, word| Weight(f32::from_bits(0x7f7f_ffff - (word & 3)))),
        (
            "mostly zero",
            |row, category, word| {
                if category % 97 == row % 97 { usual(0, 0, word) } else { Weight(0.0) }
            },
        ),
        ("zeros of both signs", |_, category, word| match category {
            11 => Weight(1e-45),
            _ => Weight(f32::from_bits(word & 0x8000_0000)),
        }),
        ("one among zeros, late", |row, category, _| {
            Weight(if category == 202 - row % 3 { 1e-10 } else { 0.0 })
        }),
        ("one step apart", |_, _, word| Weight(f32::from_bits(0x3f80_0000 + (word & 1)))),
        ("powers of two and their neighbours", |_, _, word| {
            Weight(f32::from_bits((((word >> 8 & 0x7f) + 64) << 23).wrapping_add(word % 3) - 1))
        }),
        ("a head and a far tail", |_, category, _| {
            Weight(if category == 77 { 1.0 } else { 1.2e-9 })
        }),
        ("invalid in single rows, one of each kind", |row, category, word| {
            Weight(match row % 8 {
                1 if category == 202 => f32::NAN,
                2 if category == 100 => f32::INFINITY,
                3 => 0.0,
                4 if category == 0 => f32::from_bits(0xffc0_0000),
                5 if category == 150 => -1.0,
                6 if category == 201 => -1e-45,
                7 if category == 33 => f32::NEG_INFINITY,
                _ => return usual(row, category, word),
            })
        }),
    ]
}

fn counts() -> [(&'static str, Fill<u32>); 6] {
    [
        ("any", |_, _, word| word),
        ("0 and 1", |_, _, word| word & 1),
        ("the largest", |_, _, word| u32::MAX - (word & 1)),
        ("near 2^24", |_, _, word| (1 << 24) - 2 + (word & 3)),
        ("mostly zero", |row, category, word| if category % 97 == row % 97 { word } else { 0 }),
        ("nothing in single rows", |row, category, word| match row % 3 {
            1 => 0,
            2 if category != 5 => 0,
            _ => word,
        }),
    ]
}

/// Cases of temperatures, and of rows' layouts in memory.
fn options<T: Copy>(fill: Fill<T>) -> impl Iterator<Item = Case>
where
    Data: From<Vec<T>>,
{
    let make = move |name, (rows, categories), change: fn(&mut Case)| {
        let mut case = Case::new(name, rows, categories, fill);
        change(&mut case);
        case
    };
    [
        make("temperature 0", (41, 203), |c| c.options.temperature = 0.0),
        make("temperature 0, long rows", (2, 9001), |c| c.options.temperature = 0.0),
        make("temperature 0.7", (41, 203), |c| c.options.temperature = 0.7),
        make("temperature 2^-20", (41, 203), |c| c.options.temperature = 2f32.powi(-20)),
        make("temperature 2^-20, long rows", (2, 9001), |c| {
            c.options.temperature = 2f32.powi(-20);
        }),
        make("temperature 1e30", (41, 203), |c| c.options.temperature = 1e30),
        make("temperature 3, long rows", (2, 9001), |c| c.options.temperature = 3.0),
        make("70 draws", (3, 203), |c| c.options.draws = 70),
        make("70 draws of long rows", (2, 9001), |c| c.options.draws = 70),
        make("an odd row stride above the categories", (33, 131), |c| c.categories = 120),
        make("overlapping rows", (33, 131), |c| (c.rows, c.row_stride) = (1000, 3)),
        make("one row for all", (1, 131), |c| (c.rows, c.row_stride) = (3000, 0)),
        make("rows numbered across 2^32", (65, 131), |c| {
            c.options.row_ids = RowIds::Consecutive((1 << 32) - 7);
        }),
        make("explicit row ids", (65, 131), |c| {
            c.own.row_ids = Some((0..65).map(|i| (i * i) << 29).collect());
        }),
        make("no rows", (1, 131), |c| c.rows = 0),
    ]
    .into_iter()
}
