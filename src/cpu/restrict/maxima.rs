//! The largest values of groups of a row's categories, by which the few categories that are left of a row are found without
//! reading the row once more.

use super::cut::first_word_near;
use super::list::{List, Listed, ONE_IN};
use crate::cpu::Isa;
use crate::cpu::simd::{MAX_TILE, Simd, Task};
use crate::cpu::vector_value::VectorValue;
use crate::job::lengthen;
use crate::noise::bits::OCTET;
use crate::noise::groups::{MEMBERS, SPAN};
use crate::noise::order::Scale;
use crate::options::{Value, Widen};

/// The groups of a span.
const GROUPS: usize = SPAN / MEMBERS;
/// The number of maxima is a multiple of this, as races of [`Stored`](crate::cpu::top_down) maxima take them.
const AT_ONCE: usize = 64;
/// The most groups, joined from those that are stored, whose maxima are compared to find the k largest values.
const COMPARED: usize = 1024;
/// The most categories that are listed of the largest. Ties may be any number.
const MOST: usize = 2048;

/// The largest value of each [group](crate::noise::groups) of 16 categories, which lie 16 apart, and no value where there is
/// no group. Rows with flat noise have them too.
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
        let groups = (values.len().div_ceil(SPAN) * GROUPS).next_multiple_of(AT_ONCE);
        lengthen(&mut self.groups, groups, f32::NEG_INFINITY)?;
        self.groups.truncate(groups);
        Ok(isa.run(Find { values, to: &mut self.groups }))
    }

    /// The largest values of groups of the row that was looked at last; those that are below a bound count as none.
    pub(super) fn at_least(&mut self, isa: Isa, least: f32) -> &[f32] {
        isa.run(Discard { groups: &mut self.groups, least });
        &self.groups
    }

    /// The largest values of groups of the row that was looked at last, and −∞ where there is no group.
    pub(super) fn groups(&self) -> &[f32] {
        &self.groups
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
    to: &'a mut [f32],
}

impl<T: VectorValue + Widen> Task for Find<'_, T> {
    type Output = Option<f32>;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> Option<f32> {
        const { assert!(matches!(2 * S::OCTETS, GROUPS | 8)) }
        let Self { values, to } = self;
        let lanes = 2 * S::OCTETS;
        let none = s.all(f32::NEG_INFINITY);
        let (mut largest, mut nans) = ([none; 4], s.no_nans());
        let (spans, rest) = values.as_chunks::<SPAN>();
        for (span, to) in spans.iter().zip(to.chunks_exact_mut(GROUPS)) {
            let mut most = [none; 4];
            for values in span.chunks_exact(tile::<S>()) {
                let x = T::accurate(s, values);
                nans = s.flag_nans(s.flag_nans(nans, x[0], x[1]), x[2], x[3]);
                for (most, x) in most.iter_mut().zip(x) {
                    *most = s.larger(x, *most);
                }
            }
            // a vector has a member of each group, or of every second eight of them
            let [a, b, c, d] = most;
            let (even, odd) = (s.larger(a, c), s.larger(b, d));
            if lanes == GROUPS {
                s.store(s.larger(even, odd), to);
            } else {
                s.store(even, &mut to[..lanes]);
                s.store(odd, &mut to[lanes..]);
            }
            largest = [s.larger(largest[0], even), s.larger(largest[1], odd), none, none];
        }
        let mut is_valid = s.is_nan_free(nans);
        let end = &mut to[GROUPS * spans.len()..];
        end.fill(f32::NEG_INFINITY);
        for (value, i) in rest.iter().zip(0..) {
            let x = value.widen();
            is_valid &= !x.is_nan();
            end[i % GROUPS] = end[i % GROUPS].max(x);
        }
        let most = largest_of(s, largest, rest);
        (is_valid && most > f32::NEG_INFINITY && most < f32::INFINITY).then_some(most)
    }
}

/// Takes the largest values that are below a bound for none.
struct Discard<'a> {
    groups: &'a mut [f32],
    least: f32,
}

impl Task for Discard<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        for most in self.groups {
            // the padding is no value already
            *most = if *most < self.least { f32::NEG_INFINITY } else { *most };
        }
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
        let k = of(bound);
        let word = first_word_near(bound, f32::MIN.word(), bound, |word| of(word) >= k);
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
        // a group is added before the number of entries is looked at
        if entries.try_reserve_exact(most + MEMBERS + 1).is_err() {
            return Listed::TooMany;
        }
        for (groups, first) in groups.chunks_exact(tile::<S>()).zip((0..).step_by(tile::<S>())) {
            let lanes = 2 * S::OCTETS;
            // what takes vectors is not inlined into the closure of a `map`
            let [a, b, c, d] = [0, lanes, 2 * lanes, 3 * lanes];
            let four = [
                s.floats(&groups[a..][..lanes]),
                s.floats(&groups[b..][..lanes]),
                s.floats(&groups[c..][..lanes]),
                s.floats(&groups[d..][..lanes]),
            ];
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
                    let group = first + octet * OCTET + bits.trailing_zeros() as usize;
                    let member = group / GROUPS * SPAN + group % GROUPS;
                    add_members(values, member, bound, &mut entries);
                    bits &= bits - 1;
                }
            }
        }
        Listed::All(List::new(entries))
    }
}

/// Lists the members of a group that reach a bound; its first member is at `first`.
#[inline(always)]
fn add_members<T: VectorValue + Widen>(
    values: &[T],
    first: usize,
    bound: f32,
    entries: &mut Vec<(T, u32)>,
) {
    let values = &values[first..];
    let members = values.len().div_ceil(GROUPS).min(MEMBERS);
    // which of 16 it will be cannot be foreseen: all are compared before one is looked at
    let mut reaching = 0u32;
    if let Some(group) = values.get(..(MEMBERS - 1) * GROUPS + 1) {
        for i in 0..MEMBERS {
            reaching |= u32::from(group[i * GROUPS].widen() >= bound) << i;
        }
    } else {
        for i in 0..members {
            reaching |= u32::from(values[i * GROUPS].widen() >= bound) << i;
        }
    }
    while reaching != 0 {
        let at = reaching.trailing_zeros() as usize * GROUPS;
        entries.push((values[at], (first + at) as u32));
        reaching &= reaching - 1;
    }
}
