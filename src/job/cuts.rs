//! A validated call for where rows are cut.

use super::{Job, lengthen};
use crate::error::Error;
use crate::options::{Batch, RowIds, SampleOptions};
use crate::results::Cut;

/// A call for the cut of each row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CutJob<'a> {
    pub(crate) job: Job<'a>,
}

impl<'a> CutJob<'a> {
    /// A row has one cut, however many draws there are and whatever its id is: of the options, temperatures, row
    /// indices, sentinels and what restricts rows count.
    pub(crate) fn new(
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
    ) -> Result<Self, Error> {
        let options = options.without_noise();
        Ok(Self { job: Job::new(batch, &options)? })
    }

    /// Memory for the cuts.
    pub(crate) fn unwritten(&self) -> Result<Vec<Cut>, Error> {
        let (rows, draws) = (self.job.logits.rows(), self.job.draws);
        let mut cuts = Vec::new();
        lengthen(&mut cuts, rows, Cut::NONE).map_err(|_| Error::TooManyDraws { rows, draws })?;
        Ok(cuts)
    }
}

impl SampleOptions<'_> {
    /// The options for results that depend on no noise.
    pub(super) fn without_noise(&self) -> Self {
        let none = Self::default();
        Self {
            row_ids: RowIds::Consecutive(0),
            seed: none.seed,
            first_draw: none.first_draw,
            draws: none.draws,
            method: none.method,
            seeds: None,
            first_draws: None,
            ..*self
        }
    }
}
