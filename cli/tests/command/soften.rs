//! `gumbel soften` writes the library's soft samples, whose largest is the draw of `gumbel sample`,
//! whatever the file's type and however it is cut; and what it refuses.

use std::path::Path;
use std::process::Output;

use crate::common::{
    check_refused, gumbel, header, logits, read_f32, read_u32, run_with, sample, stdout,
};
use crate::common::{write_f32, write_npy};
use gumbel::{CpuSampler, Logits, Relaxation, SampleOptions};
use half::f16;
use tempfile::tempdir;

const ROWS: u64 = 20;
const CATEGORIES: usize = 9;
/// One draw of a row; some draws of a row; some rows; all rows at once.
const CHUNKS: [&str; 6] = ["1", "20", "27", "50", "200", "1000000"];

/// Runs `gumbel soften INPUT --engine cpu` with more arguments.
fn soften(input: &Path, args: &[&str]) -> Output {
    gumbel(&["soften", "--engine", "cpu"]).arg(input).args(args).output().unwrap()
}

/// Returns the bits of floats, which are to be equal.
fn bits(floats: &[f32]) -> Vec<u32> {
    floats.iter().map(|y| y.to_bits()).collect()
}

/// Returns the shape and the values of the file that the command writes, and checks that it leaves
/// no other file.
fn softened(input: &Path, args: &[&str]) -> (Vec<u64>, Vec<f32>) {
    let directory = tempdir().unwrap();
    let out = directory.path().join("out.npy");
    assert_eq!(stdout(soften(input, &[args, &["-o", out.to_str().unwrap()]].concat())), "");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    read_f32(&std::fs::read(out).unwrap())
}

/// Returns the samples of one call of the library.
fn expected(values: &[f32], options: &SampleOptions<'_>, relaxation: Relaxation) -> Vec<f32> {
    let rows = Logits::new(values, CATEGORIES).unwrap();
    CpuSampler::new().soften_rows(rows, options, relaxation).unwrap()
}

/// Returns the text of samples: a line for each row, spaces between draws, commas between the
/// numbers of a draw.
fn lines(samples: &[f32], categories: usize, draws: usize) -> String {
    let numbers = |y: &[f32]| y.iter().map(|y| format!("{y:?}")).collect::<Vec<_>>().join(",");
    let row =
        |row: &[f32]| row.chunks(categories).map(numbers).collect::<Vec<_>>().join(" ") + "\n";
    samples.chunks(categories * draws).map(row).collect()
}

#[test]
fn samples_are_the_library_s_however_the_file_is_cut() {
    let directory = tempdir().unwrap();
    let mut values = logits(ROWS as usize * CATEGORIES);
    values[30] = f32::NEG_INFINITY;
    let input = write_f32(directory.path(), &[ROWS, CATEGORIES as u64], &values);
    for draws in [1, 5] {
        let options = SampleOptions::default()
            .with_seed(3)
            .with_draws(draws)
            .with_first_row(u64::MAX - 5)
            .with_temperature(2.0);
        for hard in [false, true] {
            let want = expected(&values, &options, Relaxation::soft(0.75).with_hard(hard));
            let other = expected(&values, &options, Relaxation::soft(0.76).with_hard(hard));
            assert_eq!(want == other, hard, "tau must make a difference");
            let mut shape = vec![ROWS, CATEGORIES as u64];
            if draws > 1 {
                shape.insert(1, draws.into());
            }
            for chunk in CHUNKS {
                let draws = draws.to_string();
                let args = ["--seed", "3", "--first-row", "18446744073709551610", "--tau", "0.75"];
                let more = ["--temperature", "2", "--draws", &draws, "--chunk", chunk];
                let straight = if hard { &["--straight-through"][..] } else { &[] };
                let args = [&args[..], &more, straight].concat();
                let (got_shape, got) = softened(&input, &args);
                assert_eq!(got_shape, shape, "{args:?}");
                assert!(bits(&got) == bits(&want), "{args:?}");
                let text = stdout(soften(&input, &args));
                assert!(text == lines(&want, CATEGORIES, draws.parse().unwrap()), "{args:?}");
            }
        }
    }
}

/// Returns whether the largest number of each sample is at its draw.
fn lead(samples: &[f32], categories: usize, draws: &[u32]) -> bool {
    samples.len() == draws.len() * categories
        && samples
            .chunks(categories)
            .zip(draws)
            .all(|(sample, &draw)| sample.iter().all(|&y| y <= sample[draw as usize]))
}

