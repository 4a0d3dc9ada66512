//! The door to the values of a restricted row: what may not be drawn reads as a value that is never drawn.

use std::ops::{Deref, Range};

use crate::cpu::simd::{Aligned, MAX_TILE, Simd, Task};
use crate::cpu::values::RowValues;
use crate::cpu::vector_value::VectorValue;
use crate::noise::bits::OCTET;
use crate::options::Widen;

/// The logits of a row, of which only those that a mask allows and that are not below a bound can be drawn. What is
/// invalid stays, unless the mask does not allow it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kept<'a, T> {
    pub(super) values: &'a [T],
    mask: Option<&'a [u32]>,
    /// The bit of the first value.
    first: usize,
    least: f32,
}

impl<'a, T> Kept<'a, T> {
    /// All values of a row.
    pub(super) fn all(values: &'a [T]) -> Self {
        Self { values, mask: None, first: 0, least: f32::NEG_INFINITY }
    }

    /// Those of them that a mask allows.
    pub(super) fn allowed(self, mask: &'a [u32]) -> Self {
        Self { mask: Some(mask), ..self }
    }

    /// Those of them that are not below `least`.
    pub(super) fn from(self, least: f32) -> Self {
        Self { least, ..self }
    }

    /// The bits of 32 values from position `at` on.
    #[inline(always)]
    fn bits(&self, at: usize) -> u32 {
        let Some(mask) = self.mask else { return u32::MAX };
        let (word, shift) = ((self.first + at) / 32, (self.first + at) % 32);
        let low = mask.get(word).copied().unwrap_or(0) >> shift;
        if shift == 0 {
            low
        } else {
            low | mask.get(word + 1).copied().unwrap_or(0) << (32 - shift)
        }
    }
}

impl<T: VectorValue> Kept<'_, T> {
    /// A value whose bit is this one.
    #[inline(always)]
    fn kept(&self, value: T, allowed: bool) -> T {
        // a NaN is not below the bound
        let is_below = value.float() < self.least;
        if allowed & !is_below { value } else { T::NEVER }
    }

    #[inline(always)]
    fn copy(&self, at: usize, to: &mut [T]) {
        let values = &self.values[at..][..to.len()];
        for (i, (to, values)) in to.chunks_mut(32).zip(values.chunks(32)).enumerate() {
            let bits = self.bits(at + 32 * i);
            for (j, (to, &value)) in to.iter_mut().zip(values).enumerate() {
                *to = self.kept(value, bits >> j & 1 == 1);
            }
        }
    }
}

/// Up to two tiles of values.
pub(super) struct Copied<T> {
    values: Aligned<[T; 2 * MAX_TILE * OCTET]>,
    len: usize,
}

impl<T> Deref for Copied<T> {
    type Target = [T];

    #[inline(always)]
    fn deref(&self) -> &[T] {
        &self.values.0[..self.len]
    }
}

impl<T: VectorValue> RowValues for Kept<'_, T> {
    type Value = T;
    type Tile = Copied<T>;

    #[inline(always)]
    fn len(self) -> usize {
        self.values.len()
    }
    #[inline(always)]
    fn value(self, at: usize) -> T {
        self.kept(self.values[at], self.bits(at) & 1 == 1)
    }
    #[inline(always)]
    fn iter(self) -> impl Iterator<Item = T> {
        (0..self.values.len()).map(move |at| self.value(at))
    }
    #[inline(always)]
    fn part(self, range: Range<usize>) -> Self {
        Self { first: self.first + range.start, values: &self.values[range], ..self }
    }
    #[inline(always)]
    fn tile(self, at: usize, len: usize) -> Copied<T> {
        let mut values = Aligned([T::NEVER; 2 * MAX_TILE * OCTET]);
        self.copy(at, &mut values.0[..len]);
        Copied { values, len }
    }
    #[inline(always)]
    fn tiles(self, len: usize) -> impl Iterator<Item = Copied<T>> {
        (0..self.values.len() / len).map(move |i| self.tile(i * len, len))
    }
    #[inline(always)]
    fn copy_to(self, to: &mut [T]) {
        self.copy(0, to);
    }
    fn widen_to(self, to: &mut [f32])
    where
        T: Widen,
    {
        for (at, to) in to.iter_mut().enumerate() {
            *to = self.value(at).widen();
        }
    }
}

/// Writes what is kept of a row, and values that are never drawn in the place of the others.
pub(super) struct CopyKept<'a, 'r, T> {
    pub(super) kept: Kept<'a, T>,
    pub(super) to: &'r mut [T],
}

impl<T: VectorValue> Task for CopyKept<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        self.kept.copy_to(self.to);
    }
}

/// Counts the categories that a mask allows.
pub(super) struct CountAllowed<'a> {
    pub(super) mask: &'a [u32],
}

impl Task for CountAllowed<'_> {
    type Output = usize;

    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> usize {
        let pieces = self.mask.chunks(64);
        pieces.map(|words| words.iter().map(|word| word.count_ones()).sum::<u32>() as usize).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::Isa;

    /// Whether every way through the door to some values gives those that are kept.
    struct Agrees<'a>(Kept<'a, f32>, &'a [f32]);

    impl Task for Agrees<'_> {
        type Output = bool;

        #[inline(always)]
        fn run<S: Simd>(self, _: S) -> bool {
            let Self(kept, expected) = self;
            let same = |a: &[f32], b: &[f32]| {
                a.iter().map(|x| x.to_bits()).eq(b.iter().map(|x| x.to_bits()))
            };
            let mut copy = vec![7.0; expected.len()];
            kept.copy_to(&mut copy);
            let one_by_one: Vec<f32> = kept.iter().collect();
            let tiles: Vec<f32> = kept.tiles(64).flat_map(|tile| tile.to_vec()).collect();
            let parts: Vec<f32> =
                kept.parts(24).flat_map(|part| part.iter().collect::<Vec<_>>()).collect();
            let part_tiles = kept.parts(40).all(|part| {
                let len = part.len().min(32);
                same(&part.tile(0, len), &part.iter().take(len).collect::<Vec<_>>())
            });
            same(&copy, expected)
                && same(&one_by_one, expected)
                && same(&tiles, &expected[..tiles.len()])
                && same(&parts, expected)
                && part_tiles
        }
    }

    #[test]
    fn only_what_is_kept_can_be_drawn() {
        let mut values: Vec<f32> = (0..333).map(|i| ((i * 37) % 100) as f32).collect();
        values[50] = f32::NAN;
        values[51] = -f32::NAN;
        let mask: Vec<u32> =
            (0..11).map(|i: u32| i.wrapping_mul(0x9e37_79b9) ^ 0x0f0f_3355).collect();
        for least in [f32::NEG_INFINITY, 50.0, 99.0] {
            for masked in [false, true] {
                let keeps = |i: usize| !masked || mask[i / 32] >> (i % 32) & 1 == 1;
                let expected: Vec<f32> = values
                    .iter()
                    .enumerate()
                    .map(|(i, &x)| {
                        let is_below = x < least;
                        if keeps(i) && !is_below { x } else { f32::NEG_INFINITY }
                    })
                    .collect();
                let kept = Kept::all(&values).from(least);
                let kept = if masked { kept.allowed(&mask) } else { kept };
                for isa in Isa::available() {
                    assert!(isa.run(Agrees(kept, &expected)), "{isa}, {least}, {masked}");
                }
                // another bound is seen
                assert!(!Isa::Portable.run(Agrees(kept.from(60.0), &expected)) || masked);
            }
        }
    }
}
