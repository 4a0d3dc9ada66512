//! Draws of rows, many draws of a row, and the top k of rows, on the caller's thread.

use gumbel::Isa;

use super::maxima::{FromValues, Stored, categories, groups, maxima};
use super::opening::{FirstGroups, pass};
use super::{Counts, Race};
use crate::bound::RoundKeys;
use crate::noise::bits::Stream;
use crate::noise::order::Scale;
use crate::simd::{Simd, Task, run};
use crate::vector_value::VectorValue;

/// The number of values of the next row that are prefetched while groups are opened.
const PREFETCHED: usize = 512;
/// The largest pair of units, in categories.
const PAIR: usize = 1024;
/// The result for a row without a draw.
const NO_DRAW: u32 = u32::MAX;

/// A batch of rows of equal length.
pub struct Draws<'a, T> {
    /// The rows, one after the other.
    pub data: &'a [T],
    /// The number of categories of a row.
    pub categories: usize,
    /// The seed of the noise.
    pub seed: u64,
    /// The row number of the first row.
    pub first_row: u64,
    /// 1/temperature.
    pub scale: Scale,
    /// The number of draws of each row.
    pub draws: usize,
    /// The drawn categories, `draws` for each row; `u32::MAX` if the row has no draw.
    pub out: &'a mut [u32],
}

/// Draws from each row.
pub fn draw<T: VectorValue>(isa: Isa, draws: Draws<'_, T>) -> Counts {
    let keys = RoundKeys::new(draws.seed);
    run(isa, DrawAll { draws, keys, top_k: None })
}

/// Writes the categories and keys of the top k of each row. `draws.draws` has to be 1. A NaN in a row is not
/// reported.
pub fn top_k<T: VectorValue>(
    isa: Isa,
    draws: Draws<'_, T>,
    k: usize,
    winners: &mut Vec<(u32, i64)>,
) -> Counts {
    let keys = RoundKeys::new(draws.seed);
    winners.clear();
    run(isa, DrawAll { draws, keys, top_k: Some((k, winners)) })
}

struct DrawAll<'a, T> {
    draws: Draws<'a, T>,
    keys: RoundKeys,
    top_k: Option<(usize, &'a mut Vec<(u32, i64)>)>,
}

impl<T: VectorValue> Task for DrawAll<'_, T> {
    type Output = Counts;
    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> Counts {
        let Draws { data, categories: columns, seed, first_row, scale, draws, out } = self.draws;
        let keys = &self.keys;
        let mut first_groups = FirstGroups::EMPTY;
        let pair = 2 * categories::<S>();
        let mut end = [T::NEVER; PAIR];
        let mut stored = Vec::new();
        let mut nothing = Vec::new();
        let (k, winners) = self.top_k.unwrap_or((0, &mut nothing));
        let mut race = Race::new(data, Stream::new(seed, 0, 0), scale, k);
        let rows = data.chunks_exact(columns).zip(out.chunks_mut(draws));
        for (r, (row, out)) in rows.enumerate() {
            let whole = row.len() - row.len() % pair;
            let padded = pad_end(s, row, &mut end);
            race.restart(row, Stream::new(seed, first_row + r as u64, 0));
            let behind = &data[(r + 1) * columns..];
            race.next =
                if draws == 1 { &behind[..behind.len().min(PREFETCHED)] } else { &behind[..0] };
            if draws == 1 {
                let mut nan_free = true;
                let parts = [(&row[..whole], 0), (&end[..padded], (whole / 16) as u32)];
                for (values, first) in parts {
                    if !values.is_empty() {
                        let first_groups = &mut first_groups;
                        let part = Pass { race: &mut race, values, first, first_groups, keys };
                        nan_free &= s.run(part);
                    }
                }
                if race.pending.count > 0 {
                    race.open_pending(s, keys);
                }
                if race.top.k > 0 {
                    race.finish_top_k();
                    let first = winners.len();
                    let found = race.top.winners.iter().map(|best| (best.category, best.key));
                    winners.extend(found);
                    winners.resize(first + race.top.k, (NO_DRAW, i64::MIN));
                    continue;
                }
                let drawn = if nan_free { race.finish() } else { None };
                out[0] = drawn.unwrap_or(NO_DRAW);
            } else {
                let mut nans = s.no_nans();
                stored.clear();
                stored.resize((whole + padded) / 16, f32::NEG_INFINITY);
                for (i, to) in stored.chunks_exact_mut(groups::<S>()).enumerate() {
                    let at = i * pair / 2;
                    let values = if at < whole { &row[at..] } else { &end[at - whole..] };
                    let most = maxima(s, &values[..pair / 2], &mut nans);
                    s.store(most[0], to);
                    s.store(most[1], &mut to[2 * S::OCTETS..]);
                }
                let nan_free = s.is_nan_free(nans);
                for (d, out) in out.iter_mut().enumerate() {
                    race.restart(row, Stream::new(seed, first_row + r as u64, d as u32));
                    let stored = (Stored(&stored), 0);
                    pass(s, &mut race, stored, keys, &mut first_groups, &mut nans);
                    if race.pending.count > 0 {
                        race.open_pending(s, keys);
                    }
                    let drawn = if nan_free { race.finish() } else { None };
                    *out = drawn.unwrap_or(NO_DRAW);
                }
            }
        }
        race.counts
    }
}

/// Copies the end of a row that is no whole pair of units, and fills it up to one. Returns the pair's length, or 0
/// if nothing is left.
#[inline(always)]
fn pad_end<S: Simd, T: VectorValue>(_: S, row: &[T], to: &mut [T; PAIR]) -> usize {
    let pair = 2 * categories::<S>();
    let behind = row.len() % pair;
    if behind == 0 {
        return 0;
    }
    to[..behind].copy_from_slice(&row[row.len() - behind..]);
    to[behind..pair].fill(T::NEVER);
    pair
}

/// A pass over some values of a row; the output is whether they have no NaN.
struct Pass<'b, 'a, T> {
    race: &'b mut Race<'a, T>,
    values: &'b [T],
    first: u32,
    first_groups: &'b mut FirstGroups,
    keys: &'b RoundKeys,
}

impl<T: VectorValue> Task for Pass<'_, '_, T> {
    type Output = bool;
    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> bool {
        let mut nans = s.no_nans();
        let values = (FromValues(self.values), self.first);
        pass(s, self.race, values, self.keys, self.first_groups, &mut nans);
        s.is_nan_free(nans)
    }
}
