//! The part of a call that is stored with its prepared tables, and the checks of later draws from them.

use super::{Job, NO_DRAW, check_draws, lengthen};
use crate::error::Error;
use crate::options::RowIds;

/// Shape and stream ids of the rows of prepared tables, and the seed.
#[derive(Clone, Debug)]
pub(crate) struct PreparedRows {
    pub(crate) seed: u64,
    pub(crate) rows: usize,
    pub(crate) categories: usize,
    ids: Ids,
}

#[derive(Clone, Debug)]
enum Ids {
    From(u64),
    Each(Vec<u64>),
}

impl PreparedRows {
    pub(crate) fn new(job: &Job<'_>) -> Result<Self, Error> {
        let (rows, categories) = (job.logits.rows(), job.logits.categories());
        let ids = match job.row_ids {
            RowIds::Consecutive(first) => Ids::From(first),
            RowIds::Each(ids) => {
                let mut own = Vec::new();
                lengthen(&mut own, ids.len(), 0)
                    .map_err(|bytes| Error::NoMemoryForRowIds { rows, bytes })?;
                own.copy_from_slice(ids);
                Ids::Each(own)
            }
        };
        Ok(Self { seed: job.seed, rows, categories, ids })
    }

    pub(crate) fn row_ids(&self) -> RowIds<'_> {
        match &self.ids {
            Ids::From(first) => RowIds::Consecutive(*first),
            Ids::Each(ids) => RowIds::Each(ids),
        }
    }

    /// Memory for `draws` draws from each row, filled with the sentinel.
    pub(crate) fn allocate(&self, first_draw: u32, draws: u32) -> Result<Vec<u32>, Error> {
        let too_many = || Error::TooManyDraws { rows: self.rows, draws };
        let total = self.rows.checked_mul(draws as usize).ok_or_else(too_many)?;
        check(first_draw, draws as usize)?;
        let mut all = Vec::new();
        lengthen(&mut all, total, NO_DRAW).map_err(|_| too_many())?;
        Ok(all)
    }

    /// The number of draws from each row that fill a slice of `words` words; `None` if there are no rows.
    pub(crate) fn draws_of_each(
        &self,
        first_draw: u32,
        words: usize,
    ) -> Result<Option<u32>, Error> {
        let each = words.checked_div(self.rows).unwrap_or(0);
        if each * self.rows != words {
            return Err(Error::DrawsLength { expected: each * self.rows, got: words });
        }
        if self.rows == 0 {
            return Ok(None);
        }
        check(first_draw, each).map(Some)
    }
}

/// Returns the number of draws from each row, if it is not 0 and all draw numbers are valid.
fn check(first_draw: u32, draws: usize) -> Result<u32, Error> {
    let number = u32::try_from(draws).unwrap_or(u32::MAX);
    check_draws(first_draw, number).map(|()| number)
}
