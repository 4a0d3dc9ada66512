//! Parameters that each row may have of its own, from the caller's buffers.

use gumbel::noise::order::Scale;
use gumbel::{AdapterReport, GpuSampler, NO_DRAW, ValueFormat};
use libtest_mimic::Failed;

use super::super::draws::sampler;
use super::super::probe::{self, Engine, Twin};
use super::super::{Check, ensure};
use super::batch::{Batch, words};
use super::plans;

pub(crate) const CHECKS: &[(&str, Check)] = &[
    ("bound::each_alone_and_all_together", each_alone_and_all_together),
    ("bound::each_in_long_rows", each_in_long_rows),
    ("bound::each_temperature", each_temperature),
    ("bound::rows_gathered", rows_gathered),
    ("bound::out_of_range_harms_no_other_row", out_of_range_harms_no_other_row),
    ("bound::buffers_larger_than_their_rows", buffers_larger_than_their_rows),
    ("bound::reciprocals_of_temperatures", reciprocals_of_temperatures),
    ("bound::a_reciprocal_that_is_not_rounded_is_seen", an_unrounded_reciprocal_is_seen),
];

fn long_words(n: u32) -> Vec<u64> {
    let words: Vec<_> = words(2 * u64::from(n)).collect();
    words.chunks(2).map(|pair| u64::from(pair[0]) << 32 | u64::from(pair[1])).collect()
}

/// Returns temperatures: special ones, both ends of the range, and any in between.
pub(crate) fn temperatures(n: u32) -> Vec<f32> {
    const SPECIAL: [f32; 10] = [
        1.0,
        0.0,
        -0.0,
        Scale::MIN_TEMPERATURE,
        Scale::MAX_TEMPERATURE,
        0.7,
        1e-30,
        1e30,
        f32::from_bits(Scale::MIN_TEMPERATURE.to_bits() + 1),
        f32::from_bits(Scale::MAX_TEMPERATURE.to_bits() - 1),
    ];
    let any = |(i, word): (usize, u32)| match i % 3 {
        0 => SPECIAL[i / 3 % SPECIAL.len()],
        // between 0.1 and 10 or so
        1 => f32::from_bits(0x3d80_0000 + word % 0x0400_0000),
        _ => in_range(word),
    };
    words(u64::from(n)).enumerate().map(any).collect()
}

/// Returns any temperature of the range.
fn in_range(word: u32) -> f32 {
    let (least, most) = (Scale::MIN_TEMPERATURE.to_bits(), Scale::MAX_TEMPERATURE.to_bits());
    f32::from_bits(least + word % (most - least + 1))
}

/// Returns the batch with those of the five kinds of parameters whose bit in `which` is set.
pub(crate) fn with(which: u32, batch: Batch) -> Batch {
    let rows = batch.rows;
    let on = |bit: u32| which >> bit & 1 == 1;
    Batch {
        row_ids: on(0).then(|| long_words(rows)),
        seeds: on(1).then(|| long_words(rows).iter().map(|word| word.rotate_left(17)).collect()),
        temperatures: on(2).then(|| temperatures(rows)),
        first_draws: on(3).then(|| {
            words(u64::from(rows)).map(|word| word >> 1).map(|n| n.min(1 << 30)).collect()
        }),
        row_indices: on(4).then(|| words(u64::from(rows)).map(|word| word % rows).collect()),
        ..batch
    }
}

fn each_alone_and_all_together(adapter: &AdapterReport) -> Result<(), Failed> {
    plans(adapter, |gpu| {
        for which in 0..32 {
            for (temperature, draws) in [(0.8, 1), (0.0, 1), (1.0, 3)] {
                // with parameters of the batch, too: the buffers replace them or are added to them
                let batch = Batch::normal(ValueFormat::F32, 61, 131, 131);
                let batch = Batch {
                    temperature,
                    draws,
                    first_draw: 77,
                    seed: 5 << 40,
                    first_row: (1 << 32) - 3,
                    ..batch
                };
                with(which, batch).same(gpu, &format!("of their own: {which:05b}"))?;
            }
        }
        Ok(())
    })
}

/// Rows that are cut into parts, rows whose logits are held in registers, and both formats.
fn each_in_long_rows(adapter: &AdapterReport) -> Result<(), Failed> {
    plans(adapter, |gpu| {
        for format in [ValueFormat::F32, ValueFormat::F16] {
            for draws in [1, 7] {
                let batch = Batch { draws, ..Batch::normal(format, 12, 5003, 5008) };
                with(31, batch).same(gpu, "long rows")?;
            }
        }
        Ok(())
    })
}

fn each_temperature(adapter: &AdapterReport) -> Result<(), Failed> {
    for filter in [true, false] {
        let gpu =
            sampler(adapter, GpuSampler::builder().tune(|tuning| tuning.with_filter(filter)))?;
        let batch = Batch::normal(ValueFormat::F32, 20_000, 9, 9);
        let temperatures = Some(temperatures(20_000));
        Batch { temperatures, ..batch }.same(&gpu, "random temperatures")?;
    }
    plans(adapter, |gpu| {
        // logits of any bits: the engine also orders those whose scaled value overflows
        let logits = words(3000 * 16).map(|word| word & 0xbfff_ffff).collect();
        let batch = Batch::new(ValueFormat::F32, logits, 3000, 16);
        Batch { temperatures: Some(temperatures(3000)), ..batch }.same(gpu, "logits of any size")
    })
}

