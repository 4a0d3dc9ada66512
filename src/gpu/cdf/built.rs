//! Tables that are kept on the device, to be drawn from again and again.

use crate::error::Error;
use crate::job::kept::Kept;
use crate::job::{Job, NO_DRAW, Temperature, zeroed};
use crate::noise::order::Scale;
use crate::options::{Batch, SampleOptions};

use super::super::GpuSampler;
use super::super::plan::Report;
use super::run::{Races, Runner};
use super::table::Tables;

/// Rows of logits, weights or counts, added up once on a device, to be drawn from again and again: what
/// [`GpuSampler::inverse_cdf`] builds.
///
/// The draws are those of [`Method::InverseCdf`](crate::Method::InverseCdf), numbered like any others, and those of
/// [`CpuInverseCdf`](crate::CpuInverseCdf).
///
/// ```no_run
/// use gumbel::{GpuSampler, Logits, Method, SampleOptions};
/// let logits: Vec<f32> = (0..1000).map(|i| (i % 10) as f32).collect();
/// let (engine, options) = (GpuSampler::new()?, SampleOptions::default().with_seed(7));
/// let cdf = engine.inverse_cdf(Logits::new(&logits, 1000)?, &options)?;
/// let some = cdf.sample_rows(0, 100)?;
/// let more = cdf.sample_rows(100, 50)?;
/// // what one call would have drawn
/// let options = options.with_method(Method::InverseCdf).with_draws(150);
/// let all = engine.sample_rows(Logits::new(&logits, 1000)?, &options)?;
/// assert_eq!([some, more].concat(), all);
/// # Ok::<(), gumbel::Error>(())
/// ```
///
/// It holds nothing of the logits, and needs neither them nor the sampler any more. On the device it takes 8 bytes for
/// each category of each row, and some 20 for each row; rows that are the same memory (a row stride of 0) are held
/// once. Draws on their way and row ids take 64 MiB more at most, which are kept from call to call. Any number of
/// threads can draw at the same time; each takes as much.
#[derive(Debug)]
pub struct GpuInverseCdf {
    call: Kept,
    held: Held,
}

#[derive(Debug)]
enum Held {
    /// The one draw that each row has: at temperature 0, or if there are no rows.
    Draws(Vec<u32>),
    Tables(Box<Chunks>),
}

/// The tables of all chunks.
#[derive(Debug)]
struct Chunks {
    runner: Runner,
    tables: Vec<Tables>,
}

impl GpuSampler {
    /// Adds the rows up on the device and keeps the sums there, to draw from them again and again by inverse CDF: as
    /// [`CpuSampler::inverse_cdf`](crate::CpuSampler::inverse_cdf), and the same draws. Of the options, seed, row
    /// ids, temperature and sentinels count; how many draws there are to be, each call says for itself.
    ///
    /// ```no_run
    /// use gumbel::{GpuSampler, SampleOptions, Weights};
    /// let counts = [3, 0, 1];
    /// let engine = GpuSampler::new()?;
    /// let cdf = engine.inverse_cdf(Weights::from_counts(&counts, 3)?, &SampleOptions::default())?;
    /// let mut draws = [0; 1000];
    /// for call in 0..100 {
    ///     cdf.sample_rows_into(1000 * call, &mut draws)?;
    ///     assert!(!draws.contains(&1));
    /// }
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`sample_rows`](Self::sample_rows); [`Error::MissingFeature`] on a device with fewer than 6 storage buffers
    /// for a shader, [`Error::RowTooLong`] for a row whose sums exceed the largest buffer, and [`Error::OutOfMemory`]
    /// if the device has no room for all rows: then keep the tables of fewer rows at a time.
    ///
    /// # Complexity
    /// O(rows · categories) time, and 8 bytes of the device's memory for each category; while they are built, a chunk of
    /// logits beside them ([`with_chunk_bytes`](crate::GpuSamplerBuilder::with_chunk_bytes)), or a row.
    #[doc(alias = "WeightedAliasIndex")]
    #[doc(alias = "WeightedIndex")]
    pub fn inverse_cdf<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
    ) -> Result<GpuInverseCdf, Error> {
        pollster::block_on(self.inverse_cdf_async(batch, options))
    }

    /// As [`inverse_cdf`](Self::inverse_cdf), as a future.
    ///
    /// # Errors
    /// As [`inverse_cdf`](Self::inverse_cdf).
    pub async fn inverse_cdf_async<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
    ) -> Result<GpuInverseCdf, Error> {
        let job = Job::new(batch, &options.with_draws(1).with_first_draw(0))?;
        let held = match job.temperature {
            Temperature::Scaled(scale) if job.total() > 0 => {
                Held::Tables(Box::new(Chunks::build(self, &job, scale).await?))
            }
            _ => {
                let mut draws = job.allocate()?;
                if !draws.is_empty() {
                    self.report(&job, &self.plan(&job, Report::Draws), &mut draws).await?;
                    job.report(&draws)?;
                }
                Held::Draws(draws)
            }
        };
        Ok(GpuInverseCdf { call: Kept::of(&job), held })
    }
}

