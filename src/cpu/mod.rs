//! The CPU engine: no driver, all cores, the reference's bytes.

use rayon::prelude::*;

use crate::error::Error;
use crate::job::{Job, NO_DRAW};
use crate::noise::bits::OCTET;
use crate::options::{Logits, SampleOptions};

mod race;

use race::{Outcome, Race};

/// Rows longer than two of these are cut for the sake of the cores that would otherwise idle.
const SEGMENT: usize = 1 << 14;
const _: () = assert!(SEGMENT.is_multiple_of(OCTET));

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
#[derive(Clone, Copy, Debug)]
pub struct CpuSampler {
    filter: bool,
}

impl Default for CpuSampler {
    fn default() -> Self {
        Self::new()
    }
}

impl CpuSampler {
    /// A sampler; it holds no resources.
    pub const fn new() -> Self {
        Self { filter: true }
    }

    /// With `false`, evaluates the noise of every category instead of filtering first. The draws
    /// are the same, and a test says so; on long rows it is many times slower.
    #[must_use]
    pub const fn with_filter(self, filter: bool) -> Self {
        Self { filter }
    }

    /// Draws from each row: rows × draws category indices, row by row.
    ///
    /// # Errors
    /// What is wrong with the options or the shape, or with the first row that has no draw
    /// ([`Error::UndrawableRow`]) unless [sentinels](SampleOptions::with_sentinels) are asked for.
    ///
    /// # Complexity
    /// O(rows · draws · categories) time. Beside the result, memory of a few KiB a thread.
    #[doc(alias = "multinomial")]
    #[doc(alias = "categorical")]
    #[doc(alias = "sample_from_logits")]
    pub fn sample_rows(
        &self,
        logits: Logits<'_>,
        options: &SampleOptions<'_>,
    ) -> Result<Vec<u32>, Error> {
        let job = Job::new(logits, options)?;
        let mut draws = job.allocate()?;
        self.run(&job, &mut draws);
        job.report(&draws)?;
        Ok(draws)
    }

    /// As [`sample_rows`](Self::sample_rows), into a slice of rows × draws words. After an error
    /// that names a row, all other rows' draws are there.
    ///
    /// # Errors
    /// As [`sample_rows`](Self::sample_rows), and [`Error::DrawsLength`].
    pub fn sample_rows_into(
        &self,
        logits: Logits<'_>,
        options: &SampleOptions<'_>,
        draws: &mut [u32],
    ) -> Result<(), Error> {
        let job = Job::new(logits, options)?;
        job.check_output(draws)?;
        self.run(&job, draws);
        job.report(draws)
    }

    fn run(&self, job: &Job<'_>, draws: &mut [u32]) {
        let categories = job.logits.categories();
        let few = job.total() < 4 * rayon::current_num_threads();
        // some 10,000 logits are worth the hand-over to another thread
        let grain = (10_000 / categories).max(1);
        draws.par_iter_mut().with_min_len(grain).enumerate().for_each(|(i, draw)| {
            let row = i / job.draws as usize;
            let race = Race {
                stream: job.stream(row, (i % job.draws as usize) as u32),
                temperature: job.temperature,
                filter: self.filter,
            };
            let logits = job.logits.row(row);
            let outcome = if few && categories > 2 * SEGMENT {
                logits
                    .par_chunks(SEGMENT)
                    .enumerate()
                    .map(|(k, segment)| race.run(segment, (k * SEGMENT) as u32))
                    .reduce(|| Outcome::NONE, Outcome::merge)
            } else {
                race.run(logits, 0)
            };
            *draw = outcome.draw().unwrap_or(NO_DRAW);
        });
    }
}
