//! The measurements on every adapter of this machine: they complete, and they show wrong results. A machine without an
//! adapter fails, unless `GUMBEL_SKIP_GPU_TESTS=1` asks for these tests to be shown as ignored.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::time::Duration;

use gumbel::wgpu::Features;
use gumbel::{AdapterReport, GpuSampler, GpuSamplerBuilder};
use gumbel_bench::{
    ALL_CUTS, ARGMAX, COPY, Config, MASK, MIN_P, Results, Rows, SAMPLE, SAMPLE_ROWS,
    SAMPLE_ROWS_CPU, Shape, TOP_K, TOP_P, UPLOAD,
};
use libtest_mimic::{Arguments, Trial};

fn main() {
    let skipped = std::env::var("GUMBEL_SKIP_GPU_TESTS").is_ok_and(|value| value == "1");
    let tests: [(_, fn()); 4] = [
        ("everything_is_timed_and_right", everything_is_timed_and_right),
        ("wrong_draws_get_no_time", wrong_draws_get_no_time),
        (
            "restricted_draws_are_timed_if_they_are_right",
            restricted_draws_are_timed_if_they_are_right,
        ),
        ("rows_of_all_kinds_are_made_alike", rows_of_all_kinds_are_made_alike),
    ];
    let trials = tests.map(|(name, test)| {
        let run = move || {
            test();
            Ok(())
        };
        Trial::test(name, run).with_ignored_flag(skipped)
    });
    let mut arguments = Arguments::from_args();
    // One at a time, as measurements are: the devices of a GL adapter share a context, for which wgpu does not wait long.
    // A single thread is the main one, too, so none is still freeing what a driver gave it when the process ends, which
    // aborts it with Mesa ("double free or corruption").
    arguments.test_threads = Some(1);
    libtest_mimic::run(&arguments, trials.into()).exit();
}

const EVEN: Shape = Shape { rows: 8, categories: 1024 };

fn each_adapter(
    shapes: &[Shape],
    builder: &GpuSamplerBuilder,
    check: impl Fn(&AdapterReport, &Results),
) {
    each_adapter_with(Config::quick(), shapes, builder, check);
}

fn each_adapter_with(
    config: Config,
    shapes: &[Shape],
    builder: &GpuSamplerBuilder,
    check: impl Fn(&AdapterReport, &Results),
) {
    let config = Config {
        shapes: shapes.to_vec(),
        each: Duration::ZERO,
        builder: builder.clone(),
        ..config
    };
    let adapters = gumbel::adapters(gumbel::wgpu::Backends::all());
    let usable: Vec<_> = adapters.iter().filter(|report| report.obstacle.is_none()).collect();
    assert!(!usable.is_empty(), "no adapter: scripts/test installs one");
    for report in usable {
        check(report, &gumbel_bench::run(report, &config, &mut |_| {}).unwrap());
    }
}

fn everything_is_timed_and_right() {
    let shapes = [EVEN, Shape { rows: 5, categories: 27 }, Shape { rows: 1, categories: 1 }];
    each_adapter(&shapes, &GpuSampler::builder(), |report, results| {
        assert_eq!(results.shapes().len(), 3);
        assert_eq!(results.wrong().count(), 0, "{report}: {}", results.csv());
        let has = |features| report.features.contains(features | Features::TIMESTAMP_QUERY);
        for shape in results.shapes() {
            for (what, format) in [
                (SAMPLE, "f32"),
                (ARGMAX, "f32"),
                (COPY, ""),
                (SAMPLE, "f16"),
                (SAMPLE, "bf16"),
                (SAMPLE_ROWS, "f32"),
                (SAMPLE_ROWS, "f64"),
                (SAMPLE_ROWS_CPU, "f32"),
                (UPLOAD, ""),
            ] {
                let line = results.find(shape, what, format).unwrap();
                assert!(line.wall.is_some_and(|time| time.min > 0.0), "{report}: {line:?}");
                // by the device's clock where it has one, and not only by the wall clock
                let clock = match what {
                    SAMPLE_ROWS | SAMPLE_ROWS_CPU | UPLOAD => false,
                    COPY => has(Features::TIMESTAMP_QUERY_INSIDE_ENCODERS),
                    _ => has(Features::TIMESTAMP_QUERY),
                };
                assert_eq!(line.device.is_some(), clock, "{report}: {line:?}");
                assert!(line.device.is_none_or(|time| time.min > 0.0), "{report}: {line:?}");
            }
        }
    });
}

