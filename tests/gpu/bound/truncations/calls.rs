//! One truncation for all rows, as a decoder binds it: encoded step after step, with new logits, and with the number of
//! the first draw in a buffer.

use gumbel::{
    AdapterReport, CpuSampler, DeviceBatch, DeviceKind, Logits, SampleOptions, Share, Truncation,
};
use libtest_mimic::Failed;

use super::super::super::ensure;
use super::super::batch::{Batch, buffer, read, words};
use super::super::shared;
use super::{ALL, Counts, F32};

/// Short and long rows, with draws that are looked at again and with more than are.
pub(super) fn one_truncation(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = shared(adapter, DeviceKind::Emulation)?;
    for (rows, categories) in [(300, 203), (4, 5003)] {
        for draws in [1, 65] {
            // of few that are listed top-p keeps fewer, by the sum of all
            let of_all = Truncation::new().with_top_k(10).with_top_p(0.1).with_share(Share::All);
            for truncation in [ALL, Truncation::new().with_top_p(0.9), of_all] {
                let batch = Batch::normal(F32, rows, categories, categories);
                let batch = Batch { truncation, draws, ..batch };
                batch.same(&gpu, &format!("{truncation:?}"))?;
            }
        }
    }
    Ok(())
}

/// Cuts are found anew at each step, and nothing of the step before is left: no largest value, cut or doubt.
pub(super) fn each_step_has_its_own_cuts(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = shared(adapter, DeviceKind::Emulation)?;
    let truncation = Truncation::new().with_top_k(30).with_top_p(0.8);
    for (rows, categories) in [(90, 203), (3, 5003)] {
        let bytes = 4 * rows as u64;
        let steps = 4;
        let data: Vec<f32> = words((steps * rows * categories) as u64)
            .zip(0..)
            // each step is flatter than the one before, and further down
            .map(|(word, i)| {
                let step = i / (rows * categories);
                (word >> 20) as f32 / (300.0 * (1 + step) as f32) - 100.0 * step as f32
            })
            .collect();
        let of_all_steps = buffer(&gpu, &data);
        let logits = buffer(&gpu, &vec![0f32; rows * categories]);
        let [draws, taken, numbers] =
            [rows, 2 * steps * rows, steps].map(|n| buffer(&gpu, &vec![0u32; n]));
        gpu.queue().write_buffer(&numbers, 0, bytemuck::cast_slice(&[7u32, 0, 1 << 30, 3]));
        let batch = DeviceBatch::new(&logits, &draws, rows as u32, categories as u32);
        let bound = gpu.bind(&batch.with_truncation(truncation))?;
        let mut encoder = gpu.device().create_command_encoder(&Default::default());
        let mut expected = Vec::new();
        for (step, number) in [7, 0, 1 << 30, 3].into_iter().enumerate() {
            let size = logits.size();
            encoder.copy_buffer_to_buffer(&of_all_steps, step as u64 * size, &logits, 0, size);
            bound.encode_from(&mut encoder, &numbers, 4 * step as u64)?;
            encoder.copy_buffer_to_buffer(&draws, 0, &taken, 2 * step as u64 * bytes, bytes);
            bound.encode(&mut encoder, number / 2)?;
            encoder.copy_buffer_to_buffer(&draws, 0, &taken, (2 * step as u64 + 1) * bytes, bytes);
            let rows =
                Logits::new(&data[step * rows * categories..][..rows * categories], categories)?;
            for first_draw in [number, number / 2] {
                let options = SampleOptions::default().with_truncation(truncation);
                expected.extend(
                    CpuSampler::new().sample_rows(rows, &options.with_first_draw(first_draw))?,
                );
            }
        }
        gpu.queue().submit([encoder.finish()]);
        let drawn = read(&gpu, &taken)?;
        ensure(drawn == expected, || format!("{rows} x {categories}: other draws"))?;
    }
    Ok(())
}

/// Rows of counts whose logarithms in floats differ and whose integer logarithms do not: at a temperature so low, sums in floats
/// say of a half of the draws that they are kept, and they are not.
pub(super) fn counts_that_floats_tell_apart(rows: u32, categories: u32) -> Batch {
    let most = (categories - 1) / 2;
    let count = |i: u32| match i {
        0 => u32::MAX,
        i if i <= most => 0xffff_fff0,
        i if i <= 2 * most => 0xffff_ffef,
        _ => 0,
    };
    let row: Vec<_> = (0..categories).map(count).collect();
    let batch = Batch::new(Counts, row.repeat(rows as usize), rows, categories);
    let temperature = 2f32.powi(-20);
    Batch { temperature, truncation: Truncation::new().with_top_p(0.5006), ..batch }
}

pub(super) fn counts_at_low_temperatures(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = shared(adapter, DeviceKind::Emulation)?;
    for categories in [4001, 4501] {
        counts_that_floats_tell_apart(20, categories).same(&gpu, "counts")?;
    }
    Ok(())
}

/// Values so close that a search of the largest of half-spans leaves a wide bracket, and so many kept that sums are long.
pub(super) fn nearly_flat(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = shared(adapter, DeviceKind::Emulation)?;
    for (draws, top_p) in [(1, 0.9), (65, 0.9), (1, 0.001)] {
        let batch = Batch::normal(F32, 2, 24_576, 24_576);
        let logits =
            batch.logits.iter().map(|bits| (f32::from_bits(*bits) * 3e-4).to_bits()).collect();
        let truncation = Truncation::new().with_top_k(12_288).with_top_p(top_p);
        Batch { truncation, draws, logits, ..batch }.same(&gpu, &format!("{truncation:?}"))?;
    }
    Ok(())
}
