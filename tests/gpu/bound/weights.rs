//! Weights and counts, where they differ from logits: the least temperatures, and rows without a
//! draw.

use gumbel::noise::order::Scale;
use gumbel::{AdapterReport, DeviceBatch, DeviceKind, Error, GpuSampler, NO_DRAW, ValueFormat};
use libtest_mimic::Failed;

use super::super::{Check, ensure};
use super::batch::{Batch, buffer, words};
use super::each::{half_without, with};
use super::faults::seen;
use super::{plans, shared};

use ValueFormat::{Counts, F32, Weights};

pub(crate) const CHECKS: &[(&str, Check)] = &[
    ("bound::weights_at_any_temperature", weights_at_any_temperature),
    ("bound::weights_with_each_of_their_own", weights_with_each_of_their_own),
    ("bound::weights_out_of_range", weights_out_of_range),
    ("bound::weights_without_a_draw", weights_without_a_draw),
    ("bound::weights_and_one_low_temperature", one_low_temperature),
    ("bound::values_in_another_format_are_seen", another_format_is_seen),
    ("bound::faults_in_low_temperatures_are_seen", faults_in_low_temperatures_are_seen),
];

/// 2^-20, and the next number below it and above it.
const LEAST: f32 = f32::from_bits((127 - 20) << 23);
const BELOW: f32 = LEAST.next_down();
const ABOVE: f32 = LEAST.next_up();

/// Temperatures in range and out of it.
const TEMPERATURES: [f32; 11] =
    [1.0, 0.0, LEAST, 0.1, BELOW, ABOVE, -0.0, 1e-4, Scale::MAX_TEMPERATURE, 2e-20, 0.8];

fn temperatures(rows: u32) -> Option<Vec<f32>> {
    Some(TEMPERATURES.into_iter().cycle().take(rows as usize).collect())
}

/// Returns values so close to each other that the noise decides even at the least temperature, at
/// which a unit of a logarithm counts 2^20 times.
fn close(format: ValueFormat, rows: u32, categories: u32, row_stride: u32) -> Batch {
    let value = |word: u32| match format {
        // near 1 in steps of 2^-23
        Weights => 0x3f80_0000 + word % 64,
        _ => u32::MAX - word % 16_384,
    };
    let number = u64::from((rows - 1) * row_stride + categories);
    let values = words(number).map(value).collect();
    Batch { row_stride, ..Batch::new(format, values, rows, categories) }
}

/// One temperature for all rows.
fn weights_at_any_temperature(adapter: &AdapterReport) -> Result<(), Failed> {
    plans(adapter, |gpu| {
        for format in [Weights, Counts] {
            for temperature in [0.0, LEAST, 0.1, 1e30] {
                for (rows, categories, draws) in [(40, 131, 1), (2, 9001, 3)] {
                    for kind in [Batch::normal, close] {
                        let batch = kind(format, rows, categories, categories);
                        let batch = Batch { temperature, draws, ..batch };
                        batch.same(gpu, &format!("temperature {temperature:e}"))?;
                    }
                }
            }
        }
        Ok(())
    })
}

/// Temperatures of each row, alone and beside all other parameters that a row may have of its own;
/// in rows cut into parts too.
fn weights_with_each_of_their_own(adapter: &AdapterReport) -> Result<(), Failed> {
    plans(adapter, |gpu| {
        for format in [Weights, Counts] {
            for (rows, categories, row_stride, draws) in
                [(121, 131, 131, 1), (60, 40, 40, 3), (900, 9, 16, 1), (13, 5003, 5008, 7)]
            {
                for kind in [Batch::normal, close] {
                    let temperatures = || temperatures(rows);
                    let batch = Batch { draws, ..kind(format, rows, categories, row_stride) };
                    let alone = Batch { temperatures: temperatures(), ..batch.clone() };
                    alone.same(gpu, "temperatures of their own")?;
                    let all = Batch { temperatures: temperatures(), ..with(31, batch) };
                    all.same(gpu, "all of their own")?;
                }
            }
        }
        Ok(())
    })
}

/// Temperatures at which logits are drawn, and weights are not.
fn weights_out_of_range(adapter: &AdapterReport) -> Result<(), Failed> {
    plans(adapter, |gpu| {
        let low = [BELOW, 0.5 * LEAST, 1e-20, Scale::MIN_TEMPERATURE];
        let right = [LEAST, 0.0, 0.1, 1.0];
        let rows = 24;
        let pairs = low.into_iter().zip(right).flat_map(|(low, right)| [low, right]);
        let every_other = pairs.collect::<Vec<_>>().repeat(rows as usize / 8);
        for (categories, draws) in [(16, 1), (203, 4), (5003, 2)] {
            let batch = |format| Batch {
                draws,
                temperatures: Some(every_other.clone()),
                ..Batch::normal(format, rows, categories, categories)
            };
            half_without(&batch(Weights), gpu, "low temperatures")?;
            // a count that is not 0, so that each row has one
            let mut counts = batch(Counts);
            counts.logits.iter_mut().for_each(|count| *count |= 1);
            half_without(&counts, gpu, "low temperatures")?;
            let logits = batch(F32);
            logits.same(gpu, "logits at low temperatures")?;
            let none = logits.drawn(gpu)?.contains(&NO_DRAW);
            ensure(!none, || "logits without a draw".to_owned())?;
        }
        Ok(())
    })
}

