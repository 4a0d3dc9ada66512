//! The sums of rows and the log-probabilities made from them, on the GPU: within the documented
//! errors.

use gumbel::conformance::{self, Case};
use gumbel::{
    AdapterReport, CpuSampler, DeviceKind, Error, GpuSampler, GpuSamplerBuilder, Logits, Method,
    NO_DRAW, SampleOptions, Tuning, Weights, reference,
};
use libtest_mimic::Failed;

use super::conformance::smallest_of_each_kind;
use super::draws::sampler;
use super::operations::{cases, takes};
use super::values::{
    furthest, log_probs, log_probs_by_logsumexp, log_probs_in_single, next, shifted_rows,
};
use super::{Check, ensure};

pub(crate) const CHECKS: &[(&str, Check)] = &[
    ("sums::of_cases", of_cases),
    ("sums::of_long_rows", of_long_rows),
    ("sums::scores", scores),
    ("sums::scores_of_shifted_rows", scores_of_shifted_rows),
    ("sums::scores_of_many_draws", scores_of_many_draws),
    ("sums::scores_by_inverse_cdf", scores_by_inverse_cdf),
    ("sums::rows_without_a_draw", rows_without_a_draw),
    ("sums::faults_are_seen", faults_are_seen),
];

/// A software adapter takes a minute or more for this.
pub(crate) const LONG_CHECKS: &[(&str, Check)] =
    &[("sums::long::scores_of_all_cases", |adapter| {
        for (builder, work) in samplers() {
            let (count, seen) =
                scores_of(&sampler(adapter, builder)?, cases(work), Method::Gumbel)?;
            noticed(count, seen)?;
        }
        Ok(())
    })];

/// The error of a log-probability that the documentation promises.
const PROMISED: f64 = 2e-5;

/// Returns the error of a sum that the documentation promises.
fn tolerance(expected: f64) -> f64 {
    2e-5 + 4e-7 * expected.abs()
}

/// Returns the largest difference from sums in f64, in units of the promised error.
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

/// Returns samplers, each with the most work of a case that it takes: rows by one invocation, by a team and in parts;
/// one draw and several, for which a hardware GPU holds logits in registers; and rows that are cut into segments.
fn samplers() -> [(GpuSamplerBuilder, usize); 5] {
    let planned =
        |device_kind| GpuSampler::builder().tune(|tuning| tuning.with_device_kind(device_kind));
    let small = |tuning: Tuning| tuning.with_subgroups(false).with_workgroup_size(4);
    let in_one_part = |tuning: Tuning| tuning.with_busy_invocations(1);
    [
        (planned(DeviceKind::Hardware), 30_000),
        (planned(DeviceKind::Hardware).tune(in_one_part), 30_000),
        (planned(DeviceKind::Emulation), 30_000),
        (GpuSampler::builder().tune(small), 6000),
        (GpuSampler::builder().with_chunk_bytes(1 << 11), 10_000),
    ]
}