impl Chunks {
    async fn build(gpu: &GpuSampler, job: &Job<'_>, scale: Scale) -> Result<Self, Error> {
        let runner = Runner::new(gpu, job, scale).await?;
        let plan = &runner.plan;
        let mut tables = Vec::new();
        for chunk in plan.chunks() {
            tables.push(runner.tables(chunk.len()).await?);
        }
        // one draw from each table tells whether its rows have any, and that the device is done with the logits
        let races = Races { ids: job.row_ids, first_draw: 0, picking: plan.picking(1) };
        let rows = job.logits.rows();
        let too_many = || Error::TooManyDraws { rows, draws: 1 };
        let mut draws: Vec<u32> = zeroed(plan.tables(rows)).ok_or_else(too_many)?;
        runner.run(Some(job.logits), Some(&tables), races, &mut draws).await?;
        if draws.contains(&NO_DRAW) {
            job.report_rows(|row| draws.get(row) != Some(&NO_DRAW))?;
        }
        Ok(Self { runner, tables })
    }

    async fn draw(
        &self,
        call: &Kept,
        first_draw: u32,
        each: u32,
        draws: &mut [u32],
    ) -> Result<(), Error> {
        let picking = self.runner.plan.picking(each);
        let races = Races { ids: call.row_ids(), first_draw, picking };
        self.runner.run(None, Some(&self.tables), races, draws).await
    }
}

impl GpuInverseCdf {
    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.call.rows
    }

    /// The number of categories in each row.
    pub fn categories(&self) -> usize {
        self.call.categories
    }

    /// Draws `draws` times from each row, the first of them draw number `first_draw`: rows × draws
    /// category indices, row by row.
    ///
    /// # Errors
    /// [`Error::Draws`] unless the numbers are below 2³¹, and [`Error::TooManyDraws`]; [`Error::DeviceLost`],
    /// [`Error::OutOfMemory`], [`Error::MapFailed`], [`Error::Timeout`] or [`Error::Gpu`] if the device fails. No wait
    /// for the device is without end: see [`with_timeout`](crate::GpuSamplerBuilder::with_timeout).
    ///
    /// # Complexity
    /// O(rows · draws · log categories) time. The device is waited for once for each chunk of rows, and for every 4 million
    /// draws from one.
    pub fn sample_rows(&self, first_draw: u32, draws: u32) -> Result<Vec<u32>, Error> {
        pollster::block_on(self.sample_rows_async(first_draw, draws))
    }

    /// As [`sample_rows`](Self::sample_rows), as a future. In a browser it yields while the GPU
    /// works; elsewhere wgpu needs the thread to wait for the device.
    ///
    /// # Errors
    /// As [`sample_rows`](Self::sample_rows).
    pub async fn sample_rows_async(&self, first_draw: u32, draws: u32) -> Result<Vec<u32>, Error> {
        let mut all = self.call.allocate(first_draw, draws)?;
        self.draw(first_draw, &mut all).await?;
        Ok(all)
    }

    /// As [`sample_rows`](Self::sample_rows), into a slice: as many draws from each row as it has room
    /// for.
    ///
    /// # Errors
    /// As [`sample_rows`](Self::sample_rows), and [`Error::DrawsLength`] if the slice's length is no
    /// multiple of the rows.
    pub fn sample_rows_into(&self, first_draw: u32, draws: &mut [u32]) -> Result<(), Error> {
        pollster::block_on(self.draw(first_draw, draws))
    }

    async fn draw(&self, first_draw: u32, draws: &mut [u32]) -> Result<(), Error> {
        let Some(each) = self.call.draws_of_each(first_draw, draws.len())? else {
            return Ok(());
        };
        match &self.held {
            Held::Draws(of_rows) => {
                let rows = draws.chunks_mut(each as usize).zip(of_rows);
                rows.for_each(|(draws, &draw)| draws.fill(draw));
                Ok(())
            }
            Held::Tables(chunks) => chunks.draw(&self.call, first_draw, each, draws).await,
        }
    }
}
