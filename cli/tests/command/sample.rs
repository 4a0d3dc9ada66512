//! `gumbel sample` draws what the library does, whatever the file's type and however it is cut.

use std::path::Path;

use crate::common::{
    gumbel, header, logits, read_u32, run_with, sample, stdout, write_f32, write_npy,
};
use gumbel::{CpuSampler, Logits, SampleOptions, reference};
use half::f16;
use tempfile::tempdir;

/// The draws of one call of the library.
fn expected(logits: &[f32], categories: usize, options: SampleOptions<'_>) -> Vec<u32> {
    CpuSampler::new().sample_rows(Logits::new(logits, categories).unwrap(), &options).unwrap()
}

/// The lines that the command prints for these draws.
fn lines(draws: &[u32], in_row: usize) -> String {
    draws
        .chunks(in_row)
        .map(|row| row.iter().map(u32::to_string).collect::<Vec<_>>().join(" ") + "\n")
        .collect()
}

#[test]
fn every_type_is_read() {
    let directory = tempdir().unwrap();
    let values = logits(40 * 13);
    let want = lines(&expected(&values, 13, SampleOptions::default()), 1);
    let shape = [40, 13];
    for descr in ["<f2", ">f2"] {
        let halves = values.iter().map(|&x| f16::from_f32(x));
        let input = write_npy(directory.path(), descr, &shape, halves);
        assert_eq!(stdout(sample(&input, &[])), want, "{descr}");
    }
    for descr in ["<f4", ">f4"] {
        let input = write_npy(directory.path(), descr, &shape, values.iter().copied());
        assert_eq!(stdout(sample(&input, &[])), want, "{descr}");
    }
    for descr in ["<f8", ">f8"] {
        let doubles = values.iter().map(|&x| f64::from(x));
        let input = write_npy(directory.path(), descr, &shape, doubles);
        assert_eq!(stdout(sample(&input, &[])), want, "{descr}");
    }
}

#[test]
fn f64_is_drawn_from_as_it_is() {
    let directory = tempdir().unwrap();
    let third = 1.0_f64 / 3.0;
    let doubles: Vec<_> = (0..200 * 3)
        .flat_map(|i| [1e7 + third * f64::from(i), 1e7 + 0.3 * f64::from(i), f64::NEG_INFINITY])
        .chain([f64::MAX, 1e39, f64::MIN])
        .collect();
    let logits = Logits::from_f64(&doubles, 3).unwrap();
    let want = reference::sample_rows(logits, &SampleOptions::default()).unwrap();
    // what single precision draws is something else
    let single: Vec<_> = doubles[..1800].iter().map(|&x| x as f32).collect();
    assert_ne!(want[..600], expected(&single, 3, SampleOptions::default()));
    let rows = doubles.len() as u64 / 3;
    let input = write_npy(directory.path(), "<f8", &[rows, 3], doubles);
    for args in [&[][..], &["--chunk", "99"]] {
        assert_eq!(stdout(sample(&input, args)), lines(&want, 1));
    }
}

/// Files on which single precision failed: a weight of 1e-60, and a usual mask.
#[test]
fn small_weights_and_masks_of_f64() {
    let directory = tempdir().unwrap();
    let share = |input: &Path, args: &[&str]| {
        let args = [&["--draws", "100000"], args].concat();
        let text = stdout(sample(input, &args));
        text.split_whitespace().filter(|&draw| draw == "1").count() as f64 / 1e5
    };
    let weights = write_npy(directory.path(), "<f8", &[1, 2], [1e-60, 3e-60]);
    assert!((share(&weights, &["--weights"]) - 0.75).abs() < 0.01);
    let masked = write_npy(directory.path(), "<f8", &[1, 3], [0.0, 1.0, f64::MIN]);
    assert!((share(&masked, &[]) - 0.731).abs() < 0.01);
}

