//! What the fuzzer chooses to cut off, to mask and to add.

use arbitrary::Arbitrary;
use gumbel::{Allowed, Bias, History, Penalty, SampleOptions, Share, Truncation};

/// The fuzzer's choices of which categories may be drawn, and of what is added to logits.
#[derive(Arbitrary, Debug)]
pub struct RestrictionInput {
    top_k: Option<u16>,
    top_p: Option<u16>,
    min_p: Option<u16>,
    epsilon: Option<u16>,
    at_temperature: Option<u8>,
    share: u8,
    /// The words of a mask, in turn.
    mask: Option<[u32; 3]>,
    /// Categories with a bias, or with a number of times that they were drawn.
    entries: [Option<(u16, i16)>; 3],
    penalty: Option<[u8; 3]>,
}

/// The most steps in which the reference may find what top-p keeps: it adds rows up for each category.
const MOST_STEPS: usize = 1 << 21;

/// A share of some probability, of 1 and less: fine near 0 and near 1.
fn share(word: u16) -> f32 {
    let x = f32::from(word >> 5) / 2048.0 * 2f32.powi(-i32::from(word & 15));
    if word >> 4 & 1 == 1 { 1.0 - x } else { x }
}

/// What a call of a case says of its categories.
#[derive(Debug, Default)]
pub(crate) struct Restriction {
    truncation: Truncation,
    mask: Option<Vec<u32>>,
    categories: Vec<u32>,
    biases: Vec<f32>,
    counts: Vec<u32>,
    /// Where the history of each row begins in that of all, which has the same for each.
    offsets: Vec<usize>,
    had: Vec<u32>,
    penalty: Penalty,
}

impl Restriction {
    /// The choices for a call of so many rows; `is_adjusted` if there are logits, to which something may be added.
    pub(crate) fn new(
        input: &RestrictionInput,
        rows: usize,
        categories: usize,
        is_adjusted: bool,
    ) -> Self {
        let shares = [Share::TopK, Share::All, Share::Rest];
        let mut truncation =
            Truncation::new().with_share(shares[usize::from(input.share) % shares.len()]);
        truncation.top_k = input.top_k.map(|k| 1 + u32::from(k));
        let is_quick = rows * categories * categories <= MOST_STEPS;
        let top_p = input.top_p.filter(|_| is_quick);
        truncation.top_p = top_p.map(|word| share(word).max(f32::from_bits(1)));
        truncation.min_p = input.min_p.map(share);
        truncation.epsilon = input.epsilon.map(share);
        truncation.at_temperature =
            input.at_temperature.map(|at| 2f32.powi(i32::from(at % 16) - 8) * 1.1);
        let words = categories.div_ceil(32);
        let mask = input.mask.map(|mask| (0..words).map(|i| mask[i % 3]).collect());
        let mut all = Self { truncation, mask, ..Self::default() };
        if is_adjusted {
            for &(category, number) in input.entries.iter().flatten() {
                all.categories.push(u32::from(category) % categories as u32);
                let bias = f32::from(number) / 256.0;
                all.biases.push(if number == i16::MIN { f32::NEG_INFINITY } else { bias });
                all.counts.push(u32::from(number.unsigned_abs()) % 5);
            }
            if let Some([repetition, frequency, presence]) = input.penalty {
                let number = |byte: u8| f32::from(byte as i8) / 32.0;
                all.penalty = Penalty::new()
                    .with_repetition(number(repetition).exp2())
                    .with_frequency(number(frequency))
                    .with_presence(number(presence));
            }
            all.offsets = (0..=rows).map(|row| row * all.categories.len()).collect();
            all.had = all.categories.repeat(rows);
            all.counts = all.counts.repeat(rows);
        }
        all
    }

    /// The options with the restriction.
    pub(crate) fn add_to<'a>(&'a self, options: SampleOptions<'a>) -> SampleOptions<'a> {
        let mut options = options.with_truncation(self.truncation).with_penalty(self.penalty);
        options.allowed = self.mask.as_deref().map(Allowed::shared);
        if !self.categories.is_empty() {
            options = options.with_bias(Bias::shared(&self.categories, &self.biases));
            let history = History::each(&self.offsets, &self.had, &self.counts);
            options = options.with_history(history);
        }
        options
    }
}
