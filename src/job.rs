//! A validated call, which the engines are given.

use crate::error::{Error, Undrawable};
use crate::noise::bits::{MAX_DRAWS, Stream};
use crate::noise::order::Scale;
use crate::options::{
    Allowed, Batch, Data, Method, RowIds, Rows, SampleOptions, Stock, Stored, ValueFormat,
    allowed_values, with_rows, with_stock,
};

pub(crate) mod adjustment;
pub(crate) mod cuts;
mod own;
pub(crate) mod prepared;
pub(crate) mod race;
mod restriction;
pub(crate) mod soften;
mod sums;
pub(crate) mod verify;

pub(crate) use adjustment::{Adjustment, single};
pub(crate) use own::OwnOptions;
#[cfg(feature = "serde")]
pub(crate) use own::check_own;
pub(crate) use restriction::Restriction;
#[cfg(any(feature = "gpu", feature = "serde"))]
pub(crate) use restriction::check as check_truncation;
pub(crate) use sums::SumJob;

/// The sentinel: the draw of a row that has no draw, because it has a NaN, a +∞, a negative weight, or no category that
/// can be drawn. In a [`TopK`](crate::TopK), also an entry for which a race has no category.
pub const NO_DRAW: u32 = u32::MAX;

/// The least temperature above 0 for weights: 2⁻²⁰. From there on, the logarithm of every weight, divided by the
/// temperature, is on the linear scale of [keys](crate::noise::order::fixed).
const LOWEST_OF_WEIGHTS: f32 = f32::from_bits((127 - 20) << 23);

/// The rule by which categories are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Temperature {
    /// Temperature 0: the largest logit wins.
    Greedy,
    /// Any other temperature: the largest sum of scaled logit and noise wins.
    Scaled(Scale),
}

impl Temperature {
    /// Returns the rule for a temperature: greedy for 0, and the scale of any other.
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

    /// The rule for a temperature and values of this format.
    pub(crate) fn for_format(format: ValueFormat, temperature: f32) -> Result<Self, Error> {
        if format.is_of_weights() && temperature > 0.0 && temperature < LOWEST_OF_WEIGHTS {
            return Err(Error::WeightsTemperature { got: temperature });
        }
        Self::new(temperature)
    }
}

/// A call that has passed every check that does not look at the logits themselves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Job<'a> {
    pub(crate) logits: Batch<'a>,
    pub(crate) seed: u64,
    pub(crate) row_ids: RowIds<'a>,
    pub(crate) first_draw: u32,
    pub(crate) draws: u32,
    pub(crate) temperature: Temperature,
    /// Gumbel or inverse CDF, never `Auto`; Gumbel at temperature 0, where both methods draw the same.
    pub(crate) method: Method,
    pub(crate) sentinels: bool,
    /// What rows have of their own, in place of the fields above. Engines are given parts of which all rows have the
    /// same options, unless they take those of rows.
    pub(crate) own: OwnOptions<'a>,
    /// Which categories may be drawn. Engines are given copies of the rows in which no others can be.
    pub(crate) restriction: Restriction<'a>,
    /// What is added to and taken from logits. Engines are given copies of the rows that have been adjusted.
    pub(crate) adjustment: Adjustment<'a>,
}

impl<'a> Job<'a> {
    pub(crate) fn new(
        batch: impl Into<Batch<'a>>,
        options: &SampleOptions<'a>,
    ) -> Result<Self, Error> {
        let batch = batch.into();
        let &SampleOptions { seed, row_ids, first_draw, draws, method, sentinels, .. } = options;
        let logits = match options.row_indices {
            None => batch,
            Some(indices) => batch.gathered(indices)?,
        };
        let rows = logits.rows();
        check_draws(first_draw, draws)?;
        if let RowIds::Each(ids) = row_ids
            && ids.len() != rows
        {
            return Err(Error::RowIds { expected: rows, got: ids.len() });
        }
        let own = OwnOptions::new(options, rows, logits.format())?;
        let restriction = Restriction::new(options, rows, logits.categories(), logits.format())?;
        let adjustment = Adjustment::new(options, rows, logits.categories(), logits.format())?;
        let temperature = match own.temperatures {
            None => Temperature::for_format(logits.format(), options.temperature)?,
            // only a call of greedy rows alone is greedy
            Some(all) if all.iter().all(|&temperature| temperature == 0.0) => Temperature::Greedy,
            Some(_) => Temperature::Scaled(Scale::ONE),
        };
        if rows.checked_mul(draws as usize).is_none_or(|n| n > isize::MAX as usize / 4) {
            return Err(Error::TooManyDraws { rows, draws });
        }
        let method = match temperature {
            Temperature::Greedy => Method::Gumbel,
            Temperature::Scaled(_) => {
                // a row of the batch is added up once, however often it is gathered
                let races = rows as u64 * u64::from(draws);
                let of_each = match options.row_indices {
                    None => u64::from(draws),
                    Some(_) => races / (batch.rows() as u64).max(1),
                };
                method.resolve(logits.categories(), u32::try_from(of_each).unwrap_or(u32::MAX))
            }
        };
        let call = Self {
            logits,
            seed,
            row_ids,
            first_draw,
            draws,
            temperature,
            method,
            sentinels,
            own,
            restriction,
            adjustment,
        };
        // options of rows may be those of all
        Ok(call.part(0..rows))
    }

    /// The number of draws in all.
    pub(crate) fn total(&self) -> usize {
        self.logits.rows() * self.draws as usize
    }

