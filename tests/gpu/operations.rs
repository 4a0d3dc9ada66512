//! Races and their top k on the GPU: the reference's keys, bit for bit.

use gumbel::conformance::{self, Case};
use gumbel::{
    AdapterReport, CpuSampler, DeviceKind, Error, GpuSampler, GpuSamplerBuilder, LogZ, Logits,
    SampleOptions, Teams, Weights, reference,
};
use libtest_mimic::Failed;

use super::conformance::smallest_of_each_kind;
use super::draws::sampler;
use super::{Check, ensure};

pub(crate) const CHECKS: &[(&str, Check)] = &[
    ("operations::keys", keys),
    ("operations::top_k", top_k),
    ("operations::a_thousand_places", a_thousand_places),
    ("operations::places_in_small_pieces", places_in_small_pieces),
    ("operations::estimates", estimates),
    ("operations::what_is_wrong_is_named", what_is_wrong_is_named),
    ("operations::faults_are_seen", faults_are_seen),
];

/// A software adapter takes half a minute or more for this.
pub(crate) const LONG_CHECKS: &[(&str, Check)] =
    &[("operations::long::keys_of_all_cases", |adapter| {
        for (builder, work) in samplers_of_keys() {
            same(&sampler(adapter, builder)?, work, 1)?;
        }
        Ok(())
    })];

/// Whether a case is not greedy, and has less work than this.
pub(crate) fn takes(case: &Case, work: usize) -> bool {
    let of_case = case.batch().rows() * case.batch().categories();
    case.options().temperature > 0.0 && of_case * (case.options().draws as usize) < work
}

pub(crate) fn cases(work: usize) -> impl Iterator<Item = Case> {
    conformance::cases().filter(move |case| takes(case, work))
}

/// Returns the first case in which the first k of a race are not the reference's.
fn wrong_top_k(
    gpu: &GpuSampler,
    cases: impl Iterator<Item = Case>,
    k: usize,
) -> Result<Option<Case>, Failed> {
    for case in cases {
        let (batch, options) = (case.batch(), case.options());
        let expected = reference::race_rows(batch, &options, k)?;
        if gpu.race_rows(batch, &options, k)? != expected {
            return Ok(Some(case));
        }
    }
    Ok(None)
}

fn same(gpu: &GpuSampler, work: usize, k: usize) -> Result<(), Failed> {
    same_in(gpu, cases(work), k)
}

fn same_in(gpu: &GpuSampler, cases: impl Iterator<Item = Case>, k: usize) -> Result<(), Failed> {
    match wrong_top_k(gpu, cases, k)? {
        Some(case) => Err(format!("{case}: the first {k} differ").into()),
        None => Ok(()),
    }
}

/// Samplers, with the work of the cases that they take. The last cuts rows into parts.
fn samplers_of_keys() -> [(GpuSamplerBuilder, usize); 3] {
    let planned =
        |device_kind| GpuSampler::builder().tune(|tuning| tuning.with_device_kind(device_kind));
    [
        (planned(DeviceKind::Hardware), 60_000),
        (planned(DeviceKind::Emulation), 60_000),
        (planned(DeviceKind::Hardware).with_chunk_bytes(1 << 11), 10_000),
    ]
}

/// The smallest cases that have each aspect of plans: a key is that of the draw, which `conformance.rs` has in all cases.
fn keys(adapter: &AdapterReport) -> Result<(), Failed> {
    let samplers = samplers_of_keys();
    let chosen = smallest_of_each_kind(adapter, &samplers, takes)?;
    for ((builder, _), chosen) in samplers.into_iter().zip(chosen) {
        ensure(!chosen.is_empty(), || format!("no case for {builder:?}"))?;
        let cases = conformance::cases().enumerate().filter(|(number, _)| chosen.contains(number));
        same_in(&sampler(adapter, builder)?, cases.map(|(_, case)| case), 1)?;
    }
    Ok(())
}

fn top_k(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = sampler(adapter, GpuSampler::builder())?;
    same(&gpu, 60_000, 3)?;
    same(&gpu, 10_000, 300)?;
    let with_large_workgroups = Teams { shared_workgroup: 256, ..Teams::HARDWARE };
    let builder = GpuSampler::builder()
        .tune(|tuning| tuning.with_device_kind(DeviceKind::Teams(with_large_workgroups)));
    same(&sampler(adapter, builder)?, 10_000, 3)?;
    same(
        &sampler(adapter, GpuSampler::builder().tune(|tuning| tuning.with_filter(false)))?,
        10_000,
        3,
    )
}

