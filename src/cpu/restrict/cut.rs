//! Where a truncation cuts a row, by selection: no row is sorted.
//!
//! All cuts keep what is at least some K, and K never falls as a value grows. So a cut is found as a *word*, the least
//! that is kept, in the order of values; and where a condition on K is to become one on words, bisection finds the first
//! word that meets it, without a look at the row.

use crate::cpu::cdf::weight_of_near;
use crate::cpu::vector_value::VectorValue;
use crate::noise::cuts::{distance_of, share_of};
use crate::noise::exp::log2_floor;
use crate::noise::order::Scale;
use crate::options::{Chance, Positive, Share, Truncation, Value};

/// What is kept of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cpu) struct Cut {
    /// The least word that is kept.
    pub(in crate::cpu) least: u32,
}

/// How the words of a row are compared.
#[derive(Clone, Copy)]
pub(in crate::cpu) struct Row<W> {
    most: W,
    scale: Scale,
    log2_categories: u32,
    /// The words of the row that can be drawn lie in this range.
    lowest: u32,
    highest: u32,
}

/// A type of 32 bits whose integer weights are added up.
pub(in crate::cpu) trait Weigh: Value<Wide = Self> {
    /// The sum of the integer weights of words; a word that cannot be drawn has weight 0.
    #[inline(always)]
    fn mass(row: &Row<Self>, words: &[u32]) -> u64 {
        plain_mass(row, words)
    }
}

impl Weigh for Positive {}

impl Weigh for u32 {}

impl Weigh for f32 {
    #[inline(always)]
    fn mass(row: &Row<Self>, words: &[u32]) -> u64 {
        let of = |word| f32::of_word(word);
        match weight_of_near(row.most, row.scale, row.log2_categories) {
            Some(weight) => words.iter().map(|&word| weight(of(word))).sum(),
            None => plain_mass(row, words),
        }
    }
}

#[inline(always)]
fn plain_mass<W: Value<Wide = W>>(row: &Row<W>, words: &[u32]) -> u64 {
    words.iter().map(|&word| row.weight(word)).sum()
}

/// The first word in a range that meets a condition which, met by a word, is met by all words above; the last word must
/// meet it.
pub(super) fn first_word(lowest: u32, highest: u32, meets: impl Fn(u32) -> bool) -> u32 {
    let (mut below, mut met) = (lowest, highest);
    if meets(below) {
        return below;
    }
    while met - below > 1 {
        let middle = below + (met - below) / 2;
        if meets(middle) { met = middle } else { below = middle }
    }
    met
}

/// As [`first_word`], where the word is likely to be near `guess`.
pub(super) fn first_word_near(
    guess: u32,
    lowest: u32,
    highest: u32,
    meets: impl Fn(u32) -> bool,
) -> u32 {
    let (mut lowest, mut highest) = (lowest, highest);
    let (mut at, mut distance) = (guess.clamp(lowest, highest), 1);
    if meets(at) {
        while at > lowest {
            highest = at;
            at = at.saturating_sub(distance).max(lowest);
            if !meets(at) {
                lowest = at;
                break;
            }
            distance = distance.saturating_mul(4);
        }
    } else {
        while !meets(at) {
            lowest = at;
            at = at.saturating_add(distance).min(highest);
            distance = distance.saturating_mul(4);
        }
        highest = at;
    }
    first_word(lowest, highest, meets)
}

impl<W: Weigh> Row<W> {
    /// The first word of the row's range that meets a condition which, met by a word, is met by all words above. The
    /// largest word of the row must meet it.
    #[inline(always)]
    fn first(&self, meets: impl Fn(u32) -> bool) -> u32 {
        first_word(self.lowest, self.highest, meets)
    }

    /// The first word with this K or a larger one, which a word of the row must have.
    #[inline(always)]
    fn first_with(&self, k: i64) -> u32 {
        self.first(|word| self.k(word) >= k)
    }
}

impl<W: Value<Wide = W>> Row<W> {
    /// K of a word.
    #[inline(always)]
    fn k(&self, word: u32) -> i64 {
        W::of_word(word).fixed(self.scale)
    }

