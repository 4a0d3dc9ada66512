//! Rows of weights.

use bytemuck::TransparentWrapper;

use super::batch::Batch;
use super::rows::Rows;
use super::stored::{PositiveF64, Stored};
use super::value::Positive;
use crate::error::Error;

/// A type that weights may have: `f32`, `f64`, or `u32` for counts, and no other.
pub trait Weight: Copy + sealed::As {}

impl Weight for f32 {}
impl Weight for f64 {}
impl Weight for u32 {}

mod sealed {
    use super::{Positive, PositiveF64, Stored, TransparentWrapper};

    /// A type whose values are read as weights in place.
    pub trait As: Sized {
        type Value: Stored;
        /// The values, as weights.
        fn as_weights(values: &[Self]) -> &[Self::Value];
    }

    impl As for f32 {
        type Value = Positive;
        fn as_weights(values: &[Self]) -> &[Positive] {
            Positive::wrap_slice(values)
        }
    }

    impl As for f64 {
        type Value = PositiveF64;
        fn as_weights(values: &[Self]) -> &[PositiveF64] {
            PositiveF64::wrap_slice(values)
        }
    }

    impl As for u32 {
        type Value = Self;
        fn as_weights(values: &[Self]) -> &[Self] {
            values
        }
    }
}

/// A batch of rows of weights: `rows` × `categories` values of `f32`, `f64` or `u32`.
///
/// A weight is an unnormalised probability, or the rate at which an alarm rings: category i of a row is drawn with
/// probability wᵢ / Σⱼ wⱼ. Weights need no normalisation and no logarithm, and their sum may be any number. The trick
/// is called *ExponentialMin*: with Eᵢ ~ Exp(1), the least Eᵢ/wᵢ wins.
///
/// | weight | meaning |
/// |---|---|
/// | 0, −0 | probability 0, never drawn |
/// | any other up to the largest finite number | counts in full, subnormal or huge |
/// | negative, NaN, +∞ | this row has no draw; no other row is harmed |
///
/// Weights draw what the logits ln w with 24 fractional bits would draw, and so not quite what the logits `w.ln()` in
/// `f32` draw. With a temperature T, category i is drawn with probability wᵢ^(1/T) / Σⱼ wⱼ^(1/T); T is 0 or from 2⁻²⁰
/// on.
///
/// A row of `f64` draws what it draws times the power of two that brings its largest weight to between 2¹²⁶ and 2¹²⁷, in
/// `f32`, by [definition](crate::noise::relative). Times, keys and sums are those of the weights as they are.
///
/// ```
/// use gumbel::{CpuSampler, SampleOptions, Weights};
/// let weights = [1.0, 3.0, 0.0, /* second row */ 1e-40, 1e30, 1e30];
/// let options = SampleOptions::default().with_draws(1000);
/// let draws = CpuSampler::new().sample_rows(Weights::new(&weights, 3)?, &options)?;
/// let share = |draws: &[u32], c| draws.iter().filter(|&&d| d == c).count() as f64 / 1000.0;
/// assert!((share(&draws[..1000], 1) - 0.75).abs() < 0.06);
/// assert_eq!(share(&draws[..1000], 2), 0.0);
/// assert!((share(&draws[1000..], 1) - 0.5).abs() < 0.07);
/// # Ok::<(), gumbel::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Weights<'a> {
    batch: Batch<'a>,
}

impl<'a> Weights<'a> {
    /// Makes a batch of rows of `f32` that follow each other without a gap; empty data makes a batch of no rows.
    ///
    /// # Errors
    /// [`Error::Categories`] for no or too many categories, [`Error::UnevenRows`] if the data is not a whole number of
    /// rows. Weights that are negative or not finite are errors only when they are drawn from.
    pub fn new(data: &'a [f32], categories: usize) -> Result<Self, Error> {
        Self::dense(data, categories)
    }

