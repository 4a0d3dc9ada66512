//! Normalisers of rows, computed and estimated by races, and where rows are cut.

use gumbel::LogZ;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::draws::given;
use crate::numpy::Output;
use crate::pieces::{Cost, Cut, in_pieces};

/// log Z of each row.
#[pyfunction]
pub(crate) fn logsumexp<'py>(
    values: &Bound<'py, PyAny>,
    axis: isize,
    weights: bool,
    call: &Bound<'py, PyTuple>,
) -> PyResult<Bound<'py, PyAny>> {
    let (rows, call) = given(values, axis, weights, call)?;
    let py = values.py();
    let mut output = Output::<f64>::new(py, &rows.shape, &[])?;
    let all = output.values();
    in_pieces(py, &rows, &call, (Cost::Reading, Cut::Rows), |sampler, batch, options, piece| {
        sampler.logsumexp_rows_into(batch, options, &mut all[piece.rows.clone()])
    })?;
    output.into_array()
}

/// Where each row is cut: the least value that is kept, how many categories are, and their share of the probability.
#[pyfunction]
pub(crate) fn cuts<'py>(
    values: &Bound<'py, PyAny>,
    axis: isize,
    weights: bool,
    call: &Bound<'py, PyTuple>,
) -> PyResult<[Bound<'py, PyAny>; 3]> {
    let (rows, call) = given(values, axis, weights, call)?;
    let py = values.py();
    let mut thresholds = Output::<f64>::new(py, &rows.shape, &[])?;
    let mut kept = Output::<i64>::new(py, &rows.shape, &[])?;
    let mut shares = Output::<f64>::new(py, &rows.shape, &[])?;
    let (all, all_kept, all_shares) = (thresholds.values(), kept.values(), shares.values());
    in_pieces(py, &rows, &call, (Cost::Reading, Cut::Rows), |sampler, batch, options, piece| {
        let at = piece.rows.clone();
        for (cut, row) in sampler.cut_rows(batch, options)?.into_iter().zip(at) {
            (all[row], all_kept[row], all_shares[row]) =
                (cut.threshold, cut.kept.into(), cut.share);
        }
        Ok(())
    })?;
    Ok([thresholds.into_array()?, kept.into_array()?, shares.into_array()?])
}

/// An estimate of log Z of each row, and its standard error.
#[pyfunction]
pub(crate) fn estimate_log_z<'py>(
    values: &Bound<'py, PyAny>,
    axis: isize,
    weights: bool,
    call: &Bound<'py, PyTuple>,
) -> PyResult<[Bound<'py, PyAny>; 2]> {
    let (rows, call) = given(values, axis, weights, call)?;
    let py = values.py();
    let mut estimates = Output::<f64>::new(py, &rows.shape, &[])?;
    let mut errors = Output::<f64>::new(py, &rows.shape, &[])?;
    let (all, all_errors) = (estimates.values(), errors.values());
    in_pieces(py, &rows, &call, (Cost::Reading, Cut::Rows), |sampler, batch, options, piece| {
        let found = sampler.estimate_log_z(batch, options)?;
        let to = all[piece.rows.clone()].iter_mut().zip(&mut all_errors[piece.rows.clone()]);
        for ((to, to_error), LogZ { estimate, standard_error, .. }) in to.zip(found) {
            (*to, *to_error) = (estimate, standard_error);
        }
        Ok(())
    })?;
    Ok([estimates.into_array()?, errors.into_array()?])
}
