//! What is added to logits and taken from them before anything is drawn: bias and penalties.

use std::ops::Range;

use gumbel::{Bias, Error, History, Penalty, SampleOptions};
use pyo3::exceptions::{PyMemoryError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::call::{PerRow, of_rows, singles_of_rows};
use crate::dlpack::Tensor;
use crate::error::{row_words, shape_words};
use crate::rows::Rows;
use crate::strided::{Layout, floats, integers};

/// The bias and the penalties of a call.
pub(crate) struct Adjustment {
    bias: Option<Entries<f32>>,
    penalty: PerRow<Penalty>,
    history: Option<Entries<u32>>,
}

/// Categories of rows, each with a value.
struct Entries<V> {
    /// Where the entries of each row begin, and those of the last row end; `None` if all rows share the entries.
    offsets: Option<Vec<usize>>,
    categories: Vec<u32>,
    values: Vec<V>,
}

/// Where the entries of some of the rows begin, counted from those of the first of them. Empty if that is as it is given.
#[derive(Default)]
pub(crate) struct Offsets {
    bias: Vec<usize>,
    history: Vec<usize>,
}

impl Adjustment {
    /// The adjustment in a tuple of a bias or None; the repetition, frequency and presence penalties, each or None; and a
    /// history or None, for an array of these rows. Bias and history are triples of offsets or None, categories and values;
    /// or a history is an array of tokens.
    pub(crate) fn new(given: &Bound<'_, PyTuple>, rows: &Rows<'_>) -> PyResult<Self> {
        let item = |i| given.get_item(i);
        let bias = match item(0)? {
            none if none.is_none() => None,
            bias => {
                let values = |values: &Bound<'_, PyAny>, len: usize| {
                    let values = of_rows(values, "bias", &[len], floats)?;
                    // not `single`, which keeps what is next to 0 apart from 0: here that is no other case
                    Ok(values.into_iter().map(|value| value as f32).collect())
                };
                Some(Entries::new(bias.cast::<PyTuple>()?, "bias", rows, values)?)
            }
        };
        let history = match item(4)? {
            none if none.is_none() => None,
            history => Some(match history.cast::<PyTuple>() {
                Ok(entries) => {
                    let counts = |counts: &Bound<'_, PyAny>, len: usize| words(counts, len);
                    Entries::new(entries, "history", rows, counts)?.for_each_row(rows.rows)?
                }
                Err(_) => Entries::of_tokens(&history, rows)?,
            }),
        };
        let number = |i, what| match item(i)? {
            none if none.is_none() => Ok(None),
            number => singles_of_rows(&number, what, &rows.shape).map(Some),
        };
        let penalty = penalty(
            [
                number(1, "repetition_penalty")?,
                number(2, "frequency_penalty")?,
                number(3, "presence_penalty")?,
            ],
            rows.rows,
        )?;
        Ok(Self { bias, penalty, history })
    }

    /// The offsets of some of the rows, for [`on`](Self::on).
    pub(crate) fn offsets(&self, rows: &Range<usize>) -> Result<Offsets, Error> {
        fn of<V: Copy>(
            entries: &Option<Entries<V>>,
            rows: &Range<usize>,
        ) -> Result<Vec<usize>, Error> {
            entries.as_ref().map_or(Ok(Vec::new()), |entries| entries.part_offsets(rows))
        }
        Ok(Offsets { bias: of(&self.bias, rows)?, history: of(&self.history, rows)? })
    }

    /// Options of some of the rows, with the adjustment.
    pub(crate) fn on<'a>(
        &'a self,
        options: SampleOptions<'a>,
        rows: &Range<usize>,
        offsets: &'a Offsets,
    ) -> SampleOptions<'a> {
        let mut options = match &self.penalty {
            PerRow::One(penalty) => options.with_penalty(*penalty),
            PerRow::Each(penalties) => options.with_penalties(&penalties[rows.clone()]),
        };
        if let Some(Entries { offsets: None, categories, values }) = &self.bias {
            options = options.with_bias(Bias::shared(categories, values));
        } else if let Some((offsets, categories, values)) =
            self.bias.as_ref().and_then(|bias| bias.part(rows, &offsets.bias))
        {
            options = options.with_bias(Bias::each(offsets, categories, values));
        }
        if let Some((offsets, categories, values)) =
            self.history.as_ref().and_then(|history| history.part(rows, &offsets.history))
        {
            options = options.with_history(History::each(offsets, categories, values));
        }
        options
    }

    /// Adjusts the logits of a row, by the definition that the crate gives with `Penalty`. The crate has checked the
    /// options.
    pub(crate) fn adjust(&self, row: usize, logits: &mut [f64], is_double: bool) {
        // of a category the biases in their order, and then the counts
        let biases = self.bias.iter().flat_map(|bias| bias.row(row));
        let counts = self.history.iter().flat_map(|history| history.row(row));
        let mut all: Vec<(u32, Option<u32>, f32)> =
            biases.map(|(category, bias)| (category, None, bias)).collect();
        all.extend(counts.map(|(category, count)| (category, Some(count), 0.0)));
        all.sort_by_key(|&(category, count, _)| (category, count.is_some()));
        let penalty = self.penalty.of_row(row);
        for same in all.chunk_by(|a, b| a.0 == b.0) {
            let logit = &mut logits[same[0].0 as usize];
            let mut x = *logit;
            for (_, _, bias) in same.iter().filter(|(_, count, _)| count.is_none()) {
                x += f64::from(*bias);
            }
            let stays = logit.is_finite() && x != f64::NEG_INFINITY;
            let counts = same.iter().filter_map(|&(_, count, _)| count);
            if let Some(count) = counts.reduce(u32::saturating_add) {
                let repetition = f64::from(penalty.repetition);
                x = if x > 0.0 { x / repetition } else { x * repetition };
                x -= f64::from(penalty.frequency) * f64::from(count);
                if count > 0 {
                    x -= f64::from(penalty.presence);
                }
            }
            let (least, most) = match is_double {
                true => (f64::MIN, f64::MAX),
                false => (f64::from(f32::MIN), f64::from(f32::MAX)),
            };
            // what was finite stays so
            let x = if stays { x.clamp(least, most) } else { x };
            *logit = if is_double { x } else { f64::from(x as f32) };
        }
    }
}