/// Logits in ascending order, all equal, and of every size.
fn a_thousand_places(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = sampler(adapter, GpuSampler::builder())?;
    let fills: [fn(usize) -> f32; 3] = [
        |i| i as f32 / 1000.0,
        |_| 1.5,
        |i| f32::from_bits((i as u32).wrapping_mul(2_654_435_761) & 0xff7f_ffff),
    ];
    for fill in fills {
        let logits: Vec<f32> = (0..30_000).map(fill).collect();
        let batch = Logits::new(&logits, 15_000)?;
        for k in [100, 1024] {
            let options = SampleOptions::default().with_seed(k as u64);
            let expected = reference::race_rows(batch, &options, k)?;
            let same = gpu.race_rows(batch, &options, k)? == expected;
            ensure(same, || format!("{k} k differ"))?;
        }
    }
    Ok(())
}

/// Every row is cut into segments, and several of its draws run side by side.
fn places_in_small_pieces(adapter: &AdapterReport) -> Result<(), Failed> {
    let builder = GpuSampler::builder().with_chunk_bytes(1 << 13);
    let gpu = sampler(adapter, builder)?;
    let logits: Vec<f32> = (0..3 * 7001).map(|i| (i * 7919 % 1009) as f32 / 128.0).collect();
    let batch = Logits::new(&logits, 7001)?;
    let options = SampleOptions::default().with_draws(4).with_first_row(9);
    // for k = 154 a record has 8,164 bytes, the largest that fits into a chunk
    for k in [2, 30, 154] {
        let expected = reference::race_rows(batch, &options, k)?;
        let same = gpu.race_rows(batch, &options, k)? == expected;
        ensure(same, || format!("{k} k differ"))?;
    }
    for too_many in [155, 2000] {
        let error = gpu.race_rows(batch, &options, too_many).err();
        let refused = matches!(error, Some(Error::TopKTooLarge { races: 12, k })
            if k == too_many);
        ensure(refused, || format!("{error:?}"))?;
    }
    Ok(())
}

/// Estimates are those of the CPU, bit for bit, since they are made from the same keys.
fn estimates(adapter: &AdapterReport) -> Result<(), Failed> {
    let (gpu, cpu) = (sampler(adapter, GpuSampler::builder())?, CpuSampler::new());
    let bits = |estimates: Vec<LogZ>| -> Vec<_> {
        let of_row = |z: &LogZ| [z.estimate.to_bits(), z.standard_error.to_bits()];
        estimates.iter().map(of_row).collect()
    };
    // and of the smallest cases of rows with options of their own, and of those that are copied or restricted
    let others = conformance::per_row_cases().chain(conformance::copied_cases());
    let others = others.chain(conformance::restricted_cases());
    for case in cases(30_000).chain(others.filter(|case| case.work() <= 3000)) {
        let (batch, options) = (case.batch(), case.warm_options());
        let expected = bits(cpu.estimate_log_z(batch, &options)?);
        let same = bits(gpu.estimate_log_z(batch, &options)?) == expected;
        ensure(same, || format!("{case}: estimates differ"))?;
    }
    Ok(())
}

fn what_is_wrong_is_named(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = sampler(adapter, GpuSampler::builder())?;
    let weights = [1.0, 2.0, 1.0, -2.0, 0.0, 0.0];
    let batch = Weights::new(&weights, 2)?;
    let options = SampleOptions::default();
    for k in [1, 2] {
        let error = gpu.race_rows(batch, &options, k).err().map(|error| error.to_string());
        let expected = "row 1 has no draw: its weight of category 1 is -2; a weight is 0 or positive, and finite";
        ensure(error.as_deref() == Some(expected), || format!("{error:?}"))?;
    }
    let error = gpu.logsumexp_rows(batch, &options).err();
    ensure(matches!(error, Some(Error::UndrawableRow { row: 1, .. })), || format!("{error:?}"))?;
    let error = gpu.race_rows(batch, &options.with_temperature(0.0), 1).err();
    ensure(matches!(error, Some(Error::NoNoise { .. })), || format!("{error:?}"))
}

fn faults_are_seen(adapter: &AdapterReport) -> Result<(), Failed> {
    let of_places: [fn(String) -> String; 2] = [
        // a cutoff that excludes too many
        |source| source.replace("lower_end(top, bin)", "lower_end(top, bin / 2u)"),
        |source| source.replace("draws[to + 2u] = one.key.y;", "draws[to + 2u] = one.key.x;"),
    ];
    for edit in of_places {
        let gpu = sampler(adapter, GpuSampler::builder().with_shader_edit(edit))?;
        let seen = wrong_top_k(&gpu, cases(6000), 3)?.is_some();
        ensure(seen, || "a fault of k was not seen".to_owned())?;
    }
    let edit = |source: String| source.replace("UNFINISHED | KEYED |", "UNFINISHED |");
    let builder = GpuSampler::builder()
        .tune(|tuning| tuning.with_device_kind(DeviceKind::Emulation))
        .with_shader_edit(edit);
    let seen = wrong_top_k(&sampler(adapter, builder)?, cases(6000), 1)?.is_some();
    ensure(seen, || "a key that was not evaluated was not seen".to_owned())
}
