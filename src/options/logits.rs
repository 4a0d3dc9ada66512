//! Rows of logits, in the types that logits come in.

use std::borrow::Cow;

use half::{bf16, f16};

use super::batch::Batch;
use super::rows::{Data, Rows, Stock};
use super::stored::Stored;
use super::value::Widen;
use crate::error::Error;
use crate::job::lengthen;

/// The type of a batch's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ValueFormat {
    /// IEEE single precision, 32 bits.
    F32,
    /// IEEE half precision, 16 bits: up to 65504, 11 significant bits.
    F16,
    /// The upper half of an `f32`, 16 bits: the range of an `f32`, 8 significant bits.
    Bf16,
    /// Not logits but positive [weights](crate::Weights), of IEEE single precision.
    Weights,
    /// Not logits but counts: [weights](crate::Weights) that are integers of 32 bits.
    Counts,
    /// IEEE double precision, 64 bits. Only in the host's memory.
    F64,
    /// Not logits but positive [weights](crate::Weights), of IEEE double precision. Only in the host's memory.
    WeightsF64,
}

impl ValueFormat {
    /// Whether the values are weights or counts, and no logits.
    pub(crate) const fn is_of_weights(self) -> bool {
        match self {
            Self::F32 | Self::F16 | Self::Bf16 | Self::F64 => false,
            Self::Weights | Self::Counts | Self::WeightsF64 => true,
        }
    }

    /// log₂ of the factor by which a probability grows when the engine's value grows by 1: log₂e for logits, and 1 for
    /// weights, for which the engine's value is a binary logarithm.
    #[cfg(feature = "gpu")]
    pub(crate) const fn log2(self) -> f32 {
        if self.is_of_weights() { 1.0 } else { std::f32::consts::LOG2_E }
    }

    /// The logarithm of an unnormalised probability that a device has written as these 32 bits: of a logit or a weight
    /// as an `f32`, or of a count.
    #[cfg(feature = "gpu")]
    pub(crate) fn logarithm(self, bits: u32) -> f64 {
        let value = f64::from(f32::from_bits(bits));
        match self {
            Self::F32 | Self::F16 | Self::Bf16 | Self::F64 => value,
            Self::Weights | Self::WeightsF64 => value.ln(),
            Self::Counts => f64::from(bits).ln(),
        }
    }

    /// The size of a value in bytes.
    ///
    /// ```
    /// use gumbel::ValueFormat;
    /// assert_eq!((ValueFormat::F32.bytes(), ValueFormat::Bf16.bytes()), (4, 2));
    /// ```
    pub const fn bytes(self) -> usize {
        match self {
            Self::F32 | Self::Weights | Self::Counts => 4,
            Self::F16 | Self::Bf16 => 2,
            Self::F64 | Self::WeightsF64 => 8,
        }
    }
}

impl std::fmt::Display for ValueFormat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Bf16 => "bf16",
            Self::Weights => "f32 weights",
            Self::Counts => "u32 counts",
            Self::F64 => "f64",
            Self::WeightsF64 => "f64 weights",
        })
    }
}

/// A type that logits may have: `f32`, `f64`, or `f16` or `bf16` of the crate [`half`](crate::half), and no
/// other.
pub trait Logit: Copy + sealed::AsLogits {
    /// The format of values of this type.
    const FORMAT: ValueFormat;
}

mod sealed {
    use super::{Logit, Stored, ValueFormat, bf16, f16};

    /// A type whose values are read as logits in place.
    pub trait AsLogits: Sized {
        type Value: Stored;
        /// The values, as logits.
        fn as_logits(values: &[Self]) -> &[Self::Value];
    }

    macro_rules! logit {
        ($type:ty, $format:ident) => {
            impl Logit for $type {
                const FORMAT: ValueFormat = ValueFormat::$format;
            }

            impl AsLogits for $type {
                type Value = Self;
                fn as_logits(values: &[Self]) -> &[Self] {
                    values
                }
            }
        };
    }

