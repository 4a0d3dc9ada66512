//! The races of many short rows at once: octets of neighbouring races lie side by side.

use super::bound::{
    Block, NEAR, NEAR_RANGE, RoundKeys, coarse, is_narrow, not_below, threshold, uppers,
};
use super::exact::{Outcome, evaluate, evaluate_all};
use super::simd::{Simd, Task};
use super::values::{RowValues, SideBySide, in_place};
use super::vector_value::VectorValue;
use crate::job::{Job, NO_DRAW, Temperature};
use crate::noise::bits::{OCTET, Stream};
use crate::noise::order::{Best, Scale};
use crate::options::{Chance, Rows, Value};

/// The number of octets whose keys are bounded before their races are decided: the bounds stay in the nearest
/// cache.
const OCTETS: usize = 64;

/// The most categories of a short row.
pub(super) const MAX_CATEGORIES: usize = 256;
const _: () = assert!(MAX_CATEGORIES <= OCTETS * OCTET);

/// The races `first ..` of a job, row by row, a draw each.
pub(super) struct Group<'a, T> {
    pub(super) job: &'a Job<'a>,
    /// The rows of `job`.
    pub(super) rows: Rows<'a, T>,
    pub(super) scale: Scale,
    pub(super) keys: RoundKeys,
    pub(super) first: usize,
    pub(super) draws: &'a mut [u32],
    /// Where the coarse bits of the winners go; empty if they are not wanted.
    pub(super) coarse_bits: &'a mut [i64],
}

impl<T: VectorValue> Task for Group<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let Self { job, rows, scale, keys, first, draws, coarse_bits } = self;
        let mut coarse_bits = coarse_bits.iter_mut();
        let octets = rows.categories().div_ceil(OCTET);
        let (slope, off) = (T::slope(scale), T::accurate_error(scale));
        let mut lanes = Lanes::new(octets);
        let mut side_by_side = SideBySide::<T, OCTETS>::new(rows.categories());
        let mut block = Block::<OCTETS>::EMPTY;
        let mut races = job.races(first);
        for draws in draws.chunks_mut(OCTETS / octets) {
            let these = races.clone().take(draws.len());
            let first = these.clone().next().filter(|_| job.draws == 1);
            let in_place = first.and_then(|(row, _)| in_place(s, rows, row, draws.len()));
            for (i, (row, number)) in these.enumerate() {
                lanes.place(i, octets, job.stream(row, number));
                if in_place.is_none() {
                    side_by_side.put(i, rows.row(row));
                }
            }
            let values = in_place.unwrap_or(side_by_side.values());
            let mut all_bounded = true;
            for at in (0..draws.len() * octets).step_by(S::OCTETS) {
                let [coarse] = coarse(s, [lanes.counter(s, at)], &keys);
                let values = &values[at * OCTET..];
                let accurate = T::accurate(s, values);
                all_bounded &= T::all_bounded(s, values, accurate);
                block.store(s, at, uppers(s, accurate, coarse, slope), coarse);
            }
            let each = block.upper.chunks_exact(octets).zip(block.coarse.chunks_exact(octets));
            let each = draws.iter_mut().zip(each).zip(&mut races);
            for ((draw, (upper, coarse)), (row, number)) in each {
                let bounded = |value: T| value.is_bounded() || value.chance() == Chance::None;
                let sound = all_bounded || RowValues::iter(rows.row(row)).all(bounded);
                let winner = if sound { winner(s, upper, coarse, off) } else { Winner::Unknown };
                *draw = match winner {
                    Winner::Is(category) => category,
                    Winner::Reaches(threshold) => {
                        let (stream, values) = (job.stream(row, number), rows.row(row));
                        evaluate_above(stream, scale, values, upper, coarse, threshold)
                    }
                    Winner::Unknown => {
                        let (stream, values) = (job.stream(row, number), rows.row(row));
                        let outcome = evaluate_all(
                            stream,
                            Temperature::Scaled(scale),
                            values,
                            0,
                            MAX_CATEGORIES,
                        );
                        outcome.draw().unwrap_or(NO_DRAW)
                    }
                };
                if let Some(bits) = coarse_bits.next() {
                    // a race without a draw has no coarse bits
                    let of_winner = coarse.as_flattened().get(*draw as usize);
                    *bits = of_winner.map_or(0, |&bits| bits.into());
                }
            }
        }
    }
}

