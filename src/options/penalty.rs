//! Penalties for categories that a row has had before.

use super::entries::Entries;
use crate::error::Error;

/// Penalties for the categories that a row has in its [`History`]: repetition, frequency and presence.
///
/// **Definition.** For category i with logit l and [bias](crate::Bias) b, the adjusted logit is computed in `f64`, one
/// IEEE 754 operation after the other:
///
/// | step | for |
/// |---|---|
/// | x ← l + b | categories with a bias; of several the least first |
/// | x ← x / repetition if x > 0, otherwise x · repetition | categories in the history |
/// | x ← x − frequency · count | categories in the history |
/// | x ← x − presence | categories in the history with a count of 1 or more |
///
/// Then x is rounded to `f32`, and every operation is that of the row with the rounded numbers (of rows of `f64`, with the
/// numbers themselves). Halves become `f32`. What was finite stays finite. All other logits stay as they are. That is what
/// vLLM does in `f32`, and in numpy `np.float32(x)` for `x` of type `float64`.
///
/// ```
/// use gumbel::{CpuSampler, History, Logits, Penalty, SampleOptions};
/// // category 0 was in the prompt, and category 2 was drawn three times
/// let history = History::each(&[0, 2], &[0, 2], &[0, 3]);
/// let penalty = Penalty::new().with_repetition(1.25).with_frequency(0.5).with_presence(0.25);
/// let options = SampleOptions::default().with_history(history).with_penalty(penalty);
/// let adjusted = [1.0 / 1.25, 1.0, -1.0 * 1.25 - 3.0 * 0.5 - 0.25];
/// let logsumexp = |logits: &[f32], options: &SampleOptions| {
///     CpuSampler::new().logsumexp_rows(Logits::new(logits, 3)?, options)
/// };
/// assert_eq!(logsumexp(&[1.0, 1.0, -1.0], &options)?, logsumexp(&adjusted, &Default::default())?);
/// # Ok::<(), gumbel::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Penalty {
    /// What positive logits are divided by, and others multiplied by: 1 changes nothing.
    pub repetition: f32,
    /// What is subtracted for each time that a category was drawn.
    pub frequency: f32,
    /// What is subtracted from the logit of a category that was drawn at all.
    pub presence: f32,
}

impl Default for Penalty {
    fn default() -> Self {
        Self::new()
    }
}

impl Penalty {
    /// No penalty.
    pub const fn new() -> Self {
        Self { repetition: 1.0, frequency: 0.0, presence: 0.0 }
    }

    /// Divides the positive logits of categories in the history by this number, and multiplies the others by it: a finite
    /// number above 0. Above 1 it makes repetitions rarer.
    #[must_use]
    pub const fn with_repetition(self, repetition: f32) -> Self {
        Self { repetition, ..self }
    }

    /// Subtracts this number as often as a category was drawn: a finite number.
    #[must_use]
    pub const fn with_frequency(self, frequency: f32) -> Self {
        Self { frequency, ..self }
    }

    /// Subtracts this number once if a category was drawn: a finite number.
    #[must_use]
    pub const fn with_presence(self, presence: f32) -> Self {
        Self { presence, ..self }
    }

    /// Whether nothing changes.
    pub(crate) fn is_none(&self) -> bool {
        *self == Self::new()
    }

    /// Checks the numbers.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let wrong = |what, expected, got| Err(Error::Adjustment { what, expected, got });
        let &Self { repetition, frequency, presence } = self;
        if !repetition.is_finite() || repetition <= 0.0 {
            return wrong("a repetition penalty", "a finite number above 0", repetition);
        }
        if !frequency.is_finite() {
            return wrong("a frequency penalty", "a finite number", frequency);
        }
        if !presence.is_finite() {
            return wrong("a presence penalty", "a finite number", presence);
        }
        Ok(())
    }

    /// The logit of a category of the history, after its bias has been added.
    #[inline(always)]
    pub(crate) fn apply(&self, logit: f64, count: u32) -> f64 {
        let repetition = f64::from(self.repetition);
        let x = if logit > 0.0 { logit / repetition } else { logit * repetition };
        let x = x - f64::from(self.frequency) * f64::from(count);
        if count > 0 { x - f64::from(self.presence) } else { x }
    }

    /// The derivative of an [adjusted](Self::apply) logit by the logit. It is the same where the adjusted logit would be
    /// infinite and is the largest number instead.
    pub(crate) fn slope(&self, logit: f64) -> f64 {
        let repetition = f64::from(self.repetition);
        if logit > 0.0 { 1.0 / repetition } else { repetition }
    }
}

/// The categories that each row has had before, and how often: what [`Penalty`] looks at.
///
/// A count of 0 is for categories that were in the prompt and have not been drawn: only the repetition penalty concerns
/// them. If a category is given several times, its counts are added up, so that raw lists of tokens will do, with a count of
/// 1 for each; counts that were added up before take less time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct History<'a> {
    pub(crate) entries: Entries<'a, u32>,
}

impl<'a> History<'a> {
    /// The history of each row of the call: row i has the entries from `offsets[i]` up to `offsets[i + 1]`, and has drawn
    /// `categories[e]` `counts[e]` times for each entry e. There is one offset more than there are rows.
    pub const fn each(offsets: &'a [usize], categories: &'a [u32], counts: &'a [u32]) -> Self {
        Self { entries: Entries { offsets: Some(offsets), categories, values: counts } }
    }
}