    /// The number of logits that are read, once for each draw. By inverse CDF, the logits are counted once for all
    /// draws, and each draw as one logit more.
    pub(crate) fn work(&self) -> u64 {
        let categories = self.logits.categories() as u64;
        let (rows, races) = (self.logits.rows() as u64, self.total() as u64);
        match self.method {
            Method::InverseCdf => {
                // a row of the batch is added up once, however often it is gathered
                let sources = self.logits.sources().map_or(rows, |(all, _)| all.rows() as u64);
                rows.min(sources).saturating_mul(categories).saturating_add(races)
            }
            _ => races.saturating_mul(categories),
        }
    }

    /// The scale of a job by inverse CDF, `None` for other jobs.
    pub(crate) fn inverse_cdf(&self) -> Option<Scale> {
        match (self.method, self.temperature) {
            (Method::InverseCdf, Temperature::Scaled(scale)) => Some(scale),
            _ => None,
        }
    }

    /// The scale of the temperature; that of 1 at temperature 0, where nothing is scaled.
    pub(crate) fn scale(&self) -> Scale {
        match self.temperature {
            Temperature::Greedy => Scale::ONE,
            Temperature::Scaled(scale) => scale,
        }
    }

    /// Returns the job if its method is Gumbel, and an error that names the operation otherwise.
    pub(crate) fn by_gumbel(self, operation: &'static str) -> Result<Self, Error> {
        match self.method {
            Method::InverseCdf => Err(Error::NeedsGumbel { operation }),
            _ => Ok(self),
        }
    }

    /// Returns an endless iterator over the races from number `race` on, row by row: the row of each race, and the
    /// number of its draw.
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
    #[cfg(feature = "gpu")]
    pub(crate) fn explicit_ids(&self) -> Option<&'a [u64]> {
        match self.row_ids {
            RowIds::Consecutive(_) => None,
            RowIds::Each(ids) => Some(ids),
        }
    }

    /// Memory for the draws, filled with the sentinel.
    pub(crate) fn allocate(&self) -> Result<Vec<u32>, Error> {
        let mut draws = self.unwritten()?;
        draws.fill(NO_DRAW);
        Ok(draws)
    }

    /// Memory for the draws, zeroed and yet to be written: the system hands over its pages when threads first write to
    /// them, so that the threads share this wait.
    pub(crate) fn unwritten<T: bytemuck::Zeroable>(&self) -> Result<Vec<T>, Error> {
        let (rows, draws) = (self.logits.rows(), self.draws);
        zeroed(self.total()).ok_or(Error::TooManyDraws { rows, draws })
    }

    pub(crate) fn check_output(&self, draws: &[u32]) -> Result<(), Error> {
        if draws.len() != self.total() {
            return Err(Error::DrawsLength { expected: self.total(), got: draws.len() });
        }
        Ok(())
    }

    /// Returns the job's error if a row has no draw and sentinels were not asked for.
    pub(crate) fn check_draws(&self, draws: &[u32]) -> Result<(), Error> {
        self.check_races(draws, 1)
    }

    /// Returns the job's error if a row has no draw and sentinels were not asked for. There are `k` categories for each
    /// race.
    pub(crate) fn check_races(&self, categories: &[u32], k: usize) -> Result<(), Error> {
        // a row has all of its draws or none
        let each = self.draws as usize * k;
        self.check_rows(|row| categories[row * each] != NO_DRAW)
    }

    /// Returns the job's error if a row has no draw and sentinels were not asked for; `has_draws` says whether the row
    /// at a position has draws.
    pub(crate) fn check_rows(&self, has_draws: impl Fn(usize) -> bool) -> Result<(), Error> {
        if self.sentinels {
            return Ok(());
        }
        match (0..self.logits.rows()).position(|row| !has_draws(row)) {
            None => Ok(()),
            Some(row) => Err(self.undrawable(row).unwrap_or_else(|| Error::Gpu {
                while_doing: "drawing".to_owned(),
                message: format!("row {row} has a draw, but the device gave none"),
            })),
        }
    }

    /// The error that says why the row at position `row` has no draw, or `None` if it has one.
    pub(crate) fn undrawable(&self, row: usize) -> Option<Error> {
        let allowed = self.restriction.allowed;
        if !self.adjustment.is_none() {
            return self.undrawable_as_adjusted(row);
        }
        let reason = with_stock!(self.logits.stock(), rows => reason(rows, row, allowed))?;
        Some(Error::UndrawableRow { row, reason })
    }
}

/// Returns an error unless there is a draw, and all draw numbers are below [`MAX_DRAWS`].
pub(crate) fn check_draws(first_draw: u32, draws: u32) -> Result<(), Error> {
    if draws == 0 || u64::from(first_draw) + u64::from(draws) > u64::from(MAX_DRAWS) {
        return Err(Error::Draws { first_draw, draws });
    }
    Ok(())
}

/// A vector of zeros, or `None` if there is not enough memory.
pub(crate) fn zeroed<T: bytemuck::Zeroable>(len: usize) -> Option<Vec<T>> {
    bytemuck::allocation::try_zeroed_vec(len).ok()
}

/// Makes a vector hold `len` elements, of which the new ones are `value`, or returns the bytes that are not to be had.
pub(crate) fn lengthen<T: Clone>(vector: &mut Vec<T>, len: usize, value: T) -> Result<(), usize> {
    let more = len.saturating_sub(vector.len());
    vector.try_reserve_exact(more).map_err(|_| len.saturating_mul(size_of::<T>()))?;
    vector.resize(len, value);
    Ok(())
}

/// Why the row at a position has no draw, or `None` if it has one.
fn reason<T: Stored>(
    rows: Rows<'_, T>,
    row: usize,
    allowed: Option<Allowed<'_>>,
) -> Option<Undrawable> {
    match T::undrawable(allowed_values(rows, row, allowed))? {
        Undrawable::NothingDrawable | Undrawable::NoWeight if allowed.is_some() => {
            Some(Undrawable::NothingAllowed)
        }
        reason => Some(reason),
    }
}
