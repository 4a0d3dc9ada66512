//! The largest values of groups of a row's categories, by which the few categories that are left of a row are found without
//! reading the row once more.

use super::cut::first_word;
use super::list::{List, Listed, ONE_IN};
use crate::cpu::Isa;
use crate::cpu::simd::{MAX_TILE, Simd, Task};
use crate::cpu::vector_value::VectorValue;
use crate::job::lengthen;
use crate::noise::bits::OCTET;
use crate::noise::order::Scale;
use crate::options::{Value, Widen};

/// The tiles of a block. A group is what a lane sees of a block.
const TILES: usize = 16;
/// The most groups, joined from those that are stored, whose maxima are compared to find the k largest values.
const COMPARED: usize = 1024;
/// The most categories that are listed of the largest. Ties may be any number.
const MOST: usize = 2048;

/// The largest value of each group, block by block, a float for each lane of a tile.
#[derive(Debug, Default)]
pub(super) struct Maxima {
    groups: Vec<f32>,
}

impl Maxima {
    /// The largest value of a row, `None` if nothing can be drawn. A NaN may be passed over.
    pub(super) fn largest<T: VectorValue + Widen>(isa: Isa, values: &[T]) -> Option<f32> {
        let most = isa.run(Largest { values });
        (most > f32::NEG_INFINITY && most < f32::INFINITY).then_some(most)
    }

    /// Finds the largest values of groups, and returns the largest of all, `None` if the row cannot be drawn from.
    ///
    /// # Errors
    /// The bytes that are not to be had.
    pub(super) fn find<T: VectorValue + Widen>(
        &mut self,
        isa: Isa,
        values: &[T],
    ) -> Result<Option<f32>, usize> {
        // more than any instruction set has groups
        let most = values.len() / TILES + MAX_TILE * OCTET;
        lengthen(&mut self.groups, most, f32::NEG_INFINITY)?;
        Ok(isa.run(Find { values, to: &mut self.groups }))
    }

    /// The k largest values of the row that was looked at last, with all that have the same K, and perhaps some more.
    pub(super) fn of_largest<T: VectorValue + Widen>(
        &self,
        isa: Isa,
        values: &[T],
        k: usize,
        scale: Scale,
    ) -> Listed<T> {
        match isa.run(Bound { groups: &self.groups, k, scale }) {
            Some(bound) => isa.run(Collect { groups: &self.groups, values, bound, most: MOST }),
            None => Listed::TooMany,
        }
    }

    /// The categories of that row whose values are not below a bound.
    pub(super) fn not_below<T: VectorValue + Widen>(
        &self,
        isa: Isa,
        values: &[T],
        bound: f32,
    ) -> Listed<T> {
        isa.run(Collect { groups: &self.groups, values, bound, most: values.len() / ONE_IN })
    }
}

/// The categories of a tile.
const fn tile<S: Simd>() -> usize {
    S::OCTETS * OCTET
}

/// Finds the largest value.
struct Largest<'a, T> {
    values: &'a [T],
}

impl<T: VectorValue + Widen> Task for Largest<'_, T> {
    type Output = f32;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> f32 {
        let tiles = self.values.chunks_exact(tile::<S>());
        let rest = tiles.remainder();
        let mut most = [s.all(f32::NEG_INFINITY); 4];
        for values in tiles {
            for (most, x) in most.iter_mut().zip(T::accurate(s, values)) {
                *most = s.larger(x, *most);
            }
        }
        largest_of(s, most, rest)
    }
}

/// The largest of four vectors and of some values. A NaN may be passed over, or hide others.
#[inline(always)]
fn largest_of<S: Simd, T: Widen>(s: S, [a, b, c, d]: [S::Floats; 4], rest: &[T]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; 2 * MAX_TILE];
    s.store(s.larger(s.larger(a, b), s.larger(c, d)), &mut lanes[..2 * S::OCTETS]);
    lanes
        .into_iter()
        .chain(rest.iter().map(|value| value.widen()))
        .fold(f32::NEG_INFINITY, f32::max)
}

/// Finds the largest values of groups.
struct Find<'a, T> {
    values: &'a [T],
    to: &'a mut Vec<f32>,
}

impl<T: VectorValue + Widen> Task for Find<'_, T> {
    type Output = Option<f32>;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> Option<f32> {
        let Self { values, to } = self;
        let tiles = values.chunks_exact(tile::<S>());
        let rest = tiles.remainder();
        let whole = &values[..values.len() - rest.len()];
        let blocks = whole.len().div_ceil(TILES * tile::<S>());
        to.truncate(blocks * tile::<S>());
        let none = s.all(f32::NEG_INFINITY);
        let (mut largest, mut nans) = ([none; 4], s.no_nans());
        let blocks = whole.chunks(TILES * tile::<S>());
        for (block, to) in blocks.zip(to.chunks_exact_mut(tile::<S>())) {
            let mut most = [none; 4];
            for values in block.chunks_exact(tile::<S>()) {
                let x = T::accurate(s, values);
                nans = s.flag_nans(s.flag_nans(nans, x[0], x[1]), x[2], x[3]);
                for (most, x) in most.iter_mut().zip(x) {
                    *most = s.larger(x, *most);
                }
            }
            for ((largest, most), to) in
                largest.iter_mut().zip(most).zip(to.chunks_exact_mut(2 * S::OCTETS))
            {
                s.store(most, to);
                *largest = s.larger(most, *largest);
            }
        }
        let most = largest_of(s, largest, rest);
        let is_valid = s.is_nan_free(nans) && !rest.iter().any(|value| value.widen().is_nan());
        (is_valid && most > f32::NEG_INFINITY && most < f32::INFINITY).then_some(most)
    }
}

