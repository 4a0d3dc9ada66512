//! `gumbel sample --method`: the command draws as the library does by either method, however the
//! file is cut; and the options that each method allows.

use std::path::Path;

use crate::common::{check_refused, gumbel, logits, read_f64, read_u32, sample, stdout};
use crate::common::{write_f32, write_npy};
use gumbel::{Batch, CpuSampler, Logits, Method, SampleOptions, Weights};
use tempfile::tempdir;

const ROWS: u64 = 12;
const CATEGORIES: usize = 17;
/// One row and as many draws as it has categories; some rows; all rows at once.
const CHUNKS: [&str; 5] = ["1", "18", "40", "100", "1000000"];

/// The lines that the command prints for these draws.
fn lines(draws: &[u32], in_row: u32) -> String {
    let text = |row: &[u32]| row.iter().map(u32::to_string).collect::<Vec<_>>().join(" ") + "\n";
    draws.chunks(in_row as usize).map(text).collect()
}

fn options(draws: u32, method: Method) -> SampleOptions<'static> {
    SampleOptions::default().with_seed(3).with_first_row(9).with_draws(draws).with_method(method)
}

/// Runs the command with the settings of [`options`].
fn drawn(input: &Path, draws: u32, args: &[&str]) -> String {
    let draws = draws.to_string();
    let common = ["--seed", "3", "--first-row", "9", "--draws", &draws];
    stdout(sample(input, &[&common, args].concat()))
}

#[test]
fn each_method_draws_as_the_library_however_the_file_is_cut() {
    let directory = tempdir().unwrap();
    let cpu = CpuSampler::new();
    let shape = [ROWS, CATEGORIES as u64];
    let values = logits(ROWS as usize * CATEGORIES);
    let counts: Vec<u32> = values.iter().map(|&x| (x * 16.0) as u32).collect();
    for weights in [false, true] {
        let (input, batch): (_, Batch<'_>) = if weights {
            let input = write_npy(directory.path(), "<u4", &shape, counts.iter().copied());
            (input, Weights::from_counts(&counts, CATEGORIES).unwrap().into())
        } else {
            let input = write_f32(directory.path(), &shape, &values);
            (input, Logits::new(&values, CATEGORIES).unwrap().into())
        };
        let more = if weights { &["--weights"][..] } else { &[] };
        for draws in [1, 15, 16, 19, 40] {
            let by = |method| cpu.sample_rows(batch, &options(draws, method)).unwrap();
            let (race, search) = (by(Method::Gumbel), by(Method::InverseCdf));
            assert_ne!(race, search, "a method must make a difference");
            let auto = by(Method::Auto);
            for chunk in CHUNKS {
                let args = [&["--chunk", chunk], more].concat();
                assert_eq!(drawn(&input, draws, &args), lines(&race, draws), "{args:?}");
                for (name, want) in [("gumbel", &race), ("inverse-cdf", &search), ("auto", &auto)] {
                    let args = [&args[..], &["--method", name]].concat();
                    let got = drawn(&input, draws, &args);
                    assert!(got == lines(want, draws), "{args:?}, {draws} draws");
                }
            }
        }
    }
}

/// The test above would notice a choice of the method for each part of the draws instead of one for
/// all draws.
#[test]
fn a_choice_for_each_piece_would_be_another() {
    let values = logits(CATEGORIES);
    let batch = Logits::new(&values, CATEGORIES).unwrap();
    let draw = |first, count| {
        let options = options(count, Method::Auto).with_first_draw(first);
        CpuSampler::new().sample_rows(batch, &options).unwrap()
    };
    assert_ne!([draw(0, 17), draw(17, 2)].concat(), draw(0, 19));
}