/// One penalty, or one for each row if any number is given for each row.
fn penalty(numbers: [Option<PerRow<f32>>; 3], rows: usize) -> PyResult<PerRow<Penalty>> {
    let none = Penalty::new();
    let of_row = |row: usize| {
        let of = |number: &Option<PerRow<f32>>, none| {
            number.as_ref().map_or(none, |number| number.of_row(row))
        };
        none.with_repetition(of(&numbers[0], none.repetition))
            .with_frequency(of(&numbers[1], none.frequency))
            .with_presence(of(&numbers[2], none.presence))
    };
    if !numbers.iter().any(|number| matches!(number, Some(PerRow::Each(_)))) {
        return Ok(PerRow::One(of_row(0)));
    }
    let mut penalties = Vec::new();
    penalties
        .try_reserve_exact(rows)
        .map_err(|_| PyMemoryError::new_err("no memory for the penalties of each row"))?;
    penalties.extend((0..rows).map(of_row));
    Ok(PerRow::Each(penalties))
}

/// Words of 32 bits, which Python has checked.
fn words(array: &Bound<'_, PyAny>, len: usize) -> PyResult<Vec<u32>> {
    of_rows(array, "history", &[len], |tensor, layout| {
        integers(tensor, layout, |word| u32::try_from(word).map_err(|error| error.to_string()))
    })
}

