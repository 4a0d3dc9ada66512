//! What may be drawn of each row: cuts, and masks of allowed categories.

use std::ops::Range;

use gumbel::{Allowed, LogProbsOf, SampleOptions, Share, Truncation};
use pyo3::exceptions::{PyMemoryError, PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::call::{PerRow, integer, per_row, singles_of_rows, text};
use crate::dlpack::{Dtype, Tensor};
use crate::error::shape_words;
use crate::rows::Rows;
use crate::strided::{Layout, Place, copied};

/// The restriction of a call.
pub(crate) struct Restriction {
    truncation: PerRow<Truncation>,
    masks: Option<Masks>,
}

impl Restriction {
    /// The restriction in a tuple of top_k, top_p, min_p, epsilon and cut_temperature, each of which may be None; share;
    /// and masks or None, for an array of these rows. Masks are a pair: an array of words, and the number of booleans of
    /// a row that its words are made of, or None.
    pub(crate) fn new(given: &Bound<'_, PyTuple>, rows: &Rows<'_>) -> PyResult<Self> {
        let shape = &rows.shape;
        let item = |i| given.get_borrowed_item(i);
        let number = |i, what| match item(i)? {
            none if none.is_none() => Ok(None),
            number => singles_of_rows(&number, what, shape).map(Some),
        };
        let top_k = match item(0)? {
            none if none.is_none() => None,
            k => Some(per_row(&k, "top_k", u32::MAX, shape)?),
        };
        let cuts = Cuts {
            top_k,
            top_p: number(1, "top_p")?,
            min_p: number(2, "min_p")?,
            epsilon: number(3, "epsilon")?,
            at_temperature: number(4, "cut_temperature")?,
            share: share(&text(&*item(5)?, "share")?)?,
        };
        let masks = match item(6)? {
            none if none.is_none() => None,
            masks => {
                let masks = masks.cast::<PyTuple>()?;
                Some(Masks::new(&masks.get_item(0)?, &masks.get_item(1)?, rows)?)
            }
        };
        Ok(Self { truncation: cuts.truncation(rows.rows)?, masks })
    }

    /// Options of some of the rows, with the restriction.
    pub(crate) fn on<'a>(
        &'a self,
        options: SampleOptions<'a>,
        rows: &Range<usize>,
    ) -> SampleOptions<'a> {
        let options = match &self.truncation {
            PerRow::One(truncation) => options.with_truncation(*truncation),
            PerRow::Each(truncations) => options.with_truncations(&truncations[rows.clone()]),
        };
        match &self.masks {
            None => options,
            Some(masks) => options.with_allowed(masks.of_rows(rows)),
        }
    }
}

/// The cuts as they were given.
struct Cuts {
    top_k: Option<PerRow<u32>>,
    top_p: Option<PerRow<f32>>,
    min_p: Option<PerRow<f32>>,
    epsilon: Option<PerRow<f32>>,
    at_temperature: Option<PerRow<f32>>,
    share: Share,
}

impl Cuts {
    /// One truncation, or one for each row if any cut is given for each row.
    fn truncation(&self, rows: usize) -> PyResult<PerRow<Truncation>> {
        fn of<T: Copy>(cut: &Option<PerRow<T>>, row: usize) -> Option<T> {
            cut.as_ref().map(|cut| cut.of_row(row))
        }
        let of_row = |row| {
            let mut truncation = Truncation::new().with_share(self.share);
            truncation.top_k = of(&self.top_k, row);
            truncation.top_p = of(&self.top_p, row);
            truncation.min_p = of(&self.min_p, row);
            truncation.epsilon = of(&self.epsilon, row);
            truncation.at_temperature = of(&self.at_temperature, row);
            truncation
        };
        let is_one = |cut: &Option<PerRow<f32>>| !matches!(cut, Some(PerRow::Each(_)));
        let numbers = [&self.top_p, &self.min_p, &self.epsilon, &self.at_temperature];
        if numbers.into_iter().all(is_one) && !matches!(self.top_k, Some(PerRow::Each(_))) {
            return Ok(PerRow::One(of_row(0)));
        }
        let mut truncations = Vec::new();
        truncations
            .try_reserve_exact(rows)
            .map_err(|_| PyMemoryError::new_err("no memory for the cuts of each row"))?;
        truncations.extend((0..rows).map(of_row));
        Ok(PerRow::Each(truncations))
    }
}

