//! The objects that are created on a device, and that no more are created once all are there.
//!
//! wgpu logs each creation, on the thread that calls for it. The log also shows objects that are
//! created and dropped at once, which counts of live objects would not show.

use std::cell::RefCell;
use std::sync::Once;

use gumbel::engine::Gpu;
use gumbel::{
    AdapterReport, BoundBatch, DeviceBatch, DeviceKind, Error, GpuSampler, InverseCdf, Logits,
    Method, Relaxation, SampleOptions,
};
use libtest_mimic::Failed;

use super::super::draws::sampler;
use super::super::{Check, ensure};
use super::batch::buffer;
use super::truncations::ALL;
use super::{plans, shared};

pub(crate) const CHECKS: &[(&str, Check)] = &[
    ("bound::encoding_creates_nothing", encoding_creates_nothing),
    ("bound::encoding_restrictions_creates_nothing", encoding_restrictions_creates_nothing),
    ("bound::calls_of_a_shape_create_nothing", calls_of_a_shape_create_nothing),
    ("bound::calls_of_two_shapes_in_turn_create_no_buffer", calls_of_two_shapes_in_turn),
    ("bound::soft_samples_of_two_shapes_in_turn_create_no_buffer", soft_samples_in_turn),
    ("bound::operations_in_turn_create_nothing", operations_in_turn),
    ("bound::a_ring_of_its_own_is_seen", a_ring_of_its_own_is_seen),
];

thread_local! {
    /// The creations of this thread, while a test records them.
    static CREATED: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

struct Listener;

impl log::Log for Listener {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        CREATED.with_borrow(Option::is_some)
    }

    fn log(&self, record: &log::Record<'_>) {
        CREATED.with_borrow_mut(|created| {
            let Some(created) = created else { return };
            let message = record.args().to_string();
            // a command encoder is the caller's, and every call of the sampler needs one
            if message.starts_with("Device::create_") && !message.contains("command_encoder") {
                created.push(message);
            }
        });
    }

    fn flush(&self) {}
}

/// Returns the objects that are created while `act` runs.
fn created<T>(act: impl FnOnce() -> T) -> (T, Vec<String>) {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| {
        if log::set_logger(&Listener).is_ok() {
            log::set_max_level(log::LevelFilter::Trace);
        }
    });
    CREATED.set(Some(Vec::new()));
    let value = act();
    (value, CREATED.take().unwrap_or_default())
}

/// Checks that the log is understood: this fails if wgpu should word its log differently one day.
fn it_listens(gpu: &GpuSampler) -> Result<(), Failed> {
    let (buffer, seen) = created(|| buffer(gpu, &[0u32; 4]));
    let one = seen.len() == 1 && seen[0].contains("create_buffer");
    ensure(one, || format!("a buffer was created, and {seen:?} seen"))?;
    let (bound, seen) = created(|| gpu.bind(&DeviceBatch::new(&buffer, &buffer, 0, 1)));
    bound?;
    ensure(seen.is_empty(), || format!("no rows, and {seen:?}"))
}

fn encoding_creates_nothing(adapter: &AdapterReport) -> Result<(), Failed> {
    plans(adapter, |gpu| {
        it_listens(gpu)?;
        for (rows, categories, draws) in [(20, 30, 1), (2, 9001, 1), (2, 9001, 5)] {
            let logits = buffer(gpu, &vec![0f32; rows * categories]);
            let out = buffer(gpu, &vec![0u32; rows * draws]);
            let batch = DeviceBatch::new(&logits, &out, rows as u32, categories as u32);
            let (bound, seen) = created(|| gpu.bind(&batch.with_draws(draws as u32)));
            let bound = bound?;
            let bind_group = seen.iter().any(|what| what.contains("create_bind_group "));
            ensure(bind_group, || format!("bound, and only {seen:?} seen"))?;
            created_by(gpu, &bound, 1000)?;
        }
        Ok(())
    })
}

