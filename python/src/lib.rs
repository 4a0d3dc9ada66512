//! `gumbelmax._lib`: the crate gumbel for Python.
//!
//! Thin on purpose. What users call, with defaults, documentation and types, is the Python package around it, whose
//! stubs (`_lib.pyi`) describe this module. From the ground up:
//!
//! | module | contents |
//! |---|---|
//! | `dlpack`, `strided`, `rows` | arrays of any library, and their rows |
//! | `numpy` | results |
//! | `engines` | threads and devices of this process |
//! | `call`, `restrict`, `adjust`, `error`, `pieces` | options, exceptions, and how a long call is divided |
//! | `draws`, `sums`, `log_prob`, `soften`, `inverse_cdf`, `particles`, `sequence` | the operations |
//!
//! `dlpack` reads arrays of any library. `strided` and `rows` see arrays as rows, and copy only what the crate cannot read in
//! place. `pieces` hands each operation's rows and options over in pieces, so that Ctrl-C ends a long call. `engines` keeps threads
//! and devices, which a forked process begins anew. The modules of `python/gumbelmax` for PyTorch, HF transformers, JAX, Arrow,
//! Dask and Ray are Python over the same functions, and `_batches.py` has the one function that all cluster engines map.

use pyo3::prelude::*;

mod adjust;
mod call;
mod dlpack;
mod draws;
mod engines;
mod error;
mod inverse_cdf;
mod log_prob;
mod numpy;
mod particles;
mod pieces;
mod restrict;
mod rows;
mod sequence;
mod soften;
mod strided;
mod sums;

/// Sets the number of threads of the calls to come; 0 for all cores.
#[pyfunction]
fn set_num_threads(py: Python<'_>, threads: &Bound<'_, PyAny>) -> PyResult<()> {
    let threads = usize::from(call::integer(threads, "threads", u16::MAX)?);
    py.detach(|| engines::set_threads(threads))
}

/// The number of threads that long calls take.
#[pyfunction]
fn get_num_threads() -> PyResult<usize> {
    Ok(engines::engines()?.threads())
}

/// The names of the devices of this machine.
#[pyfunction]
fn devices(py: Python<'_>) -> Vec<String> {
    py.detach(engines::devices)
}

#[pymodule]
mod _lib {
    #[pymodule_export]
    use super::draws::{race, sample, sample_scored};
    #[pymodule_export]
    use super::inverse_cdf::Table;
    #[pymodule_export]
    use super::log_prob::log_prob;
    #[pymodule_export]
    use super::particles::Particles;
    #[pymodule_export]
    use super::sequence::Sequence;
    #[pymodule_export]
    use super::soften::{gumbel_softmax, gumbel_softmax_vjp};
    #[pymodule_export]
    use super::sums::{cuts, estimate_log_z, logsumexp};
    #[pymodule_export]
    use super::{devices, get_num_threads, set_num_threads};

    #[pymodule_export]
    #[allow(non_upper_case_globals, reason = "the name that Python has for it")]
    const __version__: &str = env!("CARGO_PKG_VERSION");
}
