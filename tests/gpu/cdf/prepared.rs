//! Tables that are prepared on a device: their draws are those of one call and those of the CPU's tables, however often
//! they are drawn from and whatever becomes of the data that they were built from; and faults that are seen.

use gumbel::conformance::{self, Case};
use gumbel::engine::Gpu;
use gumbel::half::f16;
use gumbel::{
    AdapterReport, Batch, CpuSampler, Error, GpuSampler, GpuSamplerBuilder, InverseCdf, Logits,
    Method, NO_DRAW, SampleOptions, Undrawable, Weights, wgpu,
};
use libtest_mimic::Failed;

use super::super::draws::sampler;
use super::super::faults::replaced;
use super::super::{Check, device, ensure};
use super::work;

pub(crate) const CHECKS: &[(&str, Check)] = &[
    ("cdf::prepared::conformance", |adapter| conformance(adapter, GpuSampler::builder(), 60_000)),
    ("cdf::prepared::conformance_in_small_pieces", |adapter| {
        let builder = GpuSampler::builder()
            .tune(|tuning| tuning.with_workgroup_size(8))
            .with_chunk_bytes(1 << 10);
        conformance(adapter, builder.tune(|tuning| tuning.with_workgroups(3)), 9000)
    }),
    ("cdf::prepared::draws_are_those_of_one_call", draws_are_those_of_one_call),
    ("cdf::prepared::many_picks_of_many_chunks", many_picks_of_many_chunks),
    ("cdf::prepared::two_tables_in_turn", two_tables_in_turn),
    ("cdf::prepared::threads_share_tables", threads_share_tables),
    ("cdf::prepared::rows_without_a_draw", rows_without_a_draw),
    ("cdf::prepared::calls_that_make_no_sense", calls_that_make_no_sense),
    ("cdf::prepared::a_lost_device", a_lost_device),
    ("cdf::prepared::tables_of_another_batch_are_seen", tables_of_another_batch_are_seen),
    ("cdf::prepared::the_first_tables_for_all_are_seen", the_first_tables_for_all_are_seen),
    (
        "cdf::prepared::the_first_row_for_gathered_ones_is_seen",
        the_first_row_for_gathered_ones_is_seen,
    ),
];

/// Checks the cases of no more logits than this, and the smallest of those that are gathered, copied or restricted.
fn conformance(
    adapter: &AdapterReport,
    builder: GpuSamplerBuilder,
    most: usize,
) -> Result<(), Failed> {
    let gpu = sampler(adapter, builder)?;
    let mut wrong = Vec::new();
    let cases = conformance::cases().filter(|case| work(case) <= most);
    for case in cases.chain(others(3000)) {
        let mismatches = case.prepared_cdf_mismatches(&gpu, &case.expected_inverse_cdf()?)?;
        if mismatches > 0 {
            wrong.push(format!("{case}: {mismatches} mismatches"));
        }
    }
    ensure(wrong.is_empty(), || wrong.join("\n"))
}

/// The cases of at most this much work whose rows are gathered, copied or restricted, and have one seed, one temperature
/// and one first draw.
fn others(work: usize) -> impl Iterator<Item = Case> {
    let others = conformance::per_row_cases().chain(conformance::copied_cases());
    others.chain(conformance::restricted_cases()).filter(move |case| {
        let SampleOptions { seeds, temperatures, first_draws, .. } = case.options();
        let one_of_each = seeds.is_none() && temperatures.is_none() && first_draws.is_none();
        case.work() <= work && one_of_each
    })
}

/// The comparison above sees tables of the first row in the place of those of the gathered rows.
fn the_first_row_for_gathered_ones_is_seen(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = sampler(adapter, GpuSampler::builder())?;
    let (mut gathered, mut seen) = (0, 0);
    for case in others(3000).filter(|case| case.options().row_indices.is_some()) {
        let expected = case.expected_inverse_cdf()?;
        ensure(case.prepared_cdf_mismatches(&gpu, &expected)? == 0, || format!("{case}"))?;
        let rows = expected.len() / case.options().draws as usize;
        let first = vec![0; rows];
        let wrong = gpu.inverse_cdf(case.batch(), &case.options().with_row_indices(&first))?;
        let mut draws = vec![0; expected.len()];
        wrong.sample_rows_into(case.options().first_draw, &mut draws)?;
        gathered += usize::from(rows > 1 && case.batch().categories() > 1);
        seen += usize::from(draws != expected);
    }
    ensure(seen > 1 && seen == gathered, || format!("{seen} of {gathered}"))
}

/// Returns counts that differ from their neighbours. [`logits`] are made from them.
fn counts(len: usize) -> Vec<u32> {
    (0..len as u32).map(|i| i * 7919 % 1009).collect()
}

