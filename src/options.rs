//! What is drawn from, and how: the arguments that every engine takes.

use crate::error::Error;

/// A batch of rows of logits: `rows` × `categories` values of `f32` in row-major order.
///
/// A logit is the logarithm of an unnormalised probability: category i of a row is drawn with
/// probability exp(logitᵢ) / Σⱼ exp(logitⱼ). −∞ is probability 0.
///
/// ```
/// use gumbel::Logits;
/// let two_rows = Logits::new(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0], 3)?;
/// assert_eq!((two_rows.rows(), two_rows.categories()), (2, 3));
/// // one row in memory, drawn from as if it were there a million times
/// let shared = Logits::with_row_stride(&[0.0, 1.0, 2.0], 1_000_000, 3, 0)?;
/// assert_eq!(shared.row(999_999), [0.0, 1.0, 2.0]);
/// # Ok::<(), gumbel::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Logits<'a> {
    data: &'a [f32],
    rows: usize,
    categories: usize,
    row_stride: usize,
}

impl<'a> Logits<'a> {
    /// Rows that follow each other without a gap. No data is zero rows.
    ///
    /// # Errors
    /// [`Error::Categories`] for no or too many categories, [`Error::UnevenRows`] if the data is
    /// not a whole number of rows.
    pub fn new(data: &'a [f32], categories: usize) -> Result<Self, Error> {
        check_categories(categories)?;
        if !data.len().is_multiple_of(categories) {
            return Err(Error::UnevenRows { categories, got: data.len() });
        }
        Ok(Self { data, rows: data.len() / categories, categories, row_stride: categories })
    }

    /// Rows whose first logits are `row_stride` apart. Rows may overlap; with a stride of 0 all
    /// rows are the same. The data must reach to the last row's last logit.
    ///
    /// # Errors
    /// [`Error::Categories`] for no or too many categories, [`Error::LogitsLength`] if the data is
    /// too short.
    pub fn with_row_stride(
        data: &'a [f32],
        rows: usize,
        categories: usize,
        row_stride: usize,
    ) -> Result<Self, Error> {
        check_categories(categories)?;
        let expected = match rows.checked_sub(1) {
            None => 0,
            Some(before) => before as u128 * row_stride as u128 + categories as u128,
        };
        if expected > data.len() as u128 {
            let got = data.len();
            return Err(Error::LogitsLength { rows, categories, row_stride, expected, got });
        }
        Ok(Self { data, rows, categories, row_stride })
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The number of categories in each row.
    pub fn categories(&self) -> usize {
        self.categories
    }

    /// The distance from one row's first logit to the next row's, in logits.
    pub fn row_stride(&self) -> usize {
        self.row_stride
    }

    /// The logits of the row at position `row` in the batch.
    ///
    /// # Panics
    /// If `row` is not below [`rows`](Self::rows).
    pub fn row(&self, row: usize) -> &'a [f32] {
        assert!(row < self.rows, "row {row} of {}", self.rows);
        &self.data[row * self.row_stride..][..self.categories]
    }

    /// The memory from the first logit of row `first` to the last one of row `first + count − 1`.
    pub(crate) fn span(&self, first: usize, count: usize) -> &'a [f32] {
        &self.data[first * self.row_stride..][..(count - 1) * self.row_stride + self.categories]
    }
}

fn check_categories(categories: usize) -> Result<(), Error> {
    // the last of 2^32 - 1 categories is u32::MAX - 1, and u32::MAX the sentinel
    if categories == 0 || categories > u32::MAX as usize {
        return Err(Error::Categories { got: categories });
    }
    Ok(())
}

/// Which 64-bit stream ids the rows of a batch have: a row's draws depend on its id, not on its
/// position in the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowIds<'a> {
    /// The row at position i has id first + i, modulo 2⁶⁴.
    From(u64),
    /// One id for each row. Rows with the same id get the same noise.
    Each(&'a [u64]),
}

