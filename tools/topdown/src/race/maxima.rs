//! The largest logit of each group.
//!
//! A unit is `S::OCTETS` Philox blocks of groups, or 64·`S::OCTETS` categories. Group l of a span holds the
//! categories l, l + 16, and so on, so that the maxima of 16 groups are a maximum of whole vectors.

use crate::definition::SPAN;
use crate::simd::Simd;
use crate::vector_value::VectorValue;

/// The number of groups of a unit.
pub(super) const fn groups<S: Simd>() -> usize {
    4 * S::OCTETS
}

/// The number of categories of a unit.
pub(super) const fn categories<S: Simd>() -> usize {
    64 * S::OCTETS
}

/// The largest logits of the groups of a unit.
#[inline(always)]
pub(super) fn maxima<S: Simd, T: VectorValue>(
    s: S,
    values: &[T],
    nans: &mut S::NanFlags,
) -> [S::Floats; 2] {
    let step = 4 * 2 * S::OCTETS;
    let mut most = [s.all(f32::NEG_INFINITY); 2];
    for span in 0..S::OCTETS / 4 {
        for t in 0..SPAN / step {
            let [a, b, c, d] = T::accurate(s, &values[span * SPAN + t * step..]);
            *nans = s.flag_nans(*nans, a, b);
            *nans = s.flag_nans(*nans, c, d);
            if S::OCTETS == 8 {
                most[span] = s.larger(most[span], s.larger(s.larger(a, b), s.larger(c, d)));
            } else {
                most[0] = s.larger(most[0], s.larger(a, c));
                most[1] = s.larger(most[1], s.larger(b, d));
            }
        }
    }
    most
}

/// Where a race gets the maxima of groups from.
pub(super) trait GroupMaxima<S: Simd>: Copy {
    /// The maxima of the groups of a unit.
    fn of_unit(self, s: S, unit: usize, nans: &mut S::NanFlags) -> [S::Floats; 2];
    /// The number of units.
    fn units(self) -> usize;
}

/// Maxima that are computed from logits.
#[derive(Clone, Copy)]
pub(super) struct FromValues<'a, T>(pub(super) &'a [T]);

impl<S: Simd, T: VectorValue> GroupMaxima<S> for FromValues<'_, T> {
    #[inline(always)]
    fn of_unit(self, s: S, unit: usize, nans: &mut S::NanFlags) -> [S::Floats; 2] {
        maxima(s, &self.0[unit * categories::<S>()..][..categories::<S>()], nans)
    }
    #[inline(always)]
    fn units(self) -> usize {
        self.0.len() / categories::<S>()
    }
}

/// Maxima that an earlier pass has stored, for several draws of a row.
#[derive(Clone, Copy)]
pub(super) struct Stored<'a>(pub(super) &'a [f32]);

impl<S: Simd> GroupMaxima<S> for Stored<'_> {
    #[inline(always)]
    fn of_unit(self, s: S, unit: usize, _: &mut S::NanFlags) -> [S::Floats; 2] {
        let maxima = &self.0[unit * groups::<S>()..][..groups::<S>()];
        [s.floats(maxima), s.floats(&maxima[2 * S::OCTETS..])]
    }
    #[inline(always)]
    fn units(self) -> usize {
        self.0.len() / groups::<S>()
    }
}
