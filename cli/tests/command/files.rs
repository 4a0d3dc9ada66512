//! Files that other programs wrote give the draws of the .npy file of the same numbers, and draws become files that
//! other programs read. `io/tests/fixtures/make.py` made the files.

use std::path::{Path, PathBuf};
use std::process::Output;

use crate::common::{check_refused, gumbel, read_u32, run_with, sample, stdout};
use tempfile::tempdir;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../io/tests/fixtures").join(name)
}

/// Draws from a file, and from the same file on standard input.
#[track_caller]
fn draws(name: &str, args: &[&str]) -> String {
    let args = [&["--draws", "30", "--seed", "7"], args].concat();
    let of_file = stdout(sample(&fixture(name), &args));
    let path = name.split_once(".npz:").map_or(name, |(path, _)| &name[..path.len() + 4]);
    if path == name {
        let mut command = gumbel(&["sample", "-", "--engine", "cpu"]);
        command.args(&args);
        let of_pipe = stdout(run_with(command, &std::fs::read(fixture(path)).unwrap()));
        assert_eq!(of_pipe, of_file, "{name}");
    }
    of_file
}

#[test]
fn every_file_of_the_same_numbers_gives_the_same_draws() {
    let want = draws("f8.npy", &[]);
    assert_eq!(want.lines().count(), 20);
    for name in [
        "f2.npy",
        "f2-big.npy",
        "f4.npy",
        "f4-big.npy",
        "f4-fortran.npy",
        "f8-big.npy",
        "f8-fortran.npy",
        "python2.npy",
        "version2.npy",
        "version3.npy",
        "stored.npz:logits",
        "deflated.npz:logits",
        "single.npz",
        "fortran.npz",
        "f2.safetensors",
        "f4.safetensors",
        "f8.safetensors",
        "bf16.safetensors",
        "savetxt.txt",
        "savetxt.csv",
        "pandas.csv",
        "pandas.tsv",
    ] {
        assert_eq!(draws(name, &[]), want, "{name}");
        assert_eq!(draws(name, &["--chunk", "30"]), want, "{name}");
    }
    for (name, args) in [
        ("bf16.npy", &["--dtype", "bf16"][..]),
        ("stored.npz", &["--tensor", "logits"]),
        ("several.safetensors", &["--tensor", "a"]),
        ("numbered.csv", &["--header", "yes"]),
        ("ids.csv", &["--columns", "p0..p6"]),
        ("pandas.csv", &["--dtype", "f32", "--format", "csv"]),
    ] {
        assert_eq!(draws(name, args), want, "{name}");
    }
    let want = draws("counts-i4.npy", &["--weights"]);
    for name in ["i1", "u1", "i2", "u4", "i8", "u8"] {
        assert_eq!(draws(&format!("counts-{name}.npy"), &["--weights"]), want, "{name}");
    }
    assert_eq!(draws("stored.npz:other", &["--weights"]), want);
    assert_eq!(draws("several.safetensors", &["--weights", "--tensor", "counts"]), want);
    assert_ne!(draws("mask.npy", &["--weights"]), want);
}

#[cfg(feature = "parquet")]
#[test]
fn every_table_of_the_same_numbers_gives_the_same_draws() {
    let want = draws("f8.npy", &[]);
    for name in [
        "f2.arrow",
        "f4.arrow",
        "f8.arrow",
        "stream.arrows",
        "zstd.arrows",
        "lz4.feather",
        "columns.feather",
        "tensor.feather",
        "dictionary.feather",
        "none.parquet",
        "snappy.parquet",
        "zstd.parquet",
        "gzip.parquet",
        "lz4.parquet",
        "fixed.parquet",
        "f2.parquet",
        "f8.parquet",
        "large.parquet",
        "pandas.parquet",
    ] {
        assert_eq!(draws(name, &[]), want, "{name}");
        assert_eq!(draws(name, &["--chunk", "30"]), want, "{name}");
    }
    let want = draws("counts-i4.npy", &["--weights"]);
    for name in ["counts.feather", "counts.parquet"] {
        assert_eq!(draws(name, &["--weights"]), want, "{name}");
    }
}