/// Row indices of one row, of all rows, in any order and repeated; from fewer rows and from more
/// than are drawn.
fn rows_gathered(adapter: &AdapterReport) -> Result<(), Failed> {
    plans(adapter, |gpu| {
        for (source_rows, row_stride) in [(1, 0), (50, 33), (50, 40), (700, 3)] {
            let logits = Batch::normal(ValueFormat::Bf16, source_rows, 33, row_stride);
            let orders: [fn(u32, u32, u32) -> u32; 4] = [
                |_, _, _| 0,
                |row, _, n| n - 1 - row % n,
                |_, word, n| word % n,
                |row, _, n| row * row % n,
            ];
            for order in orders {
                let rows = 301;
                let random = words(u64::from(rows));
                let row_indices =
                    (0..rows).zip(random).map(|(row, word)| order(row, word, source_rows));
                let row_indices = Some(row_indices.collect());
                let batch = Batch { rows, row_indices, draws: 2, ..logits.clone() };
                batch.same(gpu, &format!("gathered from {source_rows}"))?;
            }
        }
        Ok(())
    })
}

fn out_of_range_harms_no_other_row(adapter: &AdapterReport) -> Result<(), Failed> {
    plans(adapter, |gpu| {
        for (categories, draws) in [(16, 1), (203, 4), (5003, 2)] {
            let rows = 24;
            let batch = Batch::normal(ValueFormat::F32, rows, categories, categories);
            let batch = Batch { draws, first_draw: 9, source_rows: rows, ..batch };
            let next = |bits: f32, up: i32| f32::from_bits(bits.to_bits().wrapping_add_signed(up));
            let wrong = [
                f32::NAN,
                -f32::NAN,
                f32::from_bits(0x7f80_0001),
                -1.0,
                -f32::MIN_POSITIVE,
                f32::from_bits(1),
                -f32::from_bits(1),
                f32::MIN_POSITIVE,
                next(Scale::MIN_TEMPERATURE, -1),
                next(Scale::MAX_TEMPERATURE, 1),
                f32::INFINITY,
                f32::NEG_INFINITY,
            ];
            let every_other =
                |right: f32| wrong.iter().flat_map(|&wrong| [wrong, right]).collect::<Vec<_>>();
            for right in [1.0, 0.0] {
                let temperatures = Some(every_other(right));
                half_without(&Batch { temperatures, ..batch.clone() }, gpu, "temperatures")?;
            }

            let row_indices = (0..rows).map(|row| match row % 8 {
                0 => rows,
                2 => u32::MAX,
                4 => 1 << 31,
                6 => rows + 1,
                _ => row,
            });
            let row_indices = Some(row_indices.collect());
            half_without(&Batch { row_indices, ..batch.clone() }, gpu, "row_indices")?;

            // the last draw number that exists, and the first that does not
            let last = (1 << 31) - draws - 9;
            let first_draws = (0..rows).map(|row| match row % 8 {
                0 => last + 1,
                2 => u32::MAX,
                4 => 1 << 31,
                6 => (1 << 31) - 1,
                1 => last,
                _ => row,
            });
            let first_draws = Some(first_draws.collect());
            half_without(&Batch { first_draws, ..batch.clone() }, gpu, "first draws")?;
        }
        Ok(())
    })
}

/// Checks that every second row, from the first on, has no draw, and that all rows have the
/// reference's draws.
pub(crate) fn half_without(batch: &Batch, gpu: &GpuSampler, what: &str) -> Result<(), Failed> {
    batch.same(gpu, what)?;
    let draws = batch.drawn(gpu)?;
    let each = draws.chunks(batch.draws as usize).enumerate();
    let as_due = each.map(|(row, draws)| draws.iter().all(|&d| (d == NO_DRAW) == (row % 2 == 0)));
    let wrong: Vec<_> = as_due.enumerate().filter(|(_, due)| !due).map(|(row, _)| row).collect();
    ensure(wrong.is_empty(), || format!("{what}: rows {wrong:?} are not as they should be"))
}

/// The buffers have elements for more rows than are drawn, and an odd number of bytes after them.
fn buffers_larger_than_their_rows(adapter: &AdapterReport) -> Result<(), Failed> {
    plans(adapter, |gpu| {
        let mut batch = with(31, Batch::normal(ValueFormat::F16, 50, 20, 20));
        batch.rows = 37;
        batch.same(gpu, "buffers for 50 rows")
    })
}

/// The reciprocals of four temperatures.
const RECIPROCALS: Twin = Twin {
    wgsl: "vec4<u32>(scale_of(x.x), scale_of(x.y), scale_of(x.z), scale_of(x.w))",
    rust: |x, _| {
        x.map(|bits| {
            let scale = Scale::from_temperature(f32::from_bits(bits));
            scale.map_or(0, |scale| scale.reciprocal().to_bits())
        })
    },
};

fn reciprocal_items() -> Vec<[probe::Words; 2]> {
    let random =
        probe::random(300_000).map(|[x, _]| [x.map(|word| in_range(word).to_bits()), [0; 4]]);
    // both ends of every power of two
    let edges = (-99..=100).map(|power| {
        let bits = 2f32.powi(power).to_bits();
        [[bits, bits + u32::from(power < 100), bits - 1, bits - 2], [0; 4]]
    });
    random.chain(edges).collect()
}

fn reciprocals_of_temperatures(adapter: &AdapterReport) -> Result<(), Failed> {
    probe::same_in(adapter, Engine::EachRow, &RECIPROCALS, &reciprocal_items())
}

fn an_unrounded_reciprocal_is_seen(adapter: &AdapterReport) -> Result<(), Failed> {
    let edit =
        |source: String| super::super::faults::replaced(source, " + u32(2u * r3 > mantissa)", "");
    let items = reciprocal_items();
    let differences = probe::differences_in(adapter, Engine::EachRow, &RECIPROCALS, &items, edit)?;
    ensure(differences.iter().all(|&n| n > 0), || format!("{differences:?}"))
}
