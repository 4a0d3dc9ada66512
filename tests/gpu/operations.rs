//! The race, its places and the sums of rows on the GPU: the reference's keys, bit for bit, and sums
//! within what is stated.

use gumbel::conformance::{self, Case};
use gumbel::{
    AdapterReport, CpuSampler, Error, GpuSampler, LogZ, Logits, Method, NO_DRAW, PlanFor,
    SampleOptions, Weights, reference,
};
use libtest_mimic::Failed;

use super::draws::sampler;
use super::values::{furthest, log_probs};
use super::{Check, ensure};

pub(crate) const CHECKS: &[(&str, Check)] = &[
    ("operations::keys", keys),
    ("operations::places", places),
    ("operations::a_thousand_places", a_thousand_places),
    ("operations::places_in_small_pieces", places_in_small_pieces),
    ("operations::sums", sums),
    ("operations::scores", scores),
    ("operations::scores_by_inverse_cdf", scores_by_inverse_cdf),
    ("operations::rows_without_a_draw", rows_without_a_draw),
    ("operations::estimates", estimates),
    ("operations::what_is_wrong_is_named", what_is_wrong_is_named),
    ("operations::faults_are_seen", faults_are_seen),
];

fn cases(work: usize) -> impl Iterator<Item = Case> {
    conformance::cases().filter(move |case| {
        let of_case = case.batch().rows() * case.batch().categories();
        case.options().temperature > 0.0 && of_case * (case.options().draws as usize) < work
    })
}

/// How many places of all cases are not the reference's.
fn wrong_places(gpu: &GpuSampler, work: usize, places: usize) -> Result<Vec<String>, Failed> {
    let mut wrong = Vec::new();
    for case in cases(work) {
        let (batch, options) = (case.batch(), case.options());
        let expected = reference::race_rows(batch, &options, places)?;
        let found = gpu.race_rows(batch, &options, places)?;
        if found != expected {
            wrong.push(format!("{case}, {places} places"));
        }
    }
    Ok(wrong)
}

fn same(gpu: &GpuSampler, work: usize, places: usize) -> Result<(), Failed> {
    let wrong = wrong_places(gpu, work, places)?;
    ensure(wrong.is_empty(), || wrong.join("\n"))
}

fn keys(adapter: &AdapterReport) -> Result<(), Failed> {
    for plan_for in [PlanFor::Hardware, PlanFor::Emulation] {
        same(&sampler(adapter, GpuSampler::builder().with_plan_for(plan_for))?, 60_000, 1)?;
    }
    // rows that are cut
    let builder = GpuSampler::builder().with_plan_for(PlanFor::Hardware).with_chunk_bytes(1 << 11);
    same(&sampler(adapter, builder)?, 10_000, 1)
}

fn places(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = sampler(adapter, GpuSampler::builder())?;
    same(&gpu, 60_000, 3)?;
    same(&gpu, 10_000, 300)?;
    same(&sampler(adapter, GpuSampler::builder().with_filter(false))?, 10_000, 3)
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
        for places in [100, 1024] {
            let options = SampleOptions::default().with_seed(places as u64);
            let expected = reference::race_rows(batch, &options, places)?;
            let same = gpu.race_rows(batch, &options, places)? == expected;
            ensure(same, || format!("{places} places differ"))?;
        }
    }
    Ok(())
}

/// Every row is cut into segments, several draws of it side by side.
fn places_in_small_pieces(adapter: &AdapterReport) -> Result<(), Failed> {
    let builder = GpuSampler::builder().with_chunk_bytes(1 << 13);
    let gpu = sampler(adapter, builder)?;
    let logits: Vec<f32> = (0..3 * 7001).map(|i| (i * 7919 % 1009) as f32 / 128.0).collect();
    let batch = Logits::new(&logits, 7001)?;
    let options = SampleOptions::default().with_draws(4).with_first_row(9);
    for places in [2, 30] {
        let expected = reference::race_rows(batch, &options, places)?;
        let same = gpu.race_rows(batch, &options, places)? == expected;
        ensure(same, || format!("{places} places differ"))?;
    }
    // a record of so many does not fit into a chunk
    let error = gpu.race_rows(batch, &options, 2000).err();
    ensure(matches!(error, Some(Error::TooManyPlaces { races: 12, places: 2000 })), || {
        format!("{error:?}")
    })
}

/// What the documentation states of a sum.
fn tolerance(expected: f64) -> f64 {
    2e-5 + 4e-7 * expected.abs()
}

/// The largest difference from sums in f64, in units of what is stated.
fn worst(found: &[f64], expected: &[f64]) -> Option<f64> {
    let mut worst = 0f64;
    for (found, expected) in found.iter().zip(expected) {
        if found.is_nan() != expected.is_nan() {
            return None;
        }
        let difference = (found - expected).abs() / tolerance(*expected);
        worst = if difference > worst { difference } else { worst };
    }
    (found.len() == expected.len()).then_some(worst)
}

fn sums(adapter: &AdapterReport) -> Result<(), Failed> {
    let usual = sampler(adapter, GpuSampler::builder())?;
    let cut = sampler(adapter, GpuSampler::builder().with_chunk_bytes(1 << 11))?;
    let mut most = 0f64;
    for (gpu, work) in [(usual, 100_000), (cut, 10_000)] {
        for case in cases(work) {
            let (batch, options) = (case.batch(), case.options());
            let expected = reference::logsumexp_rows(batch, &options)?;
            let found = worst(&gpu.logsumexp_rows(batch, &options)?, &expected);
            ensure(found.is_some_and(|worst| worst <= 1.0), || format!("{case}: {found:?}"))?;
            most = most.max(found.unwrap_or_default());
        }
    }
    ensure(most > 0.001, || format!("the tolerance is loose: {most}"))
}