fn wrong_draws_get_no_time() {
    fn numbered_wrongly(source: String) -> String {
        let edited = source.replace("run.first_category + argmax * 8u + first", "argmax * 8u");
        edited.replace("vec3<u32>(row.stream.row,", "vec3<u32>(row.stream.row + 1u,")
    }
    let faulty = GpuSampler::builder().with_shader_edit(numbered_wrongly);
    each_adapter(&[EVEN], &faulty, |report, results| {
        for (what, format) in [
            (SAMPLE, "f32"),
            (ARGMAX, "f32"),
            (SAMPLE, "f16"),
            (SAMPLE_ROWS, "f32"),
            (SAMPLE_ROWS, "f64"),
        ] {
            let line = results.find(EVEN, what, format).unwrap();
            assert!(line.wrong && line.time().is_none(), "{report}: {line:?}");
            assert!(line.note.ends_with(" of 8 draws are not the CPU engine's"), "{}", line.note);
        }
        // the fault is in draws, so the copy is right
        assert!(!results.find(EVEN, COPY, "").unwrap().wrong);
        assert!(results.wrong().count() >= 5);
    });
}

fn restricted_draws_are_timed_if_they_are_right() {
    let shapes = [EVEN, Shape { rows: 3, categories: 5003 }];
    let right = GpuSampler::builder();
    each_adapter_with(Config::restricted(), &shapes, &right, |report, results| {
        assert_eq!(results.wrong().count(), 0, "{report}: {}", results.csv());
        for shape in shapes {
            for what in [SAMPLE, MASK, MIN_P, TOP_K, TOP_P, ALL_CUTS] {
                let line = results.find(shape, what, "f32").unwrap();
                assert!(line.time().is_some_and(|time| time.min > 0.0), "{report}: {line:?}");
            }
        }
        // nothing else takes time
        assert_eq!(results.lines.len(), 12);
    });
    // masks that allow what they hide, and cuts that keep only the largest
    fn restricted_wrongly(source: String) -> String {
        let edited = source.replace("low < vec4<i32>(0)", "low >= vec4<i32>(0)");
        edited.replace("cuts[position * RECORD].x", "cuts[position * RECORD].w")
    }
    let faulty = GpuSampler::builder().with_shader_edit(restricted_wrongly);
    let many = Shape { rows: 200, categories: 203 };
    each_adapter_with(Config::restricted(), &[many], &faulty, |report, results| {
        assert!(!results.find(many, SAMPLE, "f32").unwrap().wrong, "{report}");
        for what in [MASK, MIN_P, TOP_K, TOP_P, ALL_CUTS] {
            let line = results.find(many, what, "f32").unwrap();
            assert!(line.wrong && line.time().is_none(), "{report}: {line:?}");
        }
    });
}

/// The device and the host have the same logits: the draws agree.
fn rows_of_all_kinds_are_made_alike() {
    let shapes = [Shape { rows: 7, categories: 1001 }, Shape { rows: 3, categories: 5003 }];
    for rows in Rows::ALL {
        let config = Config { rows, ..Config::restricted() };
        each_adapter_with(config, &shapes, &GpuSampler::builder(), |report, results| {
            assert_eq!(results.wrong().count(), 0, "{report}, {}: {}", rows.name(), results.csv());
            assert!(results.lines.iter().all(|line| line.time().is_some()), "{}", results.csv());
        });
    }
}
