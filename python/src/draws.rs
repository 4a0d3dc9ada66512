//! Draws, alone and with their log-probabilities, and races.

use gumbel::{Error, LogProbsOf, NO_DRAW};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::call::{Call, integer};
use crate::numpy::{self, Output};
use crate::pieces::{Cost, Cut, in_pieces};
use crate::restrict::log_probs_of;
use crate::rows::{Kind, Rows};

/// A type in which indices of categories are returned.
pub(crate) trait Index: numpy::Result + Send {
    /// The most categories whose indices it has.
    const CATEGORIES: u64;
    /// A draw, or −1 (all ones) for none.
    fn of(draw: u32) -> Self;
}

impl Index for i64 {
    const CATEGORIES: u64 = u32::MAX as u64;
    fn of(draw: u32) -> Self {
        if draw == NO_DRAW { -1 } else { Self::from(draw) }
    }
}

impl Index for i32 {
    const CATEGORIES: u64 = 1 << 31;
    fn of(draw: u32) -> Self {
        draw as Self
    }
}

impl Index for u32 {
    const CATEGORIES: u64 = u32::MAX as u64;
    fn of(draw: u32) -> Self {
        draw
    }
}

/// Evaluates an expression with `$type` as the type of indices that has this name.
macro_rules! with_index {
    ($dtype:expr, $type:ident => $do:expr) => {
        match $dtype {
            "int64" => {
                type $type = i64;
                $do
            }
            "int32" => {
                type $type = i32;
                $do
            }
            "uint32" => {
                type $type = u32;
                $do
            }
            got => Err(PyValueError::new_err(format!(
                "dtype must be \"int64\", \"int32\" or \"uint32\", got {got:?}"
            ))),
        }
    };
}
pub(crate) use with_index;

/// The rows and the options of a call.
pub(crate) fn given<'py>(
    values: &Bound<'py, PyAny>,
    axis: isize,
    weights: bool,
    call: &Bound<'py, PyTuple>,
) -> PyResult<(Rows<'py>, Call)> {
    let kind = if weights { Kind::Weights } else { Kind::Logits };
    let rows = Rows::new(values, axis, kind)?;
    rows.check()?;
    let call = Call::new(call, &rows)?;
    Ok((rows, call))
}

/// Checks that indices of so many categories have the type.
pub(crate) fn check_index<T: Index>(categories: usize) -> PyResult<()> {
    if categories as u64 > T::CATEGORIES {
        let most = T::CATEGORIES;
        return Err(PyValueError::new_err(format!(
            "dtype \"int32\" has indices of {most} categories, got {categories}; take \"int64\""
        )));
    }
    Ok(())
}

/// Memory for `len` draws, from call to call the same.
pub(crate) fn lengthen(draws: &mut Vec<u32>, len: usize) -> Result<(), Error> {
    draws.clear();
    draws.try_reserve_exact(len).map_err(|_| Error::TooManyDraws { rows: len, draws: 1 })?;
    draws.resize(len, NO_DRAW);
    Ok(())
}

/// Writes draws as indices.
pub(crate) fn write<T: Index>(draws: &[u32], to: &mut [T]) {
    for (to, &draw) in to.iter_mut().zip(draws) {
        *to = T::of(draw);
    }
}

/// Draws: an array of the rows' shape, and of the draws.
#[pyfunction]
pub(crate) fn sample<'py>(
    values: &Bound<'py, PyAny>,
    axis: isize,
    weights: bool,
    call: &Bound<'py, PyTuple>,
    dtype: &str,
) -> PyResult<Bound<'py, PyAny>> {
    let (rows, call) = given(values, axis, weights, call)?;
    with_index!(dtype, Index => draws_of::<Index>(values.py(), &rows, &call))
}

fn draws_of<'py, T: Index>(
    py: Python<'py>,
    rows: &Rows<'py>,
    call: &Call,
) -> PyResult<Bound<'py, PyAny>> {
    check_index::<T>(rows.categories)?;
    let mut output = Output::<T>::new(py, &rows.shape, call.axis_of_draws().as_slice())?;
    let (all, mut draws) = (output.values(), Vec::new());
    in_pieces(
        py,
        rows,
        call,
        (Cost::Reading, Cut::RowsAndDraws),
        |sampler, batch, options, piece| {
            let to = &mut all[piece.results(call.draws, 1)];
            lengthen(&mut draws, to.len())?;
            sampler.sample_rows_into(batch, options, &mut draws)?;
            write(&draws, to);
            Ok(())
        },
    )?;
    output.into_array()
}

