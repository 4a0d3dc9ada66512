//! The sum of a row's unnormalised probabilities, in floats: the row's largest logit, and the sum relative to
//! it.
//!
//! Logits are summed a piece at a time, relative to the piece's largest, in `f32`; pieces are joined in f64.
//! **Accuracy**: 2^x has a relative error of at most 2·10⁻⁷, and a lane adds up at most 64 of them before its
//! sum goes to f64. So the relative error of the whole sum is below 5·10⁻⁶, and mostly below 10⁻⁶, whatever
//! the largest value is. Weights are summed in f64 throughout.

use std::f64::consts::LOG2_E;
use std::ops::Range;

use super::simd::{Aligned, Simd, Task};
use super::threads::Division;
use super::values::{RowValues, SideBySide, in_place};
use super::vector_value::VectorValue;
use crate::noise::bits::OCTET;
use crate::options::{Positive, Rows, Value};
use crate::results::Sum;

/// The number of logits that are summed relative to one maximum.
const PIECE: usize = 64 * 4 * OCTET;

/// A type of values whose unnormalised probabilities can be summed.
pub(super) trait Summed: VectorValue {
    /// The sum of the values' unnormalised probabilities to the power of `inverse`.
    fn sum<S: Simd, V: RowValues<Value = Self>>(s: S, values: V, inverse: f64) -> Sum;
    /// Calls `write` for each row of `some`, with the row's position in `some` and its sum.
    #[inline(always)]
    fn sums<S: Simd>(
        s: S,
        rows: Rows<'_, Self>,
        some: Range<usize>,
        inverse: f64,
        write: impl FnMut(usize, Sum),
    ) {
        one_by_one(s, rows, some, inverse, write);
    }
}

/// Calls `write` for each row of `some`, one after the other, with the row's position in `some` and its sum.
#[inline(always)]
fn one_by_one<S: Simd, T: Summed>(
    s: S,
    rows: Rows<'_, T>,
    some: Range<usize>,
    inverse: f64,
    mut write: impl FnMut(usize, Sum),
) {
    for (i, row) in some.enumerate() {
        write(i, T::sum(s, rows.row(row), inverse));
    }
}

/// The values of a row, to be summed on this thread.
struct RowSum<V> {
    values: V,
    inverse: f64,
}

impl<V: RowValues<Value: Summed>> Task for RowSum<V> {
    type Output = Sum;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> Sum {
        V::Value::sum(s, self.values, self.inverse)
    }
}

/// Some rows, to be summed on this thread.
struct Sums<'a, T> {
    rows: Rows<'a, T>,
    some: Range<usize>,
    inverse: f64,
    // not a type parameter: every caller would have all of the vector code compiled again
    write: &'a mut dyn FnMut(usize, Sum),
}

impl<T: Summed> Task for Sums<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        T::sums(s, self.rows, self.some, self.inverse, self.write);
    }
}

/// Calls `write` for each row of `some`, with the row's position in `some` and its sum. The logarithm of the
/// sum is NaN if the row has no draw. A very long row is summed on several threads.
pub(super) fn sums_of<T: Summed>(
    isa: super::Isa,
    rows: Rows<'_, T>,
    some: Range<usize>,
    inverse: f64,
    mut write: impl FnMut(usize, Sum),
) {
    if !Division::READING.is_long(rows.categories()) {
        return isa.run(Sums { rows, some, inverse, write: &mut write });
    }
    // the segments are joined in their order, so that the number of threads makes no difference
    for (i, row) in some.enumerate() {
        let sum = |_, values| isa.run(RowSum { values, inverse });
        let of_segments = rows.row(row).of_parts(Division::READING.segment, sum);
        write(i, of_segments.into_iter().fold(Sum::NONE, Sum::join));
    }
}

macro_rules! summed_logits {
    ($($type:ty),*) => {
        $(impl Summed for $type {
            #[inline(always)]
            fn sum<S: Simd, V: RowValues<Value = Self>>(s: S, values: V, inverse: f64) -> Sum {
                sum_of_logits(s, values, inverse)
            }
            #[inline(always)]
            fn sums<S: Simd>(
                s: S,
                rows: Rows<'_, Self>,
                some: Range<usize>,
                inverse: f64,
                write: impl FnMut(usize, Sum),
            ) {
                sums_of_logits(s, rows, some, inverse, write);
            }
        })*
    };
}
summed_logits!(f32, half::f16, half::bf16);

/// The number of octets of short rows that are summed side by side.
const OCTETS: usize = 64;
/// The most categories of a short row.
const SHORT: usize = 256;