fn logits(len: usize) -> Vec<f32> {
    counts(len).iter().map(|&count| count as f32 / 128.0).collect()
}

fn inverse() -> SampleOptions<'static> {
    SampleOptions::default().with_method(Method::InverseCdf)
}

/// The first draw and the number of draws of some calls: fewer, more, odd ones, and the last draws
/// that exist.
const CALLS: [(u32, u32); 7] =
    [(0, 1), (3, 4), (0, 257), (1000, 33), (5, 2), ((1 << 31) - 5, 5), (1, 1)];

/// Rows of every kind of values, with options for seed, row ids and temperature.
fn draws_are_those_of_one_call(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = sampler(adapter, GpuSampler::builder())?;
    let (numbers, counts) = (logits(5 * 300), counts(5 * 300));
    let halves: Vec<f16> = numbers.iter().map(|&number| f16::from_f32(number)).collect();
    let weights: Vec<f32> = counts.iter().map(|&count| count as f32 * 1e-40).collect();
    let batches: [Batch<'_>; 6] = [
        Logits::new(&numbers, 300)?.into(),
        Logits::from_f16(&halves, 300)?.into(),
        Weights::new(&weights, 300)?.into(),
        Weights::from_counts(&counts, 300)?.into(),
        Logits::strided(&numbers, 5, 200, 301)?.into(),
        Logits::strided(&numbers, 5, 300, 0)?.into(),
    ];
    let ids = [9, 1 << 40, 0, u64::MAX, 9];
    let all_options = [
        inverse(),
        inverse().with_seed(7).with_first_row(u64::MAX - 2),
        inverse().with_seed(3 << 40).with_row_ids(&ids).with_temperature(0.7),
        inverse().with_temperature(0.0),
    ];
    for (i, batch) in batches.into_iter().enumerate() {
        for options in all_options {
            let cpu = CpuSampler::new().inverse_cdf(batch, &options)?;
            // the method and the draws that the options name do not matter to a table
            let other = options.with_method(Method::Gumbel).with_first_draw(4).with_draws(9);
            let prepared = gpu.inverse_cdf(batch, &other)?;
            ensure((prepared.rows(), prepared.categories()) == (5, batch.categories()), || {
                format!("{prepared:?}")
            })?;
            for (first, draws) in CALLS {
                let got = prepared.sample_rows(first, draws)?;
                let what = || format!("batch {i}, {options:?}: {draws} draws from {first} on");
                ensure(got == cpu.sample_rows(first, draws)?, what)?;
                let options = options.with_first_draw(first).with_draws(draws);
                ensure(got == gpu.sample_rows(batch, &options)?, what)?;
            }
        }
    }
    Ok(())
}

/// Returns a sampler on a device that binds no more than 64 KiB: 8,192 draws or categories at a
/// time.
fn narrow(adapter: &AdapterReport, builder: GpuSamplerBuilder) -> Result<GpuSampler, Failed> {
    let required_limits =
        wgpu::Limits { max_storage_buffer_binding_size: 1 << 16, ..adapter.limits.clone() };
    let (device, queue) = pollster::block_on(
        adapter
            .adapter()
            .request_device(&wgpu::DeviceDescriptor { required_limits, ..Default::default() }),
    )?;
    Ok(builder.build_with_device(device, queue)?)
}

/// A chunk has four rows; a pass draws from two of them at once, or from one a part of the draws at a time. Rows are
/// all different, or all the same.
fn many_picks_of_many_chunks(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = narrow(adapter, GpuSampler::builder())?;
    many_picks(&gpu)
}

fn many_picks(gpu: &GpuSampler) -> Result<(), Failed> {
    let numbers = logits(11 * 2000);
    let ids: Vec<u64> = (0..11).map(|i| (i * i) << 33).collect();
    for row_stride in [2000, 0] {
        let rows = Logits::strided(&numbers, 11, 2000, row_stride)?;
        for options in [inverse().with_seed(3), inverse().with_row_ids(&ids)] {
            let prepared = gpu.inverse_cdf(rows, &options)?;
            let cpu = CpuSampler::new().inverse_cdf(rows, &options)?;
            for (first, draws) in [(1, 3), (6, 3000), (0, 9001), (2, 3000)] {
                let due = cpu.sample_rows(first, draws)?;
                let what = || format!("{row_stride} apart: {draws} draws from {first} on");
                ensure(prepared.sample_rows(first, draws)? == due, what)?;
                let options = options.with_first_draw(first).with_draws(draws);
                ensure(gpu.sample_rows(rows, &options)? == due, what)?;
            }
        }
    }
    let most = 8192;
    let row = vec![0.0; most + 1];
    let error = gpu.inverse_cdf(Logits::new(&row, most + 1)?, &inverse()).err();
    ensure(
        matches!(error, Some(Error::RowTooLong { categories, most: m, .. })
            if categories == most + 1 && m == most),
        || format!("{error:?}"),
    )
}

