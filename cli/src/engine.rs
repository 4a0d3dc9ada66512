//! From `--engine` and `--adapter` to a sampler.

use gumbel::{CpuSampler, GpuSampler, Sampler};

use crate::args::{CPU_HAS_NO_ADAPTER, Engine};
use crate::error::Error;

/// The sampler that was asked for. A named adapter is a GPU, so it needs no `--engine`.
pub(crate) fn open(engine: Engine, adapter: Option<&str>) -> Result<Sampler, Error> {
    match (engine, adapter) {
        (Engine::Cpu, Some(_)) => Err(Error::Usage(CPU_HAS_NO_ADAPTER.to_owned())),
        (Engine::Cpu, None) => Ok(CpuSampler::new().into()),
        (Engine::Auto, None) => Ok(Sampler::auto()),
        (Engine::Gpu, None) => Ok(GpuSampler::new()?.into()),
        (_, Some(name)) => Ok(GpuSampler::builder().with_adapter(name).build()?.into()),
    }
}
