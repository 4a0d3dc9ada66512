//! Particles, to be resampled.

use gumbel::{Error, Resampling, SampleOptions, Undrawable};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::call::{integer, of_elements, of_rows};
use crate::dlpack::Tensor;
use crate::draws::{Index, lengthen, with_index, write};
use crate::engines::engines;
use crate::error::{shape_words, to_python};
use crate::numpy::Output;
use crate::pieces::at_once;
use crate::strided::{floats, integers};

/// Particles with weights.
#[pyclass(frozen, module = "gumbelmax._lib")]
pub(crate) struct Particles {
    particles: gumbel::Particles,
}

#[pymethods]
impl Particles {
    #[new]
    fn new(log_weights: &Bound<'_, PyAny>) -> PyResult<Self> {
        const WHAT: &str = "log_weights";
        let shape = Tensor::new(log_weights, WHAT)?.shape;
        if shape.len() != 1 {
            return Err(PyValueError::new_err(format!(
                "{WHAT}: expected one dimension, a log-weight for each particle, got the shape {}",
                shape_words(&shape)
            )));
        }
        let values = of_rows(log_weights, WHAT, &shape, floats)?;
        let weighed = at_once(log_weights.py(), || gumbel::Particles::new(&values))?;
        Ok(Self { particles: weighed.map_err(refused)? })
    }

    fn __len__(&self) -> usize {
        self.particles.len()
    }

    /// (Σw)²/Σw².
    #[getter]
    fn effective_sample_size(&self) -> f64 {
        self.particles.effective_sample_size()
    }

    /// ln Σw.
    #[getter]
    fn logsumexp(&self) -> f64 {
        self.particles.logsumexp()
    }

    /// The ancestor of each of `positions` positions.
    #[allow(
        clippy::too_many_arguments,
        reason = "they are the options of a call, from a layer that names them"
    )]
    fn resample<'py>(
        &self,
        py: Python<'py>,
        scheme: &str,
        seed: &Bound<'py, PyAny>,
        step: &Bound<'py, PyAny>,
        first_row: &Bound<'py, PyAny>,
        row_ids: &Bound<'py, PyAny>,
        positions: &Bound<'py, PyAny>,
        dtype: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        let scheme = match scheme {
            "systematic" => Resampling::Systematic,
            "stratified" => Resampling::Stratified,
            "residual" => Resampling::Residual,
            got => {
                return Err(PyValueError::new_err(format!(
                    "scheme must be \"systematic\", \"stratified\" or \"residual\", got {got:?}"
                )));
            }
        };
        let positions = match positions.is_none() {
            true => self.particles.len(),
            false => integer(positions, "positions", u32::MAX)? as usize,
        };
        let options = SampleOptions::default()
            .with_seed(integer(seed, "seed", u64::MAX)?)
            .with_first_draw(integer(step, "step", u32::MAX)?);
        let ids = match row_ids.is_none() {
            true => None,
            false => Some(of_elements(
                row_ids,
                "row_ids",
                "positions",
                &[positions],
                |tensor, layout| {
                    integers(tensor, layout, |id| {
                        u64::try_from(id)
                            .map_err(|_| format!("row_ids must not be negative, got {id}"))
                    })
                },
            )?),
        };
        let options = match &ids {
            Some(ids) => options.with_row_ids(ids),
            None => options.with_first_row(integer(first_row, "first_row", u64::MAX)?),
        };
        with_index!(dtype, Index => self.ancestors::<Index>(py, scheme, &options, positions))
    }
}

impl Particles {
    fn ancestors<'py, T: Index>(
        &self,
        py: Python<'py>,
        scheme: Resampling,
        options: &SampleOptions<'_>,
        positions: usize,
    ) -> PyResult<Bound<'py, PyAny>> {
        let mut output = Output::<T>::new(py, &[positions], &[])?;
        let (to, mut ancestors, engines) = (output.values(), Vec::new(), engines()?);
        let outcome = at_once(py, || {
            lengthen(&mut ancestors, positions)?;
            let engine = engines.engine("cpu", 0)?;
            engine.install(|| self.particles.resample_into(scheme, options, &mut ancestors))?;
            write(&ancestors, to);
            Ok(())
        })?;
        outcome.map_err(refused)?;
        output.into_array()
    }
}

/// The crate's error in words of particles.
fn refused(error: Error) -> PyErr {
    let words = |words: String| PyValueError::new_err(words);
    match error {
        Error::Categories { got } => {
            words(format!("there must be 1 to 4294967295 particles, got {got}"))
        }
        Error::UndrawableRow { reason, .. } => words(match reason {
            Undrawable::Nan { category } => format!("the log-weight of particle {category} is NaN"),
            Undrawable::PositiveInfinity { category } => {
                format!("the log-weight of particle {category} is +infinity")
            }
            _ => "all log-weights are -infinity".to_owned(),
        }),
        other => to_python(other, 0, &[]),
    }
}