#[test]
fn the_output_has_the_shape_of_the_draws() {
    let directory = tempdir().unwrap();
    let values = logits(60);
    let out = directory.path().join("out.npy");
    for (shape, draws, want_shape) in [
        (&[60][..], 1, &[1][..]),
        (&[60], 4, &[1, 4]),
        (&[20, 3], 1, &[20]),
        (&[20, 3], 4, &[20, 4]),
        (&[1, 60], 1, &[1]),
        (&[60, 1], 2, &[60, 2]),
        (&[0, 7], 1, &[0]),
        (&[0, 7], 3, &[0, 3]),
    ] {
        let count = shape.iter().product::<u64>() as usize;
        let input = write_f32(directory.path(), shape, &values[..count]);
        let args = ["--draws", &draws.to_string(), "-o", out.to_str().unwrap()];
        assert_eq!(stdout(sample(&input, &args)), "", "draws go to the file alone");
        let categories = shape[shape.len() - 1] as usize;
        let options = SampleOptions::default().with_draws(draws);
        let want = expected(&values[..count], categories, options);
        let (got_shape, got) = read_u32(&std::fs::read(&out).unwrap());
        assert_eq!(got_shape, want_shape, "{shape:?} x {draws}");
        assert_eq!(got, want, "{shape:?} x {draws}");
        // and the same as text
        let text = stdout(sample(&input, &args[..2]));
        assert_eq!(text, lines(&want, draws as usize), "{shape:?} x {draws}");
    }
}

#[test]
fn the_cut_does_not_show() {
    let directory = tempdir().unwrap();
    let (rows, categories) = (50, 17);
    let values = logits(rows * categories);
    let shape = [rows as u64, categories as u64];
    let input = write_f32(directory.path(), &shape, &values);
    let out = directory.path().join("out.npy");
    for draws in [1, 2, 19] {
        let options =
            SampleOptions::default().with_draws(draws).with_seed(5).with_first_row(u64::MAX - 20);
        let want = expected(&values, categories, options);
        // one row at most; some rows; some draws of a row; all rows at once
        for chunk in ["1", "5", "18", "34", "40", "100", "1000000"] {
            let common = ["--seed", "5", "--first-row", "18446744073709551595"];
            let args = ["--chunk", chunk, "--draws", &draws.to_string()];
            let args = [&common[..], &args[..]].concat();
            let text = stdout(sample(&input, &args));
            assert_eq!(text, lines(&want, draws as usize), "chunk {chunk}, {draws} draws");
            let args = [&args[..], &["-o", out.to_str().unwrap()]].concat();
            stdout(sample(&input, &args));
            assert_eq!(read_u32(&std::fs::read(&out).unwrap()).1, want, "chunk {chunk}");
        }
    }
}

#[test]
fn rows_longer_than_a_piece_are_read_whole() {
    let directory = tempdir().unwrap();
    let values = logits(3 * 100_003);
    let want = lines(&expected(&values, 100_003, SampleOptions::default()), 1);
    let input =
        write_npy(directory.path(), ">f8", &[3, 100_003], values.iter().map(|&x| f64::from(x)));
    assert_eq!(stdout(sample(&input, &["--chunk", "1000"])), want);
    assert_eq!(stdout(sample(&input, &[])), want);
}

