//! Soft samples, and gradients through them.

use gumbel::{Batch, Error, Logits, Relaxation};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::call::{of_elements, single};
use crate::draws::given;
use crate::numpy::Output;
use crate::pieces::{Cost, Cut, in_pieces};
use crate::strided::singles;

/// The rows of a piece, which are logits.
fn logits(batch: Batch<'_>) -> Result<Logits<'_>, Error> {
    // rows are taken as logits above, so that there is no other case
    batch.logits().ok_or(Error::Categories { got: 0 })
}

fn relaxation(tau: f64, hard: bool) -> Relaxation {
    Relaxation::soft(single(tau)).with_hard(hard)
}

/// Samples: an array of the rows' shape, of the draws, and of the categories.
#[pyfunction]
pub(crate) fn gumbel_softmax<'py>(
    values: &Bound<'py, PyAny>,
    axis: isize,
    call: &Bound<'py, PyTuple>,
    tau: f64,
    hard: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let (rows, call) = given(values, axis, false, call)?;
    let (py, each) = (values.py(), rows.categories);
    let axes: Vec<usize> = call.axis_of_draws().into_iter().chain([each]).collect();
    let mut output = Output::<f32>::new(py, &rows.shape, &axes)?;
    let all = output.values();
    let cost = (Cost::Softening, Cut::RowsAndDraws);
    in_pieces(py, &rows, &call, cost, |sampler, batch, options, piece| {
        let to = &mut all[piece.results(call.draws, each)];
        sampler.soften_rows_into(logits(batch)?, options, relaxation(tau, hard), to)
    })?;
    output.into_array()
}

/// The derivatives of a loss by the logits, of the rows' shape and of the categories. `cotangents` has the derivatives
/// by the samples: their categories lie along `axis`, unless there is an axis of draws, behind which they are.
#[pyfunction]
pub(crate) fn gumbel_softmax_vjp<'py>(
    values: &Bound<'py, PyAny>,
    axis: isize,
    call: &Bound<'py, PyTuple>,
    tau: f64,
    hard: bool,
    cotangents: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let (rows, call) = given(values, axis, false, call)?;
    let (py, each) = (values.py(), rows.categories);
    let of_row = each.saturating_mul(call.draws as usize);
    // with an axis of draws, categories are behind that; without, they are where those of the logits are
    let (mut shape, last) = (rows.shape.clone(), rows.shape.len());
    shape.extend(call.axis_of_draws());
    let at = match shape.len() == last {
        true => {
            if axis < 0 {
                last.saturating_add_signed(axis + 1)
            } else {
                axis.unsigned_abs()
            }
        }
        false => last + 1,
    };
    shape.insert(at, each);
    let cotangents = of_elements(cotangents, "cotangents", "samples", &shape, |tensor, layout| {
        singles(tensor, &layout.with_last(at))
    })?;
    let mut output = Output::<f32>::new(py, &rows.shape, &[each])?;
    let all = output.values();
    in_pieces(py, &rows, &call, (Cost::Softening, Cut::Rows), |sampler, batch, options, piece| {
        let at = |row: usize| row * each;
        let to = &mut all[at(piece.rows.start)..at(piece.rows.end)];
        let of = &cotangents[piece.rows.start * of_row..piece.rows.end * of_row];
        sampler.soften_rows_vjp_into(logits(batch)?, options, relaxation(tau, hard), of, to)
    })?;
    output.into_array()
}
