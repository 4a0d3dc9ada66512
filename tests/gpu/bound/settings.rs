//! The settings of other samplers, on the device: what is drawn by host calls and from batches on the device is what an oracle
//! keeps that shares no code with gumbel.

use gumbel::half::bf16;
use gumbel::{
    AdapterReport, DeviceKind, GpuSampler, Logits, SampleOptions, Share, Truncation, ValueFormat,
};
use libtest_mimic::Failed;

use super::super::settings::{chain, rows, settings};
use super::super::{Check, ensure};
use super::batch::Batch;
use super::shared;

pub(crate) const CHECKS: &[(&str, Check)] = &[
    ("bound::truncations_of_other_projects", truncations_of_other_projects),
    ("bound::the_share_of_another_project_is_seen", another_share_is_seen),
];

/// Draws of each row: few enough that cuts by top-p are checked after the races.
const DRAWS: usize = 16;

/// Returns the names of the settings whose draws are not all kept, in rows of this length.
fn not_kept(
    gpu: &GpuSampler,
    categories: usize,
    change: fn(Truncation) -> Truncation,
) -> Result<Vec<String>, Failed> {
    let rows: Vec<Vec<bf16>> = rows().into_iter().filter(|row| row.len() == categories).collect();
    let data: Vec<f32> = rows.iter().flatten().map(|x| x.to_f32()).collect();
    let bits: Vec<u32> = data.iter().map(|x| x.to_bits()).collect();
    let plain = Batch::new(ValueFormat::F32, bits, rows.len() as u32, categories as u32);
    let mut wrong = Vec::new();
    for (name, steps, truncation, temperature) in settings() {
        let truncation = change(truncation);
        let options = SampleOptions::default()
            .with_draws(DRAWS as u32)
            .with_temperature(temperature)
            .with_truncation(truncation);
        let of_call = gpu.sample_rows(Logits::new(&data, categories)?, &options)?;
        let on_device = Batch { truncation, temperature, draws: DRAWS as u32, ..plain.clone() };
        let of_device = on_device.drawn(gpu)?;
        ensure(of_call == of_device, || format!("{name}: a call draws other categories"))?;
        for (row, draws) in rows.iter().zip(of_device.chunks(DRAWS)) {
            let wide: Vec<f64> = row.iter().map(|x| x.to_f64()).collect();
            let kept = chain(&wide, &steps);
            let is_kept = |&draw: &u32| kept.get(draw as usize) == Some(&true);
            if !draws.iter().all(is_kept) {
                wrong.push(format!("{name}: {draws:?}"));
            }
        }
    }
    Ok(wrong)
}

/// Short rows, and long ones, whose cuts are found by other passes.
fn truncations_of_other_projects(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = &*shared(adapter, DeviceKind::Emulation)?;
    for categories in [500, 9000] {
        let wrong = not_kept(gpu, categories, |truncation| truncation)?;
        ensure(wrong.is_empty(), || wrong.join("\n"))?;
    }
    Ok(())
}

fn another_share_is_seen(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = &*shared(adapter, DeviceKind::Emulation)?;
    let wrong = not_kept(gpu, 500, |truncation| truncation.with_share(Share::All))?;
    ensure(wrong.len() > 3, || format!("{wrong:?}"))
}