#[test]
fn log_probabilities_come_with_either_method() {
    let directory = tempdir().unwrap();
    let values = logits(ROWS as usize * CATEGORIES);
    let input = write_f32(directory.path(), &[ROWS, CATEGORIES as u64], &values);
    let batch = Logits::new(&values, CATEGORIES).unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (out, with) = (path("draws.npy"), path("log_probs.npy"));
    for (name, method) in [("gumbel", Method::Gumbel), ("inverse-cdf", Method::InverseCdf)] {
        let want = CpuSampler::new().sample_rows_scored(batch, &options(19, method)).unwrap();
        for chunk in CHUNKS {
            let args = ["--method", name, "--chunk", chunk, "--with", "logprob"];
            let outputs = ["-o", &out, "--with-output", &with];
            assert_eq!(drawn(&input, 19, &[&args[..], &outputs].concat()), "");
            let draws = read_u32(&std::fs::read(&out).unwrap());
            assert_eq!(draws, (vec![ROWS, 19], want.draws.clone()), "{args:?}");
            let log_probs = read_f64(&std::fs::read(&with).unwrap());
            assert_eq!(log_probs, (vec![ROWS, 19], want.log_probs.clone()), "{args:?}");
        }
    }
}

#[test]
fn at_temperature_0_the_method_is_all_the_same() {
    let directory = tempdir().unwrap();
    let input = write_f32(directory.path(), &[2, 3], &[1.0, 3.0, 3.0, -0.0, 0.0, -1.0]);
    for name in ["gumbel", "inverse-cdf", "auto"] {
        let args = ["--method", name, "--temperature", "0", "--draws", "20"];
        let want = lines(&[[1; 20], [0; 20]].concat(), 20);
        assert_eq!(stdout(sample(&input, &args)), want, "{name}");
    }
}

#[test]
fn it_says_what_auto_took() {
    let directory = tempdir().unwrap();
    let input = write_f32(directory.path(), &[2, 3], &[0.0; 6]);
    for (draws, took) in [("15", "gumbel"), ("16", "inverse-cdf")] {
        let output = sample(&input, &["--method", "auto", "--draws", draws, "--json"]);
        let message = String::from_utf8(output.stderr.clone()).unwrap();
        let said = format!("--method auto took {took}: draws {draws} a row, categories 3\n");
        assert_eq!(message, said);
        let json: serde_json::Value = serde_json::from_str(&stdout(output)).unwrap();
        assert_eq!(json["method"], took);
    }
}

#[test]
fn the_help_says_when_auto_is_which() {
    let text = stdout(gumbel(&["sample", "--help"]).output().unwrap());
    let (draws, categories) = (Method::MANY_DRAWS, Method::MOST_CATEGORIES);
    let said = format!("for {draws} draws or more from each row of up to {categories} categories");
    // the help is wrapped
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains(&said), "{text}");
}

#[test]
fn what_is_told_of_a_race_needs_one() {
    let directory = tempdir().unwrap();
    let input = write_f32(directory.path(), &[2, 3], &[0.0; 6]);
    for (about, flags) in [
        ("--without-replacement", &["--without-replacement", "2"][..]),
        ("--without-replacement", &["--without-replacement", "2", "--with", "time"]),
        ("--with time", &["--with", "time"]),
        ("--with max", &["--with", "max"]),
    ] {
        let run = |more: &[&str]| sample(&input, &[flags, more].concat());
        let end = "take --method gumbel\n";
        let why =
            format!("{about} needs a race, and --method inverse-cdf draws without one: {end}");
        check_refused(&run(&["--method", "inverse-cdf"]), &why);
        let why = format!(
            "{about} needs a race, and --method auto draws by inverse-cdf 16 times from each row of \
             3 categories, without one: {end}"
        );
        check_refused(&run(&["--method", "auto", "--draws", "16"]), &why);
        // where auto chooses the race, it allows the options of a race
        let race = stdout(run(&["--draws", "15"]));
        assert_eq!(stdout(run(&["--method", "auto", "--draws", "15"])), race);
    }
    for command in [&["logz"][..], &["explain", "--row", "0"]] {
        let mut command = gumbel(command);
        let output = command.arg(&input).args(["--method", "gumbel"]).output().unwrap();
        check_refused(&output, "unexpected argument '--method' found");
    }
    let why = "'luck' for '--method <METHOD>' [possible values: gumbel, inverse-cdf, auto]";
    check_refused(&sample(&input, &["--method", "luck"]), why);
}