/// Calls `write` for each row of `some`, with the row's position in `some` and its sum. Short rows lie side
/// by side: a vector may end in another row than it began in.
#[inline(always)]
fn sums_of_logits<S: Simd, T: Summed>(
    s: S,
    rows: Rows<'_, T>,
    some: Range<usize>,
    inverse: f64,
    mut write: impl FnMut(usize, Sum),
) {
    let categories = rows.categories();
    let octets = categories.div_ceil(OCTET);
    let exp2 = Exp2::new(inverse);
    let lanes = 2 * S::OCTETS;
    let mut side_by_side = SideBySide::<T, OCTETS>::new(categories);
    let Aligned(floats) = &mut Aligned([[0.0; OCTET]; OCTETS]);
    if categories > SHORT {
        return one_by_one(s, rows, some, inverse, write);
    }
    let at_once = OCTETS / octets;
    for first in some.clone().step_by(at_once) {
        let count = at_once.min(some.end - first);
        let in_place = in_place(s, rows, first, count);
        if in_place.is_none() {
            for (i, row) in (first..first + count).enumerate() {
                side_by_side.put(i, rows.row(row));
            }
        }
        let values = in_place.unwrap_or(side_by_side.values());
        let mut all_valid = true;
        for at in (0..count * octets).step_by(S::OCTETS) {
            let accurate = T::accurate(s, &values[at * OCTET..]);
            all_valid &= T::all_valid(s, accurate);
            let to = &mut floats.as_flattened_mut()[at * OCTET..];
            for (accurate, to) in accurate.into_iter().zip(to.chunks_mut(lanes)) {
                s.store(accurate, to);
            }
        }
        let mut most = [0.0; OCTETS];
        for (most, floats) in most.iter_mut().zip(floats.chunks_exact_mut(octets)).take(count) {
            *most = s.max(floats);
            floats.as_flattened_mut().iter_mut().for_each(|x| *x -= *most);
        }
        let used = (count * octets * OCTET).next_multiple_of(lanes);
        for floats in floats.as_flattened_mut()[..used].chunks_exact_mut(lanes) {
            s.store(exp2.add(s, s.all(0.0), s.floats(floats)), floats);
        }
        let each = most.into_iter().zip(floats.chunks_exact(octets));
        for (row, (most, exps)) in (first..first + count).zip(each) {
            let one = Sum { most: f64::from(most) * inverse, sum: total(exps) };
            // an invalid value makes no difference to other rows
            let valid = all_valid || !rows.row(row).has_invalid();
            let has_draw = valid && most > f32::NEG_INFINITY;
            write(row - some.start, if has_draw { one } else { Sum::INVALID });
        }
    }
}

/// The sum of some octets: each lane is summed in `f32`, up to 32 octets, and the lanes are added in f64.
#[inline(always)]
fn total(octets: &[[f32; OCTET]]) -> f64 {
    let mut lanes = [0.0f32; OCTET];
    for octet in octets {
        for (lane, x) in lanes.iter_mut().zip(octet) {
            *lane += x;
        }
    }
    let [a, b, c, d, e, f, g, h] = lanes.map(f64::from);
    ((a + b) + (c + d)) + ((e + f) + (g + h))
}

#[inline(always)]
fn sum_of_logits<S: Simd, V: RowValues>(s: S, values: V, inverse: f64) -> Sum {
    let mut sum = Sum::NONE;
    for piece in values.parts(PIECE) {
        sum = sum.join(sum_of_piece(s, piece, inverse));
    }
    sum
}

#[inline(always)]
fn sum_of_piece<S: Simd, V: RowValues>(s: S, piece: V, inverse: f64) -> Sum {
    let tile = S::OCTETS * OCTET;
    let rest = piece.after_tiles(tile);
    let last = rest.padded();
    let mut most = [s.all(f32::NEG_INFINITY); 4];
    let mut all_valid = true;
    for values in piece.tiles(tile) {
        all_valid &= raise_to::<_, V::Value>(s, &mut most, &values);
    }
    if rest.len() > 0 {
        all_valid &= raise_to::<_, V::Value>(s, &mut most, &last.0[..tile]);
    }
    if !all_valid {
        return Sum::INVALID;
    }
    let [a, b, c, d] = most;
    let mut lanes = [[f32::NEG_INFINITY; OCTET]; 2];
    s.store(s.larger(s.larger(a, b), s.larger(c, d)), lanes.as_flattened_mut());
    let most = s.max(&lanes);
    if most == f32::NEG_INFINITY {
        return Sum::NONE;
    }
    let exp2 = Exp2::new(inverse);
    let mut sums = [s.all(0.0); 4];
    for values in piece.tiles(tile) {
        add_exps::<_, V::Value>(s, &mut sums, &values, exp2, most);
    }
    if rest.len() > 0 {
        add_exps::<_, V::Value>(s, &mut sums, &last.0[..tile], exp2, most);
    }
    let mut sum = 0.0;
    for part in sums {
        let mut lanes = [0.0; 2 * OCTET];
        s.store(part, &mut lanes);
        sum += lanes.iter().map(|&x| f64::from(x)).sum::<f64>();
    }
    Sum { most: f64::from(most) * inverse, sum }
}

