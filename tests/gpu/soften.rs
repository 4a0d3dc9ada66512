//! Soft samples and their gradients on a device: near the definition, however they are cut.

use gumbel::conformance::{self, Case, SoftErrors};
use gumbel::{
    AdapterReport, CpuSampler, DeviceKind, Error, GpuSampler, GpuSamplerBuilder, History, Logits,
    Penalty, Relaxation, SampleOptions, Teams,
};
use libtest_mimic::Failed;

use super::draws::sampler;
use super::{Check, ensure};

pub(crate) const CHECKS: &[(&str, Check)] = &[
    ("soften::conformance", conformance),
    ("soften::conformance_in_small_pieces", conformance_in_small_pieces),
    ("soften::conformance_without_features", conformance_without_features),
    ("soften::long_rows", long_rows),
    ("soften::straight_through", straight_through),
    ("soften::the_limits_are_stable", the_limits_are_stable),
    ("soften::masked_cotangents_do_not_count", masked_cotangents_do_not_count),
    ("soften::rows_without_a_draw", rows_without_a_draw),
    ("soften::huge_cotangents", huge_cotangents),
    ("soften::huge_logits", huge_logits),
    ("soften::gradients_of_penalised_logits", gradients_of_penalised_logits),
    ("soften::faults_in_the_shader_are_seen", faults_in_the_shader_are_seen),
];

/// Lists the chosen cases whose results are too far from the reference.
fn run(
    adapter: &AdapterReport,
    builder: GpuSamplerBuilder,
    taus: &[f32],
    chosen: impl Fn(&Case) -> bool,
) -> Result<(), Failed> {
    let gpu = sampler(adapter, builder)?;
    let mut wrong = Vec::new();
    let mut worst = SoftErrors::default();
    for case in conformance::soft_cases().filter(chosen) {
        for &tau in taus {
            let errors = case.soften(&gpu, tau)?;
            if !errors.are_within(SoftErrors::GPU) {
                wrong.push(format!("{case}, tau {tau}: {errors:?}"));
            }
            worst = worst.or(errors);
        }
    }
    println!("{adapter}: {worst:?}");
    ensure(wrong.is_empty(), || wrong.join("\n"))
}

fn conformance(adapter: &AdapterReport) -> Result<(), Failed> {
    run(adapter, GpuSampler::builder(), &[0.5], |case| case.work() <= 9100)
}

fn conformance_in_small_pieces(adapter: &AdapterReport) -> Result<(), Failed> {
    for device_kind in [DeviceKind::Hardware, DeviceKind::Emulation] {
        // 1 KiB is a row of 256 categories, so longer rows are cut, and so is all other data of
        // that size
        let builder = GpuSampler::builder()
            .tune(|tuning| tuning.with_device_kind(device_kind).with_workgroup_size(8))
            .with_chunk_bytes(1 << 10)
            .tune(|tuning| tuning.with_workgroups(3));
        run(adapter, builder, &[0.5], |case| case.work() <= 3000)?;
    }
    let with_large_workgroups = Teams { shared_workgroup: 256, ..Teams::HARDWARE };
    let builder = GpuSampler::builder()
        .tune(|tuning| tuning.with_device_kind(DeviceKind::Teams(with_large_workgroups)));
    run(adapter, builder, &[0.5], |case| case.work() <= 1000)
}

/// Gradients are by the logits as they were before penalties, on the device as on the CPU, and in rows that are cut.
fn gradients_of_penalised_logits(adapter: &AdapterReport) -> Result<(), Failed> {
    let (rows, categories) = (9usize, 300);
    let logits: Vec<f32> =
        (0..rows * categories).map(|i| (i * 7919 % 1009) as f32 / 256.0 - 2.0).collect();
    let logits = Logits::new(&logits, categories)?;
    let cotangents: Vec<f32> = (0..rows * categories).map(|i| (i % 7) as f32 - 3.0).collect();
    let categories_seen: Vec<u32> = (0..rows as u32).flat_map(|row| row..row + 40).collect();
    let offsets: Vec<usize> = (0..=rows).map(|row| 40 * row).collect();
    let counts = vec![1; categories_seen.len()];
    let options = |repetition| {
        SampleOptions::default()
            .with_history(History::each(&offsets, &categories_seen, &counts))
            .with_penalty(Penalty::new().with_repetition(repetition).with_presence(0.1))
    };
    let soft = Relaxation::soft(0.5);
    let gradients = |options: &SampleOptions<'_>| {
        CpuSampler::new().soften_rows_vjp(logits, options, soft, &cotangents)
    };
    let (expected, others) = (gradients(&options(1.3))?, gradients(&options(1.31))?);
    let far = |found: &[f32], expected: &[f32]| {
        let each = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
        each.fold(0f32, f32::max)
    };
    ensure(far(&others, &expected) > 1e-3, || "another penalty is not seen".to_owned())?;
    for builder in [GpuSampler::builder(), GpuSampler::builder().with_chunk_bytes(1 << 10)] {
        let gpu = sampler(adapter, builder)?;
        let found = gpu.soften_rows_vjp(logits, &options(1.3), soft, &cotangents)?;
        let worst = far(&found, &expected);
        ensure(worst < 1e-4, || format!("{worst} off"))?;
    }
    Ok(())
}

