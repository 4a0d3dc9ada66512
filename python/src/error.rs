//! The crate's errors as exceptions of Python, in Python's words.

use gumbel::Error;
use pyo3::PyErr;
use pyo3::exceptions::{PyMemoryError, PyRuntimeError, PyValueError};

/// The exception for an error of a call that had the rows from `first` on of an array. `shape` is that of the array
/// without its axis of categories.
pub(crate) fn to_python(error: Error, first: usize, shape: &[usize]) -> PyErr {
    let words = words(&error, first, shape);
    match error {
        Error::NoMemoryForSums { .. }
        | Error::NoMemoryForRows { .. }
        | Error::NoMemoryForRowIds { .. }
        | Error::NoMemoryForPoints { .. }
        | Error::TooManyDraws { .. }
        | Error::TooManySamples { .. }
        | Error::TopKTooLarge { .. }
        | Error::OutOfMemory { .. } => PyMemoryError::new_err(words),
        Error::DeviceLost { .. }
        | Error::Gpu { .. }
        | Error::MapFailed { .. }
        | Error::MissingFeature { .. }
        | Error::ShaderRefused { .. }
        | Error::SystemSeed { .. }
        | Error::Timeout { .. }
        | Error::UnsuitableAdapter { .. } => PyRuntimeError::new_err(words),
        _ => PyValueError::new_err(words),
    }
}

/// A row in words: its number, and its index where rows have more than one dimension.
pub(crate) fn row_words(row: usize, shape: &[usize]) -> String {
    if shape.len() < 2 {
        return format!("row {row}");
    }
    let (mut index, mut rest) = (Vec::new(), row);
    for &extent in shape.iter().rev() {
        index.push((rest % extent.max(1)).to_string());
        rest /= extent.max(1);
    }
    index.reverse();
    format!("row {row} (index ({}) of rows of shape {})", index.join(", "), shape_words(shape))
}

/// A shape as Python writes it.
pub(crate) fn shape_words(shape: &[usize]) -> String {
    match shape {
        [one] => format!("({one},)"),
        all => format!("({})", all.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")),
    }
}

fn words(error: &Error, first: usize, shape: &[usize]) -> String {
    match error {
        Error::UndrawableRow { row, reason } => {
            format!("{} has no draw: {reason}", row_words(first + row, shape))
        }
        Error::OfRow { row, error } => {
            format!("{}: {}", row_words(first + row, shape), words(error, 0, &[]))
        }
        Error::Draws { first_draw, draws } if *draws > 0 => {
            format!("step + draws must not exceed 2147483648 (2**31), got {first_draw} + {draws}")
        }
        // the name of a cut in the crate, "top-k", is the option's but for the dash
        Error::Truncation { what, .. } => error.to_string().replace(
            what,
            &what.replace("the temperature of a cut", "cut_temperature").replace('-', "_"),
        ),
        Error::NeedsGumbel { operation } => format!(
            "{operation} needs method=\"gumbel\", got an inverse CDF (or \"auto\", which is that for so many draws)"
        ),
        Error::OptionsOfRows { .. } => {
            "InverseCdf takes one seed, one temperature and one step for all rows".to_owned()
        }
        Error::NoMemoryForSums { categories, bytes } => format!(
            "the sums of rows of {categories} categories need {bytes} bytes, which are not to be had; \
             method=\"gumbel\" needs none"
        ),
        Error::TopKTooLarge { races, k } => {
            format!("the first {k} categories of each of {races} races do not fit into memory")
        }
        Error::OutOfMemory { adapter, while_doing, .. } => {
            format!("{adapter} ran out of memory while {while_doing}; try device=\"cpu\"")
        }
        Error::DeviceLost { adapter, while_doing, reason } => format!(
            "the device of {adapter} was lost while {while_doing}: {reason}; draw with device=\"cpu\""
        ),
        Error::Timeout { adapter, while_doing, timeout } => format!(
            "{adapter} did not finish {while_doing} within {timeout:?}; draw with device=\"cpu\""
        ),
        Error::RowTooLong { operation, categories, most } => format!(
            "rows of {categories} categories are too long for {operation} on this device, which has room for {most}; \
             try device=\"cpu\""
        ),
        Error::ShaderRefused { adapter, shader, message } => format!(
            "{adapter} refused {shader}; try a newer driver or device=\"cpu\", and please report it, with these words: \
             {message}"
        ),
        other => other.to_string(),
    }
}
