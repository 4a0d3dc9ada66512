//! Lists of the few categories that are left of a row.

use super::tally::SLACK;
use crate::cpu::vector_value::VectorValue;
use crate::noise::bits::{FLAT, OCTET, Stream, coarse, coarse_block};
use crate::noise::cuts::{distance_of, share_of};
use crate::noise::exp::log2_floor;
use crate::noise::groups::{group_block, group_of, leading_bits, noise, word_in};
use crate::noise::gumbel::gumbel;
use crate::noise::order::{Best, Scale};
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

    /// Whether a truncation is sure to keep a listed category, if all that its min-p keeps is listed. What is more probable
    /// is listed then, and top-p is a share of no less than what is listed. Epsilon asks for more.
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
        let (k, log2_categories) = (drawn.fixed(scale), log2_floor(categories as u32));
        let (mut above, mut all) = (0, 0);
        for (value, _) in &self.entries {
            let weight = value.integer_weight(most, scale, log2_categories);
            above += if value.fixed(scale) > k { weight } else { 0 };
            all += weight;
        }
        truncation.epsilon().is_none() && truncation.p().is_none_or(|p| above < share_of(p, all))
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
                    let k = value.fixed(scale);
                    if !may_reach(stream, category, categories, best.key.saturating_sub(k)) {
                        continue;
                    }
                    let g = gumbel(noise(stream, category, categories));
                    best = best.or(Best { key: k + i64::from(g), category });
                }
            }
        }
        (best != Best::NONE).then_some(best.category)
    }
}

/// False if a category's Gumbel variable is surely less than this many units of keys. The first of the two or three blocks that
/// decide the variable tells: most categories have no chance, and their other blocks need not be computed.
///
/// A category's alarm is an exponential variable E, and its Gumbel variable is −ln E. The first block has a lower bound of the
/// probability p that an alarm is as early, for a group's first alarm, whose rate is 16, or for the category's own. As
/// p = 1 − exp(−rate · E) ≤ rate · E, the variable is at most −ln(p / rate).
fn may_reach(stream: Stream, category: u32, categories: usize, units: i64) -> bool {
    let (least, rate) = if categories > FLAT {
        let group = group_of(category);
        let word = word_in(group_block(stream, group / 4), group);
        (leading_bits(word) as f32 / (1 << 28) as f32, 16.0)
    } else {
        let block = coarse_block(stream, category / OCTET as u32);
        (f32::from(coarse(block, category) as u16) / (1 << 16) as f32, 1.0)
    };
    // more than the errors of all that is rounded here and there
    least <= rate * (-(units as f32) / (1 << 24) as f32).exp() * 1.01
}
