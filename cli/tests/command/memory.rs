//! What the command holds in memory: at most 256 MiB and what one row needs, however large the file is.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::time::Duration;

use crate::common::{gumbel, header};
use tempfile::tempdir;

const MIB: u64 = 1 << 20;
const BOUND: u64 = 256 * MIB;

/// Runs a command whose standard input a function writes, and returns the most memory that it had at a time.
#[track_caller]
fn peak(command: &mut Command, feed: impl FnOnce(ChildStdin) + Send) -> u64 {
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let stdin = child.stdin.take().unwrap();
    let status = PathBuf::from(format!("/proc/{}/status", child.id()));
    let mut most = 0;
    std::thread::scope(|scope| {
        scope.spawn(|| feed(stdin));
        while child.try_wait().unwrap().is_none() {
            // a process that has just ended has no such line
            let status = std::fs::read_to_string(&status).unwrap_or_default();
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
            most = most.max(kib.unwrap_or(0) * 1024);
            std::thread::sleep(Duration::from_millis(2));
        }
    });
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && most > 0, "{said}");
    most
}

/// Writes a .npy file of zeros, which takes no room on the disk.
fn zeros(folder: &Path, order: &str, rows: u64, categories: u64) -> PathBuf {
    let path = folder.join(format!("{order}-{rows}-{categories}.npy"));
    let header = header("'<f4'", order, &format!("({rows}, {categories})"));
    let mut file = File::create(&path).unwrap();
    file.write_all(&header).unwrap();
    file.set_len(header.len() as u64 + rows * categories * 4).unwrap();
    path
}

fn nothing(_: ChildStdin) {}

fn sample(input: &Path, folder: &Path, args: &[&str]) -> Command {
    let mut command = gumbel(&["sample", "--engine", "cpu", "--quiet"]);
    command.arg(input).arg("-o").arg(folder.join("draws.npy")).args(args);
    command
}

#[test]
fn files_of_any_size_take_the_same_memory() {
    let directory = tempdir().unwrap();
    let folder = directory.path();
    for (order, rows, categories) in [
        ("False", 1 << 18, 1 << 10),
        ("False", 1 << 12, 1 << 16),
        ("False", 1 << 24, 16),
        ("True", 1 << 18, 1 << 10),
    ] {
        let path = zeros(folder, order, rows, categories);
        let most = peak(&mut sample(&path, folder, &[]), nothing);
        println!("fortran_order {order}, {rows} x {categories}: {} MiB", most / MIB);
        assert!(most < BOUND, "{rows} x {categories}: {} MiB", most / MIB);
    }
}

/// The bound is of one row and 256 MiB; and the measurement sees a row that is larger.
#[test]
fn a_long_row_takes_what_it_needs() {
    let directory = tempdir().unwrap();
    let folder = directory.path();
    let (rows, categories) = (3, 3 << 25);
    let path = zeros(folder, "False", rows, categories);
    let most = peak(&mut sample(&path, folder, &[]), nothing);
    println!("{rows} x {categories}: {} MiB", most / MIB);
    let row = categories * 4;
    assert!(row < most && most < BOUND + 2 * row, "{} MiB", most / MIB);
}

#[test]
fn pipes_of_any_length_take_the_same_memory() {
    let directory = tempdir().unwrap();
    let folder = directory.path();
    let array = |mut stdin: ChildStdin| {
        stdin.write_all(&header("'<f4'", "False", "(1048576, 512)")).unwrap();
        let block = vec![0; 1 << 20];
        for _ in 0..1 << 11 {
            stdin.write_all(&block).unwrap();
        }
    };
    let lines = |stdin: ChildStdin| {
        let mut stdin = BufWriter::with_capacity(1 << 20, stdin);
        let line = "0.5,-1.25,".repeat(20) + "1\n";
        for _ in 0..3 << 20 {
            stdin.write_all(line.as_bytes()).unwrap();
        }
        stdin.flush().unwrap();
    };
    let most = [
        peak(&mut sample(Path::new("-"), folder, &[]), array),
        peak(&mut sample(Path::new("-"), folder, &["--format", "text"]), lines),
    ];
    println!("an array, lines: {:?} MiB", most.map(|bytes| bytes / MIB));
    assert!(most.iter().all(|&most| most < BOUND), "{most:?}");
}

/// Tables that the command wrote itself and reads again: four times the rows take no more memory.
#[cfg(feature = "parquet")]
#[test]
fn tables_of_any_size_take_the_same_memory() {
    let directory = tempdir().unwrap();
    let folder = directory.path();
    for name in ["table.arrow", "table.parquet"] {
        let table = folder.join(name);
        let peaks = |rows: u64| {
            let rows = zeros(folder, "False", rows, 2);
            let mut command = gumbel(&["sample", "--engine", "cpu", "--quiet"]);
            command.arg(&rows).arg("-o").arg(&table).args(["--with", "logprob"]);
            let written = peak(&mut command, nothing);
            let read = peak(&mut sample(&table, folder, &["--columns", "log_prob"]), nothing);
            [written, read].map(|bytes| bytes / MIB)
        };
        // 20 bytes a row: an id, a draw and a log-probability
        let (few, many) = (peaks(1 << 20), peaks(1 << 22));
        println!("{name}: written and read in {few:?} MiB, and in {many:?} MiB");
        assert!((0..2).all(|i| many[i] < few[i] + 24), "{name}: {few:?}, {many:?}");
    }
}