/// The variant without any optional feature.
fn conformance_without_features(adapter: &AdapterReport) -> Result<(), Failed> {
    for device_kind in [DeviceKind::Hardware, DeviceKind::Emulation] {
        let builder = GpuSampler::builder().tune(|tuning| {
            tuning
                .with_device_kind(device_kind)
                .with_int64(false)
                .with_subgroups(false)
                .with_direct_memory(false)
        });
        run(adapter, builder, &[0.01, 10.0], |case| case.work() <= 3000)?;
    }
    Ok(())
}

fn long_rows(adapter: &AdapterReport) -> Result<(), Failed> {
    for device_kind in [DeviceKind::Hardware, DeviceKind::Emulation] {
        let builder = GpuSampler::builder().tune(|tuning| tuning.with_device_kind(device_kind));
        run(adapter, builder, &[0.5], |case| {
            case.batch().rows() == 2 && (100_000..200_000).contains(&case.work())
        })?;
    }
    Ok(())
}

/// Returns roughly normal logits.
fn ramp(count: usize) -> Vec<f32> {
    (0..count).map(|i| (i * 7919 % 4093) as f32 / 1024.0 - 2.0).collect()
}

fn straight_through(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = sampler(adapter, GpuSampler::builder())?;
    let data = ramp(30 * 100);
    let logits = Logits::new(&data, 30)?;
    let options = SampleOptions::default().with_draws(3).with_seed(4);
    let hard = Relaxation::straight_through(0.3);
    let hots = gpu.soften_rows(logits, &options, hard)?;
    let expected = CpuSampler::new().soften_rows(logits, &options, hard)?;
    ensure(hots == expected, || "other one-hot vectors".to_owned())?;
    let cotangents = ramp(hots.len());
    let gradients = gpu.soften_rows_vjp(logits, &options, hard, &cotangents)?;
    let soft = Relaxation::soft(0.3);
    let of_soft =
        pollster::block_on(gpu.soften_rows_vjp_async(logits, &options, soft, &cotangents))?;
    ensure(gradients == of_soft, || "the gradient is not the soft sample's".to_owned())
}

/// Samples are finite from the smallest τ to the largest, also between logits so large that their
/// keys count float codes.
fn the_limits_are_stable(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = sampler(adapter, GpuSampler::builder())?;
    let mut data = ramp(16);
    data.extend([3e38, -3e38, 1e30, 0.0, 1e-45, -0.0, 2e38, f32::NEG_INFINITY]);
    data.extend([f32::NEG_INFINITY; 8]);
    let logits = Logits::new(&data, 16)?;
    for temperature in [2f32.powi(-100), 1.0, 2f32.powi(100)] {
        let options = SampleOptions::default().with_temperature(temperature).with_draws(50);
        for tau in [2f32.powi(-100), 1e-3, 1e3, 2f32.powi(100)] {
            let soft = Relaxation::soft(tau);
            let samples = gpu.soften_rows(logits, &options, soft)?;
            let cotangents = vec![1.5; samples.len()];
            let gradients = gpu.soften_rows_vjp(logits, &options, soft, &cotangents)?;
            let expected = CpuSampler::new().soften_rows(logits, &options, soft)?;
            let near = |(&a, &b): (&f32, &f32)| (a - b).abs() <= 1e-5;
            let message = || format!("temperature {temperature}, tau {tau}");
            ensure(samples.iter().zip(&expected).all(near), message)?;
            ensure(!gradients.iter().any(|x| x.is_nan()), message)?;
            let hots = samples.iter().all(|&y| y == 0.0 || y == 1.0);
            let none = gradients.iter().all(|&x| x == 0.0);
            ensure(tau > 1e-20 || hots && none, message)?;
        }
    }
    Ok(())
}

fn masked_cotangents_do_not_count(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = sampler(adapter, GpuSampler::builder())?;
    let mut data = ramp(20);
    data[5] = f32::NEG_INFINITY;
    let logits = Logits::new(&data, 20)?;
    let (options, soft) = (SampleOptions::default().with_draws(4), Relaxation::soft(5.0));
    let mut cotangents = ramp(80);
    let expected = gpu.soften_rows_vjp(logits, &options, soft, &cotangents)?;
    cotangents.iter_mut().skip(5).step_by(20).for_each(|g| *g = f32::NAN);
    let gradient = gpu.soften_rows_vjp(logits, &options, soft, &cotangents)?;
    ensure(gradient == expected && gradient[5] == 0.0, || format!("{gradient:?}"))
}