    /// The integer weight of a word.
    #[inline(always)]
    fn weight(&self, word: u32) -> u64 {
        let value = W::of_word(word);
        value.integer_weight(self.most, self.scale, self.log2_categories)
    }
}

impl Cut {
    /// The cut of a row, `None` if the row has no draw. `words` is memory for as many words as there are values.
    #[inline(always)]
    pub(in crate::cpu) fn new<T: VectorValue<Wide: Weigh>>(
        values: &[T],
        truncation: &Truncation,
        scale: Scale,
        words: &mut [u32],
    ) -> Option<Self> {
        let words = &mut words[..values.len()];
        let (mut lowest, mut highest, mut invalid) = (u32::MAX, 0, false);
        for (word, value) in words.iter_mut().zip(values) {
            let is_some = value.chance() == Chance::Some;
            invalid |= value.chance() == Chance::Invalid;
            *word = value.word();
            lowest = lowest.min(if is_some { *word } else { u32::MAX });
            highest = highest.max(if is_some { *word } else { 0 });
        }
        // of counts, the largest word can be drawn too
        if invalid || lowest > highest {
            return None;
        }
        let most = T::of_word(highest);
        let log2_categories = log2_floor(values.len() as u32);
        let row = Row { most, scale, log2_categories, lowest, highest };
        Some(Self { least: least(&row, truncation, words) })
    }
}

/// How many of a row's values are kept from a word on, the sum of their integer weights, and that of all. `words` is
/// memory as for [`Cut::new`], which has returned `least`.
#[inline(always)]
pub(super) fn measure<T: VectorValue<Wide: Weigh>>(
    values: &[T],
    scale: Scale,
    least: u32,
    words: &mut [u32],
) -> (u32, u64, u64) {
    let words = &mut words[..values.len()];
    let mut highest = 0;
    for (word, value) in words.iter_mut().zip(values) {
        *word = value.word();
        highest = highest.max(*word);
    }
    let most = T::of_word(highest);
    let log2_categories = log2_floor(values.len() as u32);
    let row = Row { most, scale, log2_categories, lowest: least, highest };
    let all = T::Wide::mass(&row, words);
    let kept = from(words, least);
    (kept.len() as u32, T::Wide::mass(&row, kept), all)
}

/// The least word that a truncation keeps of these words.
#[inline(always)]
fn least<W: Weigh>(row: &Row<W>, truncation: &Truncation, words: &mut [u32]) -> u32 {
    let (top, categories) = (row.k(row.highest), words.len() as u64);
    let needs_all = truncation.epsilon().is_some()
        || truncation.p().is_some() && truncation.share == Share::All;
    let all = if needs_all { W::mass(row, words) } else { 0 };
    // by its definition a share may be of what top-k keeps, of all, or of what the other cuts keep
    let (of_k, words) = match truncation.k_of(words.len()) {
        None => (row.lowest, words),
        Some(k) => top_k(row, words, k),
    };
    let of_min_p = match truncation.min_p() {
        None => row.lowest,
        Some(share) => row.first_with(top.saturating_sub_unsigned(distance_of(share))),
    };
    let of_epsilon = match truncation.epsilon() {
        None => row.lowest,
        Some(epsilon) => {
            let limit = share_of(epsilon, all);
            row.first(|word| row.k(word) == top || row.weight(word) >= limit)
        }
    };
    let rest = of_k.max(of_min_p).max(of_epsilon);
    let Some(p) = truncation.p() else { return rest };
    let (total, words) = match truncation.share {
        Share::All => (all, from(words, rest)),
        Share::TopK => (W::mass(row, words), from(words, rest)),
        Share::Rest => {
            let words = from(words, rest);
            (W::mass(row, words), words)
        }
    };
    let limit = share_of(p, total);
    // what is so light that all of the row, were it as light, had no more than is left over is beyond the limit
    let spare = total.saturating_sub(limit) / categories;
    let heavy = row.first(|word| row.k(word) == top || row.weight(word) > spare);
    rest.max(nucleus(row, from(words, heavy), limit))
}