fn of_cases(adapter: &AdapterReport) -> Result<(), Failed> {
    let mut most = 0f64;
    for (builder, work) in samplers() {
        let gpu = sampler(adapter, builder)?;
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

/// Returns the largest error of the sums of long rows, whose roundings mostly go one way.
fn worst_of_long_rows(gpu: &GpuSampler) -> Result<f64, Failed> {
    let mut most = 0f64;
    // the first has the most octets that each of eight invocations may have
    let shapes = [(1 << 17, 40), (1_000_003, 2), (3_000_000, 2)];
    for (categories, i) in shapes.into_iter().flat_map(|(n, each)| (1..=each).map(move |i| (n, i)))
    {
        let unlikely = i as f32 * -0.0877;
        let logits: Vec<f32> =
            (0..categories).map(|i| if i % 8 == 0 { 0.0 } else { unlikely }).collect();
        let batch = Logits::new(&logits, categories)?;
        let options = SampleOptions::default();
        let likely = categories.div_ceil(8);
        let terms = likely as f64 + (categories - likely) as f64 * f64::from(unlikely).exp();
        let scored = gpu.sample_rows_scored(batch, &options)?;
        for found in [gpu.logsumexp_rows(batch, &options)?, scored.logsumexps] {
            most = most.max(worst(&found, &[terms.ln()]).unwrap_or(f64::INFINITY));
        }
    }
    Ok(most)
}

fn of_long_rows(adapter: &AdapterReport) -> Result<(), Failed> {
    for device_kind in [DeviceKind::Hardware, DeviceKind::Emulation] {
        for busy in [1, 1 << 12] {
            let builder = GpuSampler::builder()
                .tune(|tuning| tuning.with_device_kind(device_kind).with_busy_invocations(busy));
            let worst = worst_of_long_rows(&sampler(adapter, builder)?)?;
            ensure(worst <= 0.5, || format!("{device_kind:?}: {worst}"))?;
        }
    }
    Ok(())
}

/// Checks the draws, the sums and the log-probabilities of cases. Returns how many cases there are, and in how many of them a
/// log-probability of the category after the drawn one is noticed.
fn scores_of(
    gpu: &GpuSampler,
    cases: impl Iterator<Item = Case>,
    method: Method,
) -> Result<(usize, usize), Failed> {
    let (mut count, mut seen) = (0, 0);
    for case in cases {
        let (batch, options) = (case.batch(), case.options().with_method(method));
        let scored = gpu.sample_rows_scored(batch, &options)?;
        let draws = reference::sample_rows(batch, &options)?;
        ensure(scored.draws == draws, || format!("{case}: draws differ"))?;
        let sums = reference::logsumexp_rows(batch, &options)?;
        let near = worst(&scored.logsumexps, &sums).is_some_and(|worst| worst <= 1.0);
        ensure(near, || format!("{case}: sums differ"))?;
        let off = |draws: &[u32]| {
            furthest(&scored.log_probs, &log_probs(batch, &options, draws), PROMISED)
        };
        let worst = off(&draws);
        ensure(worst <= 1.0, || format!("{case}: log-probabilities are {worst} tolerances off"))?;
        count += 1;
        seen += usize::from(off(&next(&draws, batch.categories())) > 1.0);
    }
    Ok((count, seen))
}

/// In few cases the next category is not noticed: in those rows are flat or have one category.
fn noticed(count: usize, seen: usize) -> Result<(), Failed> {
    ensure(10 * seen > 7 * count, || format!("the next category is seen in {seen} of {count}"))
}

/// Like the CPU's, log-probabilities do not change when a number is added to all logits.
fn scores_of_shifted_rows(adapter: &AdapterReport) -> Result<(), Failed> {
    for (builder, _) in samplers() {
        let gpu = sampler(adapter, builder)?;
        for rows in shifted_rows() {
            let batch = Logits::new(&rows.logits, rows.categories)?.into();
            for (method, draws) in
                [(Method::Gumbel, 1), (Method::Gumbel, 5), (Method::InverseCdf, 5)]
            {
                let options = SampleOptions::default().with_method(method).with_draws(draws);
                let scored = gpu.sample_rows_scored(batch, &options)?;
                let expected = log_probs(batch, &options, &scored.draws);
                let name = || format!("{:e}, {}, {method:?}", rows.shift, rows.categories);
                let worst = furthest(&scored.log_probs, &expected, PROMISED);
                ensure(worst <= 1.0, || format!("{}: {worst}", name()))?;

                let faulty = log_probs_by_logsumexp(batch, &options, &scored.draws);
                let seen = furthest(&faulty, &expected, PROMISED) > 1.0;
                ensure(seen == rows.beyond_f64, || format!("{}: logsumexp", name()))?;
                let faulty = log_probs_in_single(batch, &options, &scored.draws);
                let seen = furthest(&faulty, &expected, PROMISED) > 1.0;
                ensure(seen == (rows.shift != 0.0), || format!("{}: in f32", name()))?;
            }
        }
    }
    Ok(())
}

/// All cases by the first sampler; by the others, the smallest that have the aspects of plans which none before has.
fn scores(adapter: &AdapterReport) -> Result<(), Failed> {
    let samplers = samplers();
    let chosen = smallest_of_each_kind(adapter, &samplers, takes)?;
    for (i, ((builder, work), chosen)) in samplers.into_iter().zip(chosen).enumerate() {
        let drawn =
            |&(number, ref case): &_| chosen.contains(&number) || i == 0 && takes(case, work);
        let cases = conformance::cases().enumerate().filter(drawn);
        let cases = cases.map(|(_, case)| case);
        let (count, seen) = scores_of(&sampler(adapter, builder)?, cases, Method::Gumbel)?;
        ensure(count > 0, || format!("no case for sampler {i}"))?;
        if i == 0 {
            noticed(count, seen)?;
        }
    }
    Ok(())
}

/// More draws of a row than a chunk holds: the sum that is taken with the first ones is the row's
/// sum.
fn scores_of_many_draws(adapter: &AdapterReport) -> Result<(), Failed> {
    let logits: Vec<f32> = (0..2 << 16u64).map(|i: u64| (i * 7919 % 1009) as f32 / 128.0).collect();
    let batch = Logits::new(&logits, 1 << 16)?;
    let options = SampleOptions::default().with_draws(2100);
    let expected = CpuSampler::new().sample_rows_scored(batch, &options)?;
    for device_kind in [DeviceKind::Hardware, DeviceKind::Emulation] {
        let gpu = sampler(
            adapter,
            GpuSampler::builder().tune(|tuning| tuning.with_device_kind(device_kind)),
        )?;
        let scored = gpu.sample_rows_scored(batch, &options)?;
        ensure(scored.draws == expected.draws, || format!("{device_kind:?}: draws differ"))?;
        let worst = worst(&scored.logsumexps, &expected.logsumexps);
        ensure(worst.is_some_and(|worst| worst <= 1.0), || format!("{device_kind:?}: {worst:?}"))?;
    }
    Ok(())
}

fn scores_by_inverse_cdf(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = sampler(adapter, GpuSampler::builder())?;
    let (count, seen) = scores_of(&gpu, cases(30_000), Method::InverseCdf)?;
    noticed(count, seen)
}

/// A row without a draw has the sentinel and no log-probability, by either method, and harms no
/// other row.
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

/// Returns whether the sums of a case are further off than is promised.
fn a_sum_is_off(gpu: &GpuSampler) -> Result<bool, Failed> {
    for case in cases(10_000) {
        let (batch, options) = (case.batch(), case.options());
        let expected = reference::logsumexp_rows(batch, &options)?;
        let found = gpu.logsumexp_rows(batch, &options)?;
        if worst(&found, &expected).is_none_or(|worst| worst > 1.0) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Returns whether the log-probabilities of a case, or the sums that come with them, are further off than is promised.
fn a_score_is_off(gpu: &GpuSampler) -> Result<bool, Failed> {
    for case in cases(10_000) {
        let (batch, options) = (case.batch(), case.options());
        let scored = gpu.sample_rows_scored(batch, &options)?;
        let expected = reference::sample_rows_scored(batch, &options)?;
        let sums = worst(&scored.logsumexps, &expected.logsumexps);
        if sums.is_none_or(|worst| worst > 1.0)
            || furthest(&scored.log_probs, &expected.log_probs, PROMISED) > 1.0
        {
            return Ok(true);
        }
    }
    Ok(false)
}

fn a_long_row_is_off(gpu: &GpuSampler) -> Result<bool, Failed> {
    Ok(worst_of_long_rows(gpu)? > 1.0)
}

fn faults_are_seen(adapter: &AdapterReport) -> Result<(), Failed> {
    type Fault = (fn(String) -> String, fn(&GpuSampler) -> Result<bool, Failed>);
    let faults: [Fault; 8] = [
        (|source| source.replace("(2.0 * inverse)", "inverse"), a_sum_is_off),
        (|source| source.replace("+ 0.33333334) * q + 1.0", ") * q + 1.0"), a_sum_is_off),
        (
            |source| {
                source.replace(
                    "floats_of(m.mantissa - mantissa) - lost",
                    "floats_of(m.mantissa - mantissa)",
                )
            },
            a_sum_is_off,
        ),
        (|source| source.replace("if second < end {", "if second + 1u < end {"), a_sum_is_off),
        (
            |source| source.replace("invalid |= any_invalid[", "invalid |= 0u & any_invalid["),
            a_sum_is_off,
        ),
        (|source| source.replace("running_sums.pairs % FEW == 0u", "false"), a_long_row_is_off),
        // faults in the sums of the pass that draws
        (
            |source| source.replace("first_draw && (run.flags", "task.number == 0u && (run.flags"),
            a_score_is_off,
        ),
        (
            |source| {
                source.replace(
                    "select(0u, end, first_draw",
                    "select(0u, max(end, 1u) - 1u, first_draw",
                )
            },
            a_score_is_off,
        ),
    ];
    faults.into_iter().enumerate().try_for_each(|(i, (edit, of))| {
        // the emulation's layout has teams for rows of a few octets, and few invocations for long
        // rows
        let device_kind = if i == 5 { DeviceKind::Emulation } else { DeviceKind::Hardware };
        let builder = GpuSampler::builder()
            .tune(|tuning| tuning.with_device_kind(device_kind).with_busy_invocations(1));
        let seen = of(&sampler(adapter, builder.with_shader_edit(edit))?)?;
        ensure(seen, || format!("fault {i} was not seen"))
    })
}