/// Rows with words that no weight may have, and rows of zeros, among others.
fn weights_without_a_draw(adapter: &AdapterReport) -> Result<(), Failed> {
    plans(adapter, |gpu| {
        let strange = [
            f32::NAN.to_bits(),
            0xffff_ffff,
            f32::INFINITY.to_bits(),
            f32::NEG_INFINITY.to_bits(),
            (-1f32).to_bits(),
            // the largest negative number
            0x8000_0001,
        ];
        for (categories, row_stride) in [(9, 9), (24, 24), (203, 203), (5003, 5008)] {
            for temperatures in [None, Some([LEAST, 1.0, 0.0, 0.0, 0.1, 1.0].repeat(3))] {
                let (at, cut) = (row_stride as usize, categories as usize);
                let mut weights = Batch::normal(Weights, 18, categories, row_stride);
                for (i, bits) in strange.into_iter().enumerate() {
                    weights.logits[2 * i * at + i * 7 % cut] = bits;
                }
                // zeros of both signs
                weights.logits[12 * at..][..cut].fill(0);
                weights.logits[14 * at..][..cut].fill(0x8000_0000);
                weights.logits[16 * at..][..cut].fill(0x8000_0000);
                weights.logits[16 * at + 5] = 0;
                // neither of these words harms its row
                weights.logits[17 * at + 1] = 0x8000_0000;
                weights.temperatures = temperatures.clone();
                half_without(&weights, gpu, "no weights")?;

                let mut counts = Batch::normal(Counts, 18, categories, row_stride);
                counts.logits.iter_mut().for_each(|count| *count |= 1);
                for row in (0..18).step_by(2) {
                    counts.logits[row * at..][..cut].fill(0);
                }
                counts.temperatures = temperatures;
                half_without(&counts, gpu, "nothing counted")?;
            }
        }
        Ok(())
    })
}

/// If the temperature is that of all rows, it is refused.
fn one_low_temperature(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = shared(adapter, DeviceKind::Emulation)?;
    let [values, draws] = [(); 2].map(|()| buffer(&gpu, &[0u32; 100]));
    let batch = DeviceBatch::new(&values, &draws, 10, 10);
    for format in [Weights, Counts] {
        let batch = batch.with_format(format);
        for got in [BELOW, 1e-20, Scale::MIN_TEMPERATURE, 1e-45] {
            let error = gpu.bind(&batch.with_temperature(got)).err();
            let named = matches!(error, Some(Error::WeightsTemperature { got: g }) if g == got);
            ensure(named, || format!("{format} at {got:e}: {error:?}"))?;
        }
        for got in [-LEAST, -1.0, f32::INFINITY, f32::NAN] {
            let error = gpu.bind(&batch.with_temperature(got)).err();
            let named = matches!(error, Some(Error::Temperature { .. }));
            ensure(named, || format!("{format} at {got:e}: {error:?}"))?;
        }
        for temperature in [LEAST, 0.0, -0.0, Scale::MAX_TEMPERATURE] {
            gpu.bind(&batch.with_temperature(temperature))?;
        }
    }
    gpu.bind(&batch.with_temperature(BELOW))?;
    Ok(())
}

/// The comparison notices a wrong format: words have other draws in each of two formats.
fn another_format_is_seen(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu: &GpuSampler = &*shared(adapter, DeviceKind::Emulation)?;
    let formats = [F32, Weights, Counts];
    for due in formats {
        let batch = Batch::normal(due, 60, 40, 40);
        let expected = batch.expected()?;
        for format in formats {
            let drawn = Batch { format, ..batch.clone() }.drawn(gpu)?;
            let same = drawn == expected;
            ensure(same == (format == due), || format!("{due} as {format}: the same is {same}"))?;
        }
    }
    Ok(())
}

fn faults_in_low_temperatures_are_seen(adapter: &AdapterReport) -> Result<(), Failed> {
    let batch = |format, temperature| Batch {
        temperatures: Some(vec![temperature; 60]),
        ..Batch::normal(format, 60, 40, 40)
    };
    // the least temperature of logits
    let lower = |source: String| source.replace("u32 = 0x35800000u", "u32 = 0x0d800000u");
    seen(adapter, lower, &[("a temperature too low", batch(Weights, BELOW))])?;
    let higher = |source: String| {
        source
            .replace("u32 = 0x35800000u", "u32 = 0x35800001u")
            .replace("(252u - exponent)", "(253u - exponent)")
    };
    let batches = [
        ("not the least temperature", batch(Counts, LEAST)),
        ("half of a temperature", batch(Counts, 0.1)),
    ];
    seen(adapter, higher, &batches)
}
