//! Draws from logits and from weights of `f64` are the reference's, with each instruction set.
#![no_main]

use gumbel_fuzz::{Case, F64, Input, WeightsF64, compare_draws};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|doubles: (bool, Input)| {
    let (weights, input) = doubles;
    if weights {
        compare_draws(&Case::<WeightsF64>::new(&input));
    } else {
        compare_draws(&Case::<F64>::new(&input));
    }
});
