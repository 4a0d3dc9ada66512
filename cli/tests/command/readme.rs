//! The lines of shell in the README do what they say.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::tempdir;

/// The lines under "In a shell".
fn lines() -> Vec<String> {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let text = std::fs::read_to_string(readme).unwrap();
    let section = text.split("\n## In a shell\n").nth(1).unwrap();
    let block = section.split("```sh\n").nth(1).unwrap().split("```").next().unwrap();
    block.lines().map(str::to_owned).collect()
}

fn is_there(program: &str) -> bool {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).status();
    found.is_ok_and(|status| status.success())
}

/// Says on the terminal what was not tried: what a test prints is shown only if it fails.
fn skipped(what: &str) {
    let line = format!("every_line_of_shell_runs: skipped, {what}\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}

#[cfg(unix)]
#[test]
fn every_line_of_shell_runs() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../io/tests/fixtures");
    let directory = tempdir().unwrap();
    for (name, file) in [
        ("logits.npy", "f4.npy"),
        ("logits.safetensors", "f4.safetensors"),
        ("archive.npz", "stored.npz"),
        ("rows.csv", "ids.csv"),
        ("rows.parquet", "snappy.parquet"),
    ] {
        std::fs::copy(fixtures.join(file), directory.path().join(name)).unwrap();
    }
    let programs = Path::new(env!("CARGO_BIN_EXE_gumbel")).parent().unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let lines = lines();
    assert!(lines.len() >= 8, "{lines:?}");
    for line in lines {
        let other = ["jq", "duckdb", "python3"].into_iter().find(|program| line.contains(*program));
        if let Some(program) = other.filter(|program| !is_there(program)) {
            skipped(&format!("{program} is not installed: {line}"));
            continue;
        }
        if line.contains("parquet") && !cfg!(feature = "parquet") {
            skipped(&format!("this build has no Parquet: {line}"));
            continue;
        }
        let mut command = Command::new("bash");
        command.args(["-c", &format!("set -o pipefail; {line}")]).env("PATH", &path);
        let output = command.current_dir(directory.path()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{line}: {said}");
        match line.split_once(" -o ") {
            Some((_, out)) => assert!(directory.path().join(out).is_file(), "{line}"),
            None => assert!(!output.stdout.is_empty(), "{line}"),
        }
    }
}
