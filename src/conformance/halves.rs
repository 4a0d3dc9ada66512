//! The cases of f16 and bf16: few shapes, as the conversion is what engines may get wrong.

use half::{bf16, f16};

use super::{Case, Data, Fill, normal};
use crate::options::RowIds;

/// A type of halves.
trait Half: Copy {
    /// The bits of +∞; larger bits are NaN.
    const INFINITY: u16;
    /// The mask of the sign and the fraction, all bits that a subnormal may have.
    const SUBNORMAL: u16;
    fn from_bits(bits: u16) -> Self;
    fn from_f32(number: f32) -> Self;
}

impl Half for f16 {
    const INFINITY: u16 = 0x7c00;
    const SUBNORMAL: u16 = 0x83ff;
    fn from_bits(bits: u16) -> Self {
        Self::from_bits(bits)
    }
    fn from_f32(number: f32) -> Self {
        Self::from_f32(number)
    }
}

impl Half for bf16 {
    const INFINITY: u16 = 0x7f80;
    const SUBNORMAL: u16 = 0x807f;
    fn from_bits(bits: u16) -> Self {
        Self::from_bits(bits)
    }
    fn from_f32(number: f32) -> Self {
        Self::from_f32(number)
    }
}

impl From<Vec<f16>> for Data {
    fn from(data: Vec<f16>) -> Self {
        Self::F16(data)
    }
}

impl From<Vec<bf16>> for Data {
    fn from(data: Vec<bf16>) -> Self {
        Self::Bf16(data)
    }
}

/// Most numbers of categories are odd: every other row begins within a word.
const SHAPES: &[(usize, &[usize])] = &[
    // rows, categories
    (1, &[1, 2, 7, 15, 203, 9001, 140_001]),
    (2, &[9, 3011]),
    (65, &[1, 2, 7, 9, 15, 64]),
    (1000, &[1, 7, 9, 203]),
];

/// All cases of halves.
pub(super) fn cases() -> impl Iterator<Item = Case> {
    of::<f16>().chain(of::<bf16>())
}

fn of<T: Half>() -> impl Iterator<Item = Case>
where
    Data: From<Vec<T>>,
{
    let shapes = SHAPES.iter().flat_map(|&(rows, categories)| {
        let case = move |&categories| Case::new("normal logits", rows, categories, rounded::<T>);
        categories.iter().map(case)
    });
    let values = values::<T>().into_iter().flat_map(|(name, fill)| {
        [(41, 203), (7, 3011), (6, 4700)]
            .map(|(rows, categories)| Case::new(name, rows, categories, fill))
    });
    shapes.chain(values).chain(options::<T>())
}

/// Normal logits, each the nearest half.
fn rounded<T: Half>(row: usize, category: usize, word: u32) -> T {
    T::from_f32(normal(row, category, word))
}

fn any<T: Half>(_: usize, _: usize, word: u32) -> T {
    T::from_bits(word as u16)
}

/// Any number except NaN and infinities.
fn finite<T: Half>(_: usize, _: usize, word: u32) -> T {
    let bits = word as u16;
    T::from_bits(if bits & T::INFINITY == T::INFINITY { bits & 0xbfff } else { bits })
}

fn subnormal<T: Half>(_: usize, _: usize, word: u32) -> T {
    T::from_bits(word as u16 & T::SUBNORMAL)
}

/// Subnormals and the smallest normal numbers.
fn small<T: Half>(_: usize, _: usize, word: u32) -> T {
    T::from_bits(word as u16 & (T::SUBNORMAL | (T::SUBNORMAL & 0x7fff) << 1))
}