#[test]
fn the_largest_is_the_draw_of_gumbel_sample() {
    let directory = tempdir().unwrap();
    let drawn = directory.path().join("draws.npy");
    for categories in [1, 2, 9, 5000] {
        let rows = 40_000 / categories;
        let values = logits(rows * categories);
        let shape = [rows as u64, categories as u64];
        let input =
            write_npy(directory.path(), "<f2", &shape, values.iter().map(|&x| f16::from_f32(x)));
        let common = ["--seed", "8", "--draws", "3", "--temperature", "4", "--first-row", "2"];
        stdout(sample(&input, &[&common[..], &["-o", drawn.to_str().unwrap()]].concat()));
        let draws = read_u32(&std::fs::read(&drawn).unwrap()).1;
        let soft = [&common[..], &["--tau", "0.5"]].concat();
        let samples = softened(&input, &soft).1;
        assert!(lead(&samples, categories, &draws), "{categories}");
        let sum = |y: &[f32]| y.iter().map(|&y| f64::from(y)).sum::<f64>();
        assert!(samples.chunks(categories).all(|y| (sum(y) - 1.0).abs() < 1e-6), "{categories}");
        let hard = softened(&input, &[&soft[..], &["--straight-through"]].concat()).1;
        assert!(lead(&hard, categories, &draws), "{categories}");
        for (sample, &draw) in hard.chunks(categories).zip(&draws) {
            let ones = |(i, &y): (usize, &f32)| y == if i == draw as usize { 1.0 } else { 0.0 };
            assert!(sample.iter().enumerate().all(ones), "{categories}");
        }
        // the samples of another seed or another draw do not follow these draws
        if categories > 1 {
            let other = softened(&input, &[&soft[2..], &["--seed", "9"]].concat()).1;
            assert!(!lead(&other, categories, &draws), "{categories}");
            let mut shifted = samples.clone();
            shifted.rotate_left(categories);
            assert!(!lead(&shifted, categories, &draws), "{categories}");
        }
    }
}

#[test]
fn every_type_is_read() {
    let directory = tempdir().unwrap();
    let values = logits(ROWS as usize * CATEGORIES);
    let shape = [ROWS, CATEGORIES as u64];
    let want = expected(&values, &SampleOptions::default(), Relaxation::soft(1.0));
    for descr in ["<f2", ">f2", "<f4", ">f4", "<f8", ">f8"] {
        let input = match &descr[2..] {
            "2" => {
                write_npy(directory.path(), descr, &shape, values.iter().map(|&x| f16::from_f32(x)))
            }
            "4" => write_npy(directory.path(), descr, &shape, values.iter().copied()),
            _ => write_npy(directory.path(), descr, &shape, values.iter().map(|&x| f64::from(x))),
        };
        let (_, got) = softened(&input, &["--tau", "1"]);
        assert!(bits(&got) == bits(&want), "{descr}");
    }
}

#[test]
fn shapes_of_all_kinds_have_samples() {
    let directory = tempdir().unwrap();
    for (shape, draws, want) in [
        (&[0, 7][..], "1", &[0, 7][..]),
        (&[0, 7], "3", &[0, 3, 7]),
        (&[7], "1", &[1, 7]),
        (&[7], "2", &[1, 2, 7]),
        (&[4, 1], "1", &[4, 1]),
    ] {
        let values = logits(shape.iter().product::<u64>() as usize);
        let input = write_f32(directory.path(), shape, &values);
        let (got, samples) = softened(&input, &["--tau", "1", "--draws", draws]);
        assert_eq!(got, want, "{shape:?} x {draws}");
        // the only category has the value 1
        assert!(shape[1..] != [1] || samples == [1.0; 4], "{samples:?}");
    }
}

#[test]
fn standard_input_and_output_stand_in_for_files() {
    let values = logits(ROWS as usize * CATEGORIES);
    let mut bytes = header("'<f4'", "False", &format!("({ROWS}, {CATEGORIES})"));
    bytes.extend(values.iter().flat_map(|x| x.to_le_bytes()));
    let want = expected(&values, &SampleOptions::default(), Relaxation::soft(2.0));
    let mut command = gumbel(&["soften", "-", "--engine", "cpu", "--tau", "2", "--chunk", "50"]);
    command.args(["-o", "-"]);
    let output = run_with(command, &bytes);
    assert!(output.status.success());
    assert_eq!(read_f32(&output.stdout), (vec![ROWS, CATEGORIES as u64], want));
}

#[test]
fn it_says_what_it_did() {
    let directory = tempdir().unwrap();
    let input = write_f32(directory.path(), &[4, 3], &logits(12));
    let output = soften(&input, &["--tau", "1", "--draws", "2"]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.starts_with("engine cpu: rows 4, categories 3, draws 2 a row, "), "{message}");
    assert_eq!(message.lines().count(), 1, "{message}");
    let text = stdout(soften(&input, &["--tau", "1", "--draws", "2", "--json"]));
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut keys: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    let want = ["adapter", "categories", "draws", "draws_per_second", "engine", "rows", "seconds"];
    assert_eq!(keys, want);
    assert_eq!((&json["rows"], &json["draws"]), (&4.into(), &2.into()));
}

