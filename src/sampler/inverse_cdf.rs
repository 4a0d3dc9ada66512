//! Rows that are added up once, to be drawn from again and again.

use std::sync::Arc;

use super::Sampler;
use crate::cpu::{Copies, CpuTables};
use crate::engine::{Auto, Blocking, Chosen, Engine};
use crate::error::Error;
#[cfg(feature = "gpu")]
use crate::gpu::{Gpu, GpuTables, Running};
use crate::job::Job;
use crate::job::prepared::PreparedRows;
use crate::options::{Batch, SampleOptions};

/// Rows of logits, weights or counts, added up once, to be drawn from again and again: what
/// [`Sampler::inverse_cdf`] builds. The draws are those of
/// [`Method::InverseCdf`](crate::Method::InverseCdf), numbered like any others, and the same from every engine.
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
/// The tables hold nothing of the logits, and need neither the logits nor the sampler any more. On the CPU they take 8
/// bytes for each category of each row, and 8 to 16 more for a guide to the sums. On a GPU they take 8 bytes of the
/// device's memory for each category of each row, and some 20 for each row; row ids and draws pass through buffers that
/// are reused from call to call, whose size is at most what [`Sampler::sample_rows`] says. Rows that are the same
/// memory (a row stride of 0) are held once. Any number of threads can draw at the same time; on a GPU each thread
/// needs memory for its draws in transfer.
///
/// If the device is lost, its tables are lost as well: draws then fail with `Error::DeviceLost`.
#[derive(Debug)]
pub struct InverseCdf<E: Engine = Auto> {
    call: PreparedRows,
    tables: Tables,
    // the engine of the sampler that built the tables, by which a thread may or may not wait for draws
    engine: std::marker::PhantomData<fn() -> E>,
}

#[derive(Debug)]
enum Tables {
    Cpu(Arc<CpuTables>),
    #[cfg(feature = "gpu")]
    Gpu(GpuTables),
}

impl<E: Engine> Sampler<E> {
    /// Adds the rows up, and returns tables to draw from again and again by inverse CDF. On a GPU the sums stay in its
    /// memory. The draws are those of [`Method::InverseCdf`](crate::Method::InverseCdf). Of the options, seed, row ids,
    /// temperature, row indices and sentinels apply; the number of draws is an argument of each call that draws.
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
    /// Those of [`sample_rows`](Self::sample_rows), [`Error::NoMemoryForSums`], [`Error::NoMemoryForRowIds`], and [`Error::OptionsOfRows`] for seeds,
    /// temperatures or first draws of rows. On a GPU `MissingFeature` on a
    /// device with fewer than 6 storage buffers for a shader, [`Error::RowTooLong`] for a row whose sums exceed the
    /// largest buffer, and `OutOfMemory` if the tables of all rows do not fit into the device's memory: then prepare
    /// the tables of fewer rows at a time.
    ///
    /// O(rows · categories) time. The memory of the tables is that which [`InverseCdf`] states; while a GPU builds
    /// them, it also needs memory for a chunk of logits, or for a row that is longer.
    #[doc(alias = "WeightedAliasIndex")]
    #[doc(alias = "WeightedIndex")]
    pub fn inverse_cdf<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
    ) -> Result<InverseCdf<E>, Error>
    where
        E: Blocking,
    {
        let kept = kept(batch, options)?;
        let engine = self.engine.choose(kept.work());
        let copies = copies(&kept, &engine)?;
        let job = copies.as_ref().map_or(kept, |copies| kept.on_copies(copies.batch()));
        let tables = match engine {
            Chosen::Cpu(cpu) => cpu.tables(&job).map(|tables| Tables::Cpu(Arc::new(tables))),
            #[cfg(feature = "gpu")]
            Chosen::Gpu { gpu, otherwise } => pollster::block_on(on_gpu(gpu, otherwise, &job)),
        };
        InverseCdf::new(&kept, tables.map_err(|error| of_kept(&kept, error))?)
    }

    /// Adds the rows up as [`inverse_cdf`](Self::inverse_cdf) does, for executors: a [future](Self#futures) of tables
    /// to draw from again and again.
    ///
    /// ```
    /// use gumbel::{SampleOptions, Sampler, Weights};
    /// # pollster::block_on(async {
    /// let (sampler, weights) = (Sampler::auto_async().await, Weights::new(&[1.0, 3.0], 2)?);
    /// let cdf = sampler.inverse_cdf_async(weights, &SampleOptions::default()).await?;
    /// assert_eq!(cdf.sample_rows_async(0, 100).await?.len(), 100);
    /// # Ok::<(), gumbel::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// Those of [`inverse_cdf`](Self::inverse_cdf).
    pub async fn inverse_cdf_async<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
    ) -> Result<InverseCdf<E>, Error> {
        let kept = kept(batch, options)?;
        let engine = self.engine.choose(kept.work());
        let copies = copies(&kept, &engine)?;
        let job = copies.as_ref().map_or(kept, |copies| kept.on_copies(copies.batch()));
        let tables = match engine {
            Chosen::Cpu(cpu) => cpu.tables(&job).map(|tables| Tables::Cpu(Arc::new(tables))),
            #[cfg(feature = "gpu")]
            Chosen::Gpu { gpu, otherwise } => on_gpu(&gpu.yielding(), otherwise, &job).await,
        };
        InverseCdf::new(&kept, tables.map_err(|error| of_kept(&kept, error))?)
    }
}

