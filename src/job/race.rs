//! Validated calls for the first categories of races, and for estimates of log Z from their maxima.

use std::ops::Range;

use super::{Job, lengthen};
use crate::error::Error;
use crate::noise::order::{Best, Scale, number};
use crate::options::{Batch, Method, SampleOptions};
use crate::results::{LogZ, TopK};

/// A call for the first `k` categories of each race.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RaceJob<'a> {
    pub(crate) job: Job<'a>,
    pub(crate) scale: Scale,
    pub(crate) k: usize,
}

impl<'a> RaceJob<'a> {
    pub(crate) fn new(
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
        k: usize,
    ) -> Result<Self, Error> {
        let operation = "a race";
        let job = Job::new(batch, options)?.by_gumbel(operation)?;
        let job = job.with_noise(Error::NoNoise { operation })?;
        if k == 0 {
            return Err(Error::ZeroK);
        }
        Ok(Self { job, scale: job.scale(), k })
    }

    /// The call for some of the rows.
    pub(crate) fn part(&self, rows: Range<usize>) -> Self {
        let job = self.job.part(rows);
        Self { job, scale: job.scale(), ..*self }
    }

    /// The call for as many categories of each race as fill slices of these lengths.
    pub(crate) fn filling(
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
        categories: usize,
        keys: usize,
    ) -> Result<Self, Error> {
        let race = Self::new(batch, options, 1)?;
        let races = race.job.total();
        // without races there is nothing to write
        let k = categories.checked_div(races).unwrap_or(1);
        let expected = races * k.max(1);
        if categories != expected || keys != expected {
            let got = if categories != expected { categories } else { keys };
            return Err(Error::DrawsLength { expected, got });
        }
        Ok(Self { k, ..race })
    }
}

/// A call for estimates of log Z from the sums of the maxima of each row's draws. The draws are
/// made in pieces.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MaximaJob<'a> {
    pub(crate) job: Job<'a>,
    pub(crate) scale: Scale,
}

/// The largest number of races in a piece, unless one draw from each row is more.
const RACES: usize = 1 << 20;

impl<'a> MaximaJob<'a> {
    pub(crate) fn new(
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
    ) -> Result<Self, Error> {
        let operation = "an estimate of log Z";
        let job = Job::new(batch, options)?.by_gumbel(operation)?;
        let job = job.with_noise(Error::NoNoise { operation })?;
        Ok(Self { job, scale: job.scale() })
    }

    /// The call for some of the rows.
    pub(crate) fn part(&self, rows: Range<usize>) -> Self {
        let job = self.job.part(rows);
        Self { job, scale: job.scale() }
    }

    /// Memory for the estimates.
    pub(crate) fn unwritten(&self) -> Result<Vec<LogZ>, Error> {
        let rows = self.job.logits.rows();
        let mut estimates = Vec::new();
        lengthen(&mut estimates, rows, LogZ::default())
            .map_err(|_| Error::TooManyDraws { rows, draws: self.job.draws })?;
        Ok(estimates)
    }

    /// The call in pieces, each with some of the draws from all rows.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = RaceJob<'a>> + use<'a> {
        let Self { job, scale } = *self;
        let at_once = u32::try_from(RACES / job.logits.rows().max(1)).unwrap_or(1).max(1);
        let ends = (0..job.draws).step_by(at_once as usize);
        ends.map(move |first| {
            let draws = at_once.min(job.draws - first);
            let first_draw = job.first_draw + first;
            let job = Job { first_draw, draws, method: Method::Gumbel, ..job };
            RaceJob { job, scale, k: 1 }
        })
    }

    /// Sets the sums to 0.
    pub(crate) fn begin(&self, sums: &mut [LogZ]) {
        sums.fill(LogZ::default());
    }

    /// Adds the maxima of a piece to the sums.
    pub(crate) fn add(&self, maxima: &TopK, sums: &mut [LogZ]) {
        let each = maxima.keys().len() / sums.len().max(1);
        for (sum, keys) in sums.iter_mut().zip(maxima.keys().chunks(each.max(1))) {
            let known = keys.iter().all(|&key| key != Best::NONE.key);
            let more: f64 = keys.iter().map(|&key| number(key)).sum();
            sum.estimate += if known { more } else { f64::NAN };
        }
    }

    /// Turns the sums into estimates.
    pub(crate) fn finish(&self, sums: &mut [LogZ]) {
        for sum in sums {
            *sum = LogZ::from_sum(sum.estimate, self.job.draws);
        }
    }
}