/// Draws from two tables of one sampler in turn, with other calls in between; at the end neither
/// the rows nor the sampler exist.
fn two_tables_in_turn(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = sampler(adapter, GpuSampler::builder())?;
    let (mut numbers, mut counts) = (logits(3 * 500), counts(4 * 70));
    let cpu = CpuSampler::new();
    let seeded = inverse().with_seed(8);
    let due = [
        cpu.inverse_cdf(Logits::new(&numbers, 500)?, &inverse())?,
        cpu.inverse_cdf(Weights::from_counts(&counts, 70)?, &seeded)?,
    ];
    let prepared = [
        gpu.inverse_cdf(Logits::new(&numbers, 500)?, &inverse())?,
        gpu.inverse_cdf(Weights::from_counts(&counts, 70)?, &seeded)?,
    ];
    numbers.fill(0.0);
    counts.fill(1);
    let in_turn = |what: &str| -> Result<(), Failed> {
        for (first, draws) in CALLS {
            for (prepared, due) in prepared.iter().zip(&due) {
                let got = pollster::block_on(prepared.sample_rows_async(first, draws))?;
                let what = || format!("{what}: {draws} draws from {first} on");
                ensure(got == due.sample_rows(first, draws)?, what)?;
            }
        }
        Ok(())
    };
    in_turn("at first")?;
    let others = Logits::new(&numbers, 500)?;
    for method in [Method::InverseCdf, Method::Gumbel] {
        let options = SampleOptions::default().with_method(method).with_draws(50);
        ensure(gpu.sample_rows(others, &options)? == cpu.sample_rows(others, &options)?, || {
            format!("between: {method:?}")
        })?;
    }
    drop((numbers, counts));
    in_turn("after other calls")?;
    drop(gpu);
    in_turn("without the sampler")
}

/// Each thread has memory of its own.
fn threads_share_tables(adapter: &AdapterReport) -> Result<(), Failed> {
    let numbers = logits(3 * 500);
    let rows = Logits::new(&numbers, 500)?;
    let sampler = sampler(adapter, GpuSampler::builder())?;
    let prepared = pollster::block_on(sampler.inverse_cdf_async(rows, &inverse()))?;
    ensure((prepared.rows(), prepared.categories()) == (3, 500), || format!("{prepared:?}"))?;
    let cpu = CpuSampler::new().inverse_cdf(rows, &inverse())?;
    std::thread::scope(|scope| {
        let draw = |thread: u32| {
            let (prepared, cpu) = (&prepared, &cpu);
            scope.spawn(move || {
                (0..20).all(|call| {
                    let (first, draws) = (100 * thread + call, 1 + 17 * call * (thread + 1));
                    let got = prepared.sample_rows(first, draws).ok();
                    got.is_some() && got == cpu.sample_rows(first, draws).ok()
                })
            })
        };
        let threads = [0, 1, 2].map(draw);
        let all = threads.map(|thread| thread.join().is_ok_and(|as_due| as_due));
        ensure(all == [true; 3], || format!("{all:?}"))
    })
}

/// A row without a draw is named, or gets the sentinel, and harms no other row.
fn rows_without_a_draw(adapter: &AdapterReport) -> Result<(), Failed> {
    let mut data = vec![0.5f32; 5 * 40];
    data[40 + 13] = f32::NAN;
    data[80..120].fill(f32::NEG_INFINITY);
    data[160] = f32::INFINITY;
    let nan = Undrawable::Nan { category: 13 };
    for chunk_bytes in [1 << 20, 1 << 10] {
        let gpu = sampler(adapter, GpuSampler::builder().with_chunk_bytes(chunk_bytes))?;
        for options in [inverse(), inverse().with_temperature(0.0)] {
            let logits = Logits::new(&data, 40)?;
            let error = gpu.inverse_cdf(logits, &options).err();
            ensure(
                matches!(error, Some(Error::UndrawableRow { row: 1, reason }) if reason == nan),
                || format!("{error:?}"),
            )?;
            let prepared = gpu.inverse_cdf(logits, &options.with_sentinels(true))?;
            for (first, draws) in CALLS {
                let drawn = prepared.sample_rows(first, draws)?;
                let rows = drawn.chunks(draws as usize);
                let none: Vec<_> = rows.map(|row| row.iter().all(|&d| d == NO_DRAW)).collect();
                ensure(none == [false, true, true, false, true], || format!("{drawn:?}"))?;
                ensure(!drawn[..draws as usize].contains(&NO_DRAW), || format!("{drawn:?}"))?;
            }
            // of rows that are the same, the first is named
            let same = Logits::strided(&data[40..80], 1000, 40, 0)?;
            let error = gpu.inverse_cdf(same, &options).err();
            ensure(
                matches!(error, Some(Error::UndrawableRow { row: 0, reason }) if reason == nan),
                || format!("{error:?}"),
            )?;
        }
    }
    Ok(())
}

