//! Draws from counts are the reference's, with each instruction set.
#![no_main]

use gumbel_fuzz::{Case, Counts, Input, compare_draws};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: Input| compare_draws(&Case::<Counts>::new(&input)));
