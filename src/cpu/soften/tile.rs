//! The keys of some octets of categories, exactly: those of several short rows, or part of a long one.

use crate::cpu::bound::{RoundKeys, blocks, coarse};
use crate::cpu::lanes::{NEAR, gumbel_of, near_fixed, outer, tail};
use crate::cpu::simd::{Aligned, Simd};
use crate::noise::bits::{OCTET, Stream};
use crate::noise::gumbel::UNIT;
use crate::noise::order::{NEG_INFINITY, Scale, is_invalid, key};

/// How many octets are evaluated at a time: all that they need stays in the nearest cache.
pub(super) const OCTETS: usize = 32;
const LANES: usize = OCTETS * OCTET;

/// Octets side by side, each with a stream and a place in its row.
#[repr(align(64))]
pub(super) struct Tile {
    octet: [u32; OCTETS],
    row: [[u32; OCTETS]; 2],
    draw: [u32; OCTETS],
    category: [[u32; OCTET]; OCTETS],
    pub(super) logits: [[f32; OCTET]; OCTETS],
    /// Those of −∞, and of what has no key, are [`NO_KEY`].
    pub(super) keys: [[i64; OCTET]; OCTETS],
}

/// Below every key.
pub(super) const NO_KEY: i64 = i64::MIN;

impl Tile {
    /// With logits of −∞ throughout, as there are where a row ends within an octet.
    pub(super) fn new() -> Self {
        Self {
            octet: [0; OCTETS],
            row: [[0; OCTETS]; 2],
            draw: [0; OCTETS],
            category: [[0; OCTET]; OCTETS],
            logits: [[f32::NEG_INFINITY; OCTET]; OCTETS],
            keys: [[NO_KEY; OCTET]; OCTETS],
        }
    }

    /// The octets `at ..` are the octets `first ..` of a row's, `count` in number.
    #[inline(always)]
    pub(super) fn place(&mut self, at: usize, count: usize, first: u32, stream: Stream) {
        let lanes = at..at + count;
        self.row[0][lanes.clone()].fill(stream.row[0]);
        self.row[1][lanes.clone()].fill(stream.row[1]);
        self.draw[lanes.clone()].fill(stream.draw << 1);
        for (octet, lane) in (first..).zip(lanes) {
            self.octet[lane] = octet;
            for (i, category) in (0..).zip(&mut self.category[lane]) {
                *category = octet * OCTET as u32 + i;
            }
        }
    }

    /// The keys of the first octets.
    #[inline(always)]
    pub(super) fn evaluate<S: Simd>(
        &mut self,
        s: S,
        octets: usize,
        scale: Scale,
        keys: &RoundKeys,
    ) {
        let noise = self.noise(s, octets, keys);
        let [mut outers, mut tails] = [[0; LANES]; 2];
        let lanes = octets * OCTET;
        // one thing at a time: so few values are on the way that registers hold them
        for (outer_of, &v) in outers.iter_mut().zip(&noise[..lanes]) {
            *outer_of = outer(v);
        }
        for (tail_of, &v) in tails.iter_mut().zip(&noise[..lanes]) {
            *tail_of = tail(v);
        }
        let mut gumbels = [0; LANES];
        for (i, gumbel) in gumbels[..lanes].iter_mut().enumerate() {
            *gumbel = gumbel_of(noise[i], outers[i], tails[i]);
        }

        let logits = &self.logits.as_flattened()[..lanes];
        let keys = &mut self.keys.as_flattened_mut()[..lanes];
        let factor = f64::from(scale.reciprocal());
        if f64::from(f32::from_bits(farthest(logits))) * factor < NEAR {
            let units = factor * UNIT as f64;
            for (i, (to, &logit)) in keys.iter_mut().zip(logits).enumerate() {
                let key = near_fixed(logit, units).wrapping_add(gumbels[i]);
                *to = if logit.to_bits() == NEG_INFINITY { NO_KEY } else { key };
            }
        } else {
            // rare, and by the contract's own function
            for (i, (to, &logit)) in keys.iter_mut().zip(logits).enumerate() {
                let bits = logit.to_bits();
                let none = bits == NEG_INFINITY || is_invalid(bits);
                *to = if none { NO_KEY } else { key(bits, scale, gumbels[i] as i32) };
            }
        }
    }

    /// The 64 bits of each category of the first octets.
    #[inline(always)]
    fn noise<S: Simd>(&self, s: S, octets: usize, keys: &RoundKeys) -> [u64; LANES] {
        let Aligned(coarse_bits) = &mut Aligned([0; LANES]);
        for at in (0..octets).step_by(S::OCTETS) {
            let counter = [
                s.words(&self.octet[at..]),
                s.words(&self.row[0][at..]),
                s.words(&self.row[1][at..]),
                s.words(&self.draw[at..]),
            ];
            let [tile] = coarse(s, [counter], keys);
            for (i, ints) in tile.into_iter().enumerate() {
                s.store_ints(ints, &mut coarse_bits[at * OCTET + i * 2 * S::OCTETS..]);
            }
        }
        let [mut low, mut middle] = [[0; LANES]; 2];
        let categories = self.category.as_flattened();
        let counter = |at: usize| {
            let octet = at / OCTET;
            [
                s.words(&categories[at..]),
                s.all_words(self.row[0][octet]),
                s.all_words(self.row[1][octet]),
                s.all_words(self.draw[octet] | 1),
            ]
        };
        for at in (0..octets * OCTET).step_by(2 * S::OCTETS) {
            let fine = blocks(s, [counter(at), counter(at + S::OCTETS)], keys);
            for (at, words) in [at, at + S::OCTETS].into_iter().zip(fine) {
                s.store_words(words[0], &mut low[at..]);
                s.store_words(words[1], &mut middle[at..]);
            }
        }
        let mut noise = [0; LANES];
        for (i, noise) in noise[..octets * OCTET].iter_mut().enumerate() {
            let high = (coarse_bits[i] as u32) << 16 | middle[i] & 0xffff;
            *noise = u64::from(high) << 32 | u64::from(low[i]);
        }
        noise
    }
}

/// The largest magnitude among logits but −∞, as bits. Beyond those of +∞ for a NaN.
#[inline(always)]
pub(super) fn farthest(logits: &[f32]) -> u32 {
    logits.iter().fold(0, |far, logit| {
        let bits = logit.to_bits();
        far.max(if bits == NEG_INFINITY { 0 } else { bits & 0x7fff_ffff })
    })
}
