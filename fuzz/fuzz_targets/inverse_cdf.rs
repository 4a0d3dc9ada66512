//! Draws by inverse CDF, from a table made for the call and from a prepared one, are the reference's, for all kinds of
//! values and with each instruction set.
#![no_main]

use gumbel::{Method, NO_DRAW, reference};
use gumbel_fuzz::{AnyKind, ENGINES, Input, compare_draws, with_case};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|rows: (AnyKind, Input)| {
    let (kind, input) = rows;
    with_case!(kind, &input, case => {
        let case = case.with_method(Method::InverseCdf);
        compare_draws(&case);
        let (batch, options) = (case.batch(), case.options());
        let expected = reference::sample_rows(batch, &options).expect("the case is valid");
        for engine in &*ENGINES {
            let kept = engine.inverse_cdf(batch, &options).expect("the case is valid");
            let mut draws = vec![NO_DRAW - 1; expected.len()];
            kept.sample_rows_into(options.first_draw, &mut draws).expect("the case is valid");
            assert_eq!(draws, expected, "kept, {}, {case:?}", engine.isa());
        }
    });
});
