//! What is added to logits.

use super::entries::Entries;
use crate::error::Error;

/// Numbers that are added to some of the logits of rows before anything else happens to them: the same for all rows, or
/// others for each row.
///
/// A bias of −∞ bans a category. If a category has several biases, they are added one after the other, the least of them
/// first, so that the order in which they are given does not matter. [`Penalty`](crate::Penalty) gives the arithmetic.
///
/// For each row its entries are sorted: O(entries), if they come in the order of categories, and otherwise O(entries · log
/// entries).
///
/// ```
/// use gumbel::{Bias, CpuSampler, Logits, SampleOptions};
/// let (offsets, categories, values) = ([0, 1, 3], [2, 0, 1], [100.0, f32::NEG_INFINITY, 5.0]);
/// // row 0: category 2 is all but certain; row 1: category 0 is banned, and category 1 favoured
/// let bias = Bias::each(&offsets, &categories, &values);
/// let options = SampleOptions::default().with_bias(bias).with_draws(100);
/// let draws = CpuSampler::new().sample_rows(Logits::new(&[0.0; 6], 3)?, &options)?;
/// assert!(draws[..100].iter().all(|&draw| draw == 2));
/// assert!(draws[100..].iter().all(|&draw| draw != 0));
/// # Ok::<(), gumbel::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bias<'a> {
    pub(crate) entries: Entries<'a, f32>,
}

impl<'a> Bias<'a> {
    /// One bias for all rows: `values[i]` for category `categories[i]`.
    pub const fn shared(categories: &'a [u32], values: &'a [f32]) -> Self {
        Self { entries: Entries { offsets: None, categories, values } }
    }

    /// A bias for each row of the call: row i has the entries from `offsets[i]` up to `offsets[i + 1]`. There is one offset
    /// more than there are rows.
    pub const fn each(offsets: &'a [usize], categories: &'a [u32], values: &'a [f32]) -> Self {
        Self { entries: Entries { offsets: Some(offsets), categories, values } }
    }

    /// Checks the bias for so many rows.
    pub(crate) fn check(&self, rows: usize, categories: usize) -> Result<(), Error> {
        self.entries.check("a bias", rows, categories)?;
        self.check_values()
    }

    /// Checks what is added.
    pub(crate) fn check_values(&self) -> Result<(), Error> {
        let what = "a bias";
        let is_wrong = |&bias: &f32| bias.is_nan() || bias == f32::INFINITY;
        match self.entries.values.iter().position(is_wrong) {
            None => Ok(()),
            Some(at) => {
                let (expected, got) = ("a finite number or -inf", self.entries.values[at]);
                Err(self.entries.of_row(at, Error::Adjustment { what, expected, got }))
            }
        }
    }
}
