//! `gumbel adapters` on whatever this machine has.

use crate::common::{gumbel, stdout};

#[test]
fn adapters_says_what_auto_takes() {
    let text = stdout(gumbel(&["adapters"]).output().unwrap());
    let last = text.lines().last().unwrap();
    let sampler = gumbel::Sampler::auto();
    let taken = match sampler.as_gpu().map(|gpu| gpu.adapter()) {
        None => format!("the CPU engine: {}", sampler.reason()),
        Some(info) => format!("{} ({}", info.name, info.backend),
    };
    assert!(last.starts_with(&format!("--engine auto takes {taken}")), "{text}");
}
