//! The top k of rows against the reference.

use std::cmp::Reverse;

use gumbel::Isa;
use gumbel_topdown::noise::bits::Stream;
use gumbel_topdown::noise::order::Scale;
use gumbel_topdown::race::{self, Draws};
use gumbel_topdown::random::Rng;
use gumbel_topdown::reference;

use crate::samples;

/// Whether every instruction set finds the top k of the reference.
pub(crate) fn check() -> bool {
    let mut random = Rng(5);
    let mut failures = 0;
    for i in 0..120usize {
        let length = [300usize, 1000, 4096, 5000, 40_000][i % 5];
        let k = [2usize, 10, 100][i % 3];
        let row = samples::row([0, 1, 2, 3, 4, 8, 11][i / 5 % 7], length, &mut random);
        let stream = Stream::new(4, 1, 0);
        let mut all = reference::keys(&row, stream, Scale::ONE).unwrap_or_default();
        all.sort_unstable_by_key(|best| (Reverse(best.key), best.category));
        let mut expected: Vec<_> = all.iter().take(k).map(|b| (b.category, b.key)).collect();
        expected.resize(k, (u32::MAX, i64::MIN));
        for isa in Isa::available() {
            let mut got = Vec::new();
            let batch = Draws {
                data: &row,
                categories: length,
                seed: 4,
                first_row: 1,
                scale: Scale::ONE,
                draws: 1,
                out: &mut [0],
            };
            race::top_k(isa, batch, k, &mut got);
            if got != expected {
                failures += 1;
                println!("top {k} of row {i}, {length} long, {isa}: wrong");
            }
        }
    }
    println!("top k: {failures} failures");
    failures == 0
}
