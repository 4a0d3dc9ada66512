//! The three forms of each operation on the CPU engine, and on the engine that is chosen for each
//! call.

use gumbel::{CpuSampler, Sampler};

use crate::common::forms::agree;

#[test]
fn on_the_cpu() {
    agree(&CpuSampler::new()).unwrap();
}

#[test]
fn on_any_engine() {
    let either: Sampler = CpuSampler::new().into();
    agree(&either).unwrap();
    agree(&Sampler::auto()).unwrap();
}