fn values<T: Half>() -> [(&'static str, Fill<T>); 7] {
    [
        ("any bits", any),
        ("any finite", finite),
        ("subnormal", subnormal),
        ("zeros of both signs", |_, _, word| T::from_bits(word as u16 & 0x8000)),
        ("the largest of both signs", |_, _, word| {
            T::from_bits((T::INFINITY - 1 - (word as u16 & 3)) | word as u16 & 0x8000)
        }),
        ("masked with -inf", |row, category, word| {
            if category % 7 == row % 7 {
                rounded(row, category, word)
            } else {
                T::from_bits(T::INFINITY | 0x8000)
            }
        }),
        ("NaN, infinities and only masks in single rows", |row, category, word| match row % 6 {
            1 if category == 202 => T::from_bits(T::INFINITY + 1),
            2 if category == 100 => T::from_bits(T::INFINITY),
            3 => T::from_bits(T::INFINITY | 0x8000),
            4 if category == 0 => T::from_bits(u16::MAX),
            _ => rounded(row, category, word),
        }),
    ]
}

/// Cases of temperatures, at which the lowest bits or the highest decide, and of rows' layouts in
/// memory.
fn options<T: Half>() -> impl Iterator<Item = Case>
where
    Data: From<Vec<T>>,
{
    let at = |name, temperature, fill: Fill<T>| {
        [(41, 203), (2, 9001)].map(|(rows, categories)| {
            let mut case = Case::new(name, rows, categories, fill);
            case.options.temperature = temperature;
            case
        })
    };
    let make = |name, (rows, categories), change: fn(&mut Case)| {
        let mut case = Case::new(name, rows, categories, rounded::<T>);
        change(&mut case);
        case
    };
    let temperatures = [
        at("temperature 0", 0.0, rounded),
        at("temperature 0, any finite", 0.0, finite),
        at("temperature 0, subnormal", 0.0, subnormal),
        at("temperature 0.7", 0.7, rounded),
        at("temperature 1e-30", 1e-30, rounded),
        at("temperature 1e-6, subnormal or little more", 1e-6, small),
        at("temperature 1e4, any finite", 1e4, finite),
    ];
    let others = [
        make("an odd row stride above the categories", (33, 131), |c| c.categories = 120),
        make("an odd row stride, long rows", (4, 3011), |c| c.categories = 3000),
        make("overlapping rows", (33, 131), |c| (c.rows, c.row_stride) = (1000, 3)),
        make("one row for all", (1, 131), |c| (c.rows, c.row_stride) = (3000, 0)),
        make("one long row for all", (1, 9001), |c| (c.rows, c.row_stride) = (20, 0)),
        make("70 draws", (3, 203), |c| c.options.draws = 70),
        make("70 draws of long rows", (2, 9001), |c| c.options.draws = 70),
        make("rows numbered across 2^32", (65, 131), |c| {
            c.options.row_ids = RowIds::Consecutive((1 << 32) - 7);
        }),
        make("explicit row ids", (65, 131), |c| {
            c.own.row_ids = Some((0..65).map(|i| (i * i) << 29).collect());
        }),
        make("no rows", (1, 131), |c| c.rows = 0),
    ];
    temperatures.into_iter().flatten().chain(others)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::{Logits, ValueFormat};
    use crate::reference;

    /// A wrong conversion of a half, with its name.
    type Fault = (&'static str, fn(f32) -> f32);

    /// Counts the cases of a format in which the draws show each wrong conversion, and asserts that
    /// every one is seen.
    fn count_seen<const FAULTS: usize>(format: ValueFormat, faults: [Fault; FAULTS]) {
        let mut seen = faults.map(|(name, _)| (name, 0));
        for case in cases().filter(|case| case.batch().format() == format) {
            let (logits, expected) = (case.batch(), case.expected());
            let number = |bytes: &[u8]| {
                let bits = u16::from_ne_bytes([bytes[0], bytes[1]]);
                match format {
                    ValueFormat::F16 => f16::from_bits(bits).to_f32(),
                    _ => bf16::from_bits(bits).to_f32(),
                }
            };
            let rows: Vec<f32> = (0..logits.rows())
                .flat_map(|row| logits.bytes_of_row(row).unwrap_or_default().chunks(2).map(number))
                .collect();
            let draws = |convert: fn(f32) -> f32| {
                let rows: Vec<_> = rows.iter().copied().map(convert).collect();
                let rows = Logits::new(&rows, logits.categories()).unwrap();
                reference::sample_rows(rows, &case.options()).unwrap()
            };
            assert_eq!(draws(|x| x), expected, "{case}");
            for ((_, convert), (_, count)) in faults.iter().zip(&mut seen) {
                *count += u32::from(draws(*convert) != expected);
            }
        }
        println!("cases of {format} that show it: {seen:?}");
        assert!(seen.iter().all(|&(_, count)| count > 0), "{seen:?}");
    }

    /// A wrong conversion changes the draws of some cases.
    #[test]
    fn the_cases_of_f16_tell_faults() {
        const LEAST: f32 = 6.103_515_6e-5; // 2^-14, the least that is not subnormal
        count_seen(
            ValueFormat::F16,
            [
                ("subnormals flushed", |x| if x.abs() < LEAST { 0.0 } else { x }),
                ("subnormals with an exponent", |x| {
                    if x.abs() < LEAST && x != 0.0 { x + LEAST.copysign(x) } else { x }
                }),
                ("NaN and infinities finite", |x| match x {
                    x if x.is_nan() => 98_304.0,
                    x if x.is_infinite() => 65_536f32.copysign(x),
                    x => x,
                }),
                ("the sign lost", f32::abs),
                ("the last bit lost", |x| {
                    f16::from_bits(f16::from_f32(x).to_bits() & 0xfffe).to_f32()
                }),
                ("taken for bf16", |x| bf16::from_bits(f16::from_f32(x).to_bits()).to_f32()),
            ],
        );
    }

    #[test]
    fn the_cases_of_bf16_tell_faults() {
        count_seen(
            ValueFormat::Bf16,
            [
                ("subnormals flushed", |x| if x.is_subnormal() { 0.0 } else { x }),
                ("NaN and infinities finite", |x| if x.is_finite() { x } else { f32::MAX }),
                ("shifted by 15", |x| f32::from_bits(x.to_bits() >> 1)),
                ("the sign lost", f32::abs),
                ("the last bit lost", |x| f32::from_bits(x.to_bits() & 0xfffe_0000)),
                ("taken for f16", |x| f16::from_bits(bf16::from_f32(x).to_bits()).to_f32()),
            ],
        );
    }
}
