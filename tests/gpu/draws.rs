//! The engine's draws of batches that are not in `conformance.rs`: large ones, and calls beside each other.

use gumbel::{AdapterReport, CpuSampler, GpuSampler, Logits, SampleOptions};
use gumbel::{DeviceKind, GpuSamplerBuilder, reference};
use libtest_mimic::Failed;

use super::{Check, device, ensure};

pub(crate) const CHECKS: &[(&str, Check)] = &[
    ("draws::more_rows_than_workgroups", more_rows_than_workgroups),
    ("draws::a_row_larger_than_a_binding", a_row_larger_than_a_binding),
    ("draws::as_many_iterations_as_a_plan_allows", as_many_iterations_as_a_plan_allows),
    ("draws::shapes_in_turn_on_one_sampler", shapes_in_turn_on_one_sampler),
    ("draws::from_several_threads", from_several_threads),
    ("draws::the_async_form", the_async_form),
];

/// Checks that take half a minute on a software adapter. They run on the first adapter, and with
/// `--include-ignored` on all.
pub(crate) const LONG_CHECKS: &[(&str, Check)] =
    &[("draws::more_than_2_to_32_logits", more_than_2_to_32_logits)];

/// Returns a sampler on this adapter, on a device of the test's own.
pub(crate) fn sampler(
    adapter: &AdapterReport,
    builder: GpuSamplerBuilder,
) -> Result<GpuSampler, Failed> {
    let (device, queue) = device(adapter, adapter.features & GpuSampler::FEATURES)?;
    Ok(builder.build_with_device(device, queue)?)
}

/// Checks the draws against the CPU engine's, which other tests compare with the reference.
fn as_on_cpu(
    gpu: &GpuSampler,
    logits: Logits<'_>,
    options: &SampleOptions<'_>,
) -> Result<(), Failed> {
    let expected = CpuSampler::new().sample_rows(logits, options)?;
    let draws = gpu.sample_rows(logits, options)?;
    let first = draws.iter().zip(&expected).position(|(got, expected)| got != expected);
    ensure(first.is_none(), || format!("the draws differ from number {first:?} on"))
}

fn ramp(categories: usize) -> Vec<f32> {
    (0..categories).map(|i| (i * 7919 % 1009) as f32 / 128.0).collect()
}

/// Every row takes a workgroup, and there are more rows than a dimension has workgroups.
fn more_rows_than_workgroups(adapter: &AdapterReport) -> Result<(), Failed> {
    let row = ramp(9);
    let rows = 70_000;
    // most adapters have this limit; if this one's is higher, the dispatch is cut at it all the
    // same
    let builder =
        GpuSampler::builder().tune(|tuning| tuning.with_workgroup_size(1).with_workgroups(65_535));
    let gpu = sampler(adapter, builder)?;
    let logits = Logits::strided(&row, rows, row.len(), 0)?;
    as_on_cpu(&gpu, logits, &SampleOptions::default().with_seed(3))
}

/// Rows × categories exceed 2³², and so does first_row + row.
fn more_than_2_to_32_logits(adapter: &AdapterReport) -> Result<(), Failed> {
    let row = ramp((1 << 20) + 3);
    let rows = 4100;
    ensure(rows * row.len() > 1 << 32, || "not that many".to_owned())?;
    let gpu = sampler(adapter, GpuSampler::builder())?;
    let options = SampleOptions::default().with_first_row((1 << 32) - 2000);
    let draws = gpu.sample_rows(Logits::strided(&row, rows, row.len(), 0)?, &options)?;
    for position in [0, 1, 1999, 2000, 2001, 4095, 4096, 4099] {
        let options = options.with_first_row((1 << 32) - 2000 + position as u64);
        let expected = reference::sample_rows(Logits::new(&row, row.len())?, &options)?;
        ensure(expected == [draws[position]], || format!("row {position} differs"))?;
    }
    Ok(())
}

