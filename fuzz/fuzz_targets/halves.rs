//! Draws from logits of `f16` and `bf16` are the reference's, with each instruction set.
#![no_main]

use gumbel_fuzz::{Bf16, Case, F16, Input, compare_draws};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|halves: (bool, Input)| {
    let (bf16, input) = halves;
    if bf16 {
        compare_draws(&Case::<Bf16>::new(&input));
    } else {
        compare_draws(&Case::<F16>::new(&input));
    }
});
