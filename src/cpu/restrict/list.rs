//! Lists of the few categories that are left of a row.

use super::cut::first_word;
use super::tally::SLACK;
use crate::cpu::Isa;
use crate::cpu::simd::{Aligned, MAX_TILE, Simd, Task};
use crate::cpu::vector_value::VectorValue;
use crate::noise::bits::{OCTET, Stream};
use crate::noise::cuts::{distance_of, share_of};
use crate::noise::exp::log2_floor;
use crate::noise::groups::noise;
use crate::noise::gumbel::gumbel;
use crate::noise::order::{Best, Scale};
use crate::options::{Chance, Share, Truncation, Value, Widen};

/// The most categories that are listed of the largest. Ties may be any number.
const MOST: usize = 2048;
/// The most categories from a bound on that are listed: with more, a race of groups is faster.
const FEW: usize = 128;
/// The most blocks whose maxima are compared, four for each of the top k at best.
const BLOCKS: usize = 1024;

/// Categories and their values.
#[derive(Clone, Debug, Default)]
pub(super) struct List<T> {
    entries: Vec<(T, u32)>,
}

/// All categories that were asked for, if they are few and there is memory for them.
pub(super) enum Listed<T> {
    All(List<T>),
    TooMany,
}

impl<T: VectorValue + Widen> List<T> {
    /// The categories of a mask, `None` if there is no memory for so many as it allows.
    pub(super) fn of_mask(values: &[T], mask: &[u32], allowed: usize) -> Option<Self> {
        let mut entries = Vec::new();
        entries.try_reserve_exact(allowed).ok()?;
        for (word, &bits) in mask.iter().enumerate() {
            let mut bits = bits;
            while bits != 0 {
                let category = 32 * word + bits.trailing_zeros() as usize;
                if let Some(&value) = values.get(category) {
                    entries.push((value, category as u32));
                }
                bits &= bits - 1;
            }
        }
        Some(Self { entries })
    }

    /// The k largest values with all that have the same K, and perhaps some more; and all that are invalid.
    pub(super) fn of_largest(isa: Isa, values: &[T], k: usize, scale: Scale) -> Listed<T> {
        isa.run(FindLargest { values, k, scale })
    }

    /// The categories whose values are not below a bound, NaNs among them.
    pub(super) fn not_below(isa: Isa, values: &[T], bound: f32) -> Listed<T> {
        isa.run(Collect { values, bound })
    }

    /// The largest value, `None` if nothing can be drawn. A NaN may be passed over.
    pub(super) fn largest(isa: Isa, values: &[T]) -> Option<f32> {
        let most = isa.run(Largest { values });
        (most > f32::NEG_INFINITY && most < f32::INFINITY).then_some(most)
    }

    /// Keeps what a truncation keeps of a row of `categories` categories, whose k largest values are listed; no category
    /// if a value is invalid. `all` is the sum of the row's exponentials relative to the largest, if the truncation asks
    /// for shares of that. Returns false if it leaves a doubt.
    pub(super) fn cut(
        &mut self,
        truncation: &Truncation,
        scale: Scale,
        categories: usize,
        all: Option<f64>,
    ) -> bool {
        let entries = &mut self.entries;
        if entries.iter().any(|(value, _)| value.chance() == Chance::Invalid) {
            entries.clear();
        }
        entries.retain(|(value, _)| value.chance() == Chance::Some);
        entries.sort_unstable_by_key(|(value, _)| std::cmp::Reverse(value.word()));
        let k = |at: usize| entries[at].0.fixed(scale);
        let Some(&(first, _)) = entries.first() else { return true };
        let top = first.fixed(scale);
        let log2_categories = log2_floor(categories as u32);
        let weight = |(value, _): &(T, u32)| value.integer_weight(first, scale, log2_categories);
        // between which integers a share of all lies
        let of_all = |share: f32| {
            let unit = weight(&entries[0]) as f64 * all.unwrap_or(0.0);
            let share = f64::from(share);
            // a weight is rounded to an integer
            [share * (1.0 - 2.0 * SLACK) * unit - 1.0, share * (1.0 + 2.0 * SLACK) * unit + 1.0]
        };
        // how many have this K or a larger one
        let until = |least: i64| entries.partition_point(|(value, _)| value.fixed(scale) >= least);
        let of_k = match truncation.k_of(categories) {
            Some(at) if at < entries.len() => until(k(at - 1)),
            _ => entries.len(),
        };
        let mut rest = of_k;
        if let Some(share) = truncation.min_p() {
            rest = rest.min(until(top.saturating_sub_unsigned(distance_of(share))));
        }
        if let Some(epsilon) = truncation.epsilon() {
            let [low, high] = of_all(epsilon)
                .map(|limit| entries.partition_point(|entry| weight(entry) as f64 >= limit));
            let [low, high] = [low, high].map(|at| at.max(until(top)).min(rest));
            if low != high {
                return false;
            }
            rest = low;
        }
        let mut kept = rest;
        if let Some(p) = truncation.p() {
            let limits = of_all(p);
            let exact = match truncation.share {
                Share::All => None,
                Share::Rest => Some(share_of(p, entries[..rest].iter().map(weight).sum())),
                Share::TopK => Some(share_of(p, entries[..of_k].iter().map(weight).sum())),
            };
            let (mut above, mut at) = (0, 0);
            while at < rest {
                let keeps = match exact {
                    Some(limit) => above < limit,
                    None if (above as f64) < limits[0] => true,
                    None if (above as f64) > limits[1] => false,
                    None if at == 0 => true,
                    None => return false,
                };
                if !keeps && at > 0 {
                    break;
                }
                let same = until(k(at)).min(rest);
                above += entries[at..same].iter().map(weight).sum::<u64>();
                at = same;
            }
            kept = at;
        }
        entries.truncate(kept);
        true
    }

