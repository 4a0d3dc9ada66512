//! Types of values as they are stored: those that engines draw from, and `f64`, which becomes `f32` first.

use super::allowed::{Allowed, allows};
use super::rows::{Rows, Stock};
use super::value::{Chance, Positive, Value};
use crate::error::Undrawable;
use crate::noise::relative::{Power, is_invalid_f64_weight, power_of, relative_logit};

/// A type of values in the caller's memory.
pub trait Stored: Copy + Send + Sync + 'static {
    /// The type of the values that are drawn from in place of these.
    type Drawn: Value;
    /// What the values of a row are relative to once they are drawn from.
    type Base: Copy + Send + Sync;
    /// The value of a category of probability 0.
    const ABSENT: Self;
    /// Whether the base of a row depends on its largest value.
    const NEEDS_LARGEST: bool;
    /// What values of this type are called.
    const NAME: &'static str;

    /// The rows as a [`Stock`].
    fn stock(rows: Rows<'_, Self>) -> Stock<'_>;
    /// The value itself, as a number.
    fn as_f64(self) -> f64;
    /// The largest of some values, which are not NaN, and `so_far`.
    fn largest(so_far: f64, values: &[Self]) -> f64;
    /// The base of a row with this largest value.
    fn base(largest: f64) -> Self::Base;
    /// The value that is drawn from.
    fn drawn(self, base: Self::Base) -> Self::Drawn;
    /// What the base takes away from the logarithms of unnormalised probabilities.
    fn shift(base: Self::Base) -> f64;
    /// Why a row of these values has no draw, or `None` if it has one.
    fn undrawable(row: impl Iterator<Item = Self> + Clone) -> Option<Undrawable>;
}

impl<T: Value> Stored for T {
    type Drawn = Self;
    type Base = ();
    const ABSENT: Self = Self::NEVER;
    const NEEDS_LARGEST: bool = false;
    const NAME: &'static str = <T as Value>::NAME;

    fn stock(rows: Rows<'_, Self>) -> Stock<'_> {
        if rows.category_stride() == 1 {
            Stock::InPlace(T::data(rows))
        } else {
            Stock::Spread(T::data(rows))
        }
    }
    fn as_f64(self) -> f64 {
        self.number()
    }
    #[inline(always)]
    fn largest(so_far: f64, _: &[Self]) -> f64 {
        so_far
    }
    #[inline(always)]
    fn base(_: f64) {}
    #[inline(always)]
    fn drawn(self, (): ()) -> Self {
        self
    }
    #[inline(always)]
    fn shift((): ()) -> f64 {
        0.0
    }
    fn undrawable(mut row: impl Iterator<Item = Self> + Clone) -> Option<Undrawable> {
        let all = row.clone();
        if let Some((category, value)) =
            all.enumerate().find(|(_, value)| value.chance() == Chance::Invalid)
        {
            return Some(value.reason(category));
        }
        row.all(|value| value.chance() == Chance::None).then_some(T::NOTHING)
    }
}

/// The values of the row at position `row`, with no chance for those that are not allowed.
pub(crate) fn allowed_values<T: Stored>(
    rows: Rows<'_, T>,
    row: usize,
    allowed: Option<Allowed<'_>>,
) -> impl Iterator<Item = T> + Clone {
    let mask = allowed.map(|allowed| allowed.of_row(row));
    let is_allowed = move |i: usize| mask.is_none_or(|mask| allows(mask, i));
    let values = rows.values(row, 0..rows.categories()).enumerate();
    values.map(move |(i, value)| if is_allowed(i) { value } else { T::ABSENT })
}

/// The row at position `row` as it is drawn from, and what its base takes away: plainly, for one row.
pub(crate) fn relative_row<T: Stored>(
    rows: Rows<'_, T>,
    row: usize,
    allowed: Option<Allowed<'_>>,
) -> (Vec<T::Drawn>, f64) {
    let values: Vec<T> = allowed_values(rows, row, allowed).collect();
    let base = T::base(T::largest(f64::NEG_INFINITY, &values));
    (values.into_iter().map(|value| value.drawn(base)).collect(), T::shift(base))
}

/// The largest of some numbers and `so_far`. A NaN is less than any number.
#[inline(always)]
fn largest(so_far: f64, values: &[f64]) -> f64 {
    // side by side, so that the compiler makes vectors of them
    let (blocks, rest) = values.as_chunks::<16>();
    let mut lanes = [so_far; 16];
    let larger = |a: f64, b: f64| if a > b { a } else { b };
    for block in blocks {
        for (lane, &value) in lanes.iter_mut().zip(block) {
            *lane = larger(value, *lane);
        }
    }
    lanes.iter().chain(rest).fold(so_far, |most, &value| larger(value, most))
}

/// Logits in double precision, of which a row is drawn from [relative](crate::noise::relative) to its largest.
impl Stored for f64 {
    type Drawn = f32;
    type Base = f64;
    const ABSENT: Self = Self::NEG_INFINITY;
    const NEEDS_LARGEST: bool = true;
    const NAME: &'static str = <f32 as Value>::NAME;

