//! Draws from logits of `f32` are the reference's, with each instruction set.
#![no_main]

use gumbel_fuzz::{Case, F32, Input, compare_draws};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: Input| compare_draws(&Case::<F32>::new(&input)));
