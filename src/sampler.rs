//! The engine that fits the machine.

use crate::arrivals::{Arrivals, LogZ, Scored};
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

    /// Runs the race of each draw: which alarms ring first, and when. Categories and keys are the same from
    /// both engines.
    ///
    /// # Errors
    /// As [`CpuSampler::race_rows`] and [`GpuSampler::race_rows`].
    pub fn race_rows<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
        places: usize,
    ) -> Result<Arrivals, Error> {
        match &self.engine {
            Engine::Cpu(cpu) => cpu.race_rows(batch, options, places),
            Engine::Gpu(gpu) => gpu.race_rows(batch, options, places),
        }
    }

    /// The logarithm of the sum of each row: log Z.
    ///
    /// # Errors
    /// As [`CpuSampler::logsumexp_rows`] and [`GpuSampler::logsumexp_rows`].
    pub fn logsumexp_rows<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
    ) -> Result<Vec<f64>, Error> {
        match &self.engine {
            Engine::Cpu(cpu) => cpu.logsumexp_rows(batch, options),
            Engine::Gpu(gpu) => gpu.logsumexp_rows(batch, options),
        }
    }

    /// As [`sample_rows`](Self::sample_rows), each draw with the logarithm of its probability.
    ///
    /// # Errors
    /// As [`CpuSampler::sample_rows_scored`] and [`GpuSampler::sample_rows_scored`].
    pub fn sample_rows_scored<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
    ) -> Result<Scored, Error> {
        match &self.engine {
            Engine::Cpu(cpu) => cpu.sample_rows_scored(batch, options),
            Engine::Gpu(gpu) => gpu.sample_rows_scored(batch, options),
        }
    }

    /// Estimates log Z of each row from the maxima of its draws.
    ///
    /// # Errors
    /// As [`CpuSampler::estimate_log_z`] and [`GpuSampler::estimate_log_z`].
    pub fn estimate_log_z<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
    ) -> Result<Vec<LogZ>, Error> {
        match &self.engine {
            Engine::Cpu(cpu) => cpu.estimate_log_z(batch, options),
            Engine::Gpu(gpu) => gpu.estimate_log_z(batch, options),
        }
    }
}

mod soften;

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