/// Draws, their log-probabilities, and the logsumexp of each row.
#[pyfunction]
pub(crate) fn sample_scored<'py>(
    values: &Bound<'py, PyAny>,
    axis: isize,
    weights: bool,
    call: &Bound<'py, PyTuple>,
    dtype: &str,
    of: &Bound<'py, PyAny>,
) -> PyResult<[Bound<'py, PyAny>; 3]> {
    let of = log_probs_of(of)?;
    let (rows, call) = given(values, axis, weights, call)?;
    with_index!(dtype, Index => scored::<Index>(values.py(), &rows, &call, of))
}

fn scored<'py, T: Index>(
    py: Python<'py>,
    rows: &Rows<'py>,
    call: &Call,
    of: LogProbsOf,
) -> PyResult<[Bound<'py, PyAny>; 3]> {
    check_index::<T>(rows.categories)?;
    let axis = call.axis_of_draws();
    let mut indices = Output::<T>::new(py, &rows.shape, axis.as_slice())?;
    let mut log_probs = Output::<f64>::new(py, &rows.shape, axis.as_slice())?;
    let mut sums = Output::<f64>::new(py, &rows.shape, &[])?;
    let (all, all_probs, all_sums) = (indices.values(), log_probs.values(), sums.values());
    let mut draws = Vec::new();
    in_pieces(
        py,
        rows,
        call,
        (Cost::Reading, Cut::RowsAndDraws),
        |sampler, batch, options, piece| {
            let at = piece.results(call.draws, 1);
            let (to, log_probs) = (&mut all[at.clone()], &mut all_probs[at]);
            lengthen(&mut draws, to.len())?;
            let sums = &mut all_sums[piece.rows.clone()];
            let options = options.with_log_probs_of(of);
            sampler.sample_rows_scored_into(batch, &options, &mut draws, log_probs, sums)?;
            write(&draws, to);
            Ok(())
        },
    )?;
    Ok([indices.into_array()?, log_probs.into_array()?, sums.into_array()?])
}

/// The first `k` categories of each race, their times, and their perturbed logits.
#[pyfunction]
pub(crate) fn race<'py>(
    values: &Bound<'py, PyAny>,
    axis: isize,
    weights: bool,
    call: &Bound<'py, PyTuple>,
    dtype: &str,
    k: &Bound<'py, PyAny>,
) -> PyResult<[Bound<'py, PyAny>; 3]> {
    let (rows, call) = given(values, axis, weights, call)?;
    let k = integer(k, "k", u32::MAX)? as usize;
    with_index!(dtype, Index => raced::<Index>(values.py(), &rows, &call, k))
}

fn raced<'py, T: Index>(
    py: Python<'py>,
    rows: &Rows<'py>,
    call: &Call,
    k: usize,
) -> PyResult<[Bound<'py, PyAny>; 3]> {
    check_index::<T>(rows.categories)?;
    if k == 0 {
        return Err(rows.error(Error::ZeroK, 0));
    }
    let axes: Vec<usize> = call.axis_of_draws().into_iter().chain([k]).collect();
    let mut categories = Output::<T>::new(py, &rows.shape, &axes)?;
    let mut times = Output::<f64>::new(py, &rows.shape, &axes)?;
    let mut perturbed = Output::<f64>::new(py, &rows.shape, &axes)?;
    let (all, all_times, all_perturbed) = (categories.values(), times.values(), perturbed.values());
    in_pieces(
        py,
        rows,
        call,
        (Cost::Reading, Cut::RowsAndDraws),
        |sampler, batch, options, piece| {
            let at = piece.results(call.draws, k);
            let top = sampler.race_rows(batch, options, k)?;
            write(top.categories(), &mut all[at.clone()]);
            for (to, perturbed) in all_perturbed[at.clone()].iter_mut().zip(top.perturbed_logits())
            {
                *to = perturbed;
            }
            for (to, time) in all_times[at].iter_mut().zip(top.times()) {
                *to = time;
            }
            Ok(())
        },
    )?;
    Ok([categories.into_array()?, times.into_array()?, perturbed.into_array()?])
}
