//! A batch in the place of another one: other buffers, and the memory of the batch that was bound before.

use gumbel::{
    AdapterReport, Bias, CpuSampler, DeviceBatch, DeviceKind, Error, GpuSampler, Logits,
    SampleOptions, Truncation, wgpu,
};
use libtest_mimic::Failed;

use super::super::draws::sampler;
use super::super::{Check, ensure};
use super::batch::{buffer, read, words};
use super::shared;

pub(crate) const CHECKS: &[(&str, Check)] = &[
    ("bound::rebound_among_each_other", rebound_among_each_other),
    ("bound::rebinding_allocates_nothing", rebinding_allocates_nothing),
    ("bound::other_batches_are_not_rebound", other_batches_are_not_rebound),
];

const TRUNCATION: Truncation = Truncation::new().with_top_k(40).with_top_p(0.9);

/// Logits of a step on the device and in memory.
fn step(gpu: &GpuSampler, salt: u64, n: usize) -> (Vec<f32>, wgpu::Buffer) {
    let data: Vec<f32> = words(n as u64 + salt)
        .skip(salt as usize)
        .map(|word| (word >> 20) as f32 / 400.0)
        .collect();
    let logits = buffer(gpu, &data);
    (data, logits)
}

fn rebound_among_each_other(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = shared(adapter, DeviceKind::Emulation)?;
    for (rows, categories) in [(41, 203), (2, 5003)] {
        for (truncation, scored, biased) in [
            (Truncation::new(), false, false),
            (TRUNCATION, false, false),
            (TRUNCATION, true, true),
        ] {
            let lists = [0, 1].map(|i| ([3u32, 7], [9.0f32, 8.0 + i as f32]));
            let on_device =
                lists.map(|(tokens, values)| (buffer(&gpu, &tokens), buffer(&gpu, &values)));
            let steps = [0, 7].map(|salt| step(&gpu, salt, rows * categories));
            let draws = [0, 1].map(|_| buffer(&gpu, &vec![0u32; rows]));
            let log_probs = [0, 1].map(|_| buffer(&gpu, &vec![0f32; rows]));
            let batch = |i: usize| {
                let batch =
                    DeviceBatch::new(&steps[i].1, &draws[i], rows as u32, categories as u32)
                        .with_seed(3)
                        .with_truncation(truncation);
                let (tokens, values) = &on_device[i];
                let batch = if biased { batch.with_bias(None, tokens, values) } else { batch };
                if scored { batch.with_log_probs(&log_probs[i]) } else { batch }
            };
            let even = gpu.bind(&batch(0))?;
            let odd = gpu.rebind(&even, &batch(1))?;
            // a batch in the place of one that is in the place of another, of which nothing is left
            let again = gpu.rebind(&odd, &batch(0))?;
            let mut encoder = gpu.device().create_command_encoder(&Default::default());
            let mut pass = encoder.begin_compute_pass(&Default::default());
            for (bound, number) in [(&even, 8), (&odd, 9), (&again, 10), (&odd, 11)] {
                bound.encode_in(&mut pass, number)?;
            }
            drop((pass, even, odd, again));
            gpu.queue().submit([encoder.finish()]);
            for (i, number) in [(0, 10), (1, 11)] {
                let logits = Logits::new(&steps[i].0, categories)?;
                let options = SampleOptions::default()
                    .with_seed(3)
                    .with_first_draw(number)
                    .with_truncation(truncation);
                let (tokens, values) = &lists[i];
                let options = match biased {
                    true => options.with_bias(Bias::shared(tokens, values)),
                    false => options,
                };
                let expected = CpuSampler::new().sample_rows_scored(logits, &options)?;
                let what = format!("batch {i}, {rows} x {categories}, {truncation:?}");
                let drawn = read(&gpu, &draws[i])?;
                ensure(drawn == expected.draws, || format!("{what}: other draws"))?;
                let found = read(&gpu, &log_probs[i])?;
                let near = |(bits, expected): (&u32, &f64)| {
                    (f64::from(f32::from_bits(*bits)) - expected).abs() < 1e-4
                };
                let right = found.iter().zip(&expected.log_probs).all(near);
                ensure(right == scored, || format!("{what}: other log-probabilities"))?;
            }
        }
    }
    Ok(())
}