/// Checks that a bound batch creates nothing where it is encoded, this often among the caller's passes and in one.
fn created_by(gpu: &GpuSampler, bound: &BoundBatch, times: u32) -> Result<(), Failed> {
    let mut encoder = gpu.device().create_command_encoder(&Default::default());
    let (result, seen) = created(|| {
        (0..times).try_for_each(|step| bound.encode(&mut encoder, step))?;
        let mut pass = encoder.begin_compute_pass(&Default::default());
        (0..times).try_for_each(|step| bound.encode_in(&mut pass, step))
    });
    result?;
    ensure(seen.is_empty(), || format!("{} creations, {:?}", seen.len(), seen.first()))
}

/// Nor do masks, cuts and log-probabilities, whose passes come before and after the races.
fn encoding_restrictions_creates_nothing(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = &*shared(adapter, DeviceKind::Emulation)?;
    it_listens(gpu)?;
    for categories in [203, 9001] {
        let rows = 2;
        let apart = usize::div_ceil(categories, 32);
        let logits = buffer(gpu, &vec![0f32; rows * categories]);
        let masks = buffer(gpu, &vec![u32::MAX; rows * apart]);
        let top_p = buffer(gpu, &vec![0.9f32; rows]);
        let [draws, log_probs] = [0; 2].map(|zero| buffer(gpu, &vec![zero; rows]));
        let plain = DeviceBatch::new(&logits, &draws, rows as u32, categories as u32);
        let masked = plain.with_allowed(&masks, apart as u32);
        let cut = masked.with_truncation(ALL).with_top_p(&top_p);
        for batch in [masked, cut, cut.with_log_probs(&log_probs)] {
            created_by(gpu, &gpu.bind(&batch)?, 100)?;
        }
    }
    Ok(())
}

/// Checks that neither call creates a buffer once both were made.
fn evaluates(calls: [&dyn Fn() -> Result<(), Error>; 2]) -> Result<(), Failed> {
    for turn in 0..3 {
        for (i, call) in calls.iter().enumerate() {
            let (result, mut seen) = created(call);
            result?;
            seen.retain(|what| what.contains("create_buffer"));
            let expected = seen.is_empty() == (turn > 0);
            ensure(expected, || format!("call {i} in turn {turn} creates {seen:?}"))?;
        }
    }
    Ok(())
}

/// One shape needs more memory for logits, the other for draws, row ids and outcomes.
fn calls_of_two_shapes_in_turn(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = sampler(adapter, GpuSampler::builder())?;
    it_listens(&gpu)?;
    let data = vec![0.0; 128_256];
    let ids: Vec<u64> = (0..1000).collect();
    let call = |rows, categories, options: SampleOptions<'_>| {
        let logits = Logits::strided(&data, rows, categories, categories)?;
        gpu.sample_rows(logits, &options).map(drop)
    };
    let options = SampleOptions::default();
    let many = options.with_draws(100).with_row_ids(&ids);
    evaluates([&|| call(1, 128_256, options), &|| call(1000, 16, many)])
}

fn soft_samples_in_turn(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = sampler(adapter, GpuSampler::builder())?;
    it_listens(&gpu)?;
    let data = vec![0.0; 10_000];
    let call = |rows, categories, draws| {
        let logits = Logits::strided(&data, rows, categories, categories)?;
        let options = SampleOptions::default().with_draws(draws);
        gpu.soften_rows(logits, &options, Relaxation::soft(0.5)).map(drop)
    };
    evaluates([&|| call(1, 10_000, 1), &|| call(10, 16, 100)])
}

