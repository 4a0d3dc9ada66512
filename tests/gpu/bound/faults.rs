//! Self-tests: the comparison sees a fault in code that is only for batches on the device.

use gumbel::{AdapterReport, DeviceKind, GpuSampler, ValueFormat};
use libtest_mimic::Failed;

use super::super::draws::sampler;
use super::super::faults::replaced;
use super::super::probe::{self, Engine, Twin};
use super::super::{Check, ensure};
use super::batch::{Batch, value_of, words};
use super::each::temperatures;
use super::shared;

use ValueFormat::{Bf16, F16, F32};

pub(crate) const CHECKS: &[(&str, Check)] = &[
    ("bound::halves_as_floats", halves_as_floats),
    ("bound::flushed_subnormals_are_seen", flushed_subnormals_are_seen),
    ("bound::faults_in_loads_are_seen", faults_in_loads_are_seen),
    ("bound::faults_in_rows_are_seen", faults_in_rows_are_seen),
];

/// Checks that each batch has the right draws without the faults, and wrong draws with them.
///
/// Some drivers take seconds to compile a shader, so one sampler has several faults, and each batch
/// meets one of them.
pub(crate) fn seen(
    adapter: &AdapterReport,
    edit: fn(String) -> String,
    batches: &[(&str, Batch)],
) -> Result<(), Failed> {
    let right = shared(adapter, DeviceKind::Emulation)?;
    let builder =
        GpuSampler::builder().tune(|tuning| tuning.with_device_kind(DeviceKind::Emulation));
    let faulty = sampler(adapter, builder.with_shader_edit(edit))?;
    for (fault, batch) in batches {
        batch.same(&right, fault)?;
        let mismatches = batch.mismatches(&faulty)?;
        ensure(mismatches > 0, || format!("not seen: {fault}"))?;
    }
    Ok(())
}

/// Each variant of loading has a fault of its own.
fn faults_in_loads_are_seen(adapter: &AdapterReport) -> Result<(), Failed> {
    // the shader loads 16 bytes at once only where the buffer extends as far
    let batch =
        |format, row_stride| Batch { slack: 16, ..Batch::normal(format, 30, 30, row_stride) };
    let edit = |source: String| {
        source
            .replace("logits[four + 1u]", "logits[four]")
            .replace("logits[at + 7u]", "logits[at + 6u]")
            .replace("(16u * (at & 1u))", "0u")
            .replace("even.x, odd.x", "odd.x, even.x")
    };
    let batches = [
        ("half of an octet twice", batch(F32, 32)),
        ("a logit twice", batch(F32, 31)),
        ("nothing but lower halves", batch(F16, 31)),
        ("halves in the wrong order", batch(Bf16, 32)),
    ];
    seen(adapter, edit, &batches)?;
    let uncut = |source: String| source.replace("if count >= 8u {", "if count >= 1u {");
    seen(adapter, uncut, &[("logits of the next row", batch(Bf16, 30))])
}

