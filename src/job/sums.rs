//! Validated calls that sum rows.

use std::ops::Range;

use super::Job;
use crate::error::Error;
use crate::options::{Batch, LogProbsOf, SampleOptions};

/// A call for the sum of each row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SumJob<'a> {
    pub(crate) job: Job<'a>,
    /// 1/temperature.
    pub(crate) inverse: f64,
    /// Whether the draws have been made, and only their log-probabilities are wanted.
    pub(crate) has_draws: bool,
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

    /// The call for log-probabilities of draws among all that is allowed, once the draws of a call have been made; `None` if
    /// the probabilities are to be among what is kept, or if nothing is cut off. Rows without a draw are left to the call for
    /// the draws.
    pub(crate) fn of_allowed(
        batch: Batch<'a>,
        options: &SampleOptions<'a>,
    ) -> Result<Option<Self>, Error> {
        if options.log_probs_of == LogProbsOf::Kept {
            return Ok(None);
        }
        let no_noise = options.without_noise().with_draws(options.draws).with_sentinels(true);
        let job = Job::new(batch, &no_noise)?;
        let cuts = job.restriction.truncates(job.logits.categories());
        let restriction = job.restriction.without_truncation();
        let of = Self::of(Job { restriction, ..job });
        Ok(cuts.then_some(Self { has_draws: true, ..of }))
    }

    fn new(job: Job<'a>, operation: &'static str) -> Result<Self, Error> {
        job.with_noise(Error::NoNoise { operation }).map(Self::of)
    }

    fn of(job: Job<'a>) -> Self {
        Self { inverse: f64::from(job.scale().reciprocal()), has_draws: false, job }
    }

    /// The logits to visit. Where draws have been made, a row is added up once, however many draws have it.
    pub(crate) fn work(&self) -> u64 {
        if !self.has_draws {
            return self.job.work();
        }
        let (rows, categories) =
            (self.job.logits.rows() as u64, self.job.logits.categories() as u64);
        rows.saturating_mul(categories).saturating_add(self.job.total() as u64)
    }

    /// The call for some of the rows.
    pub(crate) fn part(&self, rows: Range<usize>) -> Self {
        Self { has_draws: self.has_draws, ..Self::of(self.job.part(rows)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::{Logits, Truncation};

    #[test]
    fn sums_after_draws_are_work_of_one_visit() {
        let row = [0.0; 100];
        let batch: Batch<'_> = Logits::new(&row, 50).unwrap().into();
        let cut = Truncation::default().with_top_k(3);
        let options = SampleOptions::default().with_draws(10).with_truncation(cut);
        assert_eq!(SumJob::of_draws(batch, &options).unwrap().work(), 10 * 100);
        let options = options.with_log_probs_of(LogProbsOf::Allowed);
        let of_allowed = SumJob::of_allowed(batch, &options).unwrap().unwrap();
        assert_eq!(of_allowed.work(), 100 + 2 * 10);
        assert_eq!(of_allowed.part(0..1).work(), 50 + 10);
    }
}
