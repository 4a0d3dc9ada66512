//! The CPU engine: no driver, all cores, the reference's bytes.

use std::sync::Arc;

use rayon::ThreadPool;

use crate::error::Error;
use crate::job::Job;
use crate::options::{Batch, SampleOptions};

mod bound;
mod candidates;
mod cdf;
mod exact;
mod exact_keys;
mod greedy;
mod group;
mod keys;
mod lanes;
mod logsumexp;
mod operations;
mod podium;
mod race;
mod schedule;
mod simd;
mod soften;
mod source;
mod threads;
mod values;

use cdf::InverseCdfJob;
use schedule::Plan;
use threads::on_pool;

pub use cdf::CpuInverseCdf;
pub(crate) use operations::podium_of_race;
pub use simd::CpuForm;

/// Draws on the CPU, on all threads of the current [rayon] pool.
///
/// ```
/// use gumbel::{CpuSampler, Logits, SampleOptions};
/// // three rows of two categories: even odds, 1 : e, and no chance for the first
/// let logits = [0.0, 0.0, 0.0, 1.0, f32::NEG_INFINITY, 0.0];
/// let draws = CpuSampler::new()
///     .sample_rows(Logits::new(&logits, 2)?, &SampleOptions::default().with_draws(4))?;
/// assert_eq!(draws.len(), 3 * 4);
/// assert_eq!(draws[8..], [1, 1, 1, 1]);
/// # Ok::<(), gumbel::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct CpuSampler {
    form: CpuForm,
    filter: bool,
    pool: Option<Arc<ThreadPool>>,
}

impl Default for CpuSampler {
    fn default() -> Self {
        Self::new()
    }
}

impl CpuSampler {
    /// A sampler in the widest form that this machine has, on the current pool.
    pub fn new() -> Self {
        Self { form: CpuForm::detect(), filter: true, pool: None }
    }

    /// With these vector instructions; the draws are the same.
    ///
    /// # Errors
    /// [`Error::CpuForm`] if this machine lacks them.
    pub fn with_form(self, form: CpuForm) -> Result<Self, Error> {
        if form.is_available() {
            Ok(Self { form, ..self })
        } else {
            Err(Error::CpuForm { form: form.name() })
        }
    }

    /// On the threads of this pool instead of the one that is current when a call is made.
    #[must_use]
    pub fn with_pool(self, pool: Arc<ThreadPool>) -> Self {
        Self { pool: Some(pool), ..self }
    }

    /// With `false`, evaluates the noise of every category instead of filtering first. The draws
    /// are the same, and a test says so; on long rows it is many times slower.
    #[must_use]
    pub fn with_filter(self, filter: bool) -> Self {
        Self { filter, ..self }
    }

    /// The vector instructions in use.
    pub fn form(&self) -> CpuForm {
        self.form
    }

    /// Draws from each row: rows × draws category indices, row by row.
    ///
    /// # Errors
    /// What is wrong with the options or the shape, or with the first row that has no draw
    /// ([`Error::UndrawableRow`]) unless [sentinels](SampleOptions::with_sentinels) are asked for.
    ///
    /// # Complexity
    /// O(rows · draws · categories) time. Beside the result, some twenty KiB of stack a thread. By inverse
    /// CDF ([`Method`](crate::Method)), O(rows · (categories + draws)) time and, for each thread, 16 to 24 bytes a
    /// category; [`Error::NoRoomForSums`] if they are not to be had.
    #[doc(alias = "multinomial")]
    #[doc(alias = "categorical")]
    #[doc(alias = "sample_from_logits")]
    pub fn sample_rows<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
    ) -> Result<Vec<u32>, Error> {
        let job = Job::new(batch, options)?;
        let mut draws = job.unwritten()?;
        self.run(&job, &mut draws)?;
        job.report(&draws)?;
        Ok(draws)
    }

    /// As [`sample_rows`](Self::sample_rows), into a slice of rows × draws words. After an error
    /// that names a row, all other rows' draws are there.
    ///
    /// # Errors
    /// As [`sample_rows`](Self::sample_rows), and [`Error::DrawsLength`].
    pub fn sample_rows_into<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
        draws: &mut [u32],
    ) -> Result<(), Error> {
        let job = Job::new(batch, options)?;
        job.check_output(draws)?;
        self.run(&job, draws)?;
        job.report(draws)
    }

    /// Adds the rows up, to draw from them again and again by inverse CDF: the draws are those of
    /// [`Method::InverseCdf`](crate::Method::InverseCdf). Of the options, seed, row ids, temperature and
    /// sentinels count; how many draws there are to be, each call says for itself.
    ///
    /// # Errors
    /// As [`sample_rows`](Self::sample_rows), and [`Error::NoRoomForSums`].
    ///
    /// # Complexity
    /// O(rows · categories) time, and 16 to 24 bytes for each category.
    #[doc(alias = "WeightedAliasIndex")]
    #[doc(alias = "WeightedIndex")]
    pub fn inverse_cdf<'a>(
        &self,
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
    ) -> Result<CpuInverseCdf, Error> {
        let job = Job::new(batch, &options.with_draws(1).with_first_draw(0))?;
        let build = || CpuInverseCdf::build(&job, self.form, self.pool.clone());
        let cdf = match &self.pool {
            Some(pool) => pool.install(build),
            None => build(),
        }?;
        match cdf.without_a_draw().filter(|_| !job.sentinels) {
            Some(row) => job.undrawable(row).map_or(Ok(cdf), Err),
            None => Ok(cdf),
        }
    }

    fn run(&self, job: &Job<'_>, draws: &mut [u32]) -> Result<(), Error> {
        if let Some(scale) = job.inverse_cdf() {
            let plan = InverseCdfJob::new(job, scale, self.form);
            return on_pool(self.pool.as_ref(), plan.is_small(), || plan.run(draws));
        }
        let plan = Plan::of(job, self.form, self.filter);
        // for a small call no pool is woken, and nothing is allocated
        on_pool(self.pool.as_ref(), plan.is_small(), || plan.run(draws));
        Ok(())
    }
}
