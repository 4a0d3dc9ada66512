//! The keys of some octets of categories with flat noise, exactly: those of several short rows, or part of a long one.

use super::bound::{RoundKeys, coarse};
use super::exact_keys::{exact_keys, flat_noise};
use super::simd::{Aligned, Simd};
use super::values::SideBySide;
use super::vector_value::VectorValue;
use crate::noise::bits::{OCTET, Stream};
use crate::noise::order::{Best, Scale};
use crate::options::Chance;

/// The number of octets that are evaluated at a time: so few that all they need stays in the nearest cache.
pub(super) const OCTETS: usize = 32;
const LANES: usize = OCTETS * OCTET;

/// Octets side by side, each with a stream and a place in its row.
#[repr(align(64))]
pub(super) struct Tile<T> {
    octet: [u32; OCTETS],
    row: [[u32; OCTETS]; 2],
    draw: [u32; OCTETS],
    category: [[u32; OCTET]; OCTETS],
    pub(super) values: SideBySide<T, OCTETS>,
    /// The key of each category, [`NO_KEY`] if the category cannot be drawn.
    pub(super) keys: [[i64; OCTET]; OCTETS],
}

/// A number below every key.
pub(super) const NO_KEY: i64 = Best::NONE.key;

impl<T: VectorValue> Tile<T> {
    /// A tile for rows of this number of categories.
    #[inline(always)]
    pub(super) fn new(categories: usize) -> Self {
        Self {
            octet: [0; OCTETS],
            row: [[0; OCTETS]; 2],
            draw: [0; OCTETS],
            category: [[0; OCTET]; OCTETS],
            values: SideBySide::new(categories),
            keys: [[NO_KEY; OCTET]; OCTETS],
        }
    }

    /// Makes the `count` octets `at ..` of the tile the octets `first ..` of a row, with this stream.
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

    /// Evaluates the keys of the first `octets` octets.
    #[inline(always)]
    pub(super) fn evaluate<S: Simd>(
        &mut self,
        s: S,
        octets: usize,
        scale: Scale,
        round_keys: &RoundKeys,
    ) {
        let Self { octet, row, draw, category, values, keys } = self;
        let Aligned(coarse_bits) = &mut Aligned([0; LANES]);
        for at in (0..octets).step_by(S::OCTETS) {
            let counter = [
                s.words(&octet[at..]),
                s.words(&row[0][at..]),
                s.words(&row[1][at..]),
                s.words(&draw[at..]),
            ];
            let [tile] = coarse(s, [counter], round_keys);
            for (i, ints) in tile.into_iter().enumerate() {
                s.store_ints(ints, &mut coarse_bits[at * OCTET + i * 2 * S::OCTETS..]);
            }
        }
        let categories = category.as_flattened();
        let fine_counter = |at: usize| {
            let octet = at / OCTET;
            [
                s.words(&categories[at..]),
                s.all_words(row[0][octet]),
                s.all_words(row[1][octet]),
                s.all_words(draw[octet] | 1),
            ]
        };
        let values = &values.values()[..octets * OCTET];
        let keys = &mut keys.as_flattened_mut()[..octets * OCTET];
        let noise = flat_noise(s, values.len(), coarse_bits, fine_counter, round_keys);
        exact_keys(values, scale, &noise, keys);
        for (key, value) in keys.iter_mut().zip(values) {
            *key = if value.chance() == Chance::Some { *key } else { NO_KEY };
        }
    }
}
