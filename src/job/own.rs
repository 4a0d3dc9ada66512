//! What each row of a call may have of its own: a seed, a temperature and a first draw.

use std::ops::Range;

use super::{Adjustment, Job, Restriction, Temperature, check_draws};
use crate::error::Error;
use crate::noise::order::Scale;
use crate::options::{Batch, Method, SampleOptions, ValueFormat};

/// The options that were given for each row. Without any, all rows have the same options.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OwnOptions<'a> {
    pub(crate) seeds: Option<&'a [u64]>,
    pub(crate) temperatures: Option<&'a [f32]>,
    /// For each row, a number that is added to the call's first draw.
    pub(crate) first_draws: Option<&'a [u32]>,
}

impl<'a> OwnOptions<'a> {
    /// The options of the rows of a call, checked for `rows` rows of values of this format.
    pub(super) fn new(
        options: &SampleOptions<'a>,
        rows: usize,
        format: ValueFormat,
    ) -> Result<Self, Error> {
        let &SampleOptions { seeds, temperatures, first_draws, .. } = options;
        let lengths = [
            ("seeds", seeds.map(<[_]>::len)),
            ("temperatures", temperatures.map(<[_]>::len)),
            ("first draws", first_draws.map(<[_]>::len)),
        ];
        for (what, len) in lengths {
            if let Some(got) = len.filter(|&got| got != rows) {
                return Err(Error::RowOptions { what, expected: rows, got });
            }
        }
        check_own(options, format)?;
        Ok(Self { seeds, temperatures, first_draws })
    }

    /// True if no row has an option of its own.
    pub(crate) fn are_none(&self) -> bool {
        self.seeds.is_none() && self.temperatures.is_none() && self.first_draws.is_none()
    }

    fn part(&self, rows: Range<usize>) -> Self {
        Self {
            seeds: self.seeds.map(|all| &all[rows.clone()]),
            temperatures: self.temperatures.map(|all| &all[rows.clone()]),
            first_draws: self.first_draws.map(|all| &all[rows]),
        }
    }

    /// The number of rows, from the first on, whose options are those of the first row. There must be a row.
    fn alike(&self, rows: usize) -> usize {
        fn alike<T: PartialEq>(all: Option<&[T]>, most: usize) -> usize {
            all.map_or(most, |all| all.iter().take_while(|&one| *one == all[0]).count().min(most))
        }
        let most = alike(self.seeds, rows);
        let most = alike(self.temperatures, most);
        alike(self.first_draws, most)
    }
}

/// Checks the temperatures and the first draws of rows for values of this format.
///
/// # Errors
/// [`Error::OfRow`] for the first that is out of range.
pub(crate) fn check_own(options: &SampleOptions<'_>, format: ValueFormat) -> Result<(), Error> {
    for (row, &temperature) in options.temperatures.unwrap_or_default().iter().enumerate() {
        Temperature::for_format(format, temperature).map_err(|error| of_row(row, error))?;
    }
    for (row, &more) in options.first_draws.unwrap_or_default().iter().enumerate() {
        // a sum that is no `u32` is too large in any case
        let first_draw = options.first_draw.saturating_add(more);
        check_draws(first_draw, options.draws).map_err(|error| of_row(row, error))?;
    }
    Ok(())
}

/// The error of a row.
pub(super) fn of_row(row: usize, error: Error) -> Error {
    Error::OfRow { row, error: Box::new(error) }
}

impl<'a> Job<'a> {
    /// The number of rows, from the first on, that have the same options.
    pub(crate) fn alike(&self) -> usize {
        let rows = self.logits.rows();
        if rows == 0 { 0 } else { self.own.alike(rows) }
    }

    /// The call for some of the rows. If these have the same options, it is a call with these options.
    pub(crate) fn part(&self, rows: Range<usize>) -> Self {
        let mut part = Self {
            logits: self.logits.part(rows.clone()),
            row_ids: self.row_ids.part(rows.clone()),
            own: self.own.part(rows.clone()),
            restriction: self.restriction.part(rows.clone()),
            adjustment: self.adjustment.part(rows.clone()),
            ..*self
        };
        if self.own.are_none() || part.alike() < rows.len() || rows.is_empty() {
            return part;
        }
        let OwnOptions { seeds, temperatures, first_draws } = part.own;
        part.own = OwnOptions::default();
        part.seed = seeds.map_or(part.seed, |seeds| seeds[0]);
        part.first_draw += first_draws.map_or(0, |first_draws| first_draws[0]);
        if let Some(temperatures) = temperatures {
            part.temperature = match Scale::from_temperature(temperatures[0]) {
                Some(scale) => Temperature::Scaled(scale),
                // all temperatures were checked
                None => Temperature::Greedy,
            };
        }
        if part.temperature == Temperature::Greedy {
            part.method = Method::Gumbel;
        }
        part
    }

    /// The call with copies of its rows in their place: with adjusted logits if the call adjusts them, and otherwise
    /// such that nothing can be drawn that may not be.
    pub(crate) fn on_copies<'p>(&self, copies: Batch<'p>) -> Job<'p>
    where
        'a: 'p,
    {
        match self.adjustment.is_none() {
            true => Job { logits: copies, restriction: Restriction::default(), ..*self },
            false => Job { logits: copies, adjustment: Adjustment::default(), ..*self },
        }
    }

    /// The scale of the row at position `row`.
    pub(crate) fn scale_of(&self, row: usize) -> Scale {
        match self.own.temperatures {
            None => self.scale(),
            Some(all) => Scale::from_temperature(all[row]).unwrap_or(Scale::ONE),
        }
    }

    /// The call for each row alone.
    pub(crate) fn each_row(&self) -> impl Iterator<Item = Self> {
        (0..self.logits.rows()).map(|row| self.part(row..row + 1))
    }

    /// Checks that all rows have a temperature above 0, for an operation that has a meaning only there; at temperature 0
    /// returns `error`.
    pub(crate) fn with_noise(self, error: Error) -> Result<Self, Error> {
        match self.own.temperatures {
            None if self.temperature == Temperature::Greedy => Err(error),
            None => Ok(self),
            Some(all) => match all.iter().position(|&temperature| temperature == 0.0) {
                Some(row) => Err(of_row(row, error)),
                None => Ok(self),
            },
        }
    }
}
