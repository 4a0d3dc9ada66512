//! The engine that fits the machine.

use crate::cpu::CpuSampler;
use crate::error::Error;
use crate::gpu::{AdapterReport, GpuSampler, pick_hardware};
use crate::options::{Batch, SampleOptions};

/// Either engine; both give the same draws.
///
/// ```
/// use gumbel::{Logits, SampleOptions, Sampler};
/// let sampler = Sampler::auto();
/// println!("drawing on the {sampler}: {}", sampler.reason());
/// let draws = sampler.sample_rows(Logits::new(&[0.0; 6], 3)?, &SampleOptions::default())?;
/// assert_eq!(draws.len(), 2);
/// # Ok::<(), gumbel::Error>(())
/// ```
#[derive(Debug)]
pub struct Sampler {
    engine: Engine,
    reason: String,
}

#[derive(Debug)]
enum Engine {
    Cpu(CpuSampler),
    Gpu(Box<GpuSampler>),
}

impl Sampler {
    /// A hardware GPU when there is one, and the CPU engine otherwise. A software adapter, which
    /// emulates a GPU on the CPU, is never taken: ask for it [by name](crate::GpuSamplerBuilder).
    pub fn auto() -> Self {
        pollster::block_on(Self::auto_async())
    }

    /// As [`auto`](Self::auto), without blocking.
    pub async fn auto_async() -> Self {
        match GpuSampler::new_async().await {
            Ok(gpu) => Self {
                reason: "it is the hardware GPU of this machine".to_owned(),
                engine: Engine::Gpu(Box::new(gpu)),
            },
            Err(error) => {
                Self { reason: error.to_string(), engine: Engine::Cpu(CpuSampler::new()) }
            }
        }
    }

    /// The adapter that [`auto`](Self::auto) opens, of [all](crate::adapters) that there are.
    ///
    /// ```
    /// use gumbel::{Sampler, adapters, wgpu::Backends};
    /// match Sampler::auto_adapter(&adapters(Backends::all())) {
    ///     Ok(report) => println!("auto opens {report}"),
    ///     Err(why) => println!("auto takes the CPU engine: {why}"),
    /// }
    /// ```
    ///
    /// # Errors
    /// Why auto takes the CPU engine: [`Error::NoAdapter`] or [`Error::UnsuitableAdapter`]. It does
    /// so too if the adapter then cannot be opened.
    pub fn auto_adapter(reports: &[AdapterReport]) -> Result<&AdapterReport, Error> {
        pick_hardware(reports)
    }

    /// Why this engine was taken, in words.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// `"cpu"` or `"gpu"`.
    pub fn engine(&self) -> &'static str {
        match self.engine {
            Engine::Cpu(_) => "cpu",
            Engine::Gpu(_) => "gpu",
        }
    }

    /// The adapter of the GPU engine, `None` on the CPU.
    pub fn adapter(&self) -> Option<&wgpu::AdapterInfo> {
        match &self.engine {
            Engine::Cpu(_) => None,
            Engine::Gpu(gpu) => Some(gpu.adapter()),
        }
    }

    /// Draws from each row: rows × draws category indices, row by row.
    ///
    /// ```
    /// use gumbel::{Logits, SampleOptions, Sampler};
    /// // three rows of two categories: even odds, 1 : e, and no chance for the first
    /// let logits = [0.0, 0.0, 0.0, 1.0, f32::NEG_INFINITY, 0.0];
    /// let options = SampleOptions::default().with_draws(4);
    /// let draws = Sampler::auto().sample_rows(Logits::new(&logits, 2)?, &options)?;
    /// assert_eq!(draws[8..], [1, 1, 1, 1]);
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`CpuSampler::sample_rows`] and [`GpuSampler::sample_rows`].
    #[doc(alias = "multinomial")]
    #[doc(alias = "categorical")]
    #[doc(alias = "sample_from_logits")]
    pub fn sample_rows<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
    ) -> Result<Vec<u32>, Error> {
        match &self.engine {
            Engine::Cpu(cpu) => cpu.sample_rows(batch, options),
            Engine::Gpu(gpu) => gpu.sample_rows(batch, options),
        }
    }

    /// As [`sample_rows`](Self::sample_rows), without blocking while a GPU works. The CPU engine
    /// works when the future is polled, and does not yield.
    ///
    /// # Errors
    /// As [`sample_rows`](Self::sample_rows).
    pub async fn sample_rows_async<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
    ) -> Result<Vec<u32>, Error> {
        match &self.engine {
            Engine::Cpu(cpu) => cpu.sample_rows(batch, options),
            Engine::Gpu(gpu) => gpu.sample_rows_async(batch, options).await,
        }
    }

    /// As [`sample_rows`](Self::sample_rows), into a slice of rows × draws words.
    ///
    /// # Errors
    /// As [`sample_rows`](Self::sample_rows), and [`Error::DrawsLength`].
    pub fn sample_rows_into<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
        draws: &mut [u32],
    ) -> Result<(), Error> {
        match &self.engine {
            Engine::Cpu(cpu) => cpu.sample_rows_into(batch, options, draws),
            Engine::Gpu(gpu) => gpu.sample_rows_into(batch, options, draws),
        }
    }
}

mod cdf;
mod operations;
mod soften;

pub use cdf::InverseCdf;

impl From<CpuSampler> for Sampler {
    fn from(cpu: CpuSampler) -> Self {
        Self { engine: Engine::Cpu(cpu), reason: "it was asked for".to_owned() }
    }
}

impl From<GpuSampler> for Sampler {
    fn from(gpu: GpuSampler) -> Self {
        Self { engine: Engine::Gpu(Box::new(gpu)), reason: "it was asked for".to_owned() }
    }
}

impl std::fmt::Display for Sampler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.adapter() {
            None => write!(f, "CPU engine"),
            Some(info) => write!(f, "GPU engine ({}, {})", info.name, info.backend),
        }
    }
}