/// Runs the command with a .npy file as output. Checks that it refuses with a message that contains
/// `why`, and leaves no file.
#[track_caller]
fn refused(bytes: &[u8], args: &[&str], why: &str) {
    let directory = tempdir().unwrap();
    let mut command = gumbel(&["soften", "-", "--engine", "cpu", "-o", "out.npy"]);
    command.args(args).current_dir(directory.path());
    check_refused(&run_with(command, bytes), why);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn what_it_refuses() {
    let f32s = |shape: &str, values: &[f32]| {
        let mut bytes = header("'<f4'", "False", shape);
        bytes.extend(values.iter().flat_map(|x| x.to_le_bytes()));
        bytes
    };
    let rows = f32s("(10, 3)", &[0.0; 30]);
    let soft = |more: &[&'static str]| [&["--tau", "0.5"][..], more].concat();
    refused(&rows, &[], "arguments were not provided: --tau <TAU>");
    for tau in ["0", "-1", "NaN", "inf", "1e-40"] {
        let why = "tau must be from 7.888609e-31 to 1.2676506e30, got ";
        refused(&rows, &["--tau", tau], why);
        // the refusal comes before anything is written
        let command = gumbel(&["soften", "-", "--engine", "cpu", "--tau", tau, "-o", "-"]);
        check_refused(&run_with(command, &rows), why);
        refused(&f32s("(0, 3)", &[]), &["--tau", tau], why);
    }
    refused(&rows, &["--tau", "warm"], "'warm' for '--tau <TAU>': invalid float literal");
    refused(&rows, &soft(&["--temperature", "0"]), "soft samples need a temperature above 0");
    refused(&rows, &soft(&["--temperature", "-1"]), "the temperature must be");
    refused(&rows, &soft(&["--draws", "0"]), "'--draws <N>': 0 is not in 1..=");
    refused(&rows, &soft(&["--adapter", "x"]), "--engine cpu has no adapter");
    refused(&rows, &soft(&["--method", "auto"]), "unexpected argument '--method' found");
    let of_logits = "soft samples are of logits: leave out --weights";
    refused(&rows, &soft(&["--weights"]), of_logits);
    let mut counts = header("'<u4'", "False", "(2,)");
    counts.extend([1; 8]);
    refused(&counts, &soft(&["--weights"]), of_logits);
    // the message suggests no option that would be refused in turn
    let straight = "its type is '<u4', soft samples are of logits, floats of 16, 32 or 64 bits: give the logarithms";
    refused(&counts, &soft(&[]), straight);

    refused(&f32s("(0, 0)", &[]), &soft(&[]), "1 to 4294967295 categories, got 0");
    refused(b"", &soft(&[]), "is in no format that gumbel reads: it is empty");
    refused(&rows[..rows.len() - 1], &soft(&[]), "is truncated");
    refused(&[&rows[..], b"x"].concat(), &soft(&[]), "trailing bytes");
    // 2^62 floats
    let many = f32s("(1073741824, 268435456)", &[]);
    refused(&many, &soft(&["--draws", "16"]), "more than any file holds");
    refused(&many, &soft(&["--draws", "15"]), "is truncated");
    for (value, why) in [
        (f32::NAN, "row 7 has no draw: its logit of category 1 is NaN"),
        (f32::INFINITY, "row 7 has no draw: its logit of category 1 is +infinity"),
    ] {
        let mut values = [0.0; 30];
        values[22] = value;
        for more in [&[][..], &["--chunk", "6"], &["--chunk", "3", "--draws", "4"]] {
            refused(&f32s("(10, 3)", &values), &soft(more), why);
            refused(
                &f32s("(10, 3)", &values),
                &soft(&[more, &["--straight-through"]].concat()),
                why,
            );
        }
    }
    let both = ["soften", "-", "--tau", "1", "--json", "-o", "-"];
    check_refused(&run_with(gumbel(&both), &rows), "cannot both write to standard output");
}

/// The help mentions nothing that would be refused: a temperature of 0, or weights.
#[test]
fn the_help_speaks_of_logits_alone() {
    let help = stdout(gumbel(&["soften", "--help"]).output().unwrap());
    let from = help.find("--temperature <T>").unwrap();
    let of_temperature = help[from..].split("\n\n").next().unwrap();
    assert!(of_temperature.contains("which is above 0"), "{of_temperature}");
    assert!(!help[from..].to_lowercase().contains("weights"), "{help}");
    assert!(!help.contains("--weights"), "{help}");
}

#[cfg(unix)]
#[test]
fn an_interrupted_command_leaves_no_file() {
    use crate::common::ended_by;
    use std::io::Write;
    use std::os::unix::process::ExitStatusExt;
    use std::process::Stdio;

    let directory = tempdir().unwrap();
    let mut command = gumbel(&["soften", "-", "--engine", "cpu", "--tau", "1", "--chunk", "1000"]);
    command.args(["-o", "out.npy"]).current_dir(directory.path());
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    // the command waits for the rest of the input, which never comes
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&header("'<f4'", "False", "(1000000, 1)")).unwrap();
    stdin.write_all(&vec![0; 2_000_000]).unwrap();
    // what has been taken from the pipe is being drawn from
    assert!(child.try_wait().unwrap().is_none(), "it has ended by itself");
    assert_eq!(ended_by("INT", child).signal(), Some(2));
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}
