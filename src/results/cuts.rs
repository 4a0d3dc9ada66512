//! Where rows are cut.

/// What a [`Truncation`](crate::Truncation) keeps of a row.
///
/// The threshold alone, of 8 bytes, tells which categories are kept: whoever has the logits finds the very categories
/// again.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Cut {
    /// The least logit, weight or count that is kept; with a [`Bias`](crate::Bias) or a [`Penalty`](crate::Penalty), the
    /// least adjusted logit. Kept are the categories that are allowed and whose value is at
    /// least this. NaN for a row without a draw.
    pub threshold: f64,
    /// The number of categories that are kept; 0 for a row without a draw.
    pub kept: u32,
    /// The share that the kept categories have of the probability of all that are allowed, at the temperature of the
    /// cut. NaN for a row without a draw.
    pub share: f64,
}

/// The cut of a row without a draw.
impl Default for Cut {
    fn default() -> Self {
        Self::NONE
    }
}

impl Cut {
    /// The cut of a row without a draw.
    pub(crate) const NONE: Self = Self { threshold: f64::NAN, kept: 0, share: f64::NAN };

    /// Whether the row has no draw, and so no cut.
    pub fn is_none(&self) -> bool {
        self.kept == 0
    }
}