/// soften, logz and explain read what sample reads.
#[test]
fn the_other_commands_read_the_same_files() {
    for command in [&["logz"][..], &["soften", "--tau", "0.5"], &["explain", "--row", "5"]] {
        let run = |name: &str| {
            let mut command = gumbel(command);
            let text =
                stdout(command.args(["--engine", "cpu"]).arg(fixture(name)).output().unwrap());
            text.replace(name, "")
        };
        let want = run("f4.npy");
        for name in ["f4-fortran.npy", "single.npz", "f4.safetensors", "savetxt.csv"] {
            let same = |text: String| {
                if command[0] == "explain" { text.replace("f4.npy", "") } else { text }
            };
            assert_eq!(same(run(name)), same(want.clone()), "{command:?} {name}");
        }
    }
    let output = gumbel(&["explain", "--row", "20"]).arg(fixture("pandas.csv")).output().unwrap();
    check_refused(&output, "--row 20 of 20 rows");
}

fn to(name: &str, input: &str, args: &[&str], directory: &Path) -> Output {
    let out = directory.join(name);
    let output = sample(&fixture(input), &[args, &["-o", out.to_str().unwrap()]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

#[test]
fn rows_of_unknown_number_become_arrays() {
    let directory = tempdir().unwrap();
    let (want, out) = (directory.path().join("want.npy"), directory.path().join("out.npy"));
    let args = ["--draws", "3", "--chunk", "30"];
    to("want.npy", "f8.npy", &args, directory.path());
    to("out.npy", "pandas.csv", &args, directory.path());
    let want = std::fs::read(want).unwrap();
    assert_eq!(std::fs::read(out).unwrap(), want);
    assert_eq!(read_u32(&want).0, [20, 3]);
    // and on a pipe
    let output = sample(&fixture("pandas.csv"), &[&args[..], &["-o", "-"]].concat());
    assert_eq!(output.stdout, want);
}

#[test]
fn tables_as_text() {
    let directory = tempdir().unwrap();
    let read = |name: &str| std::fs::read_to_string(directory.path().join(name)).unwrap();
    let text = stdout(sample(&fixture("f8.npy"), &[]));
    to("plain.csv", "f8.npy", &[], directory.path());
    let csv = read("plain.csv");
    let mut lines = csv.lines();
    assert_eq!(lines.next(), Some("row_id,draw"));
    for (row, (line, draw)) in lines.zip(text.lines()).enumerate() {
        assert_eq!(line, format!("{row},{draw}"));
    }
    // ids of the file decide the noise: rows in another order draw the same
    let args = ["--row-id", "id", "--keep", "key", "--columns", "p0..p6", "--with", "logprob"];
    to("ids.jsonl", "ids.csv", &args, directory.path());
    let lines: Vec<serde_json::Value> =
        read("ids.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 20);
    for (row, line) in lines.iter().enumerate() {
        let keys: Vec<_> = line.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, ["draw", "key", "log_prob", "row_id"]);
        let id = (19 - row as u64) * 1_000_000_007;
        assert_eq!(line["row_id"], id);
        assert!(line["log_prob"].as_f64().unwrap() <= 0.0);
        let letter = (b'a' + row as u8) as char;
        assert_eq!(line["key"], format!("key {row}, \"{letter}\""));
        // a row of this id draws the same alone
        let alone = ["--first-row", &id.to_string()];
        let all = stdout(sample(&fixture("f8.npy"), &alone));
        if row == 0 {
            assert_eq!(line["draw"].to_string(), all.lines().next().unwrap());
        }
    }
    to(
        "many.csv",
        "f8.npy",
        &["--draws", "2", "--without-replacement", "3", "--with", "time"],
        directory.path(),
    );
    let many = read("many.csv");
    assert!(many.starts_with("row_id,draw_number,place,draw,time\n0,0,0,"), "{many}");
    assert_eq!(many.lines().count(), 1 + 20 * 2 * 3);
    let quoted =
        stdout(sample(&fixture("ids.csv"), &[&args[..6], &["--output-format", "csv"]].concat()));
    assert!(
        quoted.contains(",\"key 3, \"\"d\"\"\"\"\n") || quoted.contains("\"key 3, \"\"d\"\"\""),
        "{quoted}"
    );
}

#[cfg(feature = "parquet")]
#[test]
fn tables_of_arrow_and_parquet_are_read_again() {
    let directory = tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let args = ["--row-id", "id", "--keep", "key,id", "--with", "time", "--draws", "2"];
    to("want.csv", "snappy.parquet", &args, directory.path());
    let want = std::fs::read_to_string(path("want.csv")).unwrap();
    assert!(want.starts_with("row_id,draw_number,draw,time,key,id\n19000000133,0,"), "{want}");
    for name in ["out.parquet", "out.arrow", "out.feather"] {
        to(name, "snappy.parquet", &args, directory.path());
        // what was written is what CSV has: ids and columns that are kept, numbers, and draws as counts
        let ids = [
            "--columns",
            "time",
            "--row-id",
            "row_id",
            "--keep",
            "key,id",
            "--output-format",
            "csv",
        ];
        let text = |name: &str| stdout(sample(&path(name), &ids));
        assert_eq!(text(name), text("want.csv"), "{name}");
        for columns in
            [&["--columns", "time"][..], &["--columns", "draw,draw_number,time", "--weights"]]
        {
            let read = |name: &str| {
                let mut command =
                    gumbel(&["sample", "--engine", "cpu", "--with", "max", "--draws", "9"]);
                stdout(command.arg(path(name)).args(columns).output().unwrap())
            };
            assert_eq!(read(name), read("want.csv"), "{name}");
        }
    }
    let stream = stdout(sample(&fixture("f8.npy"), &["--output-format", "jsonl"]));
    assert!(stream.starts_with("{\"row_id\":0,\"draw\":"), "{stream}");
    let bytes = sample(&fixture("f8.npy"), &["--output-format", "arrow", "-o", "-"]).stdout;
    assert!(bytes.starts_with(&[0xff; 4]), "a pipe gets a stream");
    to("none.parquet", "f8.npy", &["--first-row", "3"], directory.path());
}

#[cfg(not(feature = "parquet"))]
#[test]
fn formats_that_are_not_built_in_say_how_they_are_had() {
    let why = "cargo install gumbel-cli --features";
    check_refused(&sample(&fixture("snappy.parquet"), &[]), why);
    check_refused(&sample(&fixture("f4.arrow"), &[]), why);
    let directory = tempdir().unwrap();
    let out = directory.path().join("out.parquet");
    check_refused(&sample(&fixture("f8.npy"), &["-o", out.to_str().unwrap()]), why);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn options_that_a_format_has_no_place_for() {
    let refused =
        |name: &str, args: &[&str], why: &str| check_refused(&sample(&fixture(name), args), why);
    refused("f4.npy", &["--columns", "a"], "has no columns for --columns");
    refused("f4.npy", &["--row-id", "a", "--first-row", "3"], "cannot be used with");
    refused("ids.csv", &["--keep", "key"], "--keep carries columns to a table");
    refused("bf16.npy", &[], "--dtype bf16 says that they are bfloat16");
    refused("mask.npy", &[], "--weights draws from what is true");
    refused("refused-index.csv", &[], "pandas writes its index");
    refused("stored.npz:nothing", &[], "no array 'nothing'; its arrays are: logits, other");
    refused("f4.npy", &["--dtype", "f8"], "the types are f16, bf16, f32 and f64");
}