#[test]
fn options_reach_the_sampler() {
    let directory = tempdir().unwrap();
    let values = logits(300 * 11);
    let input = write_f32(directory.path(), &[300, 11], &values);
    let default = SampleOptions::default();
    let cases: [(&[&str], SampleOptions<'_>); 5] = [
        (&["--seed", "18446744073709551615"], default.with_seed(u64::MAX)),
        (&["--seed", "1"], default.with_seed(1)),
        (&["--first-row", "5000000000"], default.with_first_row(5_000_000_000)),
        (&["--temperature", "0"], default.with_temperature(0.0)),
        (&["--temperature", "2.5"], default.with_temperature(2.5)),
    ];
    let plain = expected(&values, 11, default);
    for (args, options) in cases {
        let want = expected(&values, 11, options);
        assert_ne!(want, plain, "{args:?} must make a difference");
        assert_eq!(stdout(sample(&input, args)), lines(&want, 1), "{args:?}");
    }
}

#[test]
fn temperature_0_takes_the_largest_logit() {
    let directory = tempdir().unwrap();
    let input = write_f32(directory.path(), &[2, 3], &[1.0, 3.0, 3.0, -0.0, 0.0, -1.0]);
    assert_eq!(stdout(sample(&input, &["--temperature", "0"])), "1\n0\n");
}

#[test]
fn standard_input_and_output_stand_in_for_files() {
    let values = logits(30 * 7);
    let mut bytes = header("'<f4'", "False", "(30, 7)");
    bytes.extend(values.iter().flat_map(|x| x.to_le_bytes()));
    let want = expected(&values, 7, SampleOptions::default());
    let command = || gumbel(&["sample", "-", "--engine", "cpu", "--chunk", "50"]);
    assert_eq!(stdout(run_with(command(), &bytes)), lines(&want, 1));
    for out in ["-", "/dev/stdout"] {
        let mut command = command();
        command.args(["-o", out]);
        let output = run_with(command, &bytes);
        assert!(output.status.success());
        assert_eq!(read_u32(&output.stdout), (vec![30], want.clone()), "{out}");
    }
}

#[test]
fn fortran_order_of_a_single_row_or_column_is_no_order_at_all() {
    for (shape, categories) in [("(6,)", 6), ("(1, 6)", 6), ("(6, 1)", 1)] {
        let mut bytes = header("'<f4'", "True", shape);
        let values = logits(6);
        bytes.extend(values.iter().flat_map(|x| x.to_le_bytes()));
        let output = run_with(gumbel(&["sample", "-", "--engine", "cpu"]), &bytes);
        let want = expected(&values, categories, SampleOptions::default());
        assert_eq!(stdout(output), lines(&want, 1), "{shape}");
    }
}

#[test]
fn the_output_may_be_the_input_or_a_device() {
    let directory = tempdir().unwrap();
    let values = logits(30 * 7);
    let input = write_f32(directory.path(), &[30, 7], &values);
    stdout(sample(&input, &["-o", "/dev/null"]));
    assert!(!std::path::Path::new("/dev/null").is_file(), "a device stays one");
    stdout(sample(&input, &["-o", input.to_str().unwrap()]));
    let want = expected(&values, 7, SampleOptions::default());
    assert_eq!(read_u32(&std::fs::read(&input).unwrap()), (vec![30], want));
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "nothing else is left");
}

#[cfg(unix)]
#[test]
fn the_output_has_the_permissions_of_any_new_file_or_of_the_old_one() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempdir().unwrap();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode();
    let input = write_f32(directory.path(), &[3], &[0.0; 3]);
    let (out, link) = (directory.path().join("out.npy"), directory.path().join("link.npy"));
    stdout(sample(&input, &["-o", out.to_str().unwrap()]));
    assert_eq!(mode(&out), mode(&input), "as any file that this process creates");
    std::fs::set_permissions(&out, std::fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink("out.npy", &link).unwrap();
    stdout(sample(&input, &["-o", link.to_str().unwrap(), "--draws", "2"]));
    assert!(link.is_symlink());
    assert_eq!(mode(&out) & 0o777, 0o640);
    assert_eq!(read_u32(&std::fs::read(&out).unwrap()).0, [1, 2]);
}