    /// The draw among the listed categories of a row of `categories` categories, `None` if there is none or if one of
    /// them is invalid.
    pub(super) fn race(&self, stream: Stream, scale: Scale, categories: usize) -> Option<u32> {
        let mut best = Best::NONE;
        for &(value, category) in &self.entries {
            match value.chance() {
                Chance::Invalid => return None,
                Chance::None => {}
                Chance::Some => {
                    let g = gumbel(noise(stream, category, categories));
                    best = best.or(Best { key: value.fixed(scale) + i64::from(g), category });
                }
            }
        }
        (best != Best::NONE).then_some(best.category)
    }
}

/// Finds the k largest values.
struct FindLargest<'a, T> {
    values: &'a [T],
    k: usize,
    scale: Scale,
}

impl<T: VectorValue + Widen> Task for FindLargest<'_, T> {
    type Output = Listed<T>;

    /// The k-th largest of the maxima of blocks is a lower bound of the k-th largest value: so many values are at least
    /// that large. Little else is, as long as blocks are several times as many as k.
    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> Listed<T> {
        let Self { values, k, scale } = self;
        let tile = S::OCTETS * OCTET;
        let len = values.len().div_ceil((4 * k).clamp(64, BLOCKS)).next_multiple_of(tile);
        let mut words = [0; BLOCKS];
        let mut blocks = 0;
        for (word, block) in words.iter_mut().zip(values.chunks_exact(len)) {
            *word = largest(s, block).word();
            blocks += 1;
        }
        if k > blocks {
            return Listed::TooMany;
        }
        let words = &mut words[..blocks];
        let (_, &mut bound, _) = words.select_nth_unstable_by(k - 1, |a, b| b.cmp(a));
        if bound <= f32::NEG_INFINITY.word() {
            return Listed::TooMany;
        }
        // values of the same K are kept together
        let of = |word: u32| f32::of_word(word).fixed(scale);
        let invalid = bound >= f32::INFINITY.word();
        let bound = match invalid {
            true => bound,
            false => first_word(f32::MIN.word(), bound, |word| of(word) >= of(bound)),
        };
        collect(s, values, f32::of_word(bound), MOST)
    }
}

/// Finds the values from a bound on.
struct Collect<'a, T> {
    values: &'a [T],
    bound: f32,
}

impl<T: VectorValue + Widen> Task for Collect<'_, T> {
    type Output = Listed<T>;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> Listed<T> {
        collect(s, self.values, self.bound, FEW)
    }
}

/// Finds the largest value.
struct Largest<'a, T> {
    values: &'a [T],
}

impl<T: VectorValue + Widen> Task for Largest<'_, T> {
    type Output = f32;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> f32 {
        largest(s, self.values)
    }
}

/// The largest of some values. A NaN may be passed over, or hide others.
#[inline(always)]
fn largest<S: Simd, T: VectorValue + Widen>(s: S, values: &[T]) -> f32 {
    let tile = S::OCTETS * OCTET;
    let mut most = [s.all(f32::NEG_INFINITY); 4];
    let tiles = values.chunks_exact(tile);
    let rest = tiles.remainder();
    for values in tiles {
        for (most, floats) in most.iter_mut().zip(T::accurate(s, values)) {
            // of a NaN and a number, the second
            *most = s.larger(floats, *most);
        }
    }
    let [a, b, c, d] = most;
    let mut lanes = [[f32::NEG_INFINITY; OCTET]; 2];
    s.store(s.larger(s.larger(a, b), s.larger(c, d)), lanes.as_flattened_mut());
    let larger = |a: f32, b: f32| if a > b { a } else { b };
    rest.iter().map(|value| value.widen()).fold(s.max(&lanes), |most, value| larger(value, most))
}

/// The values that are not below a bound, which NaNs are not, if they are at most so many.
#[inline(always)]
fn collect<S: Simd, T: VectorValue + Widen>(
    s: S,
    values: &[T],
    bound: f32,
    most: usize,
) -> Listed<T> {
    let tile = S::OCTETS * OCTET;
    let mut entries = Vec::new();
    // those of a tile, and of what is left at the end, are added before their number is looked at
    if entries.try_reserve_exact(most + 1 + 2 * MAX_TILE * OCTET).is_err() {
        return Listed::TooMany;
    }
    let tiles = values.chunks_exact(tile);
    let rest = tiles.remainder();
    let Aligned(floats) = &mut Aligned([[0.0; OCTET]; MAX_TILE]);
    for (at, values) in tiles.enumerate() {
        let accurate = T::accurate(s, values);
        if s.all_below(accurate, s.all(bound)) {
            continue;
        }
        if entries.len() > most {
            return Listed::TooMany;
        }
        for (floats, to) in
            accurate.into_iter().zip(floats.as_flattened_mut().chunks_exact_mut(2 * S::OCTETS))
        {
            s.store(floats, to);
        }
        for (octet, floats) in floats[..S::OCTETS].iter().enumerate() {
            let mut bits = s.not_below(floats, bound);
            while bits != 0 {
                let i = octet * OCTET + bits.trailing_zeros() as usize;
                entries.push((values[i], (at * tile + i) as u32));
                bits &= bits - 1;
            }
        }
    }
    let first = values.len() - rest.len();
    for (i, value) in rest.iter().enumerate() {
        let is_below = value.widen() < bound;
        if !is_below {
            entries.push((*value, (first + i) as u32));
        }
    }
    Listed::All(List { entries })
}