    logit!(f32, F32);
    logit!(f16, F16);
    logit!(bf16, Bf16);
    logit!(f64, F64);
}

/// A batch of rows of logits: `rows` × `categories` values of `f32`, `f64`, `f16` or `bf16`.
///
/// A logit is the logarithm of an unnormalised probability: category i of a row is drawn with
/// probability exp(logitᵢ) / Σⱼ exp(logitⱼ). −∞ is probability 0.
///
/// ```
/// use gumbel::Logits;
/// let two_rows = Logits::new(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0], 3)?;
/// assert_eq!((two_rows.rows(), two_rows.categories()), (2, 3));
/// // one row in memory, drawn from as if it were there a million times
/// let shared = Logits::strided(&[0.0f32, 1.0, 2.0], 1_000_000, 3, 0)?;
/// assert_eq!(shared.row(999_999), [0.0, 1.0, 2.0]);
/// # Ok::<(), gumbel::Error>(())
/// ```
///
/// # Halves
///
/// Every `f16` and every `bf16` is an `f32`, and a batch of halves draws what the same batch in `f32` draws, bit for
/// bit. Halves take half the memory. They are converted while a row is read, a part at a time, which costs the CPU a
/// few per cent more time than a batch of `f32` takes. The types are those of the crate [`half`](crate::half).
///
/// ```
/// use gumbel::half::f16;
/// use gumbel::{CpuSampler, Logits, SampleOptions};
/// let single = [0.5, 1.25, -3.0, 2.0, f32::NEG_INFINITY, 0.0];
/// let half = single.map(f16::from_f32);
/// let (engine, options) = (CpuSampler::new(), SampleOptions::default().with_draws(100));
/// let draws = engine.sample_rows(Logits::from_f16(&half, 3)?, &options)?;
/// assert_eq!(draws, engine.sample_rows(Logits::new(&single, 3)?, &options)?);
/// # Ok::<(), gumbel::Error>(())
/// ```
///
/// # Double precision
///
/// A row x of `f64` draws what the row x − max x in `f32` draws, by [definition](crate::noise::relative), so that logits
/// near each other are told apart however far from 0 they are: near 10⁷ an `f32` has no halves. Logits lower than the
/// largest by more than 3.4·10³⁸, as the least `f64` in place of −∞ is, count as lower by that. Perturbed logits, times
/// and sums are those of x. Batches of `f64` are copied as `f32`: at most 512 KiB for each thread on the CPU and 64 MiB
/// on a GPU at a time, or a row if that is longer. `cargo bench --bench operations` measures what the copies cost.
///
/// ```
/// use gumbel::{CpuSampler, Logits, SampleOptions};
/// let log_likelihoods = [-1e7, -1e7 + 0.5];
/// let options = SampleOptions::default().with_draws(10_000);
/// let draws = CpuSampler::new().sample_rows(Logits::from_f64(&log_likelihoods, 2)?, &options)?;
/// let second = draws.iter().filter(|&&draw| draw == 1).count();
/// assert!((second as f64 / 1e4 - 0.622).abs() < 0.02); // 1 / (1 + exp(-0.5))
/// # Ok::<(), gumbel::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Logits<'a> {
    batch: Batch<'a>,
}

impl<'a> Logits<'a> {
    /// Makes a batch of rows of `f32` that follow each other without a gap; empty data makes a batch of no rows.
    ///
    /// # Errors
    /// [`Error::Categories`] for no or too many categories, [`Error::UnevenRows`] if the data is
    /// not a whole number of rows.
    pub fn new(data: &'a [f32], categories: usize) -> Result<Self, Error> {
        Rows::dense(data, categories).map(Self::from_rows)
    }