#[cfg(unix)]
#[test]
fn a_link_to_a_file_that_is_to_be_stays_a_link() {
    use std::os::unix::fs::symlink;
    let directory = tempdir().unwrap();
    let input = write_f32(directory.path(), &[3], &[0.0; 3]);
    let path = |name: &str| directory.path().join(name);
    std::fs::create_dir(path("deep")).unwrap();
    symlink("deep/second.npy", path("first.npy")).unwrap();
    symlink("third.npy", path("deep/second.npy")).unwrap();
    stdout(sample(&input, &["-o", path("first.npy").to_str().unwrap()]));
    assert!(path("first.npy").is_symlink() && path("deep/second.npy").is_symlink());
    assert!(!path("deep/third.npy").is_symlink());
    assert_eq!(read_u32(&std::fs::read(path("deep/third.npy")).unwrap()).0, [1]);

    symlink("circle.npy", path("circle.npy")).unwrap();
    let output = sample(&input, &["-o", path("circle.npy").to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(path("circle.npy").is_symlink());
}

#[test]
fn json_has_the_summary_and_nothing_else() {
    let directory = tempdir().unwrap();
    let input = write_f32(directory.path(), &[30, 7], &logits(30 * 7));
    let out = directory.path().join("out.npy");
    for args in
        [&["--json", "--draws", "3"][..], &["--json", "--draws", "3", "-o", out.to_str().unwrap()]]
    {
        let output = sample(&input, args);
        assert!(output.stderr.is_empty());
        let text = stdout(output);
        assert_eq!(text.lines().count(), 1);
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let mut keys: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
        keys.sort_unstable();
        let mut want = [
            "engine",
            "adapter",
            "rows",
            "categories",
            "draws",
            "method",
            "seconds",
            "draws_per_second",
        ];
        want.sort_unstable();
        assert_eq!(keys, want);
        assert_eq!(json["engine"], "cpu");
        assert!(json["adapter"].is_null());
        assert_eq!((&json["rows"], &json["categories"]), (&30.into(), &7.into()));
        assert_eq!(json["draws"], 3);
        let speed = json["draws_per_second"].as_f64().unwrap();
        let seconds = json["seconds"].as_f64().unwrap();
        assert!(seconds > 0.0 && (speed * seconds - 90.0).abs() < 1e-6);
    }
    assert_eq!(read_u32(&std::fs::read(&out).unwrap()).0, [30, 3]);
    let none = write_f32(directory.path(), &[0, 7], &[]);
    let json: serde_json::Value =
        serde_json::from_str(&stdout(sample(&none, &["--json"]))).unwrap();
    assert_eq!(json["draws_per_second"], 0.0);
}

#[test]
fn the_summary_goes_to_standard_error() {
    let directory = tempdir().unwrap();
    let input = write_f32(directory.path(), &[30, 7], &logits(30 * 7));
    let output = sample(&input, &["--draws", "3"]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.starts_with("engine cpu: rows 30, categories 7, draws 3 a row, "), "{text}");
    assert_eq!(text.lines().count(), 1, "no progress bar without a terminal: {text}");
}

#[test]
fn auto_says_what_it_took_and_draws_the_same() {
    let directory = tempdir().unwrap();
    let values = logits(30 * 7);
    let input = write_f32(directory.path(), &[30, 7], &values);
    let output = gumbel(&["sample"]).arg(&input).output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(message.contains("--engine auto took the "), "{message}");
    assert_eq!(stdout(output), lines(&expected(&values, 7, SampleOptions::default()), 1));
}

/// A fast start: Vulkan's loader, which tells what it does, is not asked for a GPU that would have nothing to do.
#[test]
fn no_gpu_is_looked_for_where_none_is_needed() {
    let directory = tempdir().unwrap();
    let few = write_f32(directory.path(), &[30, 7], &logits(30 * 7));
    let said = |input: &Path, args: &[&str]| {
        let mut command = gumbel(&["sample"]);
        let output = command.arg(input).args(args).env("VK_LOADER_DEBUG", "all").output().unwrap();
        assert!(output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let small = said(&few, &[]);
    assert!(small.starts_with("--engine auto took the CPU engine: fewer than "), "{small}");
    assert_eq!(small.lines().count(), 2, "{small}");
    let folder = tempdir().unwrap();
    let many = write_f32(folder.path(), &[300, 1000], &logits(300_000));
    assert_eq!(said(&many, &["--engine", "cpu"]).lines().count(), 1);
    assert!(said(&many, &[]).lines().count() >= 2, "with a loader it is some hundred lines");
}

#[cfg(unix)]
#[test]
fn a_reader_that_leaves_early_ends_it_quietly() {
    let directory = tempdir().unwrap();
    let input = write_f32(directory.path(), &[100_000, 2], &[0.0; 200_000]);
    let mut command = gumbel(&["sample", "--engine", "cpu", "--draws", "20"]);
    command.arg(&input).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(141));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn help_documents_what_json_prints() {
    let text = stdout(gumbel(&["sample", "--help"]).output().unwrap());
    assert!(text.contains("draws are then only written if there is an --output"), "{text}");
    assert!(!text.contains("--chunk"), "{text}");
}

/// Where there is no display server, as in containers, the search for a GPU writes nothing but the command's own lines.
#[test]
fn the_search_for_a_gpu_is_silent() {
    let input = concat!(env!("CARGO_MANIFEST_DIR"), "/../data/letters.npy");
    let mut command = gumbel(&["sample", "--engine", "auto", input]);
    let output = command.env_remove("XDG_RUNTIME_DIR").output().unwrap();
    assert!(output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    let ours = |line: &str| line.starts_with("--engine auto took") || line.starts_with("engine ");
    assert!(said.lines().all(ours), "{said}");
}
