//! Values that rows have for some of their categories.

use std::ops::Range;

use crate::error::Error;

/// For each row, or for all rows together, some categories, each with a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Entries<'a, V> {
    /// Where each row's entries begin and the last row's end; `None` if all rows share the entries.
    pub(crate) offsets: Option<&'a [usize]>,
    pub(crate) categories: &'a [u32],
    pub(crate) values: &'a [V],
}

impl<'a, V: Copy> Entries<'a, V> {
    /// Checks that there are entries for so many rows, all of them of categories that rows have.
    ///
    /// # Errors
    /// [`Error::Entries`], or an [`Error::OfRow`] with one.
    pub(crate) fn check(
        &self,
        what: &'static str,
        rows: usize,
        categories: usize,
    ) -> Result<(), Error> {
        let wrong = |problem| Err(Error::Entries { what, problem });
        let (all, values) = (self.categories.len(), self.values.len());
        if all != values {
            return wrong(format!("{all} categories need as many values, got {values}"));
        }
        if let Some(offsets) = self.offsets {
            let got = offsets.len();
            if got.checked_sub(1) != Some(rows) {
                return wrong(format!("{rows} rows need an offset more than that, got {got}"));
            }
            check_offsets(what, "row", offsets, all)?;
        }
        match self.categories.iter().position(|&category| category as usize >= categories) {
            None => Ok(()),
            Some(at) => {
                let got = self.categories[at];
                let problem = format!("category {got} of rows of {categories}, numbered from 0");
                Err(self.of_row(at, Error::Entries { what, problem }))
            }
        }
    }

    /// The error of an entry, with its row.
    pub(crate) fn of_row(&self, entry: usize, error: Error) -> Error {
        match self.offsets {
            None => error,
            Some(offsets) => {
                // the offsets may not have been checked, and begin behind the entry
                let row = offsets.partition_point(|&offset| offset <= entry).saturating_sub(1);
                Error::OfRow { row, error: Box::new(error) }
            }
        }
    }

    /// The entries of some of the rows.
    pub(crate) fn part(self, rows: Range<usize>) -> Self {
        Self { offsets: self.offsets.map(|offsets| &offsets[rows.start..=rows.end]), ..self }
    }

    /// The entries of the row at a position; none if there is no such row.
    #[cfg(feature = "rand")]
    pub(crate) fn only(self, row: usize) -> Self {
        let Some(offsets) = self.offsets else { return self };
        let entries = match offsets.get(row..).and_then(<[_]>::first_chunk) {
            Some(&[start, end]) => start..end.max(start),
            None => 0..0,
        };
        let (categories, values) = (self.categories.get(entries.clone()), self.values.get(entries));
        Self {
            offsets: None,
            categories: categories.unwrap_or_default(),
            values: values.unwrap_or_default(),
        }
    }

    /// The categories and the values of the row at a position.
    pub(crate) fn row(&self, row: usize) -> impl Iterator<Item = (u32, V)> + Clone + use<'a, V> {
        let entries = match self.offsets {
            None => 0..self.categories.len(),
            Some(offsets) => offsets[row]..offsets[row + 1],
        };
        let categories = self.categories[entries.clone()].iter().copied();
        categories.zip(self.values[entries].iter().copied())
    }
}

/// Checks that offsets, of which there must be one, rise from 0 to the number of all elements. `of` has elements from one
/// offset to the next.
///
/// # Errors
/// [`Error::Entries`].
pub(crate) fn check_offsets(
    what: &'static str,
    of: &'static str,
    offsets: &[usize],
    all: usize,
) -> Result<(), Error> {
    let wrong = |problem| Err(Error::Entries { what, problem });
    if let Some(at) = offsets.windows(2).position(|pair| pair[0] > pair[1]) {
        let [start, end] = [offsets[at], offsets[at + 1]];
        return wrong(format!("{of} {at} begins at {start} and ends at {end}"));
    }
    match (offsets.first(), offsets.last()) {
        (Some(0), Some(&end)) if end == all => Ok(()),
        (Some(first), Some(end)) => {
            wrong(format!("the offsets must go from 0 to {all}, got {first} to {end}"))
        }
        _ => wrong(format!("there must be an offset more than there are {of}s, got 0")),
    }
}