    /// Makes a batch of rows of `f16` that follow each other without a gap; empty data makes a batch of no rows.
    ///
    /// # Errors
    /// [`Error::Categories`] for no or too many categories, [`Error::UnevenRows`] if the data is
    /// not a whole number of rows.
    pub fn from_f16(data: &'a [f16], categories: usize) -> Result<Self, Error> {
        Rows::dense(data, categories).map(Self::from_rows)
    }

    /// Makes a batch of rows of `bf16` that follow each other without a gap; empty data makes a batch of no rows.
    ///
    /// # Errors
    /// [`Error::Categories`] for no or too many categories, [`Error::UnevenRows`] if the data is
    /// not a whole number of rows.
    pub fn from_bf16(data: &'a [bf16], categories: usize) -> Result<Self, Error> {
        Rows::dense(data, categories).map(Self::from_rows)
    }

    /// Makes a batch of rows of `f64` that follow each other without a gap; empty data makes a batch of no rows.
    ///
    /// # Errors
    /// [`Error::Categories`] for no or too many categories, [`Error::UnevenRows`] if the data is
    /// not a whole number of rows.
    pub fn from_f64(data: &'a [f64], categories: usize) -> Result<Self, Error> {
        Rows::dense(data, categories).map(Self::from_rows)
    }

