//! What is added to and taken from logits before anything is drawn: bias and penalties.

use std::ops::Range;

use super::own::of_row;
use super::{Job, lengthen};
use crate::error::Error;
use crate::options::{
    Bias, Data, History, Logits, Penalty, SampleOptions, Stock, Stored, Value, ValueFormat,
    with_rows, with_stock,
};

/// The bias and the penalties of the rows of a call.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Adjustment<'a> {
    bias: Option<Bias<'a>>,
    /// `None` if no row has a penalty.
    history: Option<History<'a>>,
    penalty: Penalty,
    /// The penalty of each row, in place of the one of all.
    penalties: Option<&'a [Penalty]>,
}

/// A category of a row with what the row's options say of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    category: u32,
    what: What,
}

/// Biases come before counts, and the least bias first: sums do not depend on the order in which entries were given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    /// A bias as a [word](Value::word).
    Bias(u32),
    Count(u32),
}

impl<'a> Adjustment<'a> {
    /// The bias and the penalties of a call, checked for so many rows of so many values of this format.
    pub(super) fn new(
        options: &SampleOptions<'a>,
        rows: usize,
        categories: usize,
        format: ValueFormat,
    ) -> Result<Self, Error> {
        let &SampleOptions { bias, history, penalty, penalties, .. } = options;
        penalty.check()?;
        if let Some(bias) = bias {
            bias.check(rows, categories)?;
        }
        if let Some(history) = history {
            history.entries.check("a history", rows, categories)?;
        }
        if let Some(got) = penalties.map(<[_]>::len).filter(|&got| got != rows) {
            return Err(Error::RowOptions { what: "penalties", expected: rows, got });
        }
        for (row, penalty) in penalties.unwrap_or_default().iter().enumerate() {
            penalty.check().map_err(|error| of_row(row, error))?;
        }
        let penalises = match penalties {
            None => !penalty.is_none(),
            Some(all) => all.iter().any(|penalty| !penalty.is_none()),
        };
        let bias = bias.filter(|bias| !bias.entries.categories.is_empty());
        let history = history.filter(|all| penalises && !all.entries.categories.is_empty());
        let adjustment = Self { bias, history, penalty, penalties };
        if format.is_of_weights() && !adjustment.is_none() {
            return Err(Error::NeedsLogits { operation: "a bias or a penalty" });
        }
        Ok(adjustment)
    }

    /// The bias and the penalties of the row at position `row` of a batch, for that row alone.
    #[cfg(feature = "rand")]
    pub(crate) fn of_row(
        options: &SampleOptions<'a>,
        row: usize,
        categories: usize,
        format: ValueFormat,
    ) -> Result<Self, Error> {
        let own = options.penalties.and_then(|all| all.get(row)).copied();
        let bias = options.bias.map(|bias| Bias { entries: bias.entries.only(row) });
        let history = options.history.map(|all| History { entries: all.entries.only(row) });
        let penalty = own.unwrap_or(options.penalty);
        let options = SampleOptions { bias, history, penalty, penalties: None, ..*options };
        Self::new(&options, 1, categories, format)
    }

    /// Whether the logits stay as they are.
    pub(crate) fn is_none(&self) -> bool {
        self.bias.is_none() && self.history.is_none()
    }

    /// The bias and the penalties of some of the rows.
    pub(super) fn part(self, rows: Range<usize>) -> Self {
        let Self { bias, history, penalty, penalties } = self;
        Self {
            bias: bias.map(|bias| Bias { entries: bias.entries.part(rows.clone()) }),
            history: history.map(|all| History { entries: all.entries.part(rows.clone()) }),
            penalty,
            penalties: penalties.map(|all| &all[rows]),
        }
    }

    /// The biases of the row at a position, with their categories.
    pub(crate) fn biases(&self, row: usize) -> impl Iterator<Item = (u32, f32)> + Clone {
        self.bias.into_iter().flat_map(move |bias| bias.entries.row(row))
    }

    /// How often the row at a position has had categories.
    pub(crate) fn counts(&self, row: usize) -> impl Iterator<Item = (u32, u32)> + Clone {
        self.history.into_iter().flat_map(move |history| history.entries.row(row))
    }

    /// The penalty of the row at a position.
    pub(crate) fn penalty(&self, row: usize) -> &Penalty {
        self.penalties.map_or(&self.penalty, |all| &all[row])
    }

    /// Adjusts the logits of a row. `logit` gives a logit of the row as it was; `adjusted` gets the category and the adjusted
    /// logit of each category that the row's options name. `entries` is memory.
    ///
    /// O(entries of the row · log of their number).
    ///
    /// # Errors
    /// The number of bytes that are not to be had.
    pub(crate) fn adjust(
        &self,
        row: usize,
        entries: &mut Vec<Entry>,
        logit: impl Fn(usize) -> f64,
        mut adjusted: impl FnMut(usize, f64),
    ) -> Result<(), usize> {
        let penalty = self.penalty(row);
        self.in_each_category(row, entries, logit, |category, before, biased, count| {
            let x = count.map_or(biased, |count| penalty.apply(biased, count));
            // what was finite stays so
            let stays = before.is_finite() && biased != f64::NEG_INFINITY;
            adjusted(category, if stays { x.clamp(f64::MIN, f64::MAX) } else { x });
        })
    }

