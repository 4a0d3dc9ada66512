//! The operations of `gumbel sample` other than draws, and `gumbel logz`: the numbers are the
//! library's, whatever the file's type and however it is cut.

use std::path::Path;

use crate::common::{
    gumbel, header, logits, read_f64, read_u32, run_with, sample, stdout, write_f32, write_npy,
};
use gumbel::{Batch, CpuSampler, Logits, NO_DRAW, SampleOptions, Weights};
use half::f16;
use tempfile::tempdir;

const ROWS: u64 = 20;
const CATEGORIES: usize = 9;
/// One row at most; some rows; some draws of a row; all rows at once.
const CHUNKS: [&str; 6] = ["1", "7", "20", "50", "200", "1000000"];

/// Some counts, among them 0.
fn counts() -> Vec<u32> {
    (0..ROWS as u32 * CATEGORIES as u32).map(|i| i.wrapping_mul(2_654_435_761) >> 25).collect()
}

fn lines<T: std::fmt::Display>(values: &[T], in_row: usize) -> String {
    let text = |row: &[T]| row.iter().map(T::to_string).collect::<Vec<_>>().join(" ") + "\n";
    values.chunks(in_row).map(text).collect()
}

#[test]
fn weights_of_every_type_are_drawn_from() {
    let directory = tempdir().unwrap();
    let cpu = CpuSampler::new();
    let options = SampleOptions::default();
    let counts = counts();
    let shape = [ROWS, CATEGORIES as u64];
    let drawn = |batch: Batch<'_>| lines(&cpu.sample_rows(batch, &options).unwrap(), 1);

    let singles: Vec<f32> = counts.iter().map(|&count| count as f32 / 8.0).collect();
    let want = drawn(Weights::new(&singles, CATEGORIES).unwrap().into());
    let logits = drawn(Logits::new(&singles, CATEGORIES).unwrap().into());
    assert_ne!(want, logits, "weights are no logits");
    for descr in ["<f2", ">f2", "<f4", ">f4", "<f8", ">f8"] {
        let input = match &descr[2..] {
            "2" => {
                let halves = singles.iter().map(|&x| f16::from_f32(x));
                write_npy(directory.path(), descr, &shape, halves)
            }
            "4" => write_npy(directory.path(), descr, &shape, singles.iter().copied()),
            _ => {
                let doubles = singles.iter().map(|&x| f64::from(x));
                write_npy(directory.path(), descr, &shape, doubles)
            }
        };
        assert_eq!(stdout(sample(&input, &["--weights"])), want, "{descr}");
    }

    let want =
        drawn(Weights::strided(&counts, ROWS as usize, CATEGORIES, CATEGORIES).unwrap().into());
    for descr in ["|i1", "|u1", "<i2", ">u2", ">i4", "<u4", "<i8", ">u8"] {
        let mut bytes = header(&format!("'{descr}'"), "False", &format!("({ROWS}, {CATEGORIES})"));
        let size: usize = descr[2..].parse().unwrap();
        for count in &counts {
            let stored = u64::from(*count).to_be_bytes();
            let stored = &stored[8 - size..];
            if descr.starts_with('>') {
                bytes.extend(stored);
            } else {
                bytes.extend(stored.iter().rev());
            }
        }
        let command = gumbel(&["sample", "-", "--engine", "cpu", "--weights", "--chunk", "30"]);
        assert_eq!(stdout(run_with(command, &bytes)), want, "{descr}");
    }
}

/// Shape and values.
type Array<T> = (Vec<u64>, Vec<T>);

/// Runs `gumbel sample` to two files, and reads them.
fn arrays(input: &Path, args: &[&str]) -> (Array<u32>, Array<f64>) {
    let directory = tempdir().unwrap();
    let (draws, values) = (directory.path().join("d.npy"), directory.path().join("v.npy"));
    let outputs = ["-o", draws.to_str().unwrap(), "--with-output", values.to_str().unwrap()];
    assert_eq!(stdout(sample(input, &[args, &outputs].concat())), "");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 2);
    (read_u32(&std::fs::read(draws).unwrap()), read_f64(&std::fs::read(values).unwrap()))
}

#[test]
fn numbers_come_with_draws_however_the_file_is_cut() {
    let directory = tempdir().unwrap();
    let values = logits(ROWS as usize * CATEGORIES);
    let input = write_f32(directory.path(), &[ROWS, CATEGORIES as u64], &values);
    let batch = Logits::new(&values, CATEGORIES).unwrap();
    let cpu = CpuSampler::new();
    for draws in [1, 5] {
        let options = SampleOptions::default()
            .with_seed(3)
            .with_draws(draws)
            .with_first_row(100)
            .with_temperature(2.0);
        let top_k = cpu.race_rows(batch, &options, 1).unwrap();
        let scored = cpu.sample_rows_scored(batch, &options).unwrap();
        let shape = if draws == 1 { vec![ROWS] } else { vec![ROWS, draws.into()] };
        for (what, want) in [
            ("time", top_k.times().collect::<Vec<_>>()),
            ("max", top_k.perturbed_logits().collect()),
            ("logprob", scored.log_probs),
        ] {
            for chunk in CHUNKS {
                let draws = draws.to_string();
                let args = ["--seed", "3", "--first-row", "100", "--temperature", "2", "--draws"];
                let args = [&args[..], &[&draws, "--chunk", chunk, "--with", what]].concat();
                let (drawn, numbers) = arrays(&input, &args);
                assert_eq!(drawn, (shape.clone(), top_k.categories().to_vec()), "{args:?}");
                assert_eq!(numbers, (shape.clone(), want.clone()), "{args:?}");
                let pairs = top_k.categories().iter().zip(&want);
                let pairs: Vec<_> = pairs.map(|(c, x)| format!("{c}:{x:?}")).collect();
                let in_row = draws.parse().unwrap();
                assert_eq!(stdout(sample(&input, &args)), lines(&pairs, in_row), "{args:?}");
            }
        }
    }
}