/// The call whose rows are added up.
fn kept<'a>(batch: impl Into<Batch<'a>>, options: &SampleOptions<'a>) -> Result<Job<'a>, Error> {
    let job = Job::new(batch, &options.with_draws(1).with_first_draw(0))?;
    if job.own.are_none() {
        Ok(job)
    } else {
        Err(Error::OptionsOfRows { operation: "a kept inverse CDF" })
    }
}

/// Copies of the rows, if engines cannot read them where they are.
fn copies(job: &Job<'_>, engine: &Chosen<'_>) -> Result<Option<Copies>, Error> {
    if job.is_in_place() {
        return Ok(None);
    }
    let copies = match engine {
        Chosen::Cpu(cpu) => Copies::new(cpu, job),
        #[cfg(feature = "gpu")]
        Chosen::Gpu { .. } => Copies::new(&crate::cpu::Cpu::new(), job),
    };
    copies.map(Some)
}

/// The error in the words of the rows of the call: a copy of a row does not show why the row has no draw.
fn of_kept(job: &Job<'_>, error: Error) -> Error {
    match error {
        Error::UndrawableRow { row, .. } => job.undrawable(row).unwrap_or(error),
        error => error,
    }
}

/// Builds tables on a GPU, or on the CPU if the device is lost and there is an `otherwise`.
#[cfg(feature = "gpu")]
fn on_gpu<'f>(gpu: &'f Gpu, otherwise: Option<&'f Auto>, job: &'f Job<'_>) -> Running<'f, Tables> {
    Box::pin(async move {
        match (gpu.tables(job).await, otherwise) {
            (Err(error), Some(auto)) => {
                let lost = gpu.loss(error).await?;
                auto.without_gpu(lost).tables(job).map(|tables| Tables::Cpu(Arc::new(tables)))
            }
            (tables, _) => tables.map(Tables::Gpu),
        }
    })
}

impl<E: Engine> InverseCdf<E> {
    fn new(job: &Job<'_>, tables: Tables) -> Result<Self, Error> {
        Ok(Self { call: PreparedRows::new(job)?, tables, engine: std::marker::PhantomData })
    }

