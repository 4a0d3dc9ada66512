//! Draws by inverse CDF on the GPU: they are the reference's, in one piece and in several; and
//! faults that are seen.

use gumbel::conformance::{self, Case};
use gumbel::{
    AdapterReport, CpuSampler, DeviceKind, Error, GpuSampler, GpuSamplerBuilder, Logits, Method,
    SampleOptions, Teams, Undrawable, reference,
};
use libtest_mimic::Failed;

use super::draws::sampler;
use super::{Check, ensure};

pub(crate) mod prepared;

pub(crate) const CHECKS: &[(&str, Check)] = &[
    ("cdf::conformance", |adapter| run(adapter, GpuSampler::builder(), 600_000)),
    ("cdf::conformance_in_small_pieces", conformance_in_small_pieces),
    ("cdf::conformance_without_features", |adapter| {
        run(
            adapter,
            GpuSampler::builder().tune(|tuning| tuning.with_int64(false).with_direct_memory(false)),
            50_000,
        )
    }),
    ("cdf::many_draws_of_long_rows", many_draws_of_long_rows),
    ("cdf::a_row_that_is_too_long_is_an_error", a_row_that_is_too_long_is_an_error),
    ("cdf::errors_name_the_row", errors_name_the_row),
    ("cdf::a_forgotten_block_is_seen", |adapter| {
        let edit = |source: String| {
            source.replace(
                "offsets[first + run.blocks] = all.total;",
                "offsets[first + run.blocks] = offsets[first + run.blocks - 1u];",
            )
        };
        seen(adapter, edit, "1 x 9001: ")
    }),
    ("cdf::a_forgotten_turn_is_seen", |adapter| {
        let edit = |source: String| source.replace("before = add64(before, all.total);", "");
        seen(adapter, edit, "7 x 3011: ")
    }),
    ("cdf::a_search_that_ends_early_is_seen", |adapter| {
        let edit = |source: String| source.replace("low = middle + 1u;", "low = middle; break;");
        seen(adapter, edit, "normal logits")
    }),
    ("cdf::the_other_draws_number_is_seen", |adapter| {
        let edit = |source: String| {
            source.replace("point(uniform_bits(block, draw), total)", "point(block.xy, total)")
        };
        seen(adapter, edit, "5 draws a row")
    }),
    ("cdf::an_infinity_that_counts_is_seen", |adapter| {
        let edit = |source: String| {
            source.replace("return select(word, 0xffffffffu, is_invalid(bits));", "return word;")
        };
        seen(adapter, edit, "in single rows")
    }),
];

/// Returns how many of the draws by inverse CDF are not the reference's.
fn mismatches(gpu: &GpuSampler, case: &Case) -> Result<usize, Failed> {
    let (logits, options) = (case.batch(), case.options().with_method(Method::InverseCdf));
    let expected = reference::sample_rows(logits, &options)?;
    // a word that is neither a draw nor the sentinel
    let mut draws = vec![u32::MAX - 1; expected.len()];
    gpu.sample_rows_into(logits, &options, &mut draws)?;
    Ok(draws.iter().zip(&expected).filter(|(got, expected)| got != expected).count())
}

fn work(case: &Case) -> usize {
    case.batch().rows() * case.batch().categories()
}

/// Checks all cases of no more logits than `most`.
fn run(adapter: &AdapterReport, builder: GpuSamplerBuilder, most: usize) -> Result<(), Failed> {
    let gpu = sampler(adapter, builder)?;
    let mut wrong = Vec::new();
    for case in conformance::cases().filter(|case| work(case) <= most) {
        let mismatches = mismatches(&gpu, &case)?;
        if mismatches > 0 {
            wrong.push(format!("{case}: {mismatches} mismatches"));
        }
    }
    ensure(wrong.is_empty(), || wrong.join("\n"))
}

fn conformance_in_small_pieces(adapter: &AdapterReport) -> Result<(), Failed> {
    for workgroup_size in [1, 8] {
        let builder = GpuSampler::builder()
            .tune(|tuning| tuning.with_workgroup_size(workgroup_size))
            .with_chunk_bytes(1 << 10)
            .tune(|tuning| tuning.with_workgroups(3));
        run(adapter, builder, 9000)?;
    }
    let with_large_workgroups = Teams { shared_workgroup: 256, ..Teams::HARDWARE };
    run(
        adapter,
        GpuSampler::builder()
            .tune(|tuning| tuning.with_device_kind(DeviceKind::Teams(with_large_workgroups))),
        9000,
    )
}

/// A million categories in many blocks, and draws whose first number is odd.
fn many_draws_of_long_rows(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = sampler(adapter, GpuSampler::builder())?;
    let row: Vec<f32> = (0..1_000_003u64).map(|i| (i * 7919 % 1009) as f32 / 128.0).collect();
    let logits = Logits::new(&row, row.len())?;
    for workgroups in [1, 70_001] {
        let options = SampleOptions::default()
            .with_method(Method::InverseCdf)
            .with_first_draw(7)
            .with_draws(workgroups);
        let expected = CpuSampler::new().sample_rows(logits, &options)?;
        ensure(gpu.sample_rows(logits, &options)? == expected, || "other draws".to_owned())?;
    }
    Ok(())
}

/// The engine and the method never change silently.
fn a_row_that_is_too_long_is_an_error(adapter: &AdapterReport) -> Result<(), Failed> {
    // workgroups of one invocation take no more than 1,024 turns of 4,096 blocks, of an octet each
    let most = 1024 * 4096 * 8;
    let gpu = sampler(adapter, GpuSampler::builder().tune(|tuning| tuning.with_workgroup_size(1)))?;
    let row = vec![0.0; most + 1];
    let options = SampleOptions::default().with_method(Method::InverseCdf);
    let error = gpu.sample_rows(Logits::new(&row, row.len())?, &options).err();
    ensure(
        matches!(error, Some(Error::RowTooLong { categories, most: m, .. })
            if categories == most + 1 && m <= most),
        || format!("{error:?}"),
    )
}

fn errors_name_the_row(adapter: &AdapterReport) -> Result<(), Failed> {
    let gpu = sampler(adapter, GpuSampler::builder())?;
    let mut data = [0.0; 40];
    data[8 * 2 + 5] = f32::NAN;
    let options = SampleOptions::default().with_method(Method::InverseCdf);
    let error = gpu.sample_rows(Logits::new(&data, 8)?, &options).err();
    let nan = Undrawable::Nan { category: 5 };
    ensure(matches!(error, Some(Error::UndrawableRow { row: 2, reason }) if reason == nan), || {
        format!("{error:?}")
    })
}

/// Checks that a sampler with this fault mismatches in some case whose name contains `name`.
fn seen(adapter: &AdapterReport, edit: fn(String) -> String, name: &str) -> Result<(), Failed> {
    let gpu = sampler(adapter, GpuSampler::builder().with_shader_edit(edit))?;
    let mut mismatched = 0;
    let cases =
        conformance::cases().filter(|case| case.to_string().contains(name) && work(case) < 60_000);
    for case in cases {
        mismatched += mismatches(&gpu, &case)?;
    }
    ensure(mismatched > 0, || "the fault was not seen".to_owned())
}