/// 80 MB of logits in one row: more than a chunk, and more than some adapters can bind.
fn a_row_larger_than_a_binding(adapter: &AdapterReport) -> Result<(), Failed> {
    let row = ramp(20_000_003);
    let gpu = sampler(adapter, GpuSampler::builder())?;
    as_on_cpu(&gpu, Logits::new(&row, row.len())?, &SampleOptions::default().with_draws(2))
}

/// Every invocation has as many half-spans as it may get, and evaluates all of their categories: some
/// drivers end all loops of an invocation after 65,535 iterations. `src/gpu/kind.rs` tests that
/// invocations have so many octets.
///
/// Rows of one part and rows of several: where an invocation ends too early, another part may still hold the draw.
fn as_many_iterations_as_a_plan_allows(adapter: &AdapterReport) -> Result<(), Failed> {
    let row = ramp(256 * 8 * 2048);
    // beyond the range of bounds, which rule nothing out then
    let far: Vec<f32> = row.iter().map(|x| (x + 1.0) * 2f32.powi(31)).collect();
    for device_kind in [DeviceKind::Hardware, DeviceKind::Emulation] {
        // no more teams than the row needs, however many cores there are
        let builder = GpuSampler::builder()
            .tune(|tuning| tuning.with_device_kind(device_kind).with_busy_invocations(1));
        let gpu = sampler(adapter, builder.clone().tune(|tuning| tuning.with_filter(false)))?;
        let filtered = sampler(adapter, builder)?;
        as_on_cpu(&gpu, Logits::new(&row, row.len())?, &SampleOptions::default())?;
        for categories in [8 * 64 * 128, 100_000, 256 * 32 * 128] {
            let logits = Logits::strided(&row, 4, categories, 0)?;
            as_on_cpu(&gpu, logits, &SampleOptions::default())?;
            let logits = Logits::strided(&far, 4, categories, 0)?;
            as_on_cpu(&filtered, logits, &SampleOptions::default())?;
        }
    }
    Ok(())
}

/// Buffers that a call leaves must not leak into the next.
fn shapes_in_turn_on_one_sampler(adapter: &AdapterReport) -> Result<(), Failed> {
    let data = ramp(100_000);
    let ids: Vec<u64> = (0..500).map(|i| i << 40).collect();
    for direct in [true, false] {
        let gpu = sampler(
            adapter,
            GpuSampler::builder().tune(|tuning| tuning.with_direct_memory(direct)),
        )?;
        for (rows, categories, draws) in
            [(1, 5, 1), (500, 200, 3), (2, 50_000, 1), (500, 3, 200), (1, 5, 1)]
        {
            let logits = Logits::strided(&data, rows, categories, categories)?;
            as_on_cpu(&gpu, logits, &SampleOptions::default().with_draws(draws))?;
            let options = SampleOptions::default().with_row_ids(&ids[..rows]).with_temperature(0.5);
            as_on_cpu(&gpu, logits, &options)?;
        }
    }
    Ok(())
}

fn from_several_threads(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = sampler(adapter, GpuSampler::builder())?;
    let data = ramp(30_000);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (1..5)
            .map(|seed| {
                let (gpu, data) = (&gpu, &data);
                scope.spawn(move || {
                    let options = SampleOptions::default().with_seed(seed);
                    as_on_cpu(gpu, Logits::new(data, 100 * seed as usize)?, &options)
                })
            })
            .collect();
        threads.into_iter().try_for_each(|thread| {
            thread.join().unwrap_or_else(|_| Err("a thread panicked".into()))
        })
    })
}

fn the_async_form(adapter: &AdapterReport) -> Result<(), Failed> {
    let data = ramp(3000);
    let logits = Logits::new(&data, 30)?;
    let options = SampleOptions::default();
    let gpu = sampler(adapter, GpuSampler::builder())?;
    let draws = pollster::block_on(gpu.sample_rows_async(logits, &options))?;
    ensure(draws == reference::sample_rows(logits, &options)?, || "other draws".to_owned())
}
