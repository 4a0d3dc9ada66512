//! With the flat noise of today. A copy of what `src/cpu/soften/` and `src/cpu/exact_keys.rs` do, which are private.

use super::gumbels::add_keys;
use super::{AllKeys, LANES};
use crate::bound::{RoundKeys, blocks};
use crate::noise::bits::{OCTET, Stream};
use crate::race::sequence;
use crate::simd::{Aligned, Simd, Task};

pub(super) struct Flat<'a>(pub(super) AllKeys<'a>, pub(super) RoundKeys);
impl Task for Flat<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (AllKeys { row, stream, scale, keys, .. }, round_keys) = (self.0, &self.1);
        let Stream { row: id, draw, .. } = stream;
        let (a, b) = (s.all_words(id[0]), s.all_words(id[1]));
        let [even, odd] = [s.all_words(draw << 1), s.all_words(draw << 1 | 1)];
        for (k, (values, keys)) in row.chunks(LANES).zip(keys.chunks_mut(LANES)).enumerate() {
            let first = (k * LANES) as u32;
            let c = even;
            let Aligned(coarse_bits) = &mut Aligned([0; LANES]);
            for at in (0..LANES / OCTET).step_by(S::OCTETS) {
                let [block] =
                    blocks(s, [[sequence(s, first / 8 + at as u32), a, b, c]], round_keys);
                for (i, ints) in s.halves(block).into_iter().enumerate() {
                    s.store_ints(ints, &mut coarse_bits[at * OCTET + i * 2 * S::OCTETS..]);
                }
            }
            let c = odd;
            let Aligned([low, middle]) = &mut Aligned([[0; LANES]; 2]);
            for at in (0..LANES).step_by(2 * S::OCTETS) {
                let counters = [
                    [sequence(s, first + at as u32), a, b, c],
                    [sequence(s, first + (at + S::OCTETS) as u32), a, b, c],
                ];
                for ([x, y, ..], at) in
                    blocks(s, counters, round_keys).into_iter().zip([at, at + S::OCTETS])
                {
                    s.store_words(x, &mut low[at..]);
                    s.store_words(y, &mut middle[at..]);
                }
            }
            let mut noise = [0; LANES];
            for (i, noise) in noise.iter_mut().enumerate() {
                let high = (coarse_bits[i] as u32) << 16 | middle[i] & 0xffff;
                *noise = u64::from(high) << 32 | u64::from(low[i]);
            }
            add_keys(values, scale, &noise, keys);
        }
    }
}
