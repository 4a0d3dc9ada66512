//! How a sampler on the CPU is set up.

use std::sync::Arc;

use rayon::ThreadPool;

use super::CpuSampler;
use crate::cpu::{Cpu, Isa};
use crate::error::Error;

/// The name of the CPU engine.
pub(super) const NAME: &str = "CPU engine";

impl CpuSampler {
    /// A sampler with the widest vector instructions that this machine has, on all threads of the [rayon] pool that is
    /// current when a call is made.
    pub fn new() -> Self {
        Self { engine: Cpu::new() }
    }

    /// Uses these vector instructions; the draws are the same.
    ///
    /// # Errors
    /// [`Error::Isa`] if this machine lacks them.
    pub fn with_isa(self, isa: Isa) -> Result<Self, Error> {
        if isa.is_available() {
            Ok(Self { engine: Cpu { isa, ..self.engine } })
        } else {
            Err(Error::Isa { isa: isa.name() })
        }
    }

    /// Runs calls on the threads of this pool instead of the pool that is current when a call is made.
    #[must_use]
    pub fn with_pool(self, pool: Arc<ThreadPool>) -> Self {
        Self { engine: Cpu { pool: Some(pool), ..self.engine } }
    }

    /// With `false`, evaluates the noise of every category instead of filtering first. The draws are the same, as a
    /// test checks; on long rows calls are many times slower.
    #[must_use]
    pub fn with_filter(self, filter: bool) -> Self {
        Self { engine: Cpu { filter, ..self.engine } }
    }

    /// The vector instructions in use.
    pub fn isa(&self) -> Isa {
        self.engine.isa
    }
}

impl Default for CpuSampler {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Display for CpuSampler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(NAME)
    }
}