/// The first word that top-k keeps, and all words from there on.
#[inline(always)]
fn top_k<'w, W: Weigh>(row: &Row<W>, words: &'w mut [u32], k: usize) -> (u32, &'w mut [u32]) {
    // the k-th largest of the maxima of blocks is a lower bound of the k-th largest word
    let len = words.len() / (4 * k);
    let mut maxima = [0; BLOCKS];
    let words = if len >= 4 && 4 * k + 4 <= BLOCKS {
        let blocks = BLOCKS.min(words.len() / len);
        for (most, block) in maxima.iter_mut().zip(words.chunks_exact(len)) {
            *most = block.iter().copied().fold(0, u32::max);
        }
        let (_, &mut bound, _) = maxima[..blocks].select_nth_unstable_by(k - 1, |a, b| b.cmp(a));
        let bound = if bound > row.lowest { row.first_with(row.k(bound)) } else { row.lowest };
        from(words, bound)
    } else {
        from(words, row.lowest)
    };
    if words.len() < k {
        return (row.lowest, words);
    }
    let (_, &mut last, _) = words.select_nth_unstable_by(k - 1, |a, b| b.cmp(a));
    let least = row.first_with(row.k(last));
    (least, from(words, least))
}

/// The most blocks whose maxima are compared.
const BLOCKS: usize = 1024;
/// The number of words that are passed over at once if none of them is wanted.
const AT_ONCE: usize = 64;

/// The words from `least` on, brought to the beginning. The others are lost.
#[inline(always)]
fn from(words: &mut [u32], least: u32) -> &mut [u32] {
    let mut kept = 0;
    for first in (0..words.len()).step_by(AT_ONCE) {
        let end = words.len().min(first + AT_ONCE);
        let most = words[first..end].iter().copied().fold(0, u32::max);
        if most < least {
            continue;
        }
        for at in first..end {
            let word = words[at];
            words[kept] = word;
            kept += usize::from(word >= least);
        }
    }
    &mut words[..kept]
}

/// Brings the words that meet a condition to the beginning, and returns their number.
#[inline(always)]
fn partition(words: &mut [u32], meets: impl Fn(u32) -> bool) -> usize {
    let mut met = 0;
    for i in 0..words.len() {
        words.swap(i, met);
        met += usize::from(meets(words[met]));
    }
    met
}

/// The least word of these such that those with a larger K have less than `limit` together; that of the largest K in any
/// case.
///
/// Each round splits the words by the K of one of them, and goes on with the part that is in doubt. The split is at the
/// middle of three of the words for some rounds, and from then on at the middle of the range in which words are, so that
/// no order of words takes more than 32 rounds more.
#[inline(always)]
fn nucleus<W: Weigh>(row: &Row<W>, words: &mut [u32], limit: u64) -> u32 {
    let mut doubtful = words;
    let mut above = 0;
    let mut kept = row.first_with(row.k(row.highest));
    let (mut low, mut high) = (row.lowest, row.highest);
    for round in 0.. {
        let count = doubtful.len();
        if count == 0 {
            break;
        }
        let at = if round < 24 {
            let [a, b, c] = [0, count / 2, count - 1].map(|i| doubtful[i]);
            a.min(b).max(a.max(b).min(c))
        } else {
            low + (high - low) / 2
        };
        // the words whose K is that of the split, and those whose K is larger
        let k = row.k(at);
        let same = row.first_with(k);
        let larger = (row.k(row.highest) > k).then(|| row.first_with(k + 1));
        let count_larger = match larger {
            Some(larger) => partition(doubtful, |word| word >= larger),
            None => 0,
        };
        let (with_larger, others) = doubtful.split_at_mut(count_larger);
        let mass = above + W::mass(row, with_larger);
        if let Some(larger) = larger
            && mass >= limit
            && count_larger > 0
        {
            (doubtful, low) = (with_larger, larger);
            continue;
        }
        let count_same = partition(others, |word| word >= same);
        let (with_same, with_smaller) = others.split_at_mut(count_same);
        if mass < limit && count_same > 0 {
            kept = kept.min(same);
        }
        above = mass + W::mass(row, with_same);
        if above >= limit || same == row.lowest {
            break;
        }
        (doubtful, high) = (with_smaller, same - 1);
    }
    kept
}

#[cfg(test)]
mod tests;
