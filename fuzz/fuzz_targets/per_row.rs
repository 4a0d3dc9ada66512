//! Draws and the first categories of races are the reference's where rows have options of their own or are gathered, for
//! all kinds of values, by both methods and with each instruction set.
#![no_main]

use gumbel::{Method, reference};
use gumbel_fuzz::{AnyKind, ENGINES, Input, OwnInput, compare_draws, with_case};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|call: (AnyKind, Input, OwnInput, bool)| {
    let (kind, input, own, inverse_cdf) = call;
    with_case!(kind, &input, case => {
        let method = if inverse_cdf { Method::InverseCdf } else { Method::Gumbel };
        let case = case.with_own(&input, &own).with_method(method);
        compare_draws(&case);
        if !inverse_cdf {
            let case = case.with_noise();
            let (batch, options) = (case.batch(), case.options());
            let expected = reference::race_rows(batch, &options, 2).expect("the case is valid");
            for engine in &*ENGINES {
                let found = engine.race_rows(batch, &options, 2).expect("the case is valid");
                assert_eq!(found, expected, "{}, {case:?}", engine.isa());
            }
        }
    });
});