/// The counter words of octets.
#[repr(align(64))]
struct Lanes {
    octet: [u32; OCTETS],
    row: [[u32; OCTETS]; 2],
    draw: [u32; OCTETS],
}

impl Lanes {
    /// The counter words of races of this number of octets, whose streams are still to be set.
    #[inline(always)]
    fn new(octets: usize) -> Self {
        let mut octet = [0; OCTETS];
        for (i, octet) in octet.iter_mut().enumerate() {
            *octet = (i % octets) as u32;
        }
        Self { octet, row: [[0; OCTETS]; 2], draw: [0; OCTETS] }
    }

    /// Gives the race at position `i` this stream.
    #[inline(always)]
    fn place(&mut self, i: usize, octets: usize, stream: Stream) {
        let lanes = i * octets..(i + 1) * octets;
        self.row[0][lanes.clone()].fill(stream.row[0]);
        self.row[1][lanes.clone()].fill(stream.row[1]);
        self.draw[lanes].fill(stream.draw << 1);
    }

    #[inline(always)]
    fn counter<S: Simd>(&self, s: S, at: usize) -> [S::Words; 4] {
        [
            s.words(&self.octet[at..]),
            s.words(&self.row[0][at..]),
            s.words(&self.row[1][at..]),
            s.words(&self.draw[at..]),
        ]
    }
}

/// What bounds say about the winner of a race.
enum Winner {
    Is(u32),
    /// The winner reaches this threshold, but so do other categories.
    Reaches(f32),
    Unknown,
}

#[inline(always)]
fn winner<S: Simd>(s: S, upper: &[[f32; OCTET]], coarse: &[[i32; OCTET]], off: f32) -> Winner {
    let most = s.max(upper);
    // nearly always no other category comes near, and the exact threshold is not needed
    if most.abs() <= NEAR_RANGE
        && let Some(argmax) = only(s, upper, most - NEAR - 2.0 * off)
        && is_narrow(coarse.as_flattened()[argmax])
    {
        return Winner::Is(argmax as u32);
    }
    let Some(threshold) = threshold(s, upper, coarse, off) else { return Winner::Unknown };
    match only(s, upper, threshold) {
        Some(category) => Winner::Is(category as u32),
        None => Winner::Reaches(threshold),
    }
}

/// The position of the float that is not below a bound, if there is exactly one.
#[inline(always)]
fn only<S: Simd>(s: S, octets: &[[f32; OCTET]], bound: f32) -> Option<usize> {
    let (mut count, mut last) = (0, 0);
    for (at, octets) in (0..).step_by(64).zip(octets.chunks(8)) {
        let mask = not_below(s, octets, bound);
        count += mask.count_ones();
        last |= if mask == 0 { 0 } else { at | mask.trailing_zeros() as usize };
    }
    (count == 1).then_some(last)
}

/// The winner among the categories whose upper end is not below a threshold.
#[cold]
#[inline(never)]
fn evaluate_above<V: RowValues>(
    stream: Stream,
    scale: Scale,
    values: V,
    upper: &[[f32; OCTET]],
    coarse: &[[i32; OCTET]],
    threshold: f32,
) -> u32 {
    let bounds = upper.as_flattened().iter().zip(coarse.as_flattened());
    let mut outcome = Outcome::NONE;
    for (category, ((&upper, &coarse), value)) in (0..).zip(bounds.zip(values.iter())) {
        // a threshold of −∞ would let categories of probability 0 in
        if upper >= threshold && value.chance() == Chance::Some {
            let one = evaluate(stream, scale, category, coarse as u32, value);
            outcome.best = outcome.best.or(one);
        }
    }
    debug_assert!(outcome.best != Best::NONE);
    outcome.best.category
}
