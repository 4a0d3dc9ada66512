//! The options of a call, as the Python part hands them over.

use gumbel::{Method, SampleOptions};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyFloat, PyInt, PyString, PyTuple};

use crate::adjust::{Adjustment, Offsets};
use crate::dlpack::Tensor;
use crate::error::shape_words;
use crate::restrict::Restriction;
use crate::rows::Rows;
use crate::strided::{Failure, Layout, floats, integers};

/// One value for all rows, or one for each.
pub(crate) enum PerRow<T> {
    One(T),
    Each(Vec<T>),
}

impl<T: Copy> PerRow<T> {
    /// The value of a row.
    pub(crate) fn of_row(&self, row: usize) -> T {
        match self {
            Self::One(value) => *value,
            Self::Each(values) => values[row],
        }
    }

    pub(crate) fn one(&self) -> Option<T> {
        if let Self::One(value) = self { Some(*value) } else { None }
    }

    pub(crate) fn part(&self, rows: &std::ops::Range<usize>) -> Option<&[T]> {
        if let Self::Each(values) = self { Some(&values[rows.clone()]) } else { None }
    }
}

/// The options of a call.
pub(crate) struct Call {
    seed: PerRow<u64>,
    step: PerRow<u32>,
    temperature: PerRow<f32>,
    ids: PerRow<u64>,
    /// The draws from each row.
    pub(crate) draws: u32,
    /// Whether they have an axis of the result.
    pub(crate) has_draws: bool,
    pub(crate) method: Method,
    mark: bool,
    pub(crate) device: String,
    restriction: Option<Restriction>,
    adjustment: Option<Adjustment>,
}

impl Call {
    /// The options in a tuple of seed, step, temperature, first row, row ids or None, draws or None, method, invalid,
    /// device, a restriction or None, and an adjustment or None, for an array of these rows.
    pub(crate) fn new(given: &Bound<'_, PyTuple>, rows: &Rows<'_>) -> PyResult<Self> {
        let shape = &rows.shape;
        let item = |i| given.get_borrowed_item(i);
        let ids = item(4)?;
        let ids = if ids.is_none() {
            PerRow::One(integer(&*item(3)?, "first_row", u64::MAX)?)
        } else {
            let shape = shape.as_slice();
            PerRow::Each(integers_of_rows(&ids, "row_ids", u64::MAX, shape)?)
        };
        let draws = item(5)?;
        let draws = if draws.is_none() { None } else { Some(integer(&draws, "draws", u32::MAX)?) };
        let method = draws_by(&text(&*item(6)?, "method")?)?;
        let invalid = text(&*item(7)?, "invalid")?;
        let mark = match invalid.as_str() {
            "raise" => false,
            "mark" => true,
            got => {
                let words = format!("invalid must be \"raise\" or \"mark\", got {got:?}");
                return Err(PyValueError::new_err(words));
            }
        };
        let restriction = item(9)?;
        let restriction = match restriction.is_none() {
            true => None,
            false => Some(Restriction::new(&*restriction.cast::<PyTuple>()?, rows)?),
        };
        let adjustment = item(10)?;
        let adjustment = match adjustment.is_none() {
            true => None,
            false => Some(Adjustment::new(&*adjustment.cast::<PyTuple>()?, rows)?),
        };
        let (has_draws, draws) = (draws.is_some(), draws.unwrap_or(1));
        Ok(Self {
            seed: per_row(&*item(0)?, "seed", u64::MAX, shape)?,
            step: per_row(&*item(1)?, "step", u32::MAX, shape)?,
            temperature: singles_of_rows(&*item(2)?, "temperature", shape)?,
            ids,
            draws,
            has_draws,
            method: method.resolve(rows.categories, draws),
            mark,
            device: text(&*item(8)?, "device")?,
            restriction,
            adjustment,
        })
    }

    /// What [`options`](Self::options) of some rows need memory for.
    pub(crate) fn offsets(&self, rows: &std::ops::Range<usize>) -> Result<Offsets, gumbel::Error> {
        self.adjustment.as_ref().map_or(Ok(Offsets::default()), |all| all.offsets(rows))
    }

    /// The options of some rows, of which these are the offsets, and of some of their draws, the first of which is `first`
    /// beyond the call's own.
    pub(crate) fn options<'a>(
        &'a self,
        rows: &std::ops::Range<usize>,
        offsets: &'a Offsets,
        draws: &std::ops::Range<u32>,
    ) -> SampleOptions<'a> {
        let start = rows.start as u64;
        let first = self.step.one().unwrap_or(0);
        let mut options = SampleOptions::default()
            .with_seed(self.seed.one().unwrap_or(0))
            .with_temperature(self.temperature.one().unwrap_or(1.0))
            .with_first_row(self.ids.one().unwrap_or(0).wrapping_add(start))
            .with_draws(draws.end - draws.start)
            // beyond the last draw it is an error, which adding up must not hide
            .with_first_draw(first.saturating_add(draws.start))
            .with_method(self.method)
            .with_sentinels(self.mark);
        if let Some(seeds) = self.seed.part(rows) {
            options = options.with_seeds(seeds);
        }
        if let Some(steps) = self.step.part(rows) {
            options = options.with_first_draws(steps);
        }
        if let Some(temperatures) = self.temperature.part(rows) {
            options = options.with_temperatures(temperatures);
        }
        if let Some(ids) = self.ids.part(rows) {
            options = options.with_row_ids(ids);
        }
        if let Some(restriction) = &self.restriction {
            options = restriction.on(options, rows);
        }
        if let Some(adjustment) = &self.adjustment {
            options = adjustment.on(options, rows, offsets);
        }
        options
    }

    /// Whether rows are drawn from otherwise than they are: adjusted, or not all of their categories.
    pub(crate) fn changes_rows(&self) -> bool {
        self.restriction.is_some() || self.adjustment.is_some()
    }

    /// What is added to the logits and taken from them.
    pub(crate) fn adjustment(&self) -> Option<&Adjustment> {
        self.adjustment.as_ref()
    }

    /// The axes of the result behind those of the rows.
    pub(crate) fn axis_of_draws(&self) -> Option<usize> {
        self.has_draws.then_some(self.draws as usize)
    }
}

