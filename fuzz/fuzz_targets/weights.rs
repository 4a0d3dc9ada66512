//! Draws from weights of `f32` are the reference's, with each instruction set.
#![no_main]

use gumbel_fuzz::{Case, Input, Weights, compare_draws};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: Input| compare_draws(&Case::<Weights>::new(&input)));
