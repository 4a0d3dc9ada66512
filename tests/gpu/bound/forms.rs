//! Logits, weights and counts: every format, wherever they lie, in every shape.

use gumbel::conformance::{self, Case};
use gumbel::{AdapterReport, DeviceKind, GpuSampler, GpuSamplerBuilder, RowIds, ValueFormat};
use libtest_mimic::Failed;

use super::super::conformance::smallest_of_each_kind;
use super::super::draws::sampler;
use super::super::{Check, ensure};
use super::batch::{Batch, value_of};
use super::plans;

pub(crate) const CHECKS: &[(&str, Check)] = &[
    ("bound::conformance", conformance),
    ("bound::wherever_rows_start", wherever_rows_start),
    ("bound::strides_and_draws", strides_and_draws),
    ("bound::temperatures_for_all", temperatures_for_all),
    ("bound::every_half", every_half),
    ("bound::halves_without_a_draw", halves_without_a_draw),
    ("bound::more_rows_than_workgroups", more_rows_than_workgroups),
];

/// A software adapter takes minutes for this.
pub(crate) const LONG_CHECKS: &[(&str, Check)] = &[
    ("bound::long::all_cases", all_cases),
    ("bound::long::wherever_rows_start", wherever_rows_of_all_lengths_start),
];

const FORMATS: [ValueFormat; 5] = [
    ValueFormat::F32,
    ValueFormat::F16,
    ValueFormat::Bf16,
    ValueFormat::Weights,
    ValueFormat::Counts,
];

/// Returns a case's batch, as it lies in memory.
pub(crate) fn on_device(case: &Case) -> Batch {
    let (logits, options) = (case.batch(), case.options());
    let (rows, stride) = (logits.rows(), logits.row_stride());
    let mut bits = Vec::new();
    for row in 0..rows {
        bits.truncate(row * stride);
        let size = logits.format().bytes();
        bits.extend(logits.bytes_of_row(row).unwrap_or_default().chunks(size).map(|bytes| {
            let mut word = [0; 4];
            word[..size].copy_from_slice(bytes);
            u32::from_le_bytes(word)
        }));
        // poison between rows
        let between = if size == 4 { u32::MAX } else { 0xffff };
        bits.resize(bits.len().max((row + 1) * stride), between);
    }
    bits.truncate(rows.saturating_sub(1) * stride + logits.categories());
    let (first_row, row_ids) = match options.row_ids {
        RowIds::Consecutive(first) => (first, None),
        RowIds::Each(ids) => (0, Some(ids.to_vec())),
    };
    Batch {
        row_stride: stride as u32,
        draws: options.draws,
        first_draw: options.first_draw,
        seed: options.seed,
        first_row,
        temperature: options.temperature,
        row_ids,
        ..Batch::new(logits.format(), bits, rows as u32, logits.categories() as u32)
    }
}

/// Checks these cases, with their numbers.
fn wrong(
    gpu: &GpuSampler,
    cases: impl Iterator<Item = (usize, Case)>,
) -> Result<(usize, Vec<String>), Failed> {
    let (mut count, mut wrong) = (0, Vec::new());
    for (_, case) in cases {
        let (drawn, expected) = (on_device(&case).drawn(gpu)?, case.expected());
        let mismatches = drawn.iter().zip(&expected).filter(|(got, due)| got != due).count();
        if mismatches > 0 || drawn.len() != expected.len() {
            wrong.push(format!("{case}: {mismatches} mismatches"));
        }
        count += 1;
    }
    Ok((count, wrong))
}

/// A sampler for each kind of plan, with the work of the cases that it takes; and one without any optional feature and
/// without the filter.
fn samplers() -> [(GpuSamplerBuilder, usize); 3] {
    let planned =
        |device_kind| GpuSampler::builder().tune(|tuning| tuning.with_device_kind(device_kind));
    let plain = planned(DeviceKind::Hardware)
        .tune(|tuning| tuning.with_int64(false).with_subgroups(false).with_filter(false));
    [
        (planned(DeviceKind::Hardware), 300_000),
        (planned(DeviceKind::Emulation), 300_000),
        (plain, 30_000),
    ]
}

fn takes(case: &Case, work: usize) -> bool {
    case.batch().rows() * case.batch().categories() < work
}

