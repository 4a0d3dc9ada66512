//! Rows with options of their own, and gathered rows, on the GPU.

use gumbel::conformance::{self, Case};
use gumbel::{AdapterReport, DeviceKind, GpuSampler, GpuSamplerBuilder};
use libtest_mimic::Failed;

use super::calls_of_rows::{agree, agree_on};
use super::draws::sampler;
use super::{Check, ensure};

pub(crate) const CHECKS: &[(&str, Check)] = &[
    ("per_row::conformance", conformance),
    ("per_row::in_small_pieces", in_small_pieces),
    ("per_row::a_call_gives_what_the_calls_for_its_rows_give", calls_of_rows),
    ("per_row::faults_are_seen", faults_are_seen),
];

/// Returns the first case of at most this much work in which draws, or the first k of races, are not the reference's.
fn wrong(gpu: &GpuSampler, work: usize) -> Result<Option<String>, Failed> {
    // the device gets copies as it gets other rows: what is large is in the CPU's tests
    let copied = conformance::copied_cases().filter(|case| case.work() <= 12_000);
    let restricted = conformance::restricted_cases().filter(|case| case.work() <= 3000);
    let copied = copied.chain(restricted);
    let cases = conformance::per_row_cases().chain(copied);
    for case in cases.filter(|case: &Case| case.work() <= work) {
        if case.mismatches(gpu, &case.expected())? > 0 {
            return Ok(Some(format!("{case}: draws")));
        }
        for k in [1, 3] {
            if case.race_mismatches(gpu, &case.expected_race(k)?)? > 0 {
                return Ok(Some(format!("{case}: the first {k}")));
            }
        }
    }
    Ok(None)
}

fn same(adapter: &AdapterReport, builder: GpuSamplerBuilder, work: usize) -> Result<(), Failed> {
    match wrong(&sampler(adapter, builder)?, work)? {
        Some(wrong) => Err(wrong.into()),
        None => Ok(()),
    }
}

fn conformance(adapter: &AdapterReport) -> Result<(), Failed> {
    for kind in [DeviceKind::Hardware, DeviceKind::Emulation] {
        same(adapter, GpuSampler::builder().tune(|tuning| tuning.with_device_kind(kind)), 100_000)?;
    }
    Ok(())
}

/// Chunks of few rows, so that what a row has of its own is not at the beginning of what was given; and rows that are cut.
fn in_small_pieces(adapter: &AdapterReport) -> Result<(), Failed> {
    same(adapter, GpuSampler::builder().with_chunk_bytes(1 << 12), 60_000)
}

fn calls_of_rows(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = sampler(adapter, GpuSampler::builder())?;
    agree(&gpu, 1e-4)?;
    // rows of f64 are copied, and each is relative to its own largest logit
    agree_on(&gpu, 1e-4, &[1, 50], |logit| f64::from(logit) * 3.0 - 1e6)?;
    Ok(())
}

fn faults_are_seen(adapter: &AdapterReport) -> Result<(), Failed> {
    let faults: [fn(String) -> String; 4] = [
        |source| source.replace("seeds[position]", "seeds[0u]"),
        |source| source.replace("temperatures[position]", "temperatures[0u]"),
        |source| source.replace("number += first;", ""),
        |source| source.replace("row_ids[position]", "row_ids[position / 2u]"),
    ];
    for (number, edit) in faults.into_iter().enumerate() {
        let gpu = sampler(adapter, GpuSampler::builder().with_shader_edit(edit))?;
        let seen = wrong(&gpu, 10_000)?.is_some();
        ensure(seen, || format!("fault {number} was not seen"))?;
    }
    Ok(())
}
