//! Futures of calls on a device leave their thread to other tasks, and the CPU finishes calls whose device is lost.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use gumbel::{
    AdapterReport, CpuSampler, Error, GpuSampler, Logits, Relaxation, SampleOptions, Sampler, wgpu,
};
use libtest_mimic::Failed;

use super::draws::sampler;
use super::{Check, ensure};

pub(crate) const CHECKS: &[(&str, Check)] = &[
    ("futures::forms_agree", forms_agree),
    ("futures::another_task_runs_meanwhile", another_task_runs_meanwhile),
    ("futures::many_at_once", many_at_once),
    ("futures::a_lost_call_is_finished_on_the_cpu", a_lost_call_is_finished_on_the_cpu),
    ("futures::small_calls_stay_on_the_cpu", small_calls_stay_on_the_cpu),
];

/// The three forms of each operation agree: the returned value, the slice and the future.
fn forms_agree(adapter: &AdapterReport) -> Result<(), Failed> {
    Ok(super::forms::agree(&sampler(adapter, GpuSampler::builder())?)?)
}

const CATEGORIES: usize = 256;

fn data(rows: usize) -> Vec<f32> {
    (0..rows * CATEGORIES).map(|i| (i * 7919 % 1009) as f32 / 128.0).collect()
}

/// Runs a future beside another task of the same thread. Returns the future's result, and how often the other task ran
/// before it was ready.
fn beside_another<T>(future: impl Future<Output = T>) -> (T, usize) {
    let (mut future, mut ran) = (pin!(future), 0);
    let output = pollster::block_on(poll_fn(|context| {
        if let Poll::Ready(output) = future.as_mut().poll(context) {
            return Poll::Ready(output);
        }
        // the other task does a little, and asks for another turn
        ran += 1;
        std::thread::yield_now();
        context.waker().wake_by_ref();
        Poll::Pending
    }));
    (output, ran)
}

/// Returns the result of a future beside which another task has run. A device may finish before a future looks for its
/// results for the first time, so several calls are tried; if calls held their thread, all of them would be ready at
/// once.
fn meanwhile<T, F>(what: &str, mut call: impl FnMut() -> F) -> Result<T, Failed>
where
    F: Future<Output = Result<T, Error>>,
{
    for _ in 0..50 {
        let (output, ran) = beside_another(call());
        let output = output?;
        if ran > 0 {
            return Ok(output);
        }
    }
    Err(format!("{what} held the thread").into())
}

fn another_task_runs_meanwhile(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = sampler(adapter, GpuSampler::builder().with_chunk_bytes(1 << 18))?;
    let data = data(2000);
    let (logits, options) = (Logits::new(&data, CATEGORIES)?, SampleOptions::default());
    let (cpu, soft) = (CpuSampler::new(), Relaxation::soft(0.5));

    let draws = meanwhile("sample_rows", || gpu.sample_rows_async(logits, &options))?;
    ensure(draws == cpu.sample_rows(logits, &options)?, || "wrong draws".to_owned())?;
    let race = meanwhile("race_rows", || gpu.race_rows_async(logits, &options, 3))?;
    ensure(race == cpu.race_rows(logits, &options, 3)?, || "wrong places".to_owned())?;
    let samples = meanwhile("soften_rows", || gpu.soften_rows_async(logits, &options, soft))?;
    ensure(samples.len() == data.len(), || "too few samples".to_owned())?;
    let sums = meanwhile("logsumexp_rows", || gpu.logsumexp_rows_async(logits, &options))?;
    ensure(sums.len() == 2000, || "too few sums".to_owned())?;
    let cdf = meanwhile("inverse_cdf", || gpu.inverse_cdf_async(logits, &options))?;
    let draws = meanwhile("draws from tables", || cdf.sample_rows_async(0, 10))?;
    let expected = cpu.inverse_cdf(logits, &options)?.sample_rows(0, 10)?;
    ensure(draws == expected, || "wrong draws by inverse CDF".to_owned())
}