/// Each of the parameters that a row may have of its own has a fault, which batches without that
/// parameter do not meet.
fn faults_in_rows_are_seen(adapter: &AdapterReport) -> Result<(), Failed> {
    let rows = 60;
    let plain = || Batch { draws: 2, ..Batch::normal(F32, rows, 40, 40) };
    let words = || Some((0..u64::from(rows)).map(|row| row << 40).collect());
    let temperatures = || Some(temperatures(rows));

    let edit = |source: String| {
        source
            .replace("id = row_ids[position];", "id.x = row_ids[position].x;")
            .replace("seed = seeds[position];", "seed.x = seeds[position].x;")
            .replace("number += first;", "")
            .replace("source = row_indices[position];", "")
            .replace("(252u - exponent)", "(253u - exponent)")
    };
    let batches = [
        ("half an id", Batch { row_ids: words(), ..plain() }),
        ("half a seed", Batch { seeds: words(), ..plain() }),
        ("no first draw", Batch { first_draws: Some((0..rows).collect()), ..plain() }),
        ("not gathered", Batch { row_indices: Some((0..rows).rev().collect()), ..plain() }),
        ("half of a temperature", Batch { temperatures: temperatures(), ..plain() }),
    ];
    seen(adapter, edit, &batches)?;

    let edit = |source: String| {
        source
            .replace("step_of_call.first_draw", "step_of_call.first_draw % 8u")
            .replace("<= 0x80000000u - run.draws", "<= 0x80000001u - run.draws")
            .replace(
                "source_of(position) < run.source_rows",
                "source_of(position) <= run.source_rows",
            )
            .replace("temperature <= 0x71800000u", "true")
    };
    let last = (0..rows).map(|row| (1 << 31) - 1 - row % 4).collect();
    let hot = (0..rows).map(|row| [1.0, 2e30][row as usize % 2]).collect();
    let batches = [
        ("another step", Batch { first_draw: 8, ..plain() }),
        ("a draw too many", Batch { first_draws: Some(last), ..plain() }),
        ("a row index too many", Batch { row_indices: Some((1..=rows).collect()), ..plain() }),
        ("too large a temperature", Batch { temperatures: Some(hot), ..plain() }),
    ];
    seen(adapter, edit, &batches)?;

    let edit =
        |source: String| source.replace("filter_of(temperature.scale)", "filter_of(0x3f800000u)");
    let batch = Batch { temperatures: temperatures(), ..plain() };
    seen(adapter, edit, &[("a filter for temperature 1", batch)])
}

/// Items of four patterns of 16 bits, and the numbers that they stand for.
fn halves(format: ValueFormat) -> (Engine, Twin, Vec<[probe::Words; 2]>) {
    let items = (0..1 << 14).map(|i| [[0, 1, 2, 3].map(|k| 4 * i + k), [0; 4]]).collect();
    let rust: fn(probe::Words, probe::Words) -> probe::Words = match format {
        F16 => |x, _| x.map(|bits| exactly(F16, bits)),
        _ => |x, _| x.map(|bits| exactly(Bf16, bits)),
    };
    (Engine::Halves(format), Twin { wgsl: "widen(x)", rust }, items)
}

/// Returns the bits of the number. A NaN keeps its own bits, which a conversion in floats might
/// quieten.
fn exactly(format: ValueFormat, bits: u32) -> u32 {
    let value = value_of(format, bits);
    match format {
        F16 if value.is_nan() => (bits & 0x8000) << 16 | 0x7f80_0000 | (bits & 0x3ff) << 13,
        Bf16 if value.is_nan() => bits << 16,
        _ => value.to_bits(),
    }
}

/// All 65,536 patterns of both formats, bit for bit.
fn halves_as_floats(adapter: &AdapterReport) -> Result<(), Failed> {
    for format in [F16, Bf16] {
        let (engine, twin, items) = halves(format);
        probe::same_in(adapter, engine, &twin, &items)?;
    }
    Ok(())
}

/// The comparison of words and the comparison of draws both see flushed subnormals.
fn flushed_subnormals_are_seen(adapter: &AdapterReport) -> Result<(), Failed> {
    const RIGHT: &str = "select(normal, small, magnitude < vec4<u32>(0x400u))";
    const WRONG: &str = "select(normal, vec4<u32>(0u), magnitude < vec4<u32>(0x400u))";
    let (engine, twin, items) = halves(F16);
    let edit = |source: String| replaced(source, RIGHT, WRONG);
    let differences = probe::differences_in(adapter, engine, &twin, &items, edit)?;
    // items of four patterns; subnormals of both signs
    ensure(differences.iter().all(|&n| n == 2 * 256), || format!("{differences:?}"))?;
    let logits = words(30 * 30).map(|word| word & 0x83ff).collect();
    let batch = Batch { temperature: 0.0, ..Batch::new(F16, logits, 30, 30) };
    let edit = |source: String| source.replace(RIGHT, WRONG);
    seen(adapter, edit, &[("flushed subnormals", batch)])
}
