//! How a draw is found.

use crate::error::Error;

/// How a draw is found. Both ways are integer arithmetic, so that each gives the same draws on every
/// device; one way's draws are not the other's, but independent of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method {
    /// The largest sum of logit and Gumbel noise: nothing is stored, and the draw is exact to the far
    /// tail. O(categories) for each draw.
    #[default]
    Gumbel,
    /// The row's weights are added up once, and a search in the sums gives each draw: O(categories)
    /// once, and O(1) for a draw on the CPU, O(log categories) on a GPU. For many draws from a row.
    ///
    /// **Resolution**: a category of less than 2^−(63 − ⌊log₂ categories⌋) of the most probable one's
    /// probability is never drawn: 2⁻⁵⁴ with 1,000 categories, 2⁻⁴⁴ with a million, 2⁻³² with 2³² − 1. See
    /// [`noise::exp`](crate::noise::exp). At temperature 1 weights of `f32` lose up to twice as much, and counts
    /// nothing: they are added up as they are.
    ///
    /// **Most categories**: on the CPU any number, but beyond some 2²⁸ so many could be rounded away that it
    /// shows; on a GPU as many as a buffer holds at 8 bytes each
    /// ([`Error::RowTooLong`](crate::Error::RowTooLong)).
    InverseCdf,
    /// [`InverseCdf`](Self::InverseCdf) for [`MANY_DRAWS`](Self::MANY_DRAWS) draws or more from each row of
    /// no more than [`MOST_CATEGORIES`](Self::MOST_CATEGORIES) categories, [`Gumbel`](Self::Gumbel) for
    /// all else: about what is faster on a CPU (`cargo bench --bench cdf`, the second table).
    ///
    /// It looks at the shape of the call alone, so that the draws depend on nothing else. But a call for
    /// so many draws may draw others than several calls for fewer.
    ///
    /// **On a GPU**: where these thresholds should be has not been measured on one. And as the device does
    /// not count, a call may become an inverse CDF that the device has no room for: a device that binds 128 MiB holds
    /// the sums of 2²⁴ categories, one that binds less of fewer. That is an
    /// [`Error::RowTooLong`](crate::Error::RowTooLong) and never a change of method, which would draw others.
    /// [`Gumbel`](Self::Gumbel) takes rows of any length in pieces: choose it where such a device may be met.
    Auto,
}

impl Method {
    /// The draws from a row for which [`Auto`](Self::Auto) takes the inverse CDF.
    pub const MANY_DRAWS: u32 = 16;
    /// The most categories for which it does. There 2⁻⁴⁰ of the most probable one's probability is
    /// resolved.
    pub const MOST_CATEGORIES: usize = (1 << 24) - 1;

    /// All methods.
    pub const ALL: &'static [Self] = &[Self::Gumbel, Self::InverseCdf, Self::Auto];

    /// The name of the method, which [`FromStr`](std::str::FromStr) reads.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gumbel => "gumbel",
            Self::InverseCdf => "inverse-cdf",
            Self::Auto => "auto",
        }
    }

    /// [`Gumbel`](Self::Gumbel) or [`InverseCdf`](Self::InverseCdf): what [`Auto`](Self::Auto) is for
    /// this number of categories and of draws from each row.
    ///
    /// ```
    /// use gumbel::Method;
    /// assert_eq!(Method::Auto.resolve(1000, 1), Method::Gumbel);
    /// assert_eq!(Method::Auto.resolve(1000, 1_000_000), Method::InverseCdf);
    /// assert_eq!(Method::Gumbel.resolve(1000, 1_000_000), Method::Gumbel);
    /// ```
    #[must_use]
    pub const fn resolve(self, categories: usize, draws: u32) -> Self {
        match self {
            Self::Auto if draws >= Self::MANY_DRAWS && categories <= Self::MOST_CATEGORIES => {
                Self::InverseCdf
            }
            Self::Auto => Self::Gumbel,
            chosen => chosen,
        }
    }
}

/// The [name](Method::name).
impl std::fmt::Display for Method {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

/// By [name](Method::name).
///
/// ```
/// use gumbel::Method;
/// assert_eq!("inverse-cdf".parse::<Method>()?, Method::InverseCdf);
/// let error = "cdf".parse::<Method>().unwrap_err();
/// assert_eq!(error.to_string(), "a method is gumbel, inverse-cdf or auto, got \"cdf\"");
/// # Ok::<(), gumbel::Error>(())
/// ```
impl std::str::FromStr for Method {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let named = Self::ALL.iter().find(|method| method.name() == name);
        named.copied().ok_or_else(|| Error::Method { got: name.to_owned() })
    }
}
