//! Why a row has no draw.

/// Why a row has no draw.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Undrawable {
    /// A logit is NaN.
    Nan {
        /// The first category with a NaN or +∞.
        category: usize,
    },
    /// A logit is +∞.
    PositiveInfinity {
        /// The first category with a NaN or +∞.
        category: usize,
    },
    /// Every logit is −∞: each category has probability 0.
    NothingDrawable,
    /// A weight is negative, infinite or NaN.
    InvalidWeight {
        /// The first category with such a weight.
        category: usize,
        /// The weight.
        weight: f64,
    },
    /// Every weight is 0.
    NoWeight,
    /// No category is allowed that could be drawn.
    NothingAllowed,
}

impl std::fmt::Display for Undrawable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Nan { category } => write!(f, "its logit of category {category} is NaN"),
            Self::PositiveInfinity { category } => {
                write!(f, "its logit of category {category} is +infinity")
            }
            Self::NothingDrawable => write!(f, "all its logits are -infinity"),
            Self::InvalidWeight { category, weight } => write!(
                f,
                "its weight of category {category} is {}; a weight is 0 or positive, and finite",
                super::words::shortest(*weight)
            ),
            Self::NoWeight => write!(f, "all its weights are 0"),
            Self::NothingAllowed => {
                write!(f, "none of its categories that are allowed can be drawn")
            }
        }
    }
}