/// The smallest cases that have each aspect of plans, and by the first sampler all values of `f32`, since a second backend of
/// a device has nothing else of them with a GPU's bounds. How a batch got to the device changes how its values are loaded,
/// and nothing else: all values and options of other formats are in `conformance.rs`.
fn conformance(adapter: &AdapterReport) -> Result<(), Failed> {
    let samplers = samplers();
    let chosen = smallest_of_each_kind(adapter, &samplers, takes)?;
    for (i, ((builder, _), chosen)) in samplers.into_iter().zip(chosen).enumerate() {
        let name = format!("{builder:?}");
        let of_values = |case: &Case| {
            i == 0 && case.batch().format() == ValueFormat::F32 && takes(case, 30_000)
        };
        let cases = conformance::cases()
            .enumerate()
            .filter(|(number, case)| chosen.contains(number) || of_values(case));
        let (count, wrong) = wrong(&sampler(adapter, builder)?, cases)?;
        ensure(count > 5, || format!("{count} cases, {name}"))?;
        ensure(wrong.is_empty(), || format!("{}\n{name}", wrong.join("\n")))?;
    }
    Ok(())
}

fn all_cases(adapter: &AdapterReport) -> Result<(), Failed> {
    for (builder, work) in samplers() {
        let name = format!("{builder:?}");
        let cases = conformance::cases().enumerate().filter(|(_, case)| takes(case, work));
        let (_, wrong) = wrong(&sampler(adapter, builder)?, cases)?;
        ensure(wrong.is_empty(), || format!("{}\n{name}", wrong.join("\n")))?;
    }
    Ok(())
}

/// Both variants of loading, and rows whose last octet extends past the buffer's end. How values are loaded depends on their
/// format, and how teams take rows on their length, but neither on the other: so all formats have rows of two lengths, one with
/// each kind of noise, and one format has all lengths.
fn wherever_rows_start(adapter: &AdapterReport) -> Result<(), Failed> {
    plans(adapter, |gpu| {
        FORMATS.into_iter().try_for_each(|format| rows_start(gpu, format, &[203, 9001]))?;
        rows_start(gpu, ValueFormat::Bf16, &LENGTHS)
    })
}

/// All formats with all lengths.
fn wherever_rows_of_all_lengths_start(adapter: &AdapterReport) -> Result<(), Failed> {
    plans(adapter, |gpu| {
        FORMATS.into_iter().try_for_each(|format| rows_start(gpu, format, &LENGTHS))
    })
}

const LENGTHS: [u32; 9] = [1, 2, 7, 9, 15, 16, 203, 3011, 9001];

fn rows_start(gpu: &GpuSampler, format: ValueFormat, lengths: &[u32]) -> Result<(), Failed> {
    for &categories in lengths {
        let rows = if categories > 1000 { 2 } else { 5 };
        // in units of logits
        for (offset, row_stride, slack) in [
            (0, categories, 0),
            (0, categories.next_multiple_of(8), 0),
            (8, categories.next_multiple_of(8), 16),
            (16, categories.next_multiple_of(8), 3),
            (1, categories, 0),
            (2, categories + 1, 5),
            (3, categories.next_multiple_of(2) + 1, 16),
            (4, categories.next_multiple_of(4) + 4, 16),
            (127, categories.next_multiple_of(8), 0),
            (200, categories.next_multiple_of(8), 32),
        ] {
            let batch = Batch {
                offset: offset * format.bytes() as u64,
                slack,
                ..Batch::normal(format, rows, categories, row_stride)
            };
            batch.same(gpu, "wherever rows start")?;
        }
    }
    Ok(())
}

fn strides_and_draws(adapter: &AdapterReport) -> Result<(), Failed> {
    plans(adapter, |gpu| {
        for format in [ValueFormat::F32, ValueFormat::Bf16, ValueFormat::Counts] {
            for (rows, categories, row_stride, draws) in [
                (1000, 9, 0, 1),
                (50, 203, 3, 4),
                (50, 203, 8, 4),
                (9, 203, 1000, 5),
                (2, 9001, 0, 9),
                (2, 3011, 16, 70),
                (1, 1, 1, 2000),
            ] {
                for draws_offset in [0, 3] {
                    let batch = Batch {
                        draws,
                        draws_offset,
                        first_draw: (1 << 31) - draws,
                        seed: 0xfedc_ba98_7654_3210,
                        first_row: u64::MAX - 20,
                        ..Batch::normal(format, rows, categories, row_stride)
                    };
                    batch.same(gpu, "strides and draws")?;
                }
            }
        }
        Ok(())
    })
}

