//! A validated call: what the engines are given.

use crate::error::{Error, Undrawable};
use crate::noise::bits::{MAX_DRAWS, Stream};
use crate::noise::order::{NEG_INFINITY, Scale, is_invalid};
use crate::options::{Data, Known, Logits, Method, RowIds, Rows, SampleOptions, with_rows};

/// The draw of a row that has none: it has a NaN, a +∞, or no logit above −∞.
pub const NO_DRAW: u32 = u32::MAX;

/// How categories are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Temperature {
    /// Temperature 0: the largest logit wins.
    Greedy,
    /// Any other: the largest scaled logit plus noise wins.
    Scaled(Scale),
}

impl Temperature {
    /// The rule for a temperature as users give it.
    ///
    /// # Errors
    /// [`Error::Temperature`] unless it is 0 or in the range of [`Scale`].
    pub fn new(temperature: f32) -> Result<Self, Error> {
        if temperature == 0.0 {
            return Ok(Self::Greedy);
        }
        Scale::from_temperature(temperature)
            .map(Self::Scaled)
            .ok_or(Error::Temperature { got: temperature })
    }
}

/// A call that has passed every check that does not look at the logits themselves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Job<'a> {
    pub(crate) logits: Logits<'a>,
    pub(crate) seed: u64,
    pub(crate) row_ids: RowIds<'a>,
    pub(crate) first_draw: u32,
    pub(crate) draws: u32,
    pub(crate) temperature: Temperature,
    /// Gumbel or inverse CDF, and Gumbel at temperature 0, where both draw the same.
    pub(crate) method: Method,
    pub(crate) sentinels: bool,
}

impl<'a> Job<'a> {
    pub(crate) fn new(logits: Logits<'a>, options: &SampleOptions<'a>) -> Result<Self, Error> {
        let &SampleOptions { seed, row_ids, first_draw, draws, temperature, method, sentinels } =
            options;
        let temperature = Temperature::new(temperature)?;
        if draws == 0 || u64::from(first_draw) + u64::from(draws) > u64::from(MAX_DRAWS) {
            return Err(Error::Draws { first_draw, draws });
        }
        if let RowIds::Each(ids) = row_ids
            && ids.len() != logits.rows()
        {
            return Err(Error::RowIds { expected: logits.rows(), got: ids.len() });
        }
        let rows = logits.rows();
        if rows.checked_mul(draws as usize).is_none_or(|n| n > isize::MAX as usize / 4) {
            return Err(Error::TooManyDraws { rows, draws });
        }
        let method = match temperature {
            Temperature::Greedy => Method::Gumbel,
            Temperature::Scaled(_) => method.of(logits.categories(), draws),
        };
        Ok(Self { logits, seed, row_ids, first_draw, draws, temperature, method, sentinels })
    }

    /// The number of draws in all.
    pub(crate) fn total(&self) -> usize {
        self.logits.rows() * self.draws as usize
    }

    /// The scale of a job by inverse CDF.
    pub(crate) fn inverse_cdf(&self) -> Option<Scale> {
        match (self.method, self.temperature) {
            (Method::InverseCdf, Temperature::Scaled(scale)) => Some(scale),
            _ => None,
        }
    }

    /// The races, a row and the number of a draw each, from number `race` on, row by row.
    pub(crate) fn races(&self, race: usize) -> impl Iterator<Item = (usize, u32)> + Clone + use<> {
        let draws = self.draws;
        let (mut row, mut draw) = (race / draws as usize, (race % draws as usize) as u32);
        std::iter::from_fn(move || {
            let now = (row, draw);
            draw += 1;
            if draw == draws {
                (row, draw) = (row + 1, 0);
            }
            Some(now)
        })
    }

    /// The noise of draw `draw`, counted from the job's first, of the row at position `row`.
    pub(crate) fn stream(&self, row: usize, draw: u32) -> Stream {
        Stream::new(self.seed, self.row_ids.id(row), self.first_draw + draw)
    }

    /// The stream ids of the rows, if they were given one by one.
    pub(crate) fn explicit_ids(&self) -> Option<&'a [u64]> {
        match self.row_ids {
            RowIds::From(_) => None,
            RowIds::Each(ids) => Some(ids),
        }
    }

    /// The same of some rows alone, those from position `first` on.
    pub(crate) fn part<'b>(&self, first: usize, rows: Rows<'b, f32>) -> Job<'b>
    where
        'a: 'b,
    {
        let logits = Logits::from_rows(rows);
        let row_ids = match self.row_ids {
            RowIds::From(id) => RowIds::From(id.wrapping_add(first as u64)),
            RowIds::Each(ids) => RowIds::Each(&ids[first..][..logits.rows()]),
        };
        Job { logits, row_ids, ..*self }
    }

    /// Memory for the draws, filled with the sentinel.
    pub(crate) fn allocate(&self) -> Result<Vec<u32>, Error> {
        let mut draws = Vec::new();
        let rows = self.logits.rows();
        draws
            .try_reserve_exact(self.total())
            .map_err(|_| Error::TooManyDraws { rows, draws: self.draws })?;
        draws.resize(self.total(), NO_DRAW);
        Ok(draws)
    }

    pub(crate) fn check_output(&self, draws: &[u32]) -> Result<(), Error> {
        if draws.len() != self.total() {
            return Err(Error::DrawsLength { expected: self.total(), got: draws.len() });
        }
        Ok(())
    }

    /// The job's error, if a row has no draw and sentinels were not asked for.
    pub(crate) fn report(&self, draws: &[u32]) -> Result<(), Error> {
        if self.sentinels {
            return Ok(());
        }
        // a row has all of its draws or none
        match draws.iter().step_by(self.draws as usize).position(|&draw| draw == NO_DRAW) {
            None => Ok(()),
            Some(row) => Err(self.undrawable(row).unwrap_or_else(|| Error::Gpu {
                while_doing: "drawing".to_owned(),
                message: format!("row {row} has a draw, but the device gave none"),
            })),
        }
    }

    /// Why the row at position `row` has no draw, if it has none.
    pub(crate) fn undrawable(&self, row: usize) -> Option<Error> {
        let reason = with_rows!(self.logits.data(), rows => undrawable(rows.row(row)))?;
        Some(Error::UndrawableRow { row, reason })
    }
}

/// Why a row has no draw, or `None` if it has one.
fn undrawable<T: Known>(logits: &[T]) -> Option<Undrawable> {
    match logits.iter().position(|x| is_invalid(x.widen().to_bits())) {
        Some(category) if logits[category].widen().is_nan() => Some(Undrawable::Nan { category }),
        Some(category) => Some(Undrawable::PositiveInfinity { category }),
        None => {
            let nothing = logits.iter().all(|x| x.widen().to_bits() == NEG_INFINITY);
            nothing.then_some(Undrawable::NothingDrawable)
        }
    }
}
