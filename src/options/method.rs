//! The methods by which a draw is found.

use crate::error::Error;

/// The method by which a draw is found. Both methods are integer arithmetic, so that each gives the same draws on every
/// device. The draws of one method are independent of those of the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method {
    /// Takes the category with the largest sum of logit and Gumbel noise: nothing is stored, and the draw is exact to
    /// the far tail. O(categories) for each draw.
    #[default]
    Gumbel,
    /// Adds up the row's weights once, and finds each draw by a search in the sums: O(categories) once, and O(1) for a
    /// draw on the CPU, O(log categories) on a GPU. For many draws from a row.
    ///
    /// **Resolution**: a category with less than 2^−(63 − ⌊log₂ categories⌋) of the probability of the most probable
    /// category is never drawn: 2⁻⁵⁴ with 1,000 categories, 2⁻⁴⁴ with a million, 2⁻³² with 2³² − 1. See
    /// [`noise::exp`](crate::noise::exp). At temperature 1 this limit is up to twice as high for weights of `f32`;
    /// counts are added up as they are and lose nothing.
    ///
    /// **Most categories**: on the CPU any number, but beyond some 2²⁸ the roundings of so many weights may become
    /// noticeable; on a GPU as many as a buffer holds at 8 bytes each
    /// ([`Error::RowTooLong`](crate::Error::RowTooLong)).
    InverseCdf,
    /// [`InverseCdf`](Self::InverseCdf) for [`MANY_DRAWS`](Self::MANY_DRAWS) draws or more from each row of no more
    /// than [`MOST_CATEGORIES`](Self::MOST_CATEGORIES) categories, and [`Gumbel`](Self::Gumbel) otherwise: roughly the
    /// faster of the two on a CPU (`cargo bench --bench cdf`, the second table).
    ///
    /// The choice depends on the shape of the call alone, so that the draws are the same on every machine. But a call
    /// for many draws may draw differently from several calls for fewer draws each.
    ///
    /// **On a GPU**: the best thresholds for a GPU have not been measured. As the device has no part in the choice, a
    /// call may become an inverse CDF whose sums do not fit into a buffer of the device: a device that binds 128 MiB
    /// holds the sums of 2²⁴ categories, a device that binds less holds those of fewer. Such a call is an
    /// [`Error::RowTooLong`](crate::Error::RowTooLong). The method never changes instead, as the draws would change
    /// with it. [`Gumbel`](Self::Gumbel) takes rows of any length in pieces: choose it where such a device is possible.
    Auto,
}

impl Method {
    /// The least number of draws from a row for which [`Auto`](Self::Auto) takes the inverse CDF.
    pub const MANY_DRAWS: u32 = 16;
    /// The largest number of categories for which [`Auto`](Self::Auto) takes the inverse CDF. With so many, 2⁻⁴⁰ of the
    /// probability of the most probable category is resolved.
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

    /// Returns the method that is used for this number of categories and of draws from each row: [`Auto`](Self::Auto)
    /// becomes [`Gumbel`](Self::Gumbel) or [`InverseCdf`](Self::InverseCdf), and these two stay as they are.
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

/// Writes the [name](Method::name).
impl std::fmt::Display for Method {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

/// Reads a [name](Method::name). Any other string is an [`Error::Method`].
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