    /// Makes a batch of rows of any [type of logits](Logit). Their first logits are `row_stride` apart, in logits. Rows
    /// may overlap; with a stride of 0 all rows are the same. The data must reach to the last logit of the last row.
    ///
    /// ```
    /// use gumbel::half::bf16;
    /// use gumbel::{Logits, ValueFormat};
    /// let shared = Logits::strided(&[bf16::ZERO, bf16::ONE], 1_000_000, 2, 0)?;
    /// assert_eq!((shared.rows(), shared.format()), (1_000_000, ValueFormat::Bf16));
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Categories`] for no or too many categories, [`Error::LogitsLength`] if the data is
    /// too short.
    pub fn strided<T: Logit>(
        data: &'a [T],
        rows: usize,
        categories: usize,
        row_stride: usize,
    ) -> Result<Self, Error> {
        Self::with_strides(data, rows, categories, row_stride, 1)
    }

    /// Makes a batch of rows of any [type of logits](Logit), whose first logits are `row_stride` apart, and whose logits
    /// are `category_stride` apart, in logits. So a column-major array needs no copy of the caller's: its rows are 1
    /// apart, and its categories as far as there are rows. The data must reach to the last logit of the last row.
    ///
    /// Unless `category_stride` is 1, a call copies the rows: at most 512 KiB for each thread on the CPU and 64 MiB on a
    /// GPU at a time, or 32 rows if these are longer.
    ///
    /// ```
    /// use gumbel::{CpuSampler, Logits, SampleOptions};
    /// let columns = [0.0, 3.0, /* second category */ 1.0, 4.0, /* third */ 2.0, 5.0f32];
    /// let logits = Logits::with_strides(&columns, 2, 3, 1, 2)?;
    /// assert_eq!(*logits.row_f32(1)?, [3.0, 4.0, 5.0]);
    /// let rows = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0];
    /// let (engine, options) = (CpuSampler::new(), SampleOptions::default().with_draws(100));
    /// let draws = engine.sample_rows(logits, &options)?;
    /// assert_eq!(draws, engine.sample_rows(Logits::new(&rows, 3)?, &options)?);
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Categories`] for no or too many categories, [`Error::LogitsLength`] if the data is
    /// too short.
    pub fn with_strides<T: Logit>(
        data: &'a [T],
        rows: usize,
        categories: usize,
        row_stride: usize,
        category_stride: usize,
    ) -> Result<Self, Error> {
        let strides = [row_stride, category_stride];
        Rows::with_strides(T::as_logits(data), rows, categories, strides).map(Self::from_rows)
    }

    pub(super) fn from_batch(batch: Batch<'a>) -> Option<Self> {
        (!batch.format().is_of_weights()).then_some(Self { batch })
    }

    fn from_rows<T: Stored>(rows: Rows<'a, T>) -> Self {
        Self { batch: Batch::from_rows(rows) }
    }

    /// The type of the logits.
    pub fn format(&self) -> ValueFormat {
        self.batch.format()
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.batch.rows()
    }

    /// The number of categories in each row.
    pub fn categories(&self) -> usize {
        self.batch.categories()
    }

    /// The distance from one row's first logit to the next row's, in logits.
    pub fn row_stride(&self) -> usize {
        self.batch.row_stride()
    }

    /// The distance from one logit of a row to the next, in logits.
    pub fn category_stride(&self) -> usize {
        self.batch.category_stride()
    }

    /// The logits of the row at position `row` in a batch of `f32`.
    ///
    /// # Panics
    /// If `row` is not below [`rows`](Self::rows), if the batch is one of another type, or if its logits do not lie
    /// side by side; [`row_f32`](Self::row_f32) takes any batch.
    #[expect(clippy::panic, reason = "as documented: whoever made the batch knows its type")]
    pub fn row(&self, row: usize) -> &'a [f32] {
        match self.batch.stock() {
            Stock::InPlace(Data::F32(rows)) => rows.row(row),
            _ => panic!("a row of {} was asked for as f32", self.format()),
        }
    }

    /// The logits of the row at position `row` as `f32`, from which draws are made: borrowed from a batch of `f32`,
    /// converted from any other. A row of `f64` is [relative](crate::noise::relative) to its largest logit.
    ///
    /// ```
    /// use gumbel::half::f16;
    /// use gumbel::Logits;
    /// let logits = [f16::from_f32(0.5), f16::MIN_POSITIVE_SUBNORMAL];
    /// assert_eq!(*Logits::from_f16(&logits, 2)?.row_f32(0)?, [0.5, 2f32.powi(-24)]);
    /// assert_eq!(*Logits::from_f64(&[1e9, 1e9 - 0.5], 2)?.row_f32(0)?, [0.0, -0.5]);
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NoMemoryForRows`].
    ///
    /// # Panics
    /// If `row` is not below [`rows`](Self::rows).
    pub fn row_f32(&self, row: usize) -> Result<Cow<'a, [f32]>, Error> {
        fn widened<'a, T: Widen>(rows: Rows<'_, T>, row: usize) -> Result<Cow<'a, [f32]>, Error> {
            converted(rows, row, Widen::widen)
        }
        match self.batch.stock() {
            Stock::InPlace(Data::F32(rows)) => Ok(rows.row(row).into()),
            Stock::InPlace(data) | Stock::Spread(data) => match data {
                Data::F32(rows) => widened(rows, row),
                Data::F16(rows) => widened(rows, row),
                Data::Bf16(rows) => widened(rows, row),
                // `Logits` never holds weights or counts
                Data::Weights(_) | Data::Counts(_) => Ok(Cow::default()),
            },
            Stock::F64(rows) => {
                let all = rows.values(row, 0..rows.categories());
                let most = all.fold(f64::NEG_INFINITY, |most, x| f64::largest(most, &[x]));
                converted(rows, row, |x| x.drawn(f64::base(most)))
            }
            Stock::WeightsF64(_) => Ok(Cow::default()),
        }
    }
}

/// The values of a row in memory of their own.
fn converted<'a, T: Stored>(
    rows: Rows<'_, T>,
    row: usize,
    convert: impl Fn(T) -> f32,
) -> Result<Cow<'a, [f32]>, Error> {
    let categories = rows.categories();
    let mut all = Vec::new();
    lengthen(&mut all, categories, 0.0).map_err(|bytes| Error::NoMemoryForRows {
        rows: 1,
        categories,
        bytes,
    })?;
    for (to, value) in all.iter_mut().zip(rows.values(row, 0..categories)) {
        *to = convert(value);
    }
    Ok(all.into())
}

impl<'a> From<Logits<'a>> for Batch<'a> {
    fn from(logits: Logits<'a>) -> Self {
        logits.batch
    }
}
