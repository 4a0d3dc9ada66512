//! Random cuts, masks, biases and penalties for random batches.

use gumbel::noise::philox::philox4x32_10;
use gumbel::{Allowed, Bias, History, Penalty, SampleOptions, Share, Truncation};
use proptest::prelude::*;
use proptest::sample::select;

use super::batch::{Batch, batches};

/// What a call says of the categories that may be drawn, and of their logits.
#[derive(Clone, Debug, Default)]
pub(crate) struct Restriction {
    pub(crate) truncation: Truncation,
    /// Bits for each row, if there is a mask.
    pub(crate) mask: Option<Vec<u32>>,
    /// Categories and their biases, the same for all rows.
    pub(crate) bias: Option<(Vec<u32>, Vec<f32>)>,
    /// The history of each row, one after the other, and how often each category was drawn.
    pub(crate) history: Option<(Vec<usize>, Vec<u32>, Vec<u32>)>,
    pub(crate) penalty: Penalty,
}

impl Restriction {
    /// Adds the restriction to the options of a batch of rows of so many categories.
    pub(crate) fn add_to<'a>(
        &'a self,
        options: SampleOptions<'a>,
        categories: usize,
    ) -> SampleOptions<'a> {
        let mut options = options.with_truncation(self.truncation).with_penalty(self.penalty);
        options.allowed =
            self.mask.as_ref().map(|mask| Allowed::each(mask, categories.div_ceil(32)));
        options.bias =
            self.bias.as_ref().map(|(categories, values)| Bias::shared(categories, values));
        let history = self.history.as_ref();
        options.history =
            history.map(|(offsets, categories, counts)| History::each(offsets, categories, counts));
        options
    }

    /// The part of it that weights can have.
    pub(crate) fn of_weights(&self) -> Self {
        Self { truncation: self.truncation, mask: self.mask.clone(), ..Self::default() }
    }
}

/// A share of some probability: any power of two, and numbers between.
fn shares() -> impl Strategy<Value = f32> {
    prop_oneof![
        2 => 0.0..1f32,
        2 => (0..40i32, 0.5..1f32).prop_map(|(power, x)| x * 2f32.powi(-power)),
        1 => select(vec![f32::MIN_POSITIVE, f32::from_bits(1), 0.5, 1.0 - f32::EPSILON, 1.0]),
    ]
}

/// Something one time in two.
fn maybe<T: Clone + std::fmt::Debug + 'static>(
    of: impl Strategy<Value = T> + 'static,
) -> impl Strategy<Value = Option<T>> {
    prop_oneof![of.prop_map(Some), Just(None)]
}

fn truncations() -> impl Strategy<Value = Truncation> {
    let top_k = prop_oneof![1..5u32, 1..100u32, 1..5000u32];
    // above 0
    let top_p = shares().prop_map(|p| p.max(f32::from_bits(1)));
    let at = (-3..4i32, 1.0..2f32).prop_map(|(power, x)| x * 2f32.powi(power));
    let share = select(vec![Share::TopK, Share::All, Share::Rest]);
    let cuts = (maybe(top_k), maybe(top_p), maybe(shares()), maybe(shares()), maybe(at), share);
    cuts.prop_map(|(top_k, top_p, min_p, epsilon, at_temperature, share)| {
        let mut truncation = Truncation::new().with_share(share);
        truncation.top_k = top_k;
        truncation.top_p = top_p;
        truncation.min_p = min_p;
        // half as often as the others, since nearly all of a row is below most shares of all
        truncation.epsilon = epsilon.map(|epsilon| epsilon / 64.0).filter(|_| top_k.is_none());
        truncation.at_temperature = at_temperature;
        truncation
    })
}

/// Random bits of which about so many in a hundred are set, the same for each row or not.
fn mask(rows: usize, categories: usize, key: u32, percent: u32, is_shared: bool) -> Vec<u32> {
    let bit = |row: usize, category: usize| {
        let row = if is_shared { 0 } else { row as u32 };
        let [word, ..] = philox4x32_10([category as u32, row, 0, 0], [key, 1]);
        u32::from(word % 100 < percent)
    };
    let words = categories.div_ceil(32);
    let word = |at: usize| (0..32).map(|i| bit(at / words, at % words * 32 + i) << i).sum();
    (0..rows * words).map(word).collect()
}

/// Batches that are restricted, most of them of rows that are drawn from once: these have ways of their own. They are small,
/// since the reference adds a row up for each category that top-p keeps.
pub(crate) fn restricted_batches() -> impl Strategy<Value = Batch> {
    let masks = (any::<u32>(), select(vec![1, 10, 50, 95, 100]), any::<bool>());
    let entry = (any::<u32>(), prop_oneof![3 => -20.0..20f32, 1 => Just(f32::NEG_INFINITY)]);
    let biases = prop::collection::vec(entry, 0..6);
    let history = prop::collection::vec((any::<u32>(), 0..4u32), 0..6);
    let penalty = (0.5..2f32, -1.0..1f32, -1.0..1f32);
    let adjusted = prop_oneof![3 => Just(false), 1 => Just(true)];
    let once = prop_oneof![3 => Just(true), 1 => Just(false)];
    let others = (biases, history, penalty, adjusted, once);
    (batches(), truncations(), maybe(masks), others).prop_map(
        |(mut batch, truncation, masks, (biases, history, penalty, adjusted, once))| {
            if once {
                batch.draws = 1;
            }
            batch.rows = batch.rows.min((MOST / batch.categories).max(1));
            if let Some(ids) = &mut batch.row_ids {
                ids.truncate(batch.rows);
            }
            let (rows, categories) = (batch.rows, batch.categories);
            let mut restriction = Restriction { truncation, ..Restriction::default() };
            restriction.mask =
                masks.map(|(key, percent, shared)| mask(rows, categories, key, percent, shared));
            if adjusted {
                let of = |word: u32| word % categories as u32;
                restriction.bias =
                    Some(biases.into_iter().map(|(word, bias)| (of(word), bias)).unzip());
                let offsets = (0..=rows).map(|row| row * history.len()).collect();
                let all = history.repeat(rows).into_iter();
                let (had, counts) = all.map(|(word, count)| (of(word), count)).unzip();
                restriction.history = Some((offsets, had, counts));
                let (repetition, frequency, presence) = penalty;
                restriction.penalty = Penalty::new()
                    .with_repetition(repetition)
                    .with_frequency(frequency)
                    .with_presence(presence);
            }
            batch.restriction = restriction;
            batch
        },
    )
}

/// The most values of a restricted batch.
const MOST: usize = 3000;