impl<V: Copy> Entries<V> {
    fn new(
        given: &Bound<'_, PyTuple>,
        what: &str,
        rows: &Rows<'_>,
        values: impl Fn(&Bound<'_, PyAny>, usize) -> PyResult<Vec<V>>,
    ) -> PyResult<Self> {
        let (offsets, categories) = (given.get_item(0)?, given.get_item(1)?);
        let len = categories.len()?;
        let offsets = match offsets.is_none() {
            true => None,
            false => {
                let offsets: Vec<usize> = offsets.extract()?;
                let (got, rows) = (offsets.len().saturating_sub(1), rows.rows);
                if got != rows {
                    let words = format!("{what} is a list of {got}, for {rows} rows");
                    return Err(PyValueError::new_err(words));
                }
                Some(offsets)
            }
        };
        let values = values(&given.get_item(2)?, len)?;
        Ok(Self { offsets, categories: words(&categories, len)?, values })
    }

    /// Entries of each row, where they were those of all rows.
    fn for_each_row(self, rows: usize) -> PyResult<Self> {
        if self.offsets.is_some() {
            return Ok(self);
        }
        let each = self.categories.len();
        let all = each.checked_mul(rows).filter(|all| all.checked_mul(size_of::<V>()).is_some());
        let (mut offsets, mut categories, mut values) = (Vec::new(), Vec::new(), Vec::new());
        let reserved = all.is_some_and(|all| {
            offsets.try_reserve_exact(rows + 1).is_ok()
                && categories.try_reserve_exact(all).is_ok()
                && values.try_reserve_exact(all).is_ok()
        });
        if !reserved {
            return Err(PyMemoryError::new_err("no memory for the history of each row"));
        }
        offsets.push(0);
        for row in 0..rows {
            categories.extend_from_slice(&self.categories);
            values.extend_from_slice(&self.values);
            offsets.push((row + 1) * each);
        }
        Ok(Self { offsets: Some(offsets), categories, values })
    }

    /// Where the entries of some of the rows begin, counted from the first of them; nothing if these are all rows.
    fn part_offsets(&self, rows: &Range<usize>) -> Result<Vec<usize>, Error> {
        let Some(all) = self.offsets.as_ref().filter(|all| rows.len() + 1 < all.len()) else {
            return Ok(Vec::new());
        };
        let mut offsets = Vec::new();
        let bytes = (rows.len() + 1) * size_of::<usize>();
        let no_memory = |_| Error::NoMemoryForRows { rows: rows.len(), categories: 1, bytes };
        offsets.try_reserve_exact(rows.len() + 1).map_err(no_memory)?;
        offsets.extend(all[rows.start..=rows.end].iter().map(|offset| offset - all[rows.start]));
        Ok(offsets)
    }

    /// Some of the rows, which [`part_offsets`](Self::part_offsets) has been told of. `None` if all rows share the entries.
    fn part<'a>(
        &'a self,
        rows: &Range<usize>,
        part: &'a [usize],
    ) -> Option<(&'a [usize], &'a [u32], &'a [V])> {
        let all = self.offsets.as_deref()?;
        let entries = all[rows.start]..all[rows.end];
        let offsets = if part.is_empty() { all } else { part };
        Some((offsets, &self.categories[entries.clone()], &self.values[entries]))
    }

    /// The entries of a row.
    fn row(&self, row: usize) -> impl Iterator<Item = (u32, V)> + '_ {
        let entries = match &self.offsets {
            None => 0..self.categories.len(),
            Some(offsets) => offsets[row]..offsets[row + 1],
        };
        let categories = self.categories[entries.clone()].iter().copied();
        categories.zip(self.values[entries].iter().copied())
    }
}

impl Entries<u32> {
    /// A history of an array whose last axis has tokens, for each row or for all. Each counts 1, and −1 is none.
    fn of_tokens(tokens: &Bound<'_, PyAny>, rows: &Rows<'_>) -> PyResult<Self> {
        const WHAT: &str = "history";
        let tensor = Tensor::new(tokens, WHAT)?;
        if tensor.shape.is_empty() {
            return Err(PyTypeError::new_err(format!(
                "{WHAT} must be an array of tokens, with an axis of them, got a single number"
            )));
        }
        let layout = Layout::new(&tensor, -1, WHAT)?;
        let Some(layout) = layout.for_rows(&rows.shape) else {
            return Err(PyValueError::new_err(format!(
                "{WHAT} is of tokens of rows of shape {}, which does not fit rows of shape {}",
                shape_words(&layout.shape),
                shape_words(&rows.shape)
            )));
        };
        let each = layout.categories;
        let token = |token| match token {
            -1 => Ok(None),
            token => u32::try_from(token)
                .map(Some)
                .map_err(|_| format!("{WHAT} has tokens from 0 on, or -1 for none, got {token}")),
        };
        let all = integers(&tensor, &layout, token)
            .map_err(|failure| failure.to_python(WHAT, |at| row_words(at / each, &rows.shape)))?;
        let mut offsets = vec![0];
        let mut categories = Vec::new();
        for row in 0..rows.rows {
            let tokens = all.get(row * each..(row + 1) * each).unwrap_or_default();
            categories.extend(tokens.iter().flatten());
            offsets.push(categories.len());
        }
        let values = vec![1; categories.len()];
        Ok(Self { offsets: Some(offsets), categories, values })
    }
}