/// One thread takes four futures of a sampler in turn, and another thread makes a call that blocks.
fn many_at_once(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = sampler(adapter, GpuSampler::builder().with_chunk_bytes(1 << 16))?;
    let data = data(500);
    let logits = Logits::new(&data, CATEGORIES)?;
    let options: Vec<_> = (0..5).map(|seed| SampleOptions::default().with_seed(seed)).collect();
    let expected = |i: usize| CpuSampler::new().sample_rows(logits, &options[i]);
    let blocking = std::thread::scope(|scope| {
        let blocking = scope.spawn(|| gpu.sample_rows(logits, &options[4]));
        let mut futures: Vec<_> = options[..4]
            .iter()
            .map(|options| Box::pin(gpu.sample_rows_async(logits, options)))
            .collect();
        let mut found = [const { None }; 4];
        pollster::block_on(poll_fn(|context| {
            for (future, found) in futures.iter_mut().zip(&mut found) {
                if found.is_none()
                    && let Poll::Ready(draws) = future.as_mut().poll(context)
                {
                    *found = Some(draws);
                }
            }
            if found.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
        }));
        for (i, draws) in found.into_iter().flatten().enumerate() {
            ensure(draws? == expected(i)?, || format!("wrong draws of future {i}"))?;
        }
        Ok::<_, Failed>(blocking.join().map_err(|_| "the thread panicked")?)
    })?;
    ensure(blocking? == expected(4)?, || "wrong draws of the thread".to_owned())
}

/// Another thread destroys the device in the middle of a call, a little later each time.
fn a_lost_call_is_finished_on_the_cpu(adapter: &AdapterReport) -> Result<(), Failed> {
    let data = data(2000);
    let (logits, options) = (Logits::new(&data, CATEGORIES)?, SampleOptions::default());
    let expected = CpuSampler::new().sample_rows(logits, &options)?;
    for microseconds in [0, 100, 1000, 5000, 20_000] {
        let (device, queue) =
            super::device(adapter, adapter.features & wgpu::Features::SHADER_INT64)?;
        let escaped = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&escaped);
        device.on_uncaptured_error(Arc::new(move |_| {
            count.fetch_add(1, Ordering::SeqCst);
        }));
        // the call takes hundreds of submissions
        let builder = GpuSampler::builder().with_chunk_bytes(1 << 13);
        let gpu = builder.build_with_device(device.clone(), queue)?;
        let either = Sampler::with_engines(CpuSampler::new(), gpu.clone());
        ensure(either.sample_rows(logits, &options)? == expected, || "wrong draws".to_owned())?;
        ensure(either.lost_gpu().is_none(), || format!("lost: {:?}", either.lost_gpu()))?;
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_micros(microseconds));
                device.destroy();
            });
            let since = Instant::now();
            while either.lost_gpu().is_none() {
                let draws = either.sample_rows(logits, &options)?;
                ensure(draws == expected, || "wrong draws as the device was lost".to_owned())?;
                ensure(since.elapsed() < Duration::from_secs(120), || "it hangs".to_owned())?;
            }
            Ok::<_, Failed>(())
        })?;
        let lost = either.lost_gpu();
        ensure(matches!(lost, Some(Error::DeviceLost { .. })), || format!("{lost:?}"))?;
        // the GPU sampler still fails, and the sampler that may use the CPU still succeeds
        let alone = gpu.sample_rows(logits, &options);
        ensure(matches!(alone, Err(Error::DeviceLost { .. })), || format!("{alone:?}"))?;
        let draws = pollster::block_on(either.sample_rows_async(logits, &options))?;
        ensure(draws == expected, || "wrong draws of a future".to_owned())?;
        let cdf = either.inverse_cdf(logits, &options)?;
        ensure(cdf.sample_rows(0, 1)?.len() == 2000, || "too few draws".to_owned())?;
        ensure(either.to_string() == "CPU engine", || either.to_string())?;
        let escaped = escaped.load(Ordering::SeqCst);
        ensure(escaped == 0, || format!("{escaped} errors escaped the sampler's scopes"))?;
    }
    Ok(())
}

/// A lost device would be noticed, so these calls were made on the CPU.
fn small_calls_stay_on_the_cpu(adapter: &AdapterReport) -> Result<(), Failed> {
    let (device, queue) = super::device(adapter, wgpu::Features::empty())?;
    let gpu = GpuSampler::builder().build_with_device(device.clone(), queue)?;
    let either = Sampler::with_engines(CpuSampler::new(), gpu);
    device.destroy();
    let options = SampleOptions::default();
    either.sample_rows(Logits::new(&[0.0; 5], 5)?, &options)?;
    // one row less than the size from which on a call goes to the GPU
    let data = data(Sampler::GPU_FROM as usize / CATEGORIES);
    let small = Logits::new(&data[CATEGORIES..], CATEGORIES)?;
    either.sample_rows(small, &options)?;
    either.logsumexp_rows(small, &options)?;
    ensure(either.lost_gpu().is_none(), || "a small call went to the GPU".to_owned())?;
    either.sample_rows(Logits::new(&data, CATEGORIES)?, &options)?;
    ensure(either.lost_gpu().is_some(), || "a large call stayed on the CPU".to_owned())
}