fn share(name: &str) -> PyResult<Share> {
    match name {
        "top-k" => Ok(Share::TopK),
        "all" => Ok(Share::All),
        "rest" => Ok(Share::Rest),
        got => Err(PyValueError::new_err(format!(
            "share must be \"top-k\", \"all\" or \"rest\", got {got:?}"
        ))),
    }
}

/// What log-probabilities are among.
pub(crate) fn log_probs_of(name: &Bound<'_, PyAny>) -> PyResult<LogProbsOf> {
    match text(name, "log_probs_of")?.as_str() {
        "kept" => Ok(LogProbsOf::Kept),
        "allowed" => Ok(LogProbsOf::Allowed),
        got => Err(PyValueError::new_err(format!(
            "log_probs_of must be \"kept\" or \"allowed\", got {got:?}"
        ))),
    }
}

/// Masks of bits: one for all rows, or one for each.
struct Masks {
    words: Place<u32>,
    /// The words of a mask, if there is one for each row.
    each: Option<usize>,
    /// Keeps the memory of the words.
    _owner: Py<PyAny>,
}

impl Masks {
    fn new(
        words: &Bound<'_, PyAny>,
        booleans: &Bound<'_, PyAny>,
        rows: &Rows<'_>,
    ) -> PyResult<Self> {
        const WHAT: &str = "allowed";
        let tensor = Tensor::new(words, WHAT)?;
        let refused = |words: String| Err(PyValueError::new_err(format!("{WHAT} {words}")));
        if !matches!(tensor.dtype, Dtype::U32 | Dtype::I32) {
            let got = words.getattr(intern!(words.py(), "dtype"))?;
            return Err(PyTypeError::new_err(format!(
                "{WHAT} must be booleans, or uint32 or int32 words of 32 bits, got {got}"
            )));
        }
        let (categories, needed) = (rows.categories, rows.categories.div_ceil(32));
        let layout = Layout::new(&tensor, -1, WHAT)?;
        if !booleans.is_none() {
            let booleans: usize = integer(booleans, WHAT, u64::MAX)? as usize;
            if booleans != categories {
                return refused(format!(
                    "has {booleans} booleans for a row of {categories} categories"
                ));
            }
        } else if layout.categories < needed {
            return refused(format!(
                "has {} words of 32 bits for a row of {categories} categories, which needs {needed}",
                layout.categories
            ));
        }
        let (shape, words) = (layout.shape.clone(), layout.categories);
        let Some(layout) = layout.for_rows(&rows.shape) else {
            return refused(format!(
                "has masks of shape {}, which does not fit rows of shape {}",
                shape_words(&shape),
                shape_words(&rows.shape)
            ));
        };
        let (place, is_shared) = match layout.in_place::<u32>(&tensor) {
            Some((data, len, [stride, 1])) if rows.rows == 1 || stride == 0 || stride == words => {
                (Place::Borrowed(data, len), rows.rows == 1 || (stride == 0 && rows.rows > 0))
            }
            _ => match copied(tensor.data, &layout, Ok::<u32, String>) {
                Ok(words) => (Place::Copied(words), false),
                Err(_) => return Err(PyMemoryError::new_err("no memory for a copy of the masks")),
            },
        };
        let each = (!is_shared).then_some(words);
        Ok(Self { words: place, each, _owner: tensor.into_owner() })
    }

    fn of_rows(&self, rows: &Range<usize>) -> Allowed<'_> {
        let all = self.words.values();
        match self.each {
            None => Allowed::shared(all),
            Some(each) => Allowed::each(&all[rows.start * each..rows.end * each], each),
        }
    }
}
