//! What the command says, and when it says nothing.

use crate::common::{gumbel, logits, sample, stdout, write_f32, write_npy};
use tempfile::tempdir;

#[test]
fn quiet_is_silent() {
    let directory = tempdir().unwrap();
    let input = write_f32(directory.path(), &[30, 7], &logits(30 * 7));
    for args in [&["--quiet"][..], &["-q", "--method", "auto", "--draws", "20"]] {
        let output = gumbel(&["sample"]).arg(&input).args(args).output().unwrap();
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(!stdout(output).is_empty());
    }
}

#[test]
fn a_seed_by_chance_is_told() {
    let directory = tempdir().unwrap();
    let input = write_f32(directory.path(), &[300, 7], &logits(300 * 7));
    let drawn = || {
        let output = sample(&input, &["--seed", "random", "--quiet"]);
        let said = String::from_utf8(output.stderr.clone()).unwrap();
        let seed = said.trim().strip_prefix("--seed random took --seed ").unwrap().to_owned();
        assert_eq!(
            stdout(sample(&input, &["--seed", &seed])),
            stdout(output),
            "its draws are had again"
        );
        seed
    };
    assert_ne!(drawn(), drawn());
}

#[test]
fn a_digest_is_the_sum_of_the_bytes() {
    let directory = tempdir().unwrap();
    let input = write_f32(directory.path(), &[300, 7], &logits(300 * 7));
    let digest = |args: &[&str]| {
        let output = sample(&input, &[&["--digest"], args].concat());
        let said = String::from_utf8(output.stderr.clone()).unwrap();
        let line = said.lines().find_map(|line| line.strip_prefix("digest ")).unwrap();
        (line.to_owned(), stdout(output))
    };
    let (whole, text) = digest(&[]);
    assert_eq!(digest(&["--chunk", "21"]).0, whole);
    assert_ne!(digest(&["--seed", "1"]).0, whole);
    let draws = text.lines().map(|line| line.parse::<u32>().unwrap());
    let bytes: Vec<u8> = draws.flat_map(u32::to_le_bytes).collect();
    // the CRC-32 of PNG, ZIP and Python's zlib, bit by bit
    let crc = bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 * (crc & 1)))
    });
    assert_eq!(whole, format!("{:08x}", !crc));
}

/// Where a race takes a hundred times as long as a search, the command says so; and only there.
#[test]
fn a_much_faster_method_is_named() {
    let directory = tempdir().unwrap();
    let values = (0..20_000).map(|i| 1.0 + f64::from(i % 7));
    let input = write_npy(directory.path(), "<f8", &[20_000], values);
    let hint = |args: &[&str]| {
        let output = sample(&input, &[&["--weights"], args].concat());
        assert!(output.status.success());
        String::from_utf8(output.stderr).unwrap().contains("--method auto would draw as well")
    };
    assert!(hint(&["--draws", "60000"]));
    assert!(!hint(&["--draws", "60000", "--method", "auto"]));
    assert!(!hint(&["--draws", "60000", "--quiet"]));
    assert!(!hint(&["--draws", "100"]));
}

#[test]
fn completions_and_the_manual() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let text = stdout(gumbel(&["completions", shell]).output().unwrap());
        assert!(text.contains("straight-through"), "{shell}");
    }
    let page = stdout(gumbel(&["man"]).output().unwrap());
    assert!(page.contains(".SH GUMBEL SAMPLE") && page.contains("straight"), "{page}");
}

#[test]
fn colours_and_bars_are_for_terminals() {
    for args in [&["--help"][..], &["sample", "--help"], &["sample"], &["simple"]] {
        let output = gumbel(args).output().unwrap();
        assert!(![output.stdout, output.stderr].concat().contains(&0x1b), "{args:?}");
    }
}
