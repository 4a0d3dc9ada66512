//! Tables that are kept, by the engine that fits the machine.

use super::{Engine, Sampler};
use crate::cpu::CpuInverseCdf;
use crate::error::Error;
use crate::gpu::GpuInverseCdf;
use crate::options::{Batch, SampleOptions};

/// Rows of logits, weights or counts, added up once by either engine, to be drawn from again and again: what
/// [`Sampler::inverse_cdf`] builds. Both engines' give the same draws, those of
/// [`Method::InverseCdf`](crate::Method::InverseCdf).
///
/// ```
/// use gumbel::{Logits, Method, SampleOptions, Sampler};
/// let logits: Vec<f32> = (0..1000).map(|i| (i % 10) as f32).collect();
/// let (sampler, options) = (Sampler::auto(), SampleOptions::default().with_seed(7));
/// let cdf = sampler.inverse_cdf(Logits::new(&logits, 1000)?, &options)?;
/// let some = cdf.sample_rows(0, 100)?;
/// let more = cdf.sample_rows(100, 50)?;
/// // what one call would have drawn
/// let options = options.with_method(Method::InverseCdf).with_draws(150);
/// let all = sampler.sample_rows(Logits::new(&logits, 1000)?, &options)?;
/// assert_eq!([some, more].concat(), all);
/// # Ok::<(), gumbel::Error>(())
/// ```
///
/// What it holds is said at [`CpuInverseCdf`] and [`GpuInverseCdf`]; of the logits, nothing.
#[derive(Debug)]
pub struct InverseCdf {
    of: Of,
}

#[derive(Debug)]
enum Of {
    Cpu(CpuInverseCdf),
    Gpu(GpuInverseCdf),
}

impl InverseCdf {
    /// The number of rows.
    pub fn rows(&self) -> usize {
        match &self.of {
            Of::Cpu(cdf) => cdf.rows(),
            Of::Gpu(cdf) => cdf.rows(),
        }
    }

    /// The number of categories in each row.
    pub fn categories(&self) -> usize {
        match &self.of {
            Of::Cpu(cdf) => cdf.categories(),
            Of::Gpu(cdf) => cdf.categories(),
        }
    }

    /// Draws `draws` times from each row, the first of them draw number `first_draw`: rows × draws
    /// category indices, row by row.
    ///
    /// # Errors
    /// As [`CpuInverseCdf::sample_rows`] and [`GpuInverseCdf::sample_rows`].
    pub fn sample_rows(&self, first_draw: u32, draws: u32) -> Result<Vec<u32>, Error> {
        match &self.of {
            Of::Cpu(cdf) => cdf.sample_rows(first_draw, draws),
            Of::Gpu(cdf) => cdf.sample_rows(first_draw, draws),
        }
    }

    /// As [`sample_rows`](Self::sample_rows), without blocking while a GPU works. The CPU engine works when the
    /// future is polled, and does not yield.
    ///
    /// # Errors
    /// As [`sample_rows`](Self::sample_rows).
    pub async fn sample_rows_async(&self, first_draw: u32, draws: u32) -> Result<Vec<u32>, Error> {
        match &self.of {
            Of::Cpu(cdf) => cdf.sample_rows(first_draw, draws),
            Of::Gpu(cdf) => cdf.sample_rows_async(first_draw, draws).await,
        }
    }

    /// As [`sample_rows`](Self::sample_rows), into a slice: as many draws from each row as it has room
    /// for.
    ///
    /// # Errors
    /// As [`sample_rows`](Self::sample_rows), and [`Error::DrawsLength`] if the slice's length is no
    /// multiple of the rows.
    pub fn sample_rows_into(&self, first_draw: u32, draws: &mut [u32]) -> Result<(), Error> {
        match &self.of {
            Of::Cpu(cdf) => cdf.sample_rows_into(first_draw, draws),
            Of::Gpu(cdf) => cdf.sample_rows_into(first_draw, draws),
        }
    }
}

impl Sampler {
    /// Adds the rows up, to draw from them again and again by inverse CDF: on a GPU the sums stay in its memory.
    /// The draws are those of [`Method::InverseCdf`](crate::Method::InverseCdf). Of the options, seed, row ids,
    /// temperature and sentinels count; how many draws there are to be, each call says for itself.
    ///
    /// ```
    /// use gumbel::{SampleOptions, Sampler, Weights};
    /// let counts = [3, 0, 1];
    /// let sampler = Sampler::auto();
    /// let cdf = sampler.inverse_cdf(Weights::from_counts(&counts, 3)?, &SampleOptions::default())?;
    /// let draws = cdf.sample_rows(0, 10_000)?;
    /// let first = draws.iter().filter(|&&draw| draw == 0).count();
    /// assert!((first as f64 / 10_000.0 - 0.75).abs() < 0.02);
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`CpuSampler::inverse_cdf`](crate::CpuSampler::inverse_cdf) and
    /// [`GpuSampler::inverse_cdf`](crate::GpuSampler::inverse_cdf), which also say what it takes.
    #[doc(alias = "WeightedAliasIndex")]
    #[doc(alias = "WeightedIndex")]
    pub fn inverse_cdf<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
    ) -> Result<InverseCdf, Error> {
        let of = match &self.engine {
            Engine::Cpu(cpu) => Of::Cpu(cpu.inverse_cdf(batch, options)?),
            Engine::Gpu(gpu) => Of::Gpu(gpu.inverse_cdf(batch, options)?),
        };
        Ok(InverseCdf { of })
    }

    /// As [`inverse_cdf`](Self::inverse_cdf), without blocking while a GPU works. The CPU engine works when the
    /// future is polled, and does not yield.
    ///
    /// # Errors
    /// As [`inverse_cdf`](Self::inverse_cdf).
    pub async fn inverse_cdf_async<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
    ) -> Result<InverseCdf, Error> {
        let of = match &self.engine {
            Engine::Cpu(cpu) => Of::Cpu(cpu.inverse_cdf(batch, options)?),
            Engine::Gpu(gpu) => Of::Gpu(gpu.inverse_cdf_async(batch, options).await?),
        };
        Ok(InverseCdf { of })
    }
}
