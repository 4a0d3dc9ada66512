//! `gumbel adapters` on whatever this machine has.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod common;

use common::{gumbel, stdout};

#[test]
fn adapters_says_what_auto_takes() {
    let text = stdout(gumbel(&["adapters"]).output().unwrap());
    let last = text.lines().last().unwrap();
    assert!(last.starts_with("--engine auto takes "), "{text}");
}
