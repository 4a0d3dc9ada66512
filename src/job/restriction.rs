//! Which categories of each row of a call may be drawn: those that are allowed and that no truncation cuts.

use std::ops::Range;

use super::Temperature;
use super::own::of_row;
use crate::error::Error;
use crate::noise::order::Scale;
use crate::options::{Allowed, SampleOptions, Truncation, ValueFormat};

/// The restrictions of the rows of a call.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Restriction<'a> {
    pub(crate) allowed: Option<Allowed<'a>>,
    /// The truncation of all rows.
    truncation: Truncation,
    /// The truncation of each row, in place of the one of all.
    truncations: Option<&'a [Truncation]>,
}

impl<'a> Restriction<'a> {
    /// The restrictions of a call, checked for so many rows of so many values of this format.
    pub(super) fn new(
        options: &SampleOptions<'a>,
        rows: usize,
        categories: usize,
        format: ValueFormat,
    ) -> Result<Self, Error> {
        let &SampleOptions { truncation, truncations, allowed, .. } = options;
        if let Some(allowed) = allowed {
            allowed.check(rows, categories)?;
        }
        if let Some(got) = truncations.map(<[_]>::len).filter(|&got| got != rows) {
            return Err(Error::RowOptions { what: "truncations", expected: rows, got });
        }
        check(&truncation, format)?;
        for (row, truncation) in truncations.unwrap_or_default().iter().enumerate() {
            check(truncation, format).map_err(|error| of_row(row, error))?;
        }
        let cuts = |truncation: &Truncation| !truncation.is_none(categories);
        Ok(Self {
            allowed,
            truncation,
            truncations: truncations.filter(|all| all.iter().any(cuts) || cuts(&truncation)),
        })
    }

    /// The restrictions of the row at position `row` of a batch, for that row alone.
    #[cfg(feature = "rand")]
    pub(crate) fn of_row(
        options: &SampleOptions<'a>,
        row: usize,
        categories: usize,
        format: ValueFormat,
    ) -> Result<Self, Error> {
        let own = options.truncations.and_then(|all| all.get(row)).copied();
        let truncation = own.unwrap_or(options.truncation);
        let allowed = options.allowed.map(|allowed| allowed.only(row));
        let options = SampleOptions { truncation, truncations: None, allowed, ..*options };
        Self::new(&options, 1, categories, format)
    }

    /// Whether all categories of rows of this length may be drawn.
    pub(crate) fn is_none(&self, categories: usize) -> bool {
        self.allowed.is_none() && !self.truncates(categories)
    }

    /// Whether a row of this length may be cut.
    pub(crate) fn truncates(&self, categories: usize) -> bool {
        self.truncations.is_some() || !self.truncation.is_none(categories)
    }

    /// What is allowed, without a truncation.
    pub(crate) fn without_truncation(self) -> Self {
        Self { allowed: self.allowed, ..Self::default() }
    }

    /// The truncation of the row at a position.
    pub(crate) fn truncation(&self, row: usize) -> &Truncation {
        self.truncations.map_or(&self.truncation, |all| &all[row])
    }

    /// The restrictions of some of the rows.
    pub(super) fn part(self, rows: Range<usize>) -> Self {
        Self {
            allowed: self.allowed.map(|allowed| allowed.part(rows.clone())),
            truncations: self.truncations.map(|all| &all[rows]),
            ..self
        }
    }
}

/// Checks a truncation of values of this format.
pub(crate) fn check(truncation: &Truncation, format: ValueFormat) -> Result<(), Error> {
    truncation.check()?;
    let Some(got) = truncation.at_temperature else { return Ok(()) };
    let expected = match Temperature::for_format(format, got) {
        Ok(Temperature::Scaled(_)) => return Ok(()),
        _ if format.is_of_weights() => "from 9.5e-7 (2^-20) to 1.3e30 (2^100) with weights",
        _ => "from 7.9e-31 (2^-100) to 1.3e30 (2^100)",
    };
    // in words of its own, as the temperature of the draw may be 0
    Err(Error::Truncation { what: "the temperature of a cut", expected, got })
}

impl super::Job<'_> {
    /// Whether engines can draw from the rows where they are.
    pub(crate) fn is_in_place(&self) -> bool {
        self.logits.is_in_place()
            && self.adjustment.is_none()
            && self.restriction.is_none(self.logits.categories())
    }

    /// The truncation of a row, and the scale at which it is cut.
    pub(crate) fn cut_of(&self, row: usize) -> (&Truncation, Scale) {
        let truncation = self.restriction.truncation(row);
        (truncation, truncation.scale(self.scale_of(row)))
    }
}