fn rows_without_a_draw(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = sampler(adapter, GpuSampler::builder())?;
    let mut data = ramp(4 * 6);
    data[8] = f32::NAN;
    data[18..].fill(f32::NEG_INFINITY);
    let (logits, options) = (Logits::new(&data, 6)?, SampleOptions::default().with_draws(2));
    let cotangents = ramp(48);
    for relaxation in [Relaxation::soft(0.5), Relaxation::straight_through(0.5)] {
        let samples = gpu.soften_rows(logits, &options, relaxation);
        let gradients = gpu.soften_rows_vjp(logits, &options, relaxation, &cotangents);
        for error in [samples.err(), gradients.err()] {
            let named = matches!(error, Some(Error::UndrawableRow { row: 1, .. }));
            ensure(named, || format!("{error:?}"))?;
        }
        let lenient = options.with_sentinels(true);
        let samples = gpu.soften_rows(logits, &lenient, relaxation)?;
        let gradients = gpu.soften_rows_vjp(logits, &lenient, relaxation, &cotangents)?;
        for (floats, row_floats) in [(samples, 12), (gradients, 6)] {
            let nan = |i: &usize| [1, 3].contains(&(i / row_floats));
            let right = (0..floats.len()).all(|i| floats[i].is_nan() == nan(&i));
            ensure(right, || format!("{floats:?}"))?;
        }
    }
    Ok(())
}

/// The comparison sees mistakes that a shader could make.
fn faults_in_the_shader_are_seen(adapter: &AdapterReport) -> Result<(), Failed> {
    type Edit = fn(String) -> String;
    let edits: [(&str, Edit); 5] = [
        ("tau forgotten", |s| s.replace("units * soft.fall", "units * 8.6e-8")),
        ("fine bits of another draw", |s| {
            s.replace("draw << 1u) | 1u);\n    let", "draw << 1u) | 3u);\n    let")
        }),
        ("coarse bits of the neighbour", |s| {
            s.replace("word & 0xffffu, fine[0]", "word >> 16u, fine[0]")
        }),
        ("the mean forgotten", |s| s.replace("(cotangents[at] - all.y)", "cotangents[at]")),
        ("a strip forgotten", |s| s.replace("var strip = 0u;", "var strip = 1u;")),
    ];
    let case = conformance::soft_cases().find(|case| case.to_string().contains("5 draws"));
    let Some(case) = case else { return Err("there is no such case".into()) };
    for (name, edit) in edits {
        let builder = GpuSampler::builder().with_shader_edit(edit);
        let errors = case.soften(&sampler(adapter, builder)?, 0.5)?;
        let seen = !errors.are_within(SoftErrors::GPU);
        ensure(seen, || format!("{name} is not seen: {errors:?}"))?;
    }
    Ok(())
}

/// Rows with logits beyond 2³¹ have the samples and gradients of the CPU, and rows beside them those of the GPU.
fn huge_logits(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = sampler(adapter, GpuSampler::builder())?;
    let mut data = ramp(3 * 600);
    (data[600], data[601], data[1199]) = (1.6e10, 1e10, -3e38);
    let logits = Logits::new(&data, 600)?;
    let (options, soft) = (SampleOptions::default().with_draws(2), Relaxation::soft(1e10));
    let cotangents: Vec<f32> = (0..3600).map(|i| (i % 601) as f32).collect();
    let samples = gpu.soften_rows(logits, &options, soft)?;
    let expected = CpuSampler::new().soften_rows(logits, &options, soft)?;
    let near = |(a, b): (&f32, &f32)| (a - b).abs() <= 1e-5;
    ensure(samples.iter().zip(&expected).all(near), || "samples".to_owned())?;
    // of 600 categories the two large ones have what e^1.6 and e have
    ensure((samples[1200] / samples[1201] - 0.6f32.exp()).abs() < 1e-4, || "odds".to_owned())?;
    let gradients = gpu.soften_rows_vjp(logits, &options, soft, &cotangents)?;
    let expected = CpuSampler::new().soften_rows_vjp(logits, &options, soft, &cotangents)?;
    let near = |(a, b): (&f32, &f32)| (a - b).abs() <= 1e-4 * 1e-10;
    ensure(gradients.iter().zip(&expected).all(near), || "gradients".to_owned())
}

/// Cotangents whose sums are beyond an f32 have gradients that are not: those of the CPU.
fn huge_cotangents(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = sampler(adapter, GpuSampler::builder())?;
    let logits = Logits::new(&[0.0; 40], 20)?;
    let (options, soft) = (SampleOptions::default(), Relaxation::soft(1.0));
    let cotangents: Vec<f32> = (0..40).map(|i| 3e38 - (i % 3) as f32 * 1e36).collect();
    let found = gpu.soften_rows_vjp(logits, &options, soft, &cotangents)?;
    let expected = CpuSampler::new().soften_rows_vjp(logits, &options, soft, &cotangents)?;
    ensure(found == expected && found.iter().all(|x| x.is_finite()), || format!("{found:?}"))
}