/// Finds a lower bound of the k-th largest value: of the largest values of groups, the k-th largest. So many values are at
/// least that large; little else is, as long as groups are some times as many as k. `None` if they are not.
struct Bound<'a> {
    groups: &'a [f32],
    k: usize,
    scale: Scale,
}

impl Task for Bound<'_> {
    type Output = Option<f32>;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> Option<f32> {
        let Self { groups, k, scale } = self;
        let wanted = k.saturating_mul(4).clamp(64, COMPARED);
        let blocks_at_once = (groups.len() / wanted).max(1);
        let mut words = [0; 2 * COMPARED + MAX_TILE * OCTET];
        let mut joined = 0;
        for blocks in groups.chunks(blocks_at_once * tile::<S>()) {
            let mut most = [s.all(f32::NEG_INFINITY); 4];
            for block in blocks.chunks_exact(tile::<S>()) {
                for (most, lanes) in most.iter_mut().zip(block.chunks_exact(2 * S::OCTETS)) {
                    *most = s.larger(s.floats(lanes), *most);
                }
            }
            for most in most {
                let mut lanes = [0.0; 2 * MAX_TILE];
                s.store(most, &mut lanes[..2 * S::OCTETS]);
                for (word, x) in words[joined..].iter_mut().zip(&lanes[..2 * S::OCTETS]) {
                    *word = x.word();
                }
                joined += 2 * S::OCTETS;
            }
        }
        let words = &mut words[..joined];
        if k > joined / 2 {
            return None;
        }
        let (_, &mut bound, _) = words.select_nth_unstable_by(k - 1, |a, b| b.cmp(a));
        if bound <= f32::NEG_INFINITY.word() {
            return None;
        }
        // values of the same K are kept together
        let of = |word: u32| f32::of_word(word).fixed(scale);
        let word = first_word(f32::MIN.word(), bound, |word| of(word) >= of(bound));
        Some(f32::of_word(word))
    }
}

/// Lists the categories from a bound on, if they are at most so many.
struct Collect<'a, T> {
    groups: &'a [f32],
    values: &'a [T],
    bound: f32,
    most: usize,
}

impl<T: VectorValue + Widen> Task for Collect<'_, T> {
    type Output = Listed<T>;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> Listed<T> {
        let Self { groups, values, bound, most } = self;
        // the values of a group lie in as many lines of the cache: none is looked at in vain
        let (octets, _) = groups.as_chunks::<OCTET>();
        let reach = |octet: &[f32; OCTET]| s.not_below(octet, bound).count_ones() as usize;
        if octets.iter().map(reach).sum::<usize>() > most {
            return Listed::TooMany;
        }
        let mut entries = Vec::new();
        // a group is added before the number of entries is looked at, and so is what is left after the last tile
        if entries.try_reserve_exact(most + TILES + MAX_TILE * OCTET).is_err() {
            return Listed::TooMany;
        }
        let rest = values.len() % tile::<S>();
        let (whole, rest) = values.split_at(values.len() - rest);
        let blocks = whole.chunks(TILES * tile::<S>());
        for (i, (block, groups)) in blocks.zip(groups.chunks_exact(tile::<S>())).enumerate() {
            let (first, lanes) = (i * TILES * tile::<S>(), 2 * S::OCTETS);
            let four = [0, 1, 2, 3].map(|i| s.floats(&groups[i * lanes..][..lanes]));
            if s.all_below(four, s.all(bound)) {
                continue;
            }
            let (octets, _) = groups.as_chunks::<OCTET>();
            for (octet, floats) in octets.iter().enumerate() {
                let mut bits = s.not_below(floats, bound);
                while bits != 0 {
                    if entries.len() > most {
                        return Listed::TooMany;
                    }
                    let lane = octet * OCTET + bits.trailing_zeros() as usize;
                    for at in (lane..block.len()).step_by(tile::<S>()) {
                        if block[at].widen() >= bound {
                            entries.push((block[at], (first + at) as u32));
                        }
                    }
                    bits &= bits - 1;
                }
            }
        }
        let after = rest.iter().zip(whole.len() as u32..);
        entries.extend(after.filter(|(x, _)| x.widen() >= bound).map(|(x, at)| (*x, at)));
        Listed::All(List::new(entries))
    }
}
