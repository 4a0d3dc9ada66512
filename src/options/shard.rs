//! Where some categories of rows lie in rows that are split.

use crate::error::Error;

/// The place of a batch's categories in rows that are split over devices: a *shard* of their categories.
///
/// ```
/// use gumbel::Shard;
/// // the second of two halves of a vocabulary
/// let shard = Shard::new(64_128, 128_256)?;
/// assert_eq!((shard.first(), shard.whole()), (64_128, 128_256));
/// # Ok::<(), gumbel::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    first: u32,
    whole: u32,
}

impl Shard {
    /// The shard that begins with category `first` of rows of `whole` categories. The batch says how many categories it has.
    ///
    /// # Errors
    /// [`Error::Categories`] if `whole` is 0, or 2³² or more, and [`Error::Shard`] if the first category is none.
    pub const fn new(first: usize, whole: usize) -> Result<Self, Error> {
        if whole == 0 || whole > u32::MAX as usize {
            return Err(Error::Categories { got: whole });
        }
        if first >= whole {
            return Err(Error::Shard { first, categories: 1, whole });
        }
        Ok(Self { first: first as u32, whole: whole as u32 })
    }

    /// The shard's first category.
    pub const fn first(&self) -> usize {
        self.first as usize
    }

    /// The number of categories of whole rows.
    pub const fn whole(&self) -> usize {
        self.whole as usize
    }

    /// Checks that so many categories are within the rows.
    pub(crate) fn check(&self, categories: usize) -> Result<(), Error> {
        let (first, whole) = (self.first(), self.whole());
        match first.checked_add(categories) {
            Some(end) if end <= whole => Ok(()),
            _ => Err(Error::Shard { first, categories, whole }),
        }
    }
}
