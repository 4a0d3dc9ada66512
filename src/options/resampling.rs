//! The schemes of resampling.

/// A scheme by which particles are resampled. Each gives particle j an expected number of n·wⱼ/Σw positions of n; they
/// differ in how far the number may be from that.
///
/// Source: R. Douc, O. Cappé, E. Moulines, Comparison of resampling schemes for particle filtering (2005).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Resampling {
    /// One uniform number for all: position i gets the particle at (i + u)/n of the sum of all weights. The number of
    /// positions of a particle is ⌊n·w/Σw⌋ or one more.
    Systematic,
    /// A uniform number for each position: position i gets the particle at (i + uᵢ)/n of the sum of all weights. The
    /// number of positions of a particle differs from n·w/Σw by less than 2.
    Stratified,
    /// ⌊n·w/Σw⌋ positions for each particle, and then independent draws by the fractions that are left.
    Residual,
}