fn rebinding_allocates_nothing(adapter: &AdapterReport) -> Result<(), Failed> {
    // of a shared device, other tests' allocations would be counted too
    let builder =
        GpuSampler::builder().tune(|tuning| tuning.with_device_kind(DeviceKind::Emulation));
    let gpu = sampler(adapter, builder)?;
    let (rows, categories) = (64, 20_000);
    let logits = [0, 1].map(|_| buffer(&gpu, &vec![0f32; rows * categories]));
    let draws = buffer(&gpu, &vec![0u32; rows]);
    let batch = |i: usize| {
        DeviceBatch::new(&logits[i], &draws, rows as u32, categories as u32)
            .with_truncation(TRUNCATION)
    };
    let allocated =
        || gpu.device().generate_allocator_report().map(|report| report.allocations.len());
    let before = allocated();
    let bound = gpu.bind(&batch(0))?;
    let after = allocated();
    let rebound: Vec<_> =
        (0..100).map(|i| gpu.rebind(&bound, &batch(i % 2))).collect::<Result<_, _>>()?;
    ensure(allocated() == after, || "rebinding has allocated something".to_owned())?;
    // not every backend counts what it allocates
    ensure(before.is_none() || before < after, || "binding has allocated nothing".to_owned())?;
    drop(rebound);
    Ok(())
}

fn other_batches_are_not_rebound(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = shared(adapter, DeviceKind::Emulation)?;
    let [logits, other, draws, masks] =
        [4000, 5000, 100, 400].map(|n| buffer(&gpu, &vec![0u32; n]));
    let batch = DeviceBatch::new(&logits, &draws, 10, 300).with_allowed(&masks, 10);
    let bound = gpu.bind(&batch)?;
    gpu.rebind(&bound, &DeviceBatch::new(&other, &draws, 10, 300).with_allowed(&masks, 10))?;
    gpu.rebind(&bound, &batch.with_logits_offset(1024))?;
    for (what, other) in [
        ("rows", DeviceBatch::new(&logits, &draws, 9, 300).with_allowed(&masks, 10)),
        ("categories", DeviceBatch::new(&logits, &draws, 10, 299).with_allowed(&masks, 10)),
        ("no masks", DeviceBatch::new(&logits, &draws, 10, 300)),
        ("masks at another distance", batch.with_allowed(&masks, 11)),
        ("a seed", batch.with_seed(1)),
        ("a temperature", batch.with_temperature(0.5)),
        ("draws", batch.with_draws(2)),
        ("an offset", batch.with_logits_offset(4)),
        ("a truncation", batch.with_truncation(TRUNCATION)),
        ("log-probabilities", batch.with_log_probs(&other)),
        ("a bias", batch.with_bias(None, &masks, &masks)),
    ] {
        let error = gpu.rebind(&bound, &other).err();
        let named = matches!(error, Some(Error::DeviceBuffer { what: "the batch", .. }));
        ensure(named, || format!("{what}: {error:?}"))?;
    }
    let small = buffer(&gpu, &[0u32; 10]);
    let error = gpu.rebind(&bound, &DeviceBatch::new(&small, &draws, 10, 300)).err();
    let named = matches!(error, Some(Error::DeviceBuffer { what: "the logits", .. }));
    ensure(named, || format!("{error:?}"))?;
    // without rows there is no memory to take
    let nothing = gpu.bind(&DeviceBatch::new(&logits, &draws, 0, 300))?;
    gpu.rebind(&bound, &DeviceBatch::new(&logits, &draws, 0, 300))?;
    ensure(gpu.rebind(&nothing, &batch).is_err(), || "bound in the place of nothing".to_owned())
}
