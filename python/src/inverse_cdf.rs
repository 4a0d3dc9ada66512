//! Tables for very many draws from the same rows.

use gumbel::Error;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::call::integer;
use crate::draws::{Index, check_index, given, lengthen, with_index, write};
use crate::engines::{check_device, engines};
use crate::numpy::Output;
use crate::pieces::at_once;

/// Draws from so many rows and draws at most are made on the thread of the call.
const FEW: usize = 1 << 12;
/// The most draws between two looks for Ctrl-C.
const AT_ONCE: usize = 1 << 24;

/// Rows whose weights are added up.
#[pyclass(frozen, module = "gumbelmax._lib")]
pub(crate) struct Table {
    cdf: gumbel::InverseCdf,
    shape: Vec<usize>,
}

#[pymethods]
impl Table {
    #[new]
    fn new(
        values: &Bound<'_, PyAny>,
        axis: isize,
        weights: bool,
        call: &Bound<'_, PyTuple>,
    ) -> PyResult<Self> {
        let (rows, call) = given(values, axis, weights, call)?;
        check_device(&call.device)?;
        let (source, engines, count) = (rows.source(), engines()?, rows.rows);
        let work = (rows.rows as u64).saturating_mul(rows.categories as u64);
        let built = at_once(values.py(), || {
            let engine = engines.without_pool(engines.engine(&call.device, work)?);
            let offsets = call.offsets(&(0..count))?;
            let options = call.options(&(0..count), &offsets, &(0..1));
            let batch = source.part(0..count)?;
            engine.install(|| engine.sampler.inverse_cdf(batch, &options))
        })?;
        let cdf = built.map_err(|error| rows.error(error, 0))?;
        Ok(Self { cdf, shape: rows.shape.clone() })
    }

    /// The number of categories of a row.
    #[getter]
    fn categories(&self) -> usize {
        self.cdf.categories()
    }

    /// The shape of the array without its axis of categories.
    #[getter]
    fn shape<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, &self.shape)
    }

    /// Draws from each row: an array of the shape of the rows, and of the draws.
    fn sample<'py>(
        &self,
        py: Python<'py>,
        step: &Bound<'py, PyAny>,
        draws: &Bound<'py, PyAny>,
        dtype: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        let step = integer(step, "step", u32::MAX)?;
        let axis = match draws.is_none() {
            true => None,
            false => Some(integer(draws, "draws", u32::MAX)?),
        };
        with_index!(dtype, Index => self.draw::<Index>(py, step, axis))
    }
}

impl Table {
    fn draw<'py, T: Index>(
        &self,
        py: Python<'py>,
        step: u32,
        axis: Option<u32>,
    ) -> PyResult<Bound<'py, PyAny>> {
        check_index::<T>(self.cdf.categories())?;
        let draws = axis.unwrap_or(1);
        let more: Vec<usize> = axis.map(|draws| draws as usize).into_iter().collect();
        let mut output = Output::<T>::new(py, &self.shape, &more)?;
        let all = output.values();
        let error = |error| crate::error::to_python(error, 0, &self.shape);
        // checks the numbers of all draws
        if draws == 0 || step.checked_add(draws).is_none_or(|end| end > 1 << 31) {
            return Err(error(Error::Draws { first_draw: step, draws }));
        }
        let engine = engines()?.engine("cpu", 0).map_err(error)?;
        // the draws of a single row can be divided, and those of several lie row by row
        let most = if self.cdf.rows() == 1 { AT_ONCE } else { usize::MAX };
        let (mut drawn, mut first) = (Vec::new(), step);
        for part in all.chunks_mut(most) {
            let outcome = at_once(py, || {
                lengthen(&mut drawn, part.len())?;
                let mut draw = || self.cdf.sample_rows_into(first, &mut drawn);
                if part.len() <= FEW {
                    draw()?
                } else {
                    engine.install(draw)?
                }
                write(&drawn, part);
                Ok(())
            })?;
            outcome.map_err(error)?;
            first = first.saturating_add(part.len() as u32);
        }
        output.into_array()
    }
}