fn draws_by(name: &str) -> PyResult<Method> {
    name.parse().map_err(|error: gumbel::Error| PyValueError::new_err(error.to_string()))
}

pub(crate) fn text(object: &Bound<'_, PyAny>, what: &str) -> PyResult<String> {
    match object.cast::<PyString>() {
        Ok(text) => Ok(text.to_cow()?.into_owned()),
        Err(_) => {
            let got = object.get_type().name()?;
            Err(PyTypeError::new_err(format!("{what} must be a str, got {got}")))
        }
    }
}

/// An integer from 0 to `most`.
pub(crate) fn integer<T>(object: &Bound<'_, PyAny>, what: &str, most: T) -> PyResult<T>
where
    T: TryFrom<u64> + Into<u64> + Copy,
{
    let words = || {
        let got =
            object.repr().map_or_else(|_| "something else".to_owned(), |repr| repr.to_string());
        format!("{what} must be an integer from 0 to {}, got {got}", most.into())
    };
    let value = object.extract::<u64>().map_err(|error| {
        if error.is_instance_of::<PyTypeError>(object.py()) {
            PyTypeError::new_err(words())
        } else {
            PyValueError::new_err(words())
        }
    })?;
    match T::try_from(value) {
        Ok(value) if value.into() <= most.into() => Ok(value),
        _ => Err(PyValueError::new_err(words())),
    }
}

/// Whether an object is for all rows, and no array.
fn is_single(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    if object.is_instance_of::<PyInt>() || object.is_instance_of::<PyFloat>() {
        return Ok(true);
    }
    // what has a length is a list or, as a series of pandas, an array that speaks no DLPack
    let is_text = object.is_instance_of::<PyString>() || object.is_instance_of::<PyBytes>();
    let is_array = object.hasattr(intern!(object.py(), "__dlpack__"))?
        || (object.hasattr(intern!(object.py(), "__len__"))? && !is_text);
    Ok(!is_array)
}

pub(crate) fn per_row<T>(
    object: &Bound<'_, PyAny>,
    what: &str,
    most: T,
    shape: &[usize],
) -> PyResult<PerRow<T>>
where
    T: TryFrom<u64> + Into<u64> + Copy,
{
    if is_single(object)? {
        integer(object, what, most).map(PerRow::One)
    } else {
        integers_of_rows(object, what, most, shape).map(PerRow::Each)
    }
}

fn integers_of_rows<T>(
    object: &Bound<'_, PyAny>,
    what: &str,
    most: T,
    shape: &[usize],
) -> PyResult<Vec<T>>
where
    T: TryFrom<u64> + Into<u64> + Copy,
{
    of_rows(object, what, shape, |tensor, layout| {
        integers(tensor, layout, |value| {
            let value = u64::try_from(value).ok().filter(|&value| value <= most.into());
            value
                .and_then(|value| T::try_from(value).ok())
                .ok_or_else(|| format!("{what} must be integers from 0 to {}", most.into()))
        })
    })
}

/// The nearest `f32`, but never 0 for another number: 0 has a meaning of its own, and the crate refuses what is next to it.
pub(crate) fn single(value: f64) -> f32 {
    match value as f32 {
        zero if zero == 0.0 && value != 0.0 => f32::from_bits(1).copysign(zero),
        single => single,
    }
}

/// A number for all rows, or one for each.
pub(crate) fn singles_of_rows(
    object: &Bound<'_, PyAny>,
    what: &str,
    shape: &[usize],
) -> PyResult<PerRow<f32>> {
    if is_single(object)? {
        let value: f64 = object.extract().map_err(|_| {
            let got = object.repr().map_or_else(|_| String::new(), |repr| repr.to_string());
            PyTypeError::new_err(format!("{what} must be a number, or one for each row, got {got}"))
        })?;
        return Ok(PerRow::One(single(value)));
    }
    let values = of_rows(object, what, shape, floats)?;
    Ok(PerRow::Each(values.into_iter().map(single).collect()))
}

/// A copy of an array, broadcast to the shape of the rows.
pub(crate) fn of_rows<T>(
    object: &Bound<'_, PyAny>,
    what: &str,
    shape: &[usize],
    copied: impl FnOnce(&Tensor<'_>, &Layout) -> Result<Vec<T>, Failure>,
) -> PyResult<Vec<T>> {
    of_elements(object, what, "rows", shape, copied)
}

/// A copy of an array, broadcast to the shape of what has an element of it each: rows, or something else.
pub(crate) fn of_elements<T>(
    object: &Bound<'_, PyAny>,
    what: &str,
    each: &str,
    shape: &[usize],
    copied: impl FnOnce(&Tensor<'_>, &Layout) -> Result<Vec<T>, Failure>,
) -> PyResult<Vec<T>> {
    let tensor = Tensor::new(object, what)?;
    let Some(layout) = Layout::broadcast(&tensor, shape) else {
        return Err(PyValueError::new_err(format!(
            "{what} of shape {} does not fit {each} of shape {}",
            shape_words(&tensor.shape),
            shape_words(shape)
        )));
    };
    copied(&tensor, &layout)
        .map_err(|failure| failure.to_python(what, |row| crate::error::row_words(row, shape)))
}
