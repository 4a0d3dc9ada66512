//! The first k categories of races, with their keys, are the reference's, for all kinds of values and with each
//! instruction set.
#![no_main]

use gumbel::reference;
use gumbel_fuzz::{AnyKind, ENGINES, Input, with_case};
use libfuzzer_sys::fuzz_target;

/// The largest k: more than the engine keeps without sorting them anew.
const MOST_PLACES: u8 = 70;

fuzz_target!(|race: (AnyKind, u8, Input)| {
    let (kind, places, input) = race;
    // k = 1, which has an algorithm of its own, as often as all larger k together
    let places =
        if places.is_multiple_of(2) { 1 } else { 1 + usize::from(places / 2 % MOST_PLACES) };
    with_case!(kind, &input, case => {
        let case = case.with_noise();
        let (batch, options) = (case.batch(), case.options());
        let expected = reference::race_rows(batch, &options, places).expect("the case is valid");
        for engine in &*ENGINES {
            let arrivals = engine.race_rows(batch, &options, places).expect("the case is valid");
            assert_eq!(arrivals, expected, "{}, {case:?}", engine.isa());
        }
    });
});
