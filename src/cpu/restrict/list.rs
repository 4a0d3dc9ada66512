//! Lists of the few categories that are left of a row.

use std::cmp::Reverse;

use super::tally::SLACK;
use crate::cpu::vector_value::VectorValue;
use crate::noise::cuts::{distance_of, share_of};
use crate::noise::exp::log2_floor;
use crate::noise::order::Scale;
use crate::options::{Chance, Share, Truncation, Widen};

/// Lists of at most one in so many categories of a row are raced: with more, a race of all is faster, which skims over those
/// that are below the least of the list.
pub(super) const ONE_IN: usize = 256;

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
    /// A list of these.
    pub(super) fn new(entries: Vec<(T, u32)>) -> Self {
        Self { entries }
    }

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

    /// The least value of a list without NaNs.
    pub(super) fn least(&self) -> f32 {
        self.entries.iter().map(|(value, _)| value.widen()).fold(f32::INFINITY, f32::min)
    }

    /// How many are listed.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
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
        let k = |entry: &(T, u32)| entry.0.fixed(scale);
        if let Some(at) = truncation.k_of(categories)
            && at < entries.len()
        {
            let descending = |entry: &(T, u32)| Reverse(entry.0.word());
            let (_, last, _) = entries.select_nth_unstable_by_key(at - 1, descending);
            let least = k(last);
            entries.retain(|entry| k(entry) >= least);
        }
        let Some(&(first, _)) = entries.iter().max_by_key(|(value, _)| value.word()) else {
            return true;
        };
        let top = first.fixed(scale);
        let of_min_p =
            truncation.min_p().map(|share| top.saturating_sub_unsigned(distance_of(share)));
        if truncation.p().is_none() && truncation.epsilon().is_none() {
            if let Some(least) = of_min_p {
                entries.retain(|entry| k(entry) >= least);
            }
            return true;
        }
        entries.sort_unstable_by_key(|(value, _)| Reverse(value.word()));
        let Some(weighed) = Weighed::new(entries, scale, log2_floor(categories as u32)) else {
            return false;
        };
        match weighed.kept(truncation, of_min_p, all) {
            Some(kept) => entries.truncate(kept),
            None => return false,
        }
        true
    }

    /// Whether a truncation is sure to keep a listed category, if all that its top-k keeps is listed, or else all that its
    /// min-p keeps. What is more probable is listed then. Epsilon asks for more.
    pub(super) fn must_keep(
        &self,
        draw: u32,
        truncation: &Truncation,
        scale: Scale,
        categories: usize,
    ) -> bool {
        let most = self.entries.iter().max_by_key(|(value, _)| value.word());
        let drawn = self.entries.iter().find(|(_, category)| *category == draw);
        let (Some(&(most, _)), Some(&(drawn, _))) = (most, drawn) else { return false };
        let (k, top) = (drawn.fixed(scale), most.fixed(scale));
        let is_above = |value: T| value.fixed(scale) > k;
        let of_k = truncation.k_of(categories);
        // a larger K has a larger value, so the values alone mostly tell
        let word = drawn.word();
        let is_of_k = of_k.is_none_or(|of_k| {
            self.count(|value| value.word() > word) < of_k || self.count(is_above) < of_k
        });
        let is_of_min_p = truncation
            .min_p()
            .is_none_or(|share| k >= top.saturating_sub_unsigned(distance_of(share)));
        if truncation.epsilon().is_some() || !is_of_k || !is_of_min_p {
            return false;
        }
        let Some(p) = truncation.p() else { return true };
        // of which min-p may take any part
        if of_k.is_some() && truncation.share == Share::Rest && truncation.min_p().is_some() {
            return false;
        }
        let (mut above, mut all) = (0, 0);
        let log2_categories = log2_floor(categories as u32);
        for &(value, _) in &self.entries {
            let weight = value.integer_weight(most, scale, log2_categories);
            above += if is_above(value) { weight } else { 0 };
            all += weight;
        }
        // top-p is a share of no less than that: the k largest weigh no less than the mean of those that are listed
        let listed = self.entries.len();
        let kept = of_k.map_or(listed, |of_k| of_k.min(listed));
        let least = (u128::from(all) * kept as u128 / listed as u128) as u64;
        above < share_of(p, least)
    }

    /// The number of values that are so.
    fn count(&self, are: impl Fn(T) -> bool) -> usize {
        self.entries.iter().filter(|(value, _)| are(*value)).count()
    }

    /// The listed categories and their values.
    pub(super) fn entries(&self) -> &[(T, u32)] {
        &self.entries
    }
}

/// The integer weights of a list in the order of values, the largest first.
struct Weighed {
    /// The weight and K of each.
    weights: Vec<(u64, i64)>,
}

impl Weighed {
    /// `None` if there is no memory for them.
    fn new<T: VectorValue>(
        entries: &[(T, u32)],
        scale: Scale,
        log2_categories: u32,
    ) -> Option<Self> {
        let mut weights = Vec::new();
        weights.try_reserve_exact(entries.len()).ok()?;
        let most = entries.first()?.0;
        weights.extend(entries.iter().map(|(value, _)| {
            (value.integer_weight(most, scale, log2_categories), value.fixed(scale))
        }));
        Some(Self { weights })
    }

    /// How many have this K or a larger one.
    fn until(&self, least: i64) -> usize {
        self.weights.partition_point(|&(_, k)| k >= least)
    }

    /// The sum of the first of these.
    fn sum(&self, until: usize) -> u64 {
        self.weights[..until].iter().map(|(weight, _)| weight).sum()
    }

    /// How many are kept of a list from which top-k has taken the others already; `None` in doubt. `of_min_p` is the least K that
    /// min-p keeps, and `all` is as for [`List::cut`].
    fn kept(
        &self,
        truncation: &Truncation,
        of_min_p: Option<i64>,
        all: Option<f64>,
    ) -> Option<usize> {
        let (of_k, (first, top)) = (self.weights.len(), *self.weights.first()?);
        // between which integers a share of all lies
        let of_all = |share: f32| {
            let unit = first as f64 * all.unwrap_or(0.0);
            let share = f64::from(share);
            // a weight is rounded to an integer
            [share * (1.0 - 2.0 * SLACK) * unit - 1.0, share * (1.0 + 2.0 * SLACK) * unit + 1.0]
        };
        let mut rest = of_min_p.map_or(of_k, |least| self.until(least));
        if let Some(epsilon) = truncation.epsilon() {
            let [low, high] = of_all(epsilon).map(|limit| {
                let at = self.weights.partition_point(|&(weight, _)| weight as f64 >= limit);
                at.max(self.until(top)).min(rest)
            });
            if low != high {
                return None;
            }
            rest = low;
        }
        let Some(p) = truncation.p() else { return Some(rest) };
        let limits = of_all(p);
        let exact = match truncation.share {
            Share::All => None,
            Share::Rest => Some(share_of(p, self.sum(rest))),
            Share::TopK => Some(share_of(p, self.sum(of_k))),
        };
        let (mut above, mut at) = (0, 0);
        while at < rest {
            let keeps = match exact {
                Some(limit) => above < limit,
                None if (above as f64) < limits[0] => true,
                None if (above as f64) > limits[1] => false,
                None if at == 0 => true,
                None => return None,
            };
            if !keeps && at > 0 {
                break;
            }
            // ties are kept together
            let k = self.weights[at].1;
            while at < rest && self.weights[at].1 == k {
                above += self.weights[at].0;
                at += 1;
            }
        }
        Some(at)
    }
}
