//! The engines that a [`Sampler`](crate::Sampler) draws on.
//!
//! Code that takes any sampler is generic over [`Engine`], or over [`Blocking`] if it calls methods that wait for
//! results:
//!
//! ```
//! use gumbel::engine::Blocking;
//! use gumbel::{CpuSampler, Error, Logits, SampleOptions, Sampler};
//! fn coin<E: Blocking>(sampler: &Sampler<E>, seed: u64) -> Result<bool, Error> {
//!     let options = SampleOptions::default().with_seed(seed);
//!     Ok(sampler.sample_rows(Logits::new(&[0.0, 0.0], 2)?, &options)? == [1])
//! }
//! assert_eq!(coin(&CpuSampler::new(), 7)?, coin(&Sampler::auto(), 7)?);
//! # Ok::<(), gumbel::Error>(())
//! ```

pub use crate::cpu::Cpu;
#[cfg(feature = "gpu")]
pub use crate::gpu::Gpu;

pub(crate) use sealed::{Choose, Chosen};

#[cfg(feature = "gpu")]
use crate::error::Error;

/// An engine: [`Cpu`], `Gpu` or [`Auto`], and no other.
pub trait Engine: Choose + Clone + std::fmt::Debug {}

/// An engine whose results a thread may wait for: all of them, except that in a browser only [`Cpu`] is one.
pub trait Blocking: Engine {}

mod sealed {
    use super::Cpu;
    #[cfg(feature = "gpu")]
    use super::{Auto, Gpu};

    /// Chooses the engine that a call runs on.
    pub trait Choose {
        /// The engine for an operation on `work` logits, counted once for each draw.
        fn choose(&self, work: u64) -> Chosen<'_>;
    }

    /// An engine for a call.
    pub enum Chosen<'a> {
        Cpu(&'a Cpu),
        #[cfg(feature = "gpu")]
        Gpu {
            gpu: &'a Gpu,
            /// The sampler's engines, of which the CPU finishes the call if the device is lost; `None` if the call then
            /// fails.
            otherwise: Option<&'a Auto>,
        },
    }
}

impl Engine for Cpu {}
impl Blocking for Cpu {}
impl Choose for Cpu {
    fn choose(&self, _: u64) -> Chosen<'_> {
        Chosen::Cpu(self)
    }
}

#[cfg(feature = "gpu")]
impl Engine for Gpu {}
#[cfg(all(feature = "gpu", not(target_family = "wasm")))]
impl Blocking for Gpu {}
#[cfg(feature = "gpu")]
impl Choose for Gpu {
    fn choose(&self, _: u64) -> Chosen<'_> {
        Chosen::Gpu { gpu: self, otherwise: None }
    }
}

/// The engines of a machine, from which the one that suits a call is chosen. [`Sampler::auto`](crate::Sampler::auto)
/// states the rule.
#[derive(Clone, Debug)]
pub struct Auto {
    pub(crate) cpu: Cpu,
    #[cfg(feature = "gpu")]
    pub(crate) gpu: Option<WithGpu>,
    /// The reason why these engines were taken, in words.
    pub(crate) reason: std::sync::Arc<str>,
}

/// The GPU that [`Auto`] may draw on.
#[cfg(feature = "gpu")]
#[derive(Clone, Debug)]
pub(crate) struct WithGpu {
    pub(crate) sampler: crate::sampler::GpuSampler,
    /// Calls with less work than this run on the CPU. `None` if all calls run on the GPU, and none on the CPU, not even
    /// if the device is lost.
    pub(crate) least_work: Option<u64>,
    /// The error with which the device was lost, once it is lost.
    pub(crate) lost: std::sync::Arc<std::sync::OnceLock<Error>>,
}

impl Engine for Auto {}
#[cfg(not(target_family = "wasm"))]
impl Blocking for Auto {}
#[cfg(all(not(feature = "gpu"), target_family = "wasm"))]
impl Blocking for Auto {}

impl Choose for Auto {
    #[cfg(feature = "gpu")]
    fn choose(&self, work: u64) -> Chosen<'_> {
        let Some(WithGpu { sampler, least_work, lost }) = &self.gpu else {
            return Chosen::Cpu(&self.cpu);
        };
        let gpu = &sampler.engine;
        match *least_work {
            None => Chosen::Gpu { gpu, otherwise: None },
            Some(least) if work < least || lost.get().is_some() => Chosen::Cpu(&self.cpu),
            Some(_) => Chosen::Gpu { gpu, otherwise: Some(self) },
        }
    }

    #[cfg(not(feature = "gpu"))]
    fn choose(&self, _: u64) -> Chosen<'_> {
        Chosen::Cpu(&self.cpu)
    }
}