/// Raises the largest logits, lane by lane, to those of a tile. Returns whether all values of the tile are
/// valid.
#[inline(always)]
fn raise_to<S: Simd, T: VectorValue>(s: S, most: &mut [S::Floats; 4], values: &[T]) -> bool {
    let logits = T::accurate(s, values);
    for (most, logits) in most.iter_mut().zip(logits) {
        *most = s.larger(*most, logits);
    }
    T::all_valid(s, logits)
}

/// Adds the exponentials of a tile's logits, relative to the largest, to sums.
#[inline(always)]
fn add_exps<S: Simd, T: VectorValue>(
    s: S,
    sums: &mut [S::Floats; 4],
    values: &[T],
    exp2: Exp2,
    most: f32,
) {
    for (sum, logits) in sums.iter_mut().zip(T::accurate(s, values)) {
        *sum = exp2.add(s, *sum, s.sub(logits, s.all(most)));
    }
}

/// 2^f for f from −½ to ½, highest power first: from Cephes' exp2f (S. Moshier, 1992).
const EXP2: [f32; 7] = [
    1.535_336_2e-4,
    1.339_887_4e-3,
    9.618_437e-3,
    5.550_332_5e-2,
    0.240_226_48,
    std::f32::consts::LN_2,
    1.0,
];
/// 1.5·2²³: added to a number it leaves the nearest integer in the lowest bits.
const NEAREST: f32 = 12_582_912.0;

/// 2^(x·slope), for x ≤ 0.
#[derive(Clone, Copy)]
struct Exp2 {
    slope: f32,
    /// A smaller x counts as this one, whose result is 2⁻¹²⁶: too little to change a sum.
    least: f32,
}

impl Exp2 {
    /// The function that takes x to exp(x·`inverse`).
    fn new(inverse: f64) -> Self {
        let slope = (inverse * LOG2_E) as f32;
        Self { slope, least: -126.0 / slope }
    }

    /// Adds the exponentials of x·`inverse` to a sum.
    #[inline(always)]
    fn add<S: Simd>(self, s: S, sum: S::Floats, x: S::Floats) -> S::Floats {
        let x = s.larger(x, s.all(self.least));
        let rounded = s.mul_add(x, s.all(self.slope), s.all(NEAREST));
        let power = s.sub_ints(s.bits(rounded), s.all_ints(NEAREST.to_bits() as i32));
        let f = s.mul_sub(x, s.all(self.slope), s.sub(rounded, s.all(NEAREST)));
        let mut exp2 = s.all(EXP2[0]);
        for &word in &EXP2[1..] {
            exp2 = s.mul_add(exp2, f, s.all(word));
        }
        s.mul_add(exp2, s.power_of_two(power), sum)
    }
}

macro_rules! summed_weights {
    ($($type:ty),*) => {
        $(impl Summed for $type {
            #[inline(always)]
            fn sum<S: Simd, V: RowValues<Value = Self>>(_: S, values: V, inverse: f64) -> Sum {
                sum_of_weights(values, inverse)
            }
        })*
    };
}
summed_weights!(Positive, u32);

/// The sum of a row of weights. The sum of up to 2³² numbers of up to 2¹²⁸ each is far from the ends of f64's
/// range.
#[inline(always)]
fn sum_of_weights<V: RowValues<Value: Into<f64>>>(values: V, inverse: f64) -> Sum {
    if values.has_invalid() {
        return Sum::INVALID;
    }
    if inverse == 1.0 {
        let mut lanes = [0.0; OCTET];
        let rest: f64 = values.after_tiles(OCTET).iter().map(Into::into).sum();
        for octet in values.tiles(OCTET) {
            for (lane, &value) in lanes.iter_mut().zip(&*octet) {
                *lane += value.into();
            }
        }
        return Sum { most: 0.0, sum: lanes.iter().sum::<f64>() + rest };
    }
    // a power of a weight may leave the range of f64, but not relative to the power of the largest weight
    let most = values.iter().map(|value| value.log_weight()).fold(f64::NEG_INFINITY, f64::max);
    if most == f64::NEG_INFINITY {
        return Sum::NONE;
    }
    let sum = values.iter().map(|value| ((value.log_weight() - most) * inverse).exp()).sum();
    Sum { most: most * inverse, sum }
}