fn calls_that_make_no_sense(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = sampler(adapter, GpuSampler::builder())?;
    for temperature in [1.0, 0.0] {
        let options = inverse().with_temperature(temperature);
        let prepared = gpu.inverse_cdf(Logits::new(&[0.0; 6], 3)?, &options)?;
        let error = prepared.sample_rows_into(0, &mut [0; 5]).err();
        ensure(matches!(error, Some(Error::DrawsLength { expected: 4, got: 5 })), || {
            format!("{error:?}")
        })?;
        for (first, draws) in [(0, 0), (1 << 31, 1), ((1 << 31) - 2, 3)] {
            let error = prepared.sample_rows(first, draws).err();
            ensure(matches!(error, Some(Error::Draws { .. })), || format!("{error:?}"))?;
        }
        let none = gpu.inverse_cdf(Logits::new(&[], 3)?, &options)?;
        ensure(none.sample_rows(0, 5)?.is_empty(), || "draws of no rows".to_owned())?;
    }
    let error = gpu.inverse_cdf(Logits::new(&[0.0; 6], 3)?, &inverse().with_temperature(-1.0));
    ensure(matches!(error, Err(Error::Temperature { .. })), || format!("{error:?}"))
}

fn a_lost_device(adapter: &AdapterReport) -> Result<(), Failed> {
    let (device, queue) = device(adapter, wgpu::Features::empty())?;
    let gpu = GpuSampler::builder().build_with_device(device.clone(), queue)?;
    let prepared = gpu.inverse_cdf(Logits::new(&[0.0; 6], 3)?, &inverse())?;
    ensure(prepared.sample_rows(0, 2)?.len() == 4, || "no draws".to_owned())?;
    device.destroy();
    // with the memory that is there, and with more
    for draws in [2, 200, 2] {
        let error = prepared.sample_rows(0, draws).err();
        ensure(matches!(error, Some(Error::DeviceLost { .. })), || format!("{error:?}"))?;
    }
    Ok(())
}

/// The comparisons above see stale tables: of another batch, of another seed, of the ids of other rows.
fn tables_of_another_batch_are_seen(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = sampler(adapter, GpuSampler::builder())?;
    let numbers = logits(3 * 500);
    let mut others = numbers.clone();
    others[700] += 1.0;
    let rows = Logits::new(&numbers, 500)?;
    let due = CpuSampler::new().inverse_cdf(rows, &inverse())?.sample_rows(0, 5000)?;
    let mismatches = |stale: &InverseCdf<Gpu>| -> Result<usize, Failed> {
        let draws = stale.sample_rows(0, 5000)?;
        Ok(draws.iter().zip(&due).filter(|(got, due)| got != due).count())
    };
    let stale = [
        gpu.inverse_cdf(Logits::new(&others, 500)?, &inverse())?,
        gpu.inverse_cdf(rows, &inverse().with_seed(1))?,
        gpu.inverse_cdf(rows, &inverse().with_first_row(1))?,
    ];
    for (i, stale) in stale.iter().enumerate() {
        ensure(mismatches(stale)? > 0, || format!("fault {i} was not seen"))?;
    }
    let sound = mismatches(&gpu.inverse_cdf(rows, &inverse())?)?;
    ensure(sound == 0, || format!("{sound} mismatches without a fault"))
}

/// The fault: a draw begins with the first table of its chunk, whatever its row.
fn the_first_tables_for_all_are_seen(adapter: &AdapterReport) -> Result<(), Failed> {
    let edit = |source: String| {
        if !source.contains("fn pick(") {
            return source;
        }
        replaced(source, "min(run.first_table + row, run.tables - 1u)", "min(row, run.tables - 1u)")
    };
    let gpu = narrow(adapter, GpuSampler::builder().with_shader_edit(edit))?;
    let seen = many_picks(&gpu).err();
    let by_draws =
        seen.as_ref().and_then(Failed::message).is_some_and(|m| m.contains("draws from"));
    ensure(by_draws, || format!("the fault was not seen: {seen:?}"))
}
