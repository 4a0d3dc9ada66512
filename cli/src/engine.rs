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

/// Opens the sampler that the user asked for, for so many values if that is known. A named adapter is a GPU, so it needs
/// no `--engine`. A batch that is too small for a GPU needs none to be looked for, which takes longer than the draws.
pub(crate) fn open(place: &Where, values: Option<u64>) -> Result<Sampler, Error> {
    check(place)?;
    if place.engine == Engine::Auto && is_small(place, values) {
        return Ok(CpuSampler::new().into());
    }
    match (place.engine, &place.adapter) {
        (_, Some(name)) => Ok(GpuSampler::builder().with_adapter(name).build()?.into()),
        (Engine::Cpu, None) => Ok(CpuSampler::new().into()),
        (Engine::Auto, None) => Ok(Sampler::auto()),
        (Engine::Gpu, None) => Ok(GpuSampler::new()?.into()),
    }
}

/// Whether there are so few values that a GPU would have none of them.
fn is_small(place: &Where, values: Option<u64>) -> bool {
    place.adapter.is_none() && values.is_some_and(|values| values < Sampler::GPU_FROM)
}

/// Prints which sampler was taken, if the choice was left to gumbel.
pub(crate) fn tell(sampler: &Sampler, place: &Where, values: Option<u64>, quiet: bool) {
    if quiet || place.engine != Engine::Auto || place.adapter.is_some() {
        return;
    }
    let reason = if is_small(place, values) {
        format!("fewer than {} values are drawn from as fast there", Sampler::GPU_FROM)
    } else {
        one_line(sampler.reason())
    };
    say(&format!("--engine auto took the {sampler}: {reason}"));
}
