//! `gumbel check` on the one engine that every machine has, and what it refuses.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod common;

use common::{gumbel, stdout};

#[test]
fn the_cpu_engine_is_the_references_equal() {
    let text = stdout(gumbel(&["check", "--engine", "cpu"]).output().unwrap());
    let lines: Vec<_> = text.lines().collect();
    let cases = gumbel::conformance::cases().count();
    assert_eq!(lines[0], "cpu: the CPU engine");
    assert_eq!(lines[1], "no adapter is checked");
    assert!(lines[2].ends_with("  cpu"), "{}", lines[2]);
    let table = &lines[3..lines.len() - 1];
    assert_eq!(table.len(), cases);
    for (line, case) in table.iter().zip(gumbel::conformance::cases()) {
        assert!(line.starts_with(&case.to_string()), "{line}");
        assert!(line.ends_with("  ok"), "{line}");
        assert_eq!(line.rfind("ok"), lines[2].rfind("cpu"), "the columns stand in line: {line}");
    }
    let sum = format!("{cases} cases on 1 engine, 0 mismatches");
    assert_eq!(lines[lines.len() - 1], sum);
}

#[test]
fn an_adapter_that_is_not_there_cannot_be_checked() {
    for args in
        [&["check", "--adapter", "nowhere"][..], &["check", "--engine", "cpu", "--adapter", "x"]]
    {
        let output = gumbel(args).output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(message.starts_with("gumbel: "), "{message}");
        assert_eq!(message.lines().count(), 1, "{message}");
    }
}
