//! Draws of awkward rows against the reference.

use gumbel::Isa;
use gumbel_topdown::noise::bits::Stream;
use gumbel_topdown::noise::order::Scale;
use gumbel_topdown::race::{self, Draws};
use gumbel_topdown::random::Rng;
use gumbel_topdown::reference;
use rayon::prelude::*;

use crate::samples::{self, KINDS};

const DRAWS: u32 = 6;
const ROW: u64 = 77;

/// Whether every instruction set draws as the reference does, one draw of a row and several.
pub(crate) fn check(rows: usize) -> bool {
    let failures: usize = (0..rows).into_par_iter().map(failures).sum();
    let names: Vec<_> = Isa::available().map(Isa::name).collect();
    println!("{rows} rows x (1 + {DRAWS} draws) with {}: {failures} failures", names.join(", "));
    failures == 0
}

fn failures(i: usize) -> usize {
    let mut random = Rng(0x9E37_79B9_7F4A_7C15 ^ ((i as u64 + 1) * 0xABCD_EF12_3457));
    for _ in 0..5 {
        random.next_u64();
    }
    let length = match i % 6 {
        0 => 1 + random.next_u64() as usize % 300,
        1 => 256 << (random.next_u64() % 5),
        2 => 1000 + random.next_u64() as usize % 5000,
        3 => 32768 + random.next_u64() as usize % 3 * 255,
        4 => 40_000 + random.next_u64() as usize % 4000,
        _ => 10_000,
    };
    let row = samples::row(i % KINDS, length, &mut random);
    let seed = random.next_u64();
    let temperature = if i % 5 == 4 { 0.3 + 2.0 * random.uniform() as f32 } else { 1.0 };
    let scale = Scale::from_temperature(temperature).unwrap_or(Scale::ONE);
    let expected: Vec<u32> = (0..DRAWS)
        .map(|d| reference::draw(&row, Stream::new(seed, ROW, d), scale).unwrap_or(u32::MAX))
        .collect();
    let mut failures = 0;
    for isa in Isa::available() {
        let draw = |draws: usize| {
            let mut out = vec![0; draws];
            let batch = Draws {
                data: &row,
                categories: length,
                seed,
                first_row: ROW,
                scale,
                draws,
                out: &mut out,
            };
            race::draw(isa, batch);
            out
        };
        let (one, several) = (draw(1), draw(DRAWS as usize));
        if one[0] != expected[0] || several != expected {
            failures += 1;
            let kind = i % KINDS;
            println!(
                "row {i} of kind {kind}, {length} long, {isa}: {one:?} {several:?}, expected {expected:?}"
            );
        }
    }
    failures
}
