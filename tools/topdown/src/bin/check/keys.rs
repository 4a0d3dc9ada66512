//! All keys of rows against the reference.

use gumbel::Isa;
use gumbel_topdown::definition;
use gumbel_topdown::keys::{self, AllKeys, NO_KEY};
use gumbel_topdown::noise::bits::{Stream, coarse, coarse_block, noise as flat_noise};
use gumbel_topdown::noise::gumbel::gumbel;
use gumbel_topdown::noise::order::{Scale, key};
use gumbel_topdown::random::Rng;
use gumbel_topdown::reference;

use crate::samples;

/// Whether P and V without branches are the definition's, and all keys are right, also the flat ones.
pub(crate) fn check() -> bool {
    let mut random = Rng(99);
    let mut differ = 0;
    for i in 0..4_000_000u64 {
        let u = (random.next_u64() >> 4) >> (i % 58);
        for u in [u, (1 << 60) - 1 - u] {
            differ += u32::from(keys::first_alarm(u) != definition::first_alarm(u));
        }
        let (p, q) = (
            random.next_u64() >> (random.next_u64() % 64),
            random.next_u64() >> (random.next_u64() % 64),
        );
        differ += u32::from(keys::later_alarm(p, q) != definition::later_alarm(p, q));
    }
    println!("P and V without branches: {differ} differ");
    let mut failures = 0;
    for i in 0..60usize {
        let length = [1usize, 17, 300, 4096, 5000, 33_000][i % 6];
        let row = samples::row([0, 1, 4, 7, 11, 12][i / 6 % 6], length, &mut random);
        let seed = random.next_u64();
        let stream = Stream::new(seed, 5, 2);
        let temperature = if i % 5 == 4 { 0.7 } else { 1.0 };
        let scale = Scale::from_temperature(temperature).unwrap_or(Scale::ONE);
        let mut expected = vec![NO_KEY; length];
        let mut flat = vec![NO_KEY; length];
        for best in reference::keys(&row, stream, scale).unwrap_or_default() {
            let c = best.category;
            expected[c as usize] = best.key;
            let noise = flat_noise(stream, c, coarse(coarse_block(stream, c / 8), c));
            flat[c as usize] = key(row[c as usize].to_bits(), scale, gumbel(noise));
        }
        for isa in Isa::available() {
            let mut got = vec![0; length];
            keys::top_down(isa, AllKeys { row: &row, stream, scale, seed, keys: &mut got });
            let mut wrong = got != expected;
            keys::flat(isa, AllKeys { row: &row, stream, scale, seed, keys: &mut got });
            wrong |= got != flat;
            if wrong {
                failures += 1;
                println!("row {i}, {length} long, {isa}: keys differ");
            }
        }
    }
    println!("all keys: {failures} failures");
    differ == 0 && failures == 0
}
