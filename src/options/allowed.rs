//! Which categories of a row are allowed.

use std::ops::Range;

use crate::error::Error;

/// The categories that may be drawn, as bits: bit i % 32 of word i / 32 says whether category i is allowed. Grammar
/// engines (xgrammar, llguidance) write masks in this form.
///
/// A category that is not allowed has probability 0, whatever its logit is, NaN included. Bits beyond the last category
/// mean nothing.
///
/// ```
/// use gumbel::{Allowed, CpuSampler, Logits, SampleOptions};
/// let masks = [0b110, 0b011]; // a mask for each of two rows
/// let options = SampleOptions::default().with_allowed(Allowed::each(&masks, 1));
/// let draws = CpuSampler::new().sample_rows(Logits::new(&[9.0, 0.0, 0.0, 0.0, 0.0, 9.0], 3)?, &options)?;
/// assert!(draws[0] != 0 && draws[1] != 2);
/// # Ok::<(), gumbel::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowed<'a> {
    words: &'a [u32],
    /// The number of words from one row's mask to the next; `None` if all rows share a mask.
    words_per_row: Option<usize>,
}

/// Whether a mask allows a category.
#[inline(always)]
pub(crate) fn allows(mask: &[u32], category: usize) -> bool {
    mask[category / 32] >> (category % 32) & 1 == 1
}

impl<'a> Allowed<'a> {
    /// One mask for all rows. It must have a bit for each category.
    pub const fn shared(words: &'a [u32]) -> Self {
        Self { words, words_per_row: None }
    }

    /// A mask for each row of the call, one after the other, of `words_per_row` words each. Each must have a bit for
    /// each category.
    pub const fn each(words: &'a [u32], words_per_row: usize) -> Self {
        Self { words, words_per_row: Some(words_per_row) }
    }

    /// The words of all masks.
    pub const fn words(&self) -> &'a [u32] {
        self.words
    }

    /// The number of words from one row's mask to the next, `None` if all rows share a mask.
    pub const fn words_per_row(&self) -> Option<usize> {
        self.words_per_row
    }

    /// Checks that there is a bit for each category of each row.
    pub(crate) fn check(&self, rows: usize, categories: usize) -> Result<(), Error> {
        let (needed, got) = (categories.div_ceil(32), self.words.len());
        let wrong = |rows, words_per_row, expected| {
            Err(Error::Allowed { rows, categories, words_per_row, expected, got })
        };
        match self.words_per_row {
            None if got < needed => wrong(1, needed, needed),
            None => Ok(()),
            Some(each) if each < needed => wrong(rows, each, rows.saturating_mul(needed)),
            Some(each) if Some(got) != rows.checked_mul(each) => {
                wrong(rows, each, rows.saturating_mul(each))
            }
            Some(_) => Ok(()),
        }
    }

    /// The masks of some of the rows.
    pub(crate) fn part(self, rows: Range<usize>) -> Self {
        match self.words_per_row {
            None => self,
            Some(each) => Self { words: &self.words[rows.start * each..rows.end * each], ..self },
        }
    }

    /// The mask of the row at a position, for that row alone; one without words if there is none.
    #[cfg(feature = "rand")]
    pub(crate) fn only(self, row: usize) -> Self {
        let Some(each) = self.words_per_row else { return self };
        let words = self.words.chunks(each.max(1)).nth(row).unwrap_or_default();
        Self { words, ..self }
    }

    /// The mask of the row at a position.
    pub(crate) fn of_row(&self, row: usize) -> &'a [u32] {
        match self.words_per_row {
            None => self.words,
            Some(each) => &self.words[row * each..][..each],
        }
    }
}
