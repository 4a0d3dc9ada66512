//! Numbers of draws that go on from call to call.

use std::sync::{Mutex, PoisonError};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::call::integer;

/// A seed, and the number of its next draw. Any number of threads may take numbers.
#[pyclass(frozen, module = "gumbelmax._lib")]
pub(crate) struct Sequence {
    sequence: Mutex<gumbel::Sequence>,
}

impl Sequence {
    fn with<R>(&self, what: impl FnOnce(&mut gumbel::Sequence) -> R) -> R {
        what(&mut self.sequence.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn refused(error: gumbel::Error) -> PyErr {
    match error {
        gumbel::Error::Draws { first_draw, draws: 1.. } => PyValueError::new_err(format!(
            "step must be from 0 to 2147483648 (2**31), got {first_draw}"
        )),
        other => PyValueError::new_err(other.to_string()),
    }
}

#[pymethods]
impl Sequence {
    #[new]
    fn new(seed: &Bound<'_, PyAny>, step: &Bound<'_, PyAny>) -> PyResult<Self> {
        let (seed, step) = (integer(seed, "seed", u64::MAX)?, integer(step, "step", u32::MAX)?);
        let sequence = gumbel::Sequence::at(seed, step).map_err(refused)?;
        Ok(Self { sequence: Mutex::new(sequence) })
    }

    /// The seed.
    #[getter]
    fn seed(&self) -> u64 {
        self.with(|sequence| sequence.seed())
    }

    /// The number of the next draw.
    #[getter]
    fn step(&self) -> u32 {
        self.with(|sequence| sequence.next_draw())
    }

    /// The number of the next draw, for a call of so many draws (None is 1). The sequence goes on behind them.
    fn take(&self, draws: &Bound<'_, PyAny>) -> PyResult<u32> {
        let draws = if draws.is_none() { 1 } else { integer(draws, "draws", u32::MAX)? };
        self.with(|sequence| sequence.take_draws(draws)).map_err(refused)
    }
}