    /// The tables, if they are on the CPU.
    #[cfg(feature = "rand")]
    pub(crate) fn cpu_tables(&self) -> Option<&Arc<CpuTables>> {
        match &self.tables {
            Tables::Cpu(tables) => Some(tables),
            #[cfg(feature = "gpu")]
            Tables::Gpu(_) => None,
        }
    }

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
    /// ```
    /// use gumbel::{CpuSampler, SampleOptions, Weights};
    /// let weights = Weights::new(&[0.0, 1.0], 2)?;
    /// let cdf = CpuSampler::new().inverse_cdf(weights, &SampleOptions::default())?;
    /// assert_eq!(cdf.sample_rows(10, 3)?, [1, 1, 1]);
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Draws`] unless `draws` is 1 or more and all numbers are below 2³¹, and [`Error::TooManyDraws`]. On a
    /// GPU `DeviceLost`, `OutOfMemory`, `MapFailed`, `Timeout` or `Gpu` if the device fails. Every wait for the device
    /// has an end: see `GpuSamplerBuilder::with_timeout`.
    ///
    /// # Complexity
    /// O(rows · draws) time on the CPU, and O(rows · draws · log categories) on a GPU, where the host waits for the
    /// device once for each chunk of rows, and for every million draws from a chunk.
    pub fn sample_rows(&self, first_draw: u32, draws: u32) -> Result<Vec<u32>, Error>
    where
        E: Blocking,
    {
        let mut all = self.call.allocate(first_draw, draws)?;
        self.sample_rows_into(first_draw, &mut all)?;
        Ok(all)
    }

    /// Fills a slice with draws, row by row: `draws.len()` / rows of them from each row, numbered from `first_draw` on.
    ///
    /// ```
    /// use gumbel::{CpuSampler, SampleOptions, Weights};
    /// let weights = Weights::new(&[0.0, 1.0], 2)?;
    /// let cdf = CpuSampler::new().inverse_cdf(weights, &SampleOptions::default())?;
    /// let mut draws = [0; 1000];
    /// for call in 0..10 {
    ///     cdf.sample_rows_into(1000 * call, &mut draws)?;
    ///     assert!(!draws.contains(&0));
    /// }
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`sample_rows`](Self::sample_rows), and [`Error::DrawsLength`] if the slice's length is no multiple of
    /// the number of rows.
    pub fn sample_rows_into(&self, first_draw: u32, draws: &mut [u32]) -> Result<(), Error>
    where
        E: Blocking,
    {
        let Some(each) = self.call.draws_of_each(first_draw, draws.len())? else {
            return Ok(());
        };
        match &self.tables {
            Tables::Cpu(tables) => tables.draw(&self.call, first_draw, each, draws),
            #[cfg(feature = "gpu")]
            Tables::Gpu(tables) => {
                pollster::block_on(tables.draw(&self.call, first_draw, each, draws, false))?;
            }
        }
        Ok(())
    }

    /// Draws from each row as [`sample_rows`](Self::sample_rows) does, for executors: a [future](Sampler#futures) of
    /// rows × draws category indices, row by row.
    ///
    /// ```
    /// use gumbel::{CpuSampler, SampleOptions, Weights};
    /// # pollster::block_on(async {
    /// let weights = Weights::new(&[0.0, 1.0], 2)?;
    /// let cdf = CpuSampler::new().inverse_cdf_async(weights, &SampleOptions::default()).await?;
    /// assert_eq!(cdf.sample_rows_async(10, 3).await?, [1, 1, 1]);
    /// # Ok::<(), gumbel::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// Those of [`sample_rows`](Self::sample_rows).
    pub async fn sample_rows_async(&self, first_draw: u32, draws: u32) -> Result<Vec<u32>, Error> {
        let mut all = self.call.allocate(first_draw, draws)?;
        if let Some(each) = self.call.draws_of_each(first_draw, all.len())? {
            match &self.tables {
                Tables::Cpu(tables) => tables.draw(&self.call, first_draw, each, &mut all),
                #[cfg(feature = "gpu")]
                Tables::Gpu(tables) => {
                    tables.draw(&self.call, first_draw, each, &mut all, true).await?;
                }
            }
        }
        Ok(all)
    }
}
