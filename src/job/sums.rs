//! Validated calls that sum rows.

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
    /// options, temperature and sentinels count.
    pub(crate) fn of_rows(
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
    ) -> Result<Self, Error> {
        let SampleOptions { temperature, sentinels, .. } = *options;
        let options = SampleOptions { temperature, sentinels, ..SampleOptions::default() };
        Self::new(Job::new(batch, &options)?, "logsumexp")
    }

    /// A call for draws with their log-probabilities.
    pub(crate) fn of_draws(
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
    ) -> Result<Self, Error> {
        Self::new(Job::new(batch, options)?, "a log-probability")
    }

    fn new(job: Job<'a>, operation: &'static str) -> Result<Self, Error> {
        Ok(Self { inverse: job.inverse_temperature(operation)?, job })
    }
}