    /// Makes a batch of rows of `f64` that follow each other without a gap; empty data makes a batch of no rows.
    ///
    /// The weights of a row may be of any size, and as far apart as 1 and 10⁻⁷⁶. Those that are smaller than that beside the
    /// largest of their row keep fewer bits, and those below 8.2·10⁻⁸⁴ (2⁻²⁷⁶) of it count as that or up to twice as much,
    /// never as 0. A high temperature shows it: at 100 the latter count a seventh of the largest. [Logits](crate::Logits::from_f64), of
    /// which these are the exponentials, have no such limit.
    ///
    /// ```
    /// use gumbel::{CpuSampler, SampleOptions, Weights};
    /// let weights = Weights::from_f64(&[1e-300, 3e-300], 2)?;
    /// let options = SampleOptions::default().with_draws(10_000);
    /// let draws = CpuSampler::new().sample_rows(weights, &options)?;
    /// let second = draws.iter().filter(|&&draw| draw == 1).count();
    /// assert!((second as f64 / 1e4 - 0.75).abs() < 0.02);
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`new`](Self::new).
    pub fn from_f64(data: &'a [f64], categories: usize) -> Result<Self, Error> {
        Self::dense(data, categories)
    }

    /// Makes a batch of rows of counts that follow each other without a gap; empty data makes a batch of no rows. A
    /// category's count is its weight.
    ///
    /// ```
    /// use gumbel::{CpuSampler, SampleOptions, Weights};
    /// // two red balls and four billion blue ones
    /// let urn = Weights::from_counts(&[2, 4_000_000_000], 2)?;
    /// assert_eq!(CpuSampler::new().sample_rows(urn, &SampleOptions::default())?, [1]);
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Categories`] for no or too many categories, [`Error::UnevenRows`] if the data is
    /// not a whole number of rows.
    pub fn from_counts(data: &'a [u32], categories: usize) -> Result<Self, Error> {
        Self::dense(data, categories)
    }

    /// Makes a batch of rows of any [type of weights](Weight). Their first weights are `row_stride` apart, in weights.
    /// Rows may overlap; with a stride of 0 all rows are the same. The data must reach to the last weight of the last
    /// row.
    ///
    /// ```
    /// use gumbel::Weights;
    /// let shared = Weights::strided(&[1u32, 2, 3], 1_000_000, 3, 0)?;
    /// assert_eq!((shared.rows(), shared.categories()), (1_000_000, 3));
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Categories`] for no or too many categories, [`Error::LogitsLength`] if the data is
    /// too short.
    pub fn strided<T: Weight>(
        data: &'a [T],
        rows: usize,
        categories: usize,
        row_stride: usize,
    ) -> Result<Self, Error> {
        Self::with_strides(data, rows, categories, row_stride, 1)
    }

    /// Makes a batch of rows of any [type of weights](Weight), whose first weights are `row_stride` apart, and whose
    /// weights are `category_stride` apart, in weights, as [`Logits::with_strides`](crate::Logits::with_strides) says.
    ///
    /// ```
    /// use gumbel::{CpuSampler, SampleOptions, Weights};
    /// // a column-major array of two rows: 0 1 and 2 0
    /// let weights = Weights::with_strides(&[0u32, 2, 1, 0], 2, 2, 1, 2)?;
    /// assert_eq!(CpuSampler::new().sample_rows(weights, &SampleOptions::default())?, [1, 0]);
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`strided`](Self::strided).
    pub fn with_strides<T: Weight>(
        data: &'a [T],
        rows: usize,
        categories: usize,
        row_stride: usize,
        category_stride: usize,
    ) -> Result<Self, Error> {
        let strides = [row_stride, category_stride];
        let rows = Rows::with_strides(T::as_weights(data), rows, categories, strides)?;
        Ok(Self { batch: Batch::from_rows(rows) })
    }

    fn dense<T: Weight>(data: &'a [T], categories: usize) -> Result<Self, Error> {
        let rows = Rows::dense(T::as_weights(data), categories)?;
        Ok(Self { batch: Batch::from_rows(rows) })
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.batch.rows()
    }

    /// The number of categories in each row.
    pub fn categories(&self) -> usize {
        self.batch.categories()
    }
}

impl<'a> From<Weights<'a>> for Batch<'a> {
    fn from(weights: Weights<'a>) -> Self {
        weights.batch
    }
}
