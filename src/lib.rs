//! gumbel

pub mod conformance;
mod cpu;
mod error;
mod filter;
mod gpu;
mod job;
pub mod noise;
mod options;
pub mod reference;
mod sampler;
pub mod shaders;

pub use cpu::CpuSampler;
pub use error::{Error, Undrawable};
pub use gpu::{AdapterReport, GpuSampler, GpuSamplerBuilder, adapters, adapters_async};
pub use job::NO_DRAW;
pub use options::{Logits, RowIds, SampleOptions};
pub use sampler::Sampler;
pub use wgpu;