    fn stock(rows: Rows<'_, Self>) -> Stock<'_> {
        Stock::F64(rows)
    }
    fn as_f64(self) -> f64 {
        self
    }
    #[inline(always)]
    fn largest(so_far: f64, values: &[Self]) -> f64 {
        largest(so_far, values)
    }
    #[inline(always)]
    fn base(largest: f64) -> f64 {
        largest
    }
    #[inline(always)]
    fn drawn(self, base: f64) -> f32 {
        relative_logit(self, base)
    }
    #[inline(always)]
    fn shift(base: f64) -> f64 {
        base
    }
    fn undrawable(mut row: impl Iterator<Item = Self> + Clone) -> Option<Undrawable> {
        let is_invalid = |logit: f64| logit.is_nan() || logit == f64::INFINITY;
        match row.clone().enumerate().find(|&(_, logit)| is_invalid(logit)) {
            Some((category, logit)) if logit.is_nan() => Some(Undrawable::Nan { category }),
            Some((category, _)) => Some(Undrawable::PositiveInfinity { category }),
            None => row.all(|logit| logit == f64::NEG_INFINITY).then_some(f32::NOTHING),
        }
    }
}

/// A weight of `f64`, of which a row is drawn from [relative](crate::noise::relative) to a power of two.
#[derive(Clone, Copy, Debug, bytemuck::TransparentWrapper)]
#[repr(transparent)]
pub struct PositiveF64(pub(crate) f64);

impl Stored for PositiveF64 {
    type Drawn = Positive;
    type Base = Power;
    const ABSENT: Self = Self(0.0);
    const NEEDS_LARGEST: bool = true;
    const NAME: &'static str = <Positive as Value>::NAME;

    fn stock(rows: Rows<'_, Self>) -> Stock<'_> {
        Stock::WeightsF64(rows)
    }
    fn as_f64(self) -> f64 {
        self.0
    }
    #[inline(always)]
    fn largest(so_far: f64, values: &[Self]) -> f64 {
        largest(so_far, bytemuck::TransparentWrapper::peel_slice(values))
    }
    #[inline(always)]
    fn base(largest: f64) -> Power {
        power_of(largest)
    }
    #[inline(always)]
    fn drawn(self, base: Power) -> Positive {
        Positive(base.relative_weight(self.0))
    }
    #[inline(always)]
    fn shift(base: Power) -> f64 {
        base.ln()
    }
    fn undrawable(mut row: impl Iterator<Item = Self> + Clone) -> Option<Undrawable> {
        match row.clone().enumerate().find(|(_, weight)| is_invalid_f64_weight(weight.0)) {
            Some((category, PositiveF64(weight))) => {
                Some(Undrawable::InvalidWeight { category, weight })
            }
            None => row.all(|weight| weight.0 == 0.0).then_some(Positive::NOTHING),
        }
    }
}