#[test]
fn the_first_of_each_race_come_in_the_order_of_arrival() {
    let directory = tempdir().unwrap();
    let mut values = logits(ROWS as usize * CATEGORIES);
    // a row that has only two possible categories
    values[4 * CATEGORIES + 2..5 * CATEGORIES].fill(f32::NEG_INFINITY);
    let input = write_f32(directory.path(), &[ROWS, CATEGORIES as u64], &values);
    let batch = Logits::new(&values, CATEGORIES).unwrap();
    for (draws, top) in [(1, 1), (1, 3), (4, 1), (4, 3), (2, 9)] {
        let options = SampleOptions::default().with_draws(draws);
        let top_k = CpuSampler::new().race_rows(batch, &options, top).unwrap();
        let shape = [Some(ROWS), (draws > 1).then_some(draws.into()), Some(top as u64)];
        let shape: Vec<_> = shape.into_iter().flatten().collect();
        let name = |&category: &u32| match category {
            NO_DRAW => "-".to_owned(),
            category => category.to_string(),
        };
        let races = top_k.categories().chunks(top);
        let races: Vec<_> =
            races.map(|race| race.iter().map(name).collect::<Vec<_>>().join(",")).collect();
        assert_eq!(top_k.categories().contains(&NO_DRAW), top > 2);
        for chunk in CHUNKS {
            let (draws, top) = (draws.to_string(), top.to_string());
            let args = ["--draws", &draws, "--without-replacement", &top, "--chunk", chunk];
            let in_row = draws.parse().unwrap();
            assert_eq!(stdout(sample(&input, &args)), lines(&races, in_row), "{args:?}");
            let (drawn, times) = arrays(&input, &[&args[..], &["--with", "time"]].concat());
            assert_eq!(drawn, (shape.clone(), top_k.categories().to_vec()), "{args:?}");
            assert_eq!(times, (shape.clone(), top_k.times().collect()), "{args:?}");
        }
    }
}

#[test]
fn json_says_how_many_were_kept() {
    let directory = tempdir().unwrap();
    let input = write_f32(directory.path(), &[2, 3], &[0.0; 6]);
    let text = stdout(sample(&input, &["--json", "--without-replacement", "2", "--with", "time"]));
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&json["top"], &json["draws"]), (&2.into(), &1.into()));
}

#[test]
fn logz_sums_rows_up_and_estimates_the_sum() {
    let directory = tempdir().unwrap();
    let out = directory.path().join("out.npy");
    let (singles, counts) = (logits(ROWS as usize * CATEGORIES), counts());
    let shape = [ROWS, CATEGORIES as u64];
    let rows = ROWS as usize;
    for weights in [false, true] {
        let input = if weights {
            write_npy(directory.path(), "<u4", &shape, counts.iter().copied())
        } else {
            write_f32(directory.path(), &shape, &singles)
        };
        let batch: Batch<'_> = if weights {
            Weights::strided(&counts, rows, CATEGORIES, CATEGORIES).unwrap().into()
        } else {
            Logits::new(&singles, CATEGORIES).unwrap().into()
        };
        let options = SampleOptions::default().with_seed(4).with_draws(30).with_temperature(1.5);
        let cpu = CpuSampler::new();
        let sums = cpu.logsumexp_rows(batch, &options).unwrap();
        let estimates = cpu.estimate_log_z(batch, &options).unwrap();
        for chunk in CHUNKS {
            let run = |more: &[&str]| {
                let mut command = gumbel(&["logz", "--engine", "cpu", "--temperature", "1.5"]);
                command.arg(&input).args(["--chunk", chunk]).args(more);
                if weights {
                    command.arg("--weights");
                }
                stdout(command.output().unwrap())
            };
            let debug: Vec<_> = sums.iter().map(|sum| format!("{sum:?}")).collect();
            assert_eq!(run(&[]), lines(&debug, 1), "chunk {chunk}");
            run(&["-o", out.to_str().unwrap()]);
            assert_eq!(read_f64(&std::fs::read(&out).unwrap()), (vec![ROWS], sums.clone()));

            let draws = ["--draws", "30", "--seed", "4"];
            run(&[&draws[..], &["-o", out.to_str().unwrap()]].concat());
            let (got_shape, numbers) = read_f64(&std::fs::read(&out).unwrap());
            assert_eq!(got_shape, [ROWS, 3]);
            for ((three, sum), log_z) in numbers.chunks(3).zip(&sums).zip(&estimates) {
                assert_eq!(three[0], *sum);
                assert!((three[1] - log_z.estimate).abs() < 1e-12, "{three:?} {log_z:?}");
                assert!((three[2] - log_z.standard_error).abs() < 1e-12, "{three:?} {log_z:?}");
            }
            let numbers: Vec<_> = numbers.iter().map(|number| format!("{number:?}")).collect();
            assert_eq!(run(&draws), lines(&numbers, 3), "chunk {chunk}");
        }
    }
}
