//! The greatest value of each group.
//!
//! A unit is `S::OCTETS` Philox blocks of groups, or 64·`S::OCTETS` categories: a span, or two. The members of a group
//! lie 16 apart, so that the maxima of 16 groups are a maximum of whole vectors.

use crate::cpu::simd::Simd;
use crate::cpu::values::RowValues;
use crate::cpu::vector_value::Greatest as _;
use crate::noise::groups::{MEMBERS, SPAN};
use crate::options::{Chance, Value as _};

/// The number of categories of the largest unit of any instruction set.
pub(super) const MAX_UNIT: usize = 512;

/// The number of groups of a unit.
pub(super) const fn groups<S: Simd>() -> usize {
    categories::<S>() / MEMBERS
}

/// The number of categories of a unit.
pub(super) const fn categories<S: Simd>() -> usize {
    64 * S::OCTETS
}

/// The invalid values that a pass has met.
#[derive(Clone, Copy)]
pub(super) struct Flaws<S: Simd> {
    nans: S::NanFlags,
    invalid: bool,
}

impl<S: Simd> Flaws<S> {
    #[inline(always)]
    pub(super) fn none(s: S) -> Self {
        Self { nans: s.no_nans(), invalid: false }
    }

    /// Whether there were some. (A logit of +∞ does not count: it wins against all others, and is found so.)
    #[inline(always)]
    pub(super) fn are_some(self, s: S) -> bool {
        self.invalid || !s.is_nan_free(self.nans)
    }
}

/// The greatest values of the groups of a unit, as floats.
#[inline(always)]
pub(super) fn maxima<S: Simd, V: RowValues>(s: S, unit: V, flaws: &mut Flaws<S>) -> [S::Floats; 2] {
    let mut most = greatest(s, unit, &mut flaws.nans);
    if !V::Value::are_sound(s, most) {
        let (clean, invalid) = cleaned(unit);
        flaws.invalid |= invalid;
        most = greatest(s, &clean[..unit.len()], &mut flaws.nans);
    }
    [V::Value::floats(s, most[0]), V::Value::floats(s, most[1])]
}

/// The values of a unit, in which those that are not drawn are never drawn, and whether one is invalid.
#[cold]
#[inline(never)]
fn cleaned<V: RowValues>(unit: V) -> ([V::Value; MAX_UNIT], bool) {
    let mut clean = [V::Value::NEVER; MAX_UNIT];
    let mut invalid = false;
    for (clean, value) in clean.iter_mut().zip(unit.iter()) {
        match value.chance() {
            Chance::Some => *clean = value,
            Chance::None => {}
            Chance::Invalid => invalid = true,
        }
    }
    (clean, invalid)
}

type Raw<S, V> = <<V as RowValues>::Value as crate::cpu::vector_value::Greatest>::Raw<S>;

#[inline(always)]
fn greatest<S: Simd, V: RowValues>(s: S, unit: V, nans: &mut S::NanFlags) -> [Raw<S, V>; 2] {
    const { assert!(categories::<S>() <= MAX_UNIT && categories::<S>().is_multiple_of(SPAN)) }
    let greater = |a, b| V::Value::greater(s, a, b);
    let step = 4 * 2 * S::OCTETS;
    let mut most = [V::Value::nevers(s); 2];
    for span in 0..categories::<S>() / SPAN {
        for t in 0..SPAN / step {
            let tile = unit.tile(span * SPAN + t * step, step);
            let [a, b, c, d] = V::Value::load(s, &tile);
            *nans = V::Value::flag(s, *nans, [a, b, c, d]);
            // a vector holds the members of all groups of a span, or of half of them
            if 2 * S::OCTETS == MEMBERS {
                most[span] = greater(most[span], greater(greater(a, b), greater(c, d)));
            } else {
                most[0] = greater(most[0], greater(a, c));
                most[1] = greater(most[1], greater(b, d));
            }
        }
    }
    most
}

/// Where a race gets the maxima of groups from.
pub(super) trait GroupMaxima: Copy {
    /// The maxima of the groups of a unit.
    fn of_unit<S: Simd>(self, s: S, unit: usize, flaws: &mut Flaws<S>) -> [S::Floats; 2];
    /// The number of units.
    fn units<S: Simd>(self, s: S) -> usize;
}

/// Maxima of values, whole units of them.
#[derive(Clone, Copy)]
pub(super) struct OfValues<V>(pub(super) V);

impl<V: RowValues> GroupMaxima for OfValues<V> {
    #[inline(always)]
    fn of_unit<S: Simd>(self, s: S, unit: usize, flaws: &mut Flaws<S>) -> [S::Floats; 2] {
        let at = unit * categories::<S>();
        maxima(s, self.0.part(at..at + categories::<S>()), flaws)
    }
    #[inline(always)]
    fn units<S: Simd>(self, _: S) -> usize {
        self.0.len() / categories::<S>()
    }
}

/// Maxima that an earlier pass has stored, for several draws of a row.
#[derive(Clone, Copy)]
pub(super) struct Stored<'a>(pub(super) &'a [f32]);

impl GroupMaxima for Stored<'_> {
    #[inline(always)]
    fn of_unit<S: Simd>(self, s: S, unit: usize, _: &mut Flaws<S>) -> [S::Floats; 2] {
        let maxima = &self.0[unit * groups::<S>()..][..groups::<S>()];
        [s.floats(maxima), s.floats(&maxima[2 * S::OCTETS..])]
    }
    #[inline(always)]
    fn units<S: Simd>(self, _: S) -> usize {
        self.0.len() / groups::<S>()
    }
}