impl RowIds<'_> {
    /// The id of the row at position `row` in the batch.
    pub(crate) fn id(&self, row: usize) -> u64 {
        match self {
            Self::From(first) => first.wrapping_add(row as u64),
            Self::Each(ids) => ids[row],
        }
    }
}

/// How to draw. The default: seed 0, one draw a row, temperature 1, rows numbered from 0, an error
/// for a row that has no draw.
///
/// ```
/// use gumbel::SampleOptions;
/// let options = SampleOptions::default().with_seed(7).with_draws(100).with_temperature(0.8);
/// # let _ = options;
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct SampleOptions<'a> {
    /// The seed: all draws under two seeds are independent.
    pub seed: u64,
    /// The stream ids of the rows.
    pub row_ids: RowIds<'a>,
    /// The number of the first draw from each row.
    pub first_draw: u32,
    /// The number of draws from each row.
    pub draws: u32,
    /// What the logits are divided by; 0 is greedy, the argmax.
    pub temperature: f32,
    /// Whether a row without a draw gets [`NO_DRAW`](crate::NO_DRAW) instead of being an error.
    pub sentinels: bool,
}

impl Default for SampleOptions<'_> {
    fn default() -> Self {
        Self {
            seed: 0,
            row_ids: RowIds::From(0),
            first_draw: 0,
            draws: 1,
            temperature: 1.0,
            sentinels: false,
        }
    }
}

impl<'a> SampleOptions<'a> {
    /// Draws under this seed.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Numbers the rows from `first_row` on, modulo 2⁶⁴: a batch cut in two draws what the whole
    /// would, if the second part starts at its first row's number.
    #[must_use]
    pub fn with_first_row(self, first_row: u64) -> Self {
        Self { row_ids: RowIds::From(first_row), ..self }
    }

    /// Gives each row its own stream id.
    #[must_use]
    pub fn with_row_ids(self, ids: &'a [u64]) -> Self {
        Self { row_ids: RowIds::Each(ids), ..self }
    }

    /// Draws so many times from each row, 1 to 2³¹.
    #[must_use]
    #[doc(alias = "num_samples")]
    pub fn with_draws(self, draws: u32) -> Self {
        Self { draws, ..self }
    }

    /// Starts at this draw number: a Markov chain whose step t is draw t, or more draws of the same
    /// rows later on.
    #[must_use]
    pub fn with_first_draw(self, first_draw: u32) -> Self {
        Self { first_draw, ..self }
    }

    /// Divides the logits by this temperature: 0, or 2⁻¹⁰⁰ to 2¹⁰⁰.
    ///
    /// A logit is multiplied by 1/temperature, rounded to `f32`; the product is exact until it is
    /// rounded to 2⁻²⁴. Temperature 0 is greedy: the largest logit, the lowest category on ties.
    #[must_use]
    pub fn with_temperature(self, temperature: f32) -> Self {
        Self { temperature, ..self }
    }

    /// Gives a row without a draw (a NaN, +∞, or nothing but −∞) the sentinel
    /// [`NO_DRAW`](crate::NO_DRAW) for each of its draws, instead of failing the call.
    #[must_use]
    pub fn with_sentinels(self, sentinels: bool) -> Self {
        Self { sentinels, ..self }
    }
}

/// STUB
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LogitsFormat {
    /// a
    F32,
    /// b
    F16,
    /// c
    Bf16,
}
impl LogitsFormat {
    /// d
    pub const fn bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            _ => 2,
        }
    }
}
impl std::fmt::Display for LogitsFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self:?}")
    }
}
impl<'a> Logits<'a> {
    /// e
    pub fn format(&self) -> LogitsFormat {
        LogitsFormat::F32
    }
    pub(crate) fn row_bytes(&self, row: usize, c: std::ops::Range<usize>) -> &'a [u8] {
        bytemuck::cast_slice(&self.row(row)[c])
    }
    pub(crate) fn span_bytes(&self, first: usize, count: usize) -> &'a [u8] {
        bytemuck::cast_slice(self.span(first, count))
    }
}
