//! With noise from the top down.

use super::alarms::{first_alarm, later_alarm};
use super::gumbels::add_keys;
use super::{AllKeys, LANES};
use crate::bound::{RoundKeys, blocks};
use crate::definition::{FURTHER_BLOCKS, GROUP_BLOCKS, MEMBER_BLOCKS, SPAN};
use crate::noise::bits::Stream;
use crate::race::sequence;
use crate::simd::{Aligned, Simd, Task};

pub(super) struct TopDown<'a>(pub(super) AllKeys<'a>, pub(super) RoundKeys);
impl Task for TopDown<'_> {
    type Output = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let (AllKeys { row, stream, scale, keys, .. }, round_keys) = (self.0, &self.1);
        let Stream { row: id, draw, .. } = stream;
        let [a, b, c] = [s.all_words(id[0]), s.all_words(id[1]), s.all_words(draw << 1)];
        let spans = S::OCTETS / 4;
        let unit = spans * SPAN;
        for (k, (values, keys)) in row.chunks(unit).zip(keys.chunks_mut(unit)).enumerate() {
            let first = (k * unit) as u32;
            // the first alarms of the groups
            let block = first / 64;
            let counters = [
                [sequence(s, GROUP_BLOCKS + block), a, b, c],
                [sequence(s, FURTHER_BLOCKS + block), a, b, c],
            ];
            let [words, further_blocks] = blocks(s, counters, round_keys);
            let Aligned([word, further]) = &mut Aligned([[0i32; 32]; 2]);
            for (from, to) in [(words, &mut *word), (further_blocks, &mut *further)] {
                let [x, y] = s.block_words(from);
                s.store_ints(x, to);
                s.store_ints(y, &mut to[2 * S::OCTETS..]);
            }
            let mut p = [0u64; 32];
            for i in 0..16 * spans {
                p[i] = first_alarm(
                    u64::from(word[i] as u32 >> 4) << 32 | u64::from(further[i] as u32),
                );
            }
            for (span, (values, keys)) in values.chunks(SPAN).zip(keys.chunks_mut(SPAN)).enumerate()
            {
                let Aligned(q) = &mut Aligned([0u64; SPAN]);
                let pairs = MEMBER_BLOCKS.wrapping_add(first / 2 + 128 * span as u32);
                for j in (0..values.len().div_ceil(16)).step_by(2) {
                    for l in (0..16).step_by(2 * S::OCTETS) {
                        let at = j as u32 * 8 + l as u32;
                        let counters = [
                            [sequence(s, pairs.wrapping_add(at)), a, b, c],
                            [sequence(s, pairs.wrapping_add(at + S::OCTETS as u32)), a, b, c],
                        ];
                        for (w, l) in
                            blocks(s, counters, round_keys).into_iter().zip([l, l + S::OCTETS])
                        {
                            s.store_pairs(w[0], w[1], &mut q[16 * j + l..]);
                            s.store_pairs(w[2], w[3], &mut q[16 * j + 16 + l..]);
                        }
                    }
                }
                let mut noise = [0; LANES];
                let p: &[u64; 16] = p[16 * span..][..16].try_into().unwrap();
                let w: &[i32; 16] = word[16 * span..][..16].try_into().unwrap();
                for j in 0..16 {
                    for l in 0..16 {
                        let v = later_alarm(p[l], q[16 * j + l]);
                        noise[16 * j + l] = if w[l] & 15 == j as i32 { p[l] } else { v };
                    }
                }
                add_keys(values, scale, &noise, keys);
            }
        }
    }
}