fn temperatures_for_all(adapter: &AdapterReport) -> Result<(), Failed> {
    plans(adapter, |gpu| {
        for format in [ValueFormat::F32, ValueFormat::F16] {
            for temperature in [0.0, 0.7, 1e-30, 1e30] {
                for (rows, categories, draws) in [(40, 131, 1), (2, 9001, 3)] {
                    let batch = Batch::normal(format, rows, categories, categories);
                    let batch = Batch { temperature, draws, ..batch };
                    batch.same(gpu, &format!("temperature {temperature}"))?;
                }
            }
        }
        Ok(())
    })
}

/// Each of the 65,536 patterns that stands for a number, side by side with its neighbours and with
/// other patterns.
fn every_half(adapter: &AdapterReport) -> Result<(), Failed> {
    plans(adapter, |gpu| {
        for format in [ValueFormat::F16, ValueFormat::Bf16] {
            let finite = |&bits: &u32| value_of(format, bits).is_finite();
            let in_order: Vec<_> = (0..1 << 16).filter(finite).collect();
            let mixed: Vec<_> =
                (0..1 << 16).map(|i| i * 40503 % (1 << 16)).filter(finite).collect();
            // the smaller temperatures distinguish the smallest subnormal numbers
            for temperature in [1.0, 0.0, 2f32.powi(-20), 1e-30] {
                let pairs = in_order.len() as u32 - 1;
                let pairs =
                    Batch { row_stride: 1, ..Batch::new(format, in_order.clone(), pairs, 2) };
                Batch { temperature, ..pairs }.same(gpu, "neighbours")?;
                for categories in [16, 203, 3011] {
                    let rows = mixed.len() as u32 / categories;
                    let batch = Batch::new(format, mixed.clone(), rows, categories);
                    let what = format!("in disorder at temperature {temperature}");
                    Batch { temperature, ..batch }.same(gpu, &what)?;
                }
            }
        }
        Ok(())
    })
}

/// Each pattern of a NaN or an infinity, in a row of its own among rows of numbers; and a row whose
/// logits are all −∞.
fn halves_without_a_draw(adapter: &AdapterReport) -> Result<(), Failed> {
    plans(adapter, |gpu| {
        for format in [ValueFormat::F16, ValueFormat::Bf16] {
            let strange: Vec<_> =
                (0..1 << 16).filter(|&bits| !value_of(format, bits).is_finite()).collect();
            for (categories, aligned) in [(9, false), (24, true), (203, false)] {
                let rows = 2 * strange.len() as u32;
                let mut batch = Batch::normal(format, rows, categories, categories);
                for (i, &bits) in strange.iter().enumerate() {
                    let position = i * 7 % categories as usize;
                    batch.logits[2 * i * categories as usize + position] = bits;
                }
                let negative = strange.iter().find(|&&bits| value_of(format, bits) < 0.0);
                let last = batch.logits.len() - categories as usize;
                batch.logits[last..].fill(*negative.ok_or("no -inf")?);
                batch.temperature = if aligned { 0.0 } else { 1.0 };
                batch.same(gpu, "NaN and infinities")?;
                let draws = batch.drawn(gpu)?;
                let none = draws.iter().filter(|&&draw| draw == gumbel::NO_DRAW).count();
                // all but one: -inf among numbers leaves a draw
                ensure(none == strange.len(), || format!("{none} rows without a draw"))?;
            }
        }
        Ok(())
    })
}

/// There are more workgroups than a dimension has, and fewer draws in them than invocations.
fn more_rows_than_workgroups(adapter: &AdapterReport) -> Result<(), Failed> {
    let builder =
        GpuSampler::builder().tune(|tuning| tuning.with_workgroup_size(1).with_workgroups(65_535));
    let gpu = sampler(adapter, builder)?;
    Batch::normal(ValueFormat::F16, 70_000, 9, 0).same(&gpu, "70,000 workgroups")
}