    /// Gives the derivatives of a row's adjusted logits by the logits as they were, to `slope` with their categories, where
    /// they may be other than 1. Costs and errors are those of [`adjust`](Self::adjust), whose arguments these are.
    pub(crate) fn slopes(
        &self,
        row: usize,
        entries: &mut Vec<Entry>,
        logit: impl Fn(usize) -> f64,
        mut slope: impl FnMut(usize, f64),
    ) -> Result<(), usize> {
        let penalty = self.penalty(row);
        self.in_each_category(row, entries, logit, |category, _, biased, count| {
            if count.is_some() {
                slope(category, penalty.slope(biased));
            }
        })
    }

    /// Calls `with` with each category that the options of a row name: with its logit as it was, the logit after its biases,
    /// and its count if it has one.
    fn in_each_category(
        &self,
        row: usize,
        entries: &mut Vec<Entry>,
        logit: impl Fn(usize) -> f64,
        mut with: impl FnMut(usize, f64, f64, Option<u32>),
    ) -> Result<(), usize> {
        let entry = |category, what| Entry { category, what };
        let biases =
            self.biases(row).map(|(category, bias)| entry(category, What::Bias(bias.word())));
        let counts = self.counts(row).map(|(category, count)| entry(category, What::Count(count)));
        let all = biases.chain(counts);
        let count = all.clone().count();
        entries.clear();
        entries.try_reserve(count).map_err(|_| count.saturating_mul(size_of::<Entry>()))?;
        entries.extend(all);
        entries.sort_unstable();

        for same in entries.chunk_by(|a, b| a.category == b.category) {
            let category = same[0].category as usize;
            let before = logit(category);
            let (mut biased, mut count) = (before, None);
            for entry in same {
                match entry.what {
                    What::Bias(word) => biased += f64::from(f32::of_word(word)),
                    What::Count(more) => count = Some(count.unwrap_or(0u32).saturating_add(more)),
                }
            }
            with(category, before, biased, count);
        }
        Ok(())
    }
}

/// An adjusted logit as an `f32`, which is finite if the logit is.
#[inline(always)]
pub(crate) fn single(x: f64) -> f32 {
    let (least, most) = (f64::from(f32::MIN), f64::from(f32::MAX));
    (if x.is_finite() { x.clamp(least, most) } else { x }) as f32
}

impl Job<'_> {
    /// The adjusted logits of the row at position `row`, plainly.
    ///
    /// # Errors
    /// [`Error::NoMemoryForRows`].
    pub(crate) fn adjusted_row(&self, row: usize) -> Result<Vec<f64>, Error> {
        let categories = self.logits.categories();
        let no_memory = |bytes| Error::NoMemoryForRows { rows: 1, categories, bytes };
        let mut logits = Vec::new();
        lengthen(&mut logits, categories, 0.0).map_err(no_memory)?;
        with_stock!(self.logits.stock(), rows => {
            for (to, value) in logits.iter_mut().zip(rows.values(row, 0..rows.categories())) {
                *to = value.as_f64();
            }
        });
        let is_double = self.logits.format() == ValueFormat::F64;
        let as_stored = |x: f64| if is_double { x } else { f64::from(single(x)) };
        let cells = std::cell::Cell::from_mut(&mut logits[..]).as_slice_of_cells();
        let (logit, set) = (
            |category: usize| cells[category].get(),
            |category: usize, adjusted| cells[category].set(as_stored(adjusted)),
        );
        self.adjustment.adjust(row, &mut Vec::new(), logit, set).map_err(no_memory)?;
        Ok(logits)
    }

    /// Turns derivatives of the rows' adjusted logits into those of the logits as they were.
    ///
    /// # Errors
    /// [`Error::NoMemoryForRows`].
    pub(crate) fn pull_back_adjustment(&self, gradients: &mut [f32]) -> Result<(), Error> {
        if self.adjustment.is_none() {
            return Ok(());
        }
        let categories = self.logits.categories();
        let no_memory = |bytes| Error::NoMemoryForRows { rows: 1, categories, bytes };
        let mut entries = Vec::new();
        with_stock!(self.logits.stock(), rows => {
            for (row, gradient) in gradients.chunks_mut(categories).enumerate() {
                let logit = |category: usize| rows.value(row, category).as_f64();
                let pull = |category: usize, slope| {
                    gradient[category] = (f64::from(gradient[category]) * slope) as f32;
                };
                self.adjustment.slopes(row, &mut entries, logit, pull).map_err(no_memory)?;
            }
        });
        Ok(())
    }

    /// The error that says why the row at position `row`, with adjusted logits, has no draw, or `None` if it has one.
    pub(super) fn undrawable_as_adjusted(&self, row: usize) -> Option<Error> {
        let adjusted = self.adjusted_row(row).and_then(|logits| {
            let batch = Logits::from_f64(&logits, logits.len())?;
            Ok(self.part(row..row + 1).on_copies(batch.into()).undrawable(0))
        });
        match adjusted {
            Ok(Some(Error::UndrawableRow { reason, .. })) => {
                Some(Error::UndrawableRow { row, reason })
            }
            Ok(other) => other,
            Err(error) => Some(error),
        }
    }
}
