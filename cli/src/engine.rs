//! Turns `--engine` and `--adapter` into a sampler.

use gumbel::{CpuSampler, GpuSampler, Sampler};

use crate::args::{CPU_HAS_NO_ADAPTER, Engine, Where};
use crate::error::Error;
use crate::{one_line, say};

/// Refuses options that no machine can satisfy.
pub(crate) fn check(place: &Where) -> Result<(), Error> {
    if place.engine == Engine::Cpu && place.adapter.is_some() {
        return Err(Error::Usage(CPU_HAS_NO_ADAPTER.to_owned()));
    }
    Ok(())
}

/// Opens the sampler that the user asked for. A named adapter is a GPU, so it needs no `--engine`.
pub(crate) fn open(place: &Where) -> Result<Sampler, Error> {
    check(place)?;
    match (place.engine, &place.adapter) {
        (_, Some(name)) => Ok(GpuSampler::builder().with_adapter(name).build()?.into()),
        (Engine::Cpu, None) => Ok(CpuSampler::new().into()),
        (Engine::Auto, None) => Ok(Sampler::auto()),
        (Engine::Gpu, None) => Ok(GpuSampler::new()?.into()),
    }
}

/// Prints which sampler was taken, if the choice was left to gumbel.
pub(crate) fn tell(sampler: &Sampler, place: &Where) {
    if place.engine == Engine::Auto && place.adapter.is_none() {
        say(&format!("--engine auto took the {sampler}: {}", one_line(sampler.reason())));
    }
}