/// A later call of the same shape, or of a smaller one, creates nothing: the sampler reuses its
/// buffers.
fn calls_of_a_shape_create_nothing(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = sampler(adapter, GpuSampler::builder())?;
    it_listens(&gpu)?;
    let data = vec![0.0; 300_000];
    let options = SampleOptions::default();
    let call = |rows: usize, draws| {
        let logits = Logits::strided(&data, rows, 300, 300)?;
        gpu.sample_rows(logits, &options.with_draws(draws)).map(drop)
    };
    let (result, seen) = created(|| call(1000, 3));
    result?;
    let buffers = seen.iter().any(|what| what.contains("create_buffer"));
    ensure(buffers, || format!("a first call, and only {seen:?} seen"))?;
    for (rows, draws, again) in [(1000, 3, true), (900, 3, false), (900, 3, true), (1000, 2, false)]
    {
        let (result, mut seen) = created(|| call(rows, draws));
        result?;
        // another shape may take another kernel
        seen.retain(|what| again || what.contains("create_buffer"));
        ensure(seen.is_empty(), || format!("{rows} rows, {draws} draws: {seen:?}"))?;
    }
    Ok(())
}

/// Rows for a call of several chunks of the least size.
const ROWS: (usize, usize) = (40, 100);

/// Makes a call of one of the operations that go through the ring.
fn call(gpu: &GpuSampler, prepared: &InverseCdf<Gpu>, operation: usize) -> Result<(), Error> {
    let (rows, categories) = ROWS;
    let data = vec![0.0; rows * categories];
    let (logits, soft) = (Logits::new(&data, categories)?, Relaxation::soft(0.5));
    let options = SampleOptions::default();
    match operation {
        0 => gpu.sample_rows(logits, &options).map(drop),
        1 => gpu.soften_rows(logits, &options, soft).map(drop),
        2 => gpu.soften_rows_vjp(logits, &options, soft, &data).map(drop),
        3 => gpu.sample_rows(logits, &options.with_method(Method::InverseCdf)).map(drop),
        _ => prepared.sample_rows(0, 50).map(drop),
    }
}

/// Returns what each of the operations creates in the third turn.
fn created_in_turn(gpu: &GpuSampler, others: &GpuSampler) -> Result<Vec<Vec<String>>, Failed> {
    let (rows, categories) = ROWS;
    let data = vec![0.0; rows * categories];
    let prepared = gpu.inverse_cdf(Logits::new(&data, categories)?, &SampleOptions::default())?;
    for _ in 0..2 {
        (0..5).try_for_each(|operation| call(gpu, &prepared, operation))?;
    }
    let third = (0..5).map(|operation| {
        let (result, seen) = created(|| call(others, &prepared, operation));
        result.map(|()| seen)
    });
    Ok(third.collect::<Result<_, _>>()?)
}

/// The operations share one ring, and each finds there the bindings that it made.
fn operations_in_turn(adapter: &AdapterReport) -> Result<(), Failed> {
    for direct in [true, false] {
        let builder = || {
            GpuSampler::builder()
                .with_chunk_bytes(1 << 10)
                .tune(|tuning| tuning.with_direct_memory(direct))
        };
        let gpu = sampler(adapter, builder())?;
        it_listens(&gpu)?;
        let seen = created_in_turn(&gpu, &gpu)?;
        ensure(seen.iter().all(Vec::is_empty), || format!("{seen:?}"))?;
    }
    Ok(())
}

/// The comparison above sees calls that cannot use the ring of the turns before.
fn a_ring_of_its_own_is_seen(adapter: &AdapterReport) -> Result<(), Failed> {
    let builder = || GpuSampler::builder().with_chunk_bytes(1 << 10);
    let (gpu, others) = (sampler(adapter, builder())?, sampler(adapter, builder())?);
    let seen = created_in_turn(&gpu, &others)?;
    let made =
        |operation: usize, what: &str| seen[operation].iter().any(|seen| seen.contains(what));
    let bound = (0..4).all(|operation| made(operation, "create_bind_group "));
    // draws from prepared tables go through the ring of the sampler that has built the tables
    let right = made(0, "create_buffer") && bound && seen[4].is_empty();
    ensure(right, || format!("{seen:?}"))
}
