//! Validated calls that sum rows.

use std::ops::Range;

use super::Job;
use crate::error::Error;
use crate::options::{Batch, SampleOptions};

/// A call for the sum of each row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SumJob<'a> {
    pub(crate) job: Job<'a>,
    /// 1/temperature.
    pub(crate) inverse: f64,
}

impl<'a> SumJob<'a> {
    /// A call for the sums alone. A row has one sum, however many draws there are and whatever its id is: of the
    /// options, temperatures, row indices, sentinels and what restricts rows count.
    pub(crate) fn of_rows(
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
    ) -> Result<Self, Error> {
        Self::new(Job::new(batch, &options.without_noise())?, "logsumexp")
    }

    /// A call for draws with their log-probabilities.
    pub(crate) fn of_draws(
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
    ) -> Result<Self, Error> {
        Self::new(Job::new(batch, options)?, "a log-probability")
    }

    fn new(job: Job<'a>, operation: &'static str) -> Result<Self, Error> {
        job.with_noise(Error::NoNoise { operation }).map(Self::of)
    }

    fn of(job: Job<'a>) -> Self {
        Self { inverse: f64::from(job.scale().reciprocal()), job }
    }

    /// The call for some of the rows.
    pub(crate) fn part(&self, rows: Range<usize>) -> Self {
        Self::of(self.job.part(rows))
    }
}