/// The draws, the sums and the log-probabilities of all cases with less work than this.
fn scores_of(gpu: &GpuSampler, work: usize, method: Method) -> Result<(), Failed> {
    for case in cases(work) {
        let (batch, options) = (case.batch(), case.options().with_method(method));
        let scored = gpu.sample_rows_scored(batch, &options)?;
        let draws = reference::sample_rows(batch, &options)?;
        ensure(scored.draws == draws, || format!("{case}: draws differ"))?;
        let sums = reference::logsumexp_rows(batch, &options)?;
        let near = worst(&scored.logsumexps, &sums).is_some_and(|worst| worst <= 1.0);
        ensure(near, || format!("{case}: sums differ"))?;
        // log softmax at the draw is as near as the row's sum
        let expected = log_probs(batch, &options, &draws, &sums);
        let worst = furthest(&scored.log_probs, &expected, &sums, tolerance);
        ensure(worst <= 1.0, || format!("{case}: log-probabilities are {worst} tolerances off"))?;
    }
    Ok(())
}

fn scores(adapter: &AdapterReport) -> Result<(), Failed> {
    scores_of(&sampler(adapter, GpuSampler::builder())?, 30_000, Method::Gumbel)?;
    let cut = sampler(adapter, GpuSampler::builder().with_chunk_bytes(1 << 11))?;
    scores_of(&cut, 6000, Method::Gumbel)
}

fn scores_by_inverse_cdf(adapter: &AdapterReport) -> Result<(), Failed> {
    scores_of(&sampler(adapter, GpuSampler::builder())?, 30_000, Method::InverseCdf)
}

/// A row without a draw has the sentinel and no number, by either method, and harms no other row.
fn rows_without_a_draw(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = sampler(adapter, GpuSampler::builder())?;
    let weights = [1.0, 2.0, 4.0, f32::NAN, 0.0, 0.0, 3.0, 0.0];
    let batch = Weights::new(&weights, 2)?;
    for method in [Method::Gumbel, Method::InverseCdf] {
        let options = SampleOptions::default().with_draws(2).with_method(method);
        let error = gpu.sample_rows_scored(batch, &options).err();
        ensure(matches!(error, Some(Error::UndrawableRow { row: 1, .. })), || {
            format!("{error:?}")
        })?;
        let scored = gpu.sample_rows_scored(batch, &options.with_sentinels(true))?;
        let draws = scored.draws.iter().map(|&draw| draw == NO_DRAW);
        let none = [false, false, true, true, true, true, false, false];
        let as_due = draws.eq(none)
            && scored.log_probs.iter().map(|log_prob| log_prob.is_nan()).eq(none)
            && scored.logsumexps.iter().map(|sum| sum.is_nan()).eq([false, true, true, false])
            && scored.draws[6..] == [0, 0];
        ensure(as_due, || format!("{scored:?}"))?;
        let one = scored.log_probs[6].abs().max((scored.logsumexps[3] - 3f64.ln()).abs());
        ensure(one < tolerance(1.1), || format!("{scored:?}"))?;
    }
    Ok(())
}

/// Estimates are those of the CPU, bit for bit, since the keys that they are made of are.
fn estimates(adapter: &AdapterReport) -> Result<(), Failed> {
    let (gpu, cpu) = (sampler(adapter, GpuSampler::builder())?, CpuSampler::new());
    let bits = |estimates: Vec<LogZ>| -> Vec<_> {
        let of_row = |z: &LogZ| [z.estimate.to_bits(), z.standard_error.to_bits()];
        estimates.iter().map(of_row).collect()
    };
    for case in cases(30_000) {
        let (batch, options) = (case.batch(), case.options());
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
    for places in [1, 2] {
        let error = gpu.race_rows(batch, &options, places).err().map(|error| error.to_string());
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
        // a floor that shuts out too many
        |source| source.replace("lower_end(top, bin)", "lower_end(top, bin / 2u)"),
        |source| source.replace("draws[to + 2u] = one.key.y;", "draws[to + 2u] = one.key.x;"),
    ];
    for edit in of_places {
        let gpu = sampler(adapter, GpuSampler::builder().with_shader_edit(edit))?;
        let seen = !wrong_places(&gpu, 6000, 3)?.is_empty();
        ensure(seen, || "a fault of places was not seen".to_owned())?;
    }
    let told = |source: String| source.replace("UNFINISHED | KEYED)) == 0u", "UNFINISHED)) == 0u");
    let builder = GpuSampler::builder().with_plan_for(PlanFor::Emulation).with_shader_edit(told);
    let seen = !wrong_places(&sampler(adapter, builder)?, 6000, 1)?.is_empty();
    ensure(seen, || "a key that was not evaluated was not seen".to_owned())?;
    let half = |source: String| source.replace("(2.0 * inverse)", "inverse");
    let gpu = sampler(adapter, GpuSampler::builder().with_shader_edit(half))?;
    let batch = Logits::new(&[0.0, 1.0], 2)?;
    let found = gpu.logsumexp_rows(batch, &SampleOptions::default())?;
    let expected = [(1.0 + 1f64.exp()).ln()];
    ensure(worst(&found, &expected).is_none_or(|worst| worst > 1.0), || format!("{found:?}"))
}
