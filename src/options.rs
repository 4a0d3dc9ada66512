//! The arguments that every engine takes: the rows to draw from, and the options of how to draw.

use std::ops::Range;

mod allowed;
mod batch;
mod bias;
mod drafts;
mod entries;
mod log_probs_of;
mod logits;
mod method;
mod penalty;
mod relaxation;
mod resampling;
mod rows;
mod shard;
mod stored;
mod truncation;
mod value;
mod weights;

pub use allowed::Allowed;
pub(crate) use allowed::allows;
pub use batch::Batch;
pub use bias::Bias;
pub use drafts::Drafts;
#[cfg(feature = "serde")]
pub(crate) use entries::Entries;
pub use log_probs_of::LogProbsOf;
pub use logits::{Logit, Logits, ValueFormat};
pub use method::Method;
pub use penalty::{History, Penalty};
pub use relaxation::Relaxation;
pub use resampling::Resampling;
pub(crate) use rows::{Data, Owned, Rows, Stock, with_rows, with_stock};
pub use shard::Shard;
pub(crate) use stored::{Stored, allowed_values, relative_row};
pub use truncation::{Share, Truncation};
pub(crate) use value::{Chance, Positive, Value, Widen};
pub use weights::{Weight, Weights};

/// The 64-bit stream ids of the rows of a batch: a row's draws depend on its id, not on its position in the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowIds<'a> {
    /// The row at position i has id first + i, modulo 2⁶⁴.
    Consecutive(u64),
    /// One id for each row. Rows with the same id get the same noise.
    Each(&'a [u64]),
}

impl RowIds<'_> {
    /// The id of the row at position `row` in the batch.
    pub(crate) fn id(&self, row: usize) -> u64 {
        match self {
            Self::Consecutive(first) => first.wrapping_add(row as u64),
            Self::Each(ids) => ids[row],
        }
    }

    /// The ids of some of the rows.
    pub(crate) fn part(self, rows: Range<usize>) -> Self {
        match self {
            Self::Consecutive(_) => Self::Consecutive(self.id(rows.start)),
            Self::Each(ids) => Self::Each(&ids[rows]),
        }
    }
}

/// How to draw. The default: seed 0, one draw a row, temperature 1, rows numbered from 0, an error
/// for a row that has no draw.
///
/// Two calls with the same options use the same noise. In a loop, a [`Sequence`](crate::Sequence) makes the options of
/// each call.
///
/// ```
/// use gumbel::SampleOptions;
/// let options = SampleOptions::default().with_seed(7).with_draws(100).with_temperature(0.8);
/// # let _ = options;
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct SampleOptions<'a> {
    /// The seed. Draws under different seeds are independent.
    pub seed: u64,
    /// The stream ids of the rows.
    pub row_ids: RowIds<'a>,
    /// The number of the first draw from each row.
    pub first_draw: u32,
    /// The number of draws from each row.
    pub draws: u32,
    /// The temperature, which divides the logits; 0 is greedy, the argmax.
    pub temperature: f32,
    /// The method by which a draw is found; the draws of two methods differ.
    pub method: Method,
    /// Whether a row without a draw gets [`NO_DRAW`](crate::NO_DRAW) instead of being an error.
    pub sentinels: bool,
    /// A seed for each row, instead of `seed`.
    pub seeds: Option<&'a [u64]>,
    /// A temperature for each row, instead of `temperature`.
    pub temperatures: Option<&'a [f32]>,
    /// A number for each row, which is added to `first_draw`.
    pub first_draws: Option<&'a [u32]>,
    /// The positions in the batch of the rows of the call, instead of one row of the call for each row of the batch.
    pub row_indices: Option<&'a [u32]>,
    /// The truncation, which cuts unlikely categories off.
    pub truncation: Truncation,
    /// A truncation for each row, instead of `truncation`.
    pub truncations: Option<&'a [Truncation]>,
    /// The categories that may be drawn, or all.
    pub allowed: Option<Allowed<'a>>,
    /// The bias, which is added to logits.
    pub bias: Option<Bias<'a>>,
    /// The penalty, which changes the logits of the categories of the history.
    pub penalty: Penalty,
    /// A penalty for each row, instead of `penalty`.
    pub penalties: Option<&'a [Penalty]>,
    /// The categories that each row has had before.
    pub history: Option<History<'a>>,
    /// What log-probabilities are among.
    pub log_probs_of: LogProbsOf,
}

impl Default for SampleOptions<'_> {
    fn default() -> Self {
        Self {
            seed: 0,
            row_ids: RowIds::Consecutive(0),
            first_draw: 0,
            draws: 1,
            temperature: 1.0,
            method: Method::Gumbel,
            sentinels: false,
            seeds: None,
            temperatures: None,
            first_draws: None,
            row_indices: None,
            truncation: Truncation::new(),
            truncations: None,
            allowed: None,
            bias: None,
            penalty: Penalty::new(),
            penalties: None,
            history: None,
            log_probs_of: LogProbsOf::Kept,
        }
    }
}

impl<'a> SampleOptions<'a> {
    /// Draws under this seed.
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Numbers the rows from `first_row` on, modulo 2⁶⁴. If a batch is cut in two, its parts draw what the whole would
    /// draw, as long as the second part starts at the number of its first row.
    #[must_use]
    pub fn with_first_row(self, first_row: u64) -> Self {
        Self { row_ids: RowIds::Consecutive(first_row), ..self }
    }

    /// Gives each row its own stream id. There must be one id for each row of the batch, or the call is an
    /// [`Error::RowIds`](crate::Error::RowIds).
    #[must_use]
    pub fn with_row_ids(self, ids: &'a [u64]) -> Self {
        Self { row_ids: RowIds::Each(ids), ..self }
    }

    /// Draws `draws` times from each row, 1 to 2³¹.
    #[must_use]
    #[doc(alias = "num_samples")]
    pub fn with_draws(self, draws: u32) -> Self {
        Self { draws, ..self }
    }

    /// Starts at this draw number instead of 0: for a Markov chain whose step t is draw t, or for more draws from the
    /// same rows later on. `first_draw` + `draws` must not exceed 2³¹. A [`Sequence`](crate::Sequence) sets this number
    /// from call to call.
    #[must_use]
    pub fn with_first_draw(self, first_draw: u32) -> Self {
        Self { first_draw, ..self }
    }

    /// Divides the logits by this temperature: 0, or 2⁻¹⁰⁰ to 2¹⁰⁰; with weights 0, or 2⁻²⁰ to 2¹⁰⁰.
    ///
    /// A logit is multiplied by 1/temperature, which is rounded to `f32`; the product is exact until it is rounded to
    /// 2⁻²⁴. Temperature 0 is greedy: the largest logit wins, and the lowest category on ties.
    #[must_use]
    pub fn with_temperature(self, temperature: f32) -> Self {
        Self { temperature, ..self }
    }

    /// Draws by this method; the default is [`Method::Gumbel`]. The draws of two methods are independent.
    ///
    /// ```
    /// use gumbel::{CpuSampler, Logits, Method, SampleOptions};
    /// let logits = [0.0, 1.0, f32::NEG_INFINITY];
    /// let options = SampleOptions::default().with_draws(100_000).with_method(Method::InverseCdf);
    /// let draws = CpuSampler::new().sample_rows(Logits::new(&logits, 3)?, &options)?;
    /// let ones = draws.iter().filter(|&&draw| draw == 1).count();
    /// assert!((ones as f64 / 1e5 - 0.731).abs() < 0.01); // e / (1 + e)
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    #[must_use]
    pub fn with_method(self, method: Method) -> Self {
        Self { method, ..self }
    }

    /// With `true`, a row without a draw gets the sentinel [`NO_DRAW`](crate::NO_DRAW) for each of its draws; with
    /// `false`, the default, such a row fails the call. A row of logits has no draw if it has a NaN, a +∞ or nothing
    /// but −∞; a row of weights, if it has a NaN, a negative or infinite weight, or nothing but 0.
    #[must_use]
    pub fn with_sentinels(self, sentinels: bool) -> Self {
        Self { sentinels, ..self }
    }

    /// Gives each row its own seed. There must be one for each row of the call, or it is an
    /// [`Error::RowOptions`](crate::Error::RowOptions).
    ///
    /// Seeds, [temperatures](Self::with_temperatures) and [first draws](Self::with_first_draws) of rows change nothing
    /// but how many calls it takes: row i draws what a call for row i alone draws with its seed, its temperature, its
    /// first draw and its id.
    ///
    /// ```
    /// use gumbel::{CpuSampler, Logits, SampleOptions};
    /// let (sampler, logits) = (CpuSampler::new(), [0.0, 1.0, 2.0, 0.5, 0.5, 0.5]);
    /// // two requests, the second of them greedy; each has its own seed and is at its own step
    /// let (seeds, temperatures, steps) = ([7, 1234], [0.8, 0.0], [17, 3]);
    /// let options = SampleOptions::default()
    ///     .with_row_ids(&[0, 0])
    ///     .with_seeds(&seeds)
    ///     .with_temperatures(&temperatures)
    ///     .with_first_draws(&steps);
    /// let draws = sampler.sample_rows(Logits::new(&logits, 3)?, &options)?;
    ///
    /// let first = SampleOptions::default().with_seed(7).with_temperature(0.8).with_first_draw(17);
    /// assert_eq!(draws[..1], sampler.sample_rows(Logits::new(&logits[..3], 3)?, &first)?);
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    #[must_use]
    pub fn with_seeds(self, seeds: &'a [u64]) -> Self {
        Self { seeds: Some(seeds), ..self }
    }

    /// Gives each row its own temperature, each within the limits of [`with_temperature`](Self::with_temperature): some
    /// rows may be greedy. There must be one for each row of the call, or it is an
    /// [`Error::RowOptions`](crate::Error::RowOptions); a temperature out of range is an
    /// [`Error::OfRow`](crate::Error::OfRow).
    #[must_use]
    pub fn with_temperatures(self, temperatures: &'a [f32]) -> Self {
        Self { temperatures: Some(temperatures), ..self }
    }

    /// Lets each row start at its own draw number: element i is added to [`first_draw`](Self::with_first_draw) for row
    /// i. There must be one for each row of the call, or it is an [`Error::RowOptions`](crate::Error::RowOptions);
    /// numbers beyond the 2³¹ draws of a row are an [`Error::OfRow`](crate::Error::OfRow).
    #[must_use]
    pub fn with_first_draws(self, first_draws: &'a [u32]) -> Self {
        Self { first_draws: Some(first_draws), ..self }
    }

    /// Gathers the rows of the call: row j of the call is row `row_indices[j]` of the batch, so that there are as many
    /// rows as indices, in results as in all that is given for each row. Rows of the batch may be taken any number of
    /// times or never. The rows of the call are numbered by their positions j, or have the ids given: two rows of the
    /// call that are the same row of the batch have noise of their own.
    ///
    /// An index that is not below the number of the batch's rows is an [`Error::RowIndex`](crate::Error::RowIndex).
    ///
    /// ```
    /// use gumbel::{CpuSampler, SampleOptions, Sequence, Weights};
    /// // a Markov chain: row i holds the weights of the states that follow state i
    /// let transitions = Weights::new(&[9.0, 1.0, 0.0, 0.0, 8.0, 2.0, 5.0, 0.0, 5.0], 3)?;
    /// let (sampler, mut sequence) = (CpuSampler::new(), Sequence::new(42));
    /// let mut states = vec![0; 1000];
    /// for _ in 0..100 {
    ///     let options = sequence.take(&SampleOptions::default())?;
    ///     let next = sampler.sample_rows(transitions, &options.with_row_indices(&states))?;
    ///     assert!(states.iter().zip(&next).all(|(&from, &to)| to == from || to == (from + 1) % 3));
    ///     states = next;
    /// }
    /// # Ok::<(), gumbel::Error>(())
    /// ```
    ///
    /// By [inverse CDF](Method::InverseCdf) the CPU adds a row of the batch up once, however often it is taken, and
    /// [`Method::Auto`] counts the draws that a row of the batch has on the average. A GPU is given gathered rows as copies.
    #[must_use]
    pub fn with_row_indices(self, row_indices: &'a [u32]) -> Self {
        Self { row_indices: Some(row_indices), ..self }
    }

    /// Cuts the unlikely categories off each row: top-k, top-p, min-p and epsilon ([`Truncation`]). Every operation is
    /// that of the row without these categories; their probability is 0.
    #[must_use]
    #[doc(alias = "top_k")]
    #[doc(alias = "top_p")]
    #[doc(alias = "min_p")]
    pub fn with_truncation(self, truncation: Truncation) -> Self {
        Self { truncation, ..self }
    }

    /// Gives each row its own truncation; [`Truncation::new`] cuts nothing. There must be one for each row of the call,
    /// or it is an [`Error::RowOptions`](crate::Error::RowOptions).
    #[must_use]
    pub fn with_truncations(self, truncations: &'a [Truncation]) -> Self {
        Self { truncations: Some(truncations), ..self }
    }

    /// Lets only these categories be drawn ([`Allowed`]). Every operation is that of the row with probability 0 for all
    /// others, and truncations are of what is allowed.
    ///
    /// The masks must have a bit for each category, and there must be one for each row of the call or one for all, or the
    /// call is an [`Error::Allowed`](crate::Error::Allowed).
    #[must_use]
    #[doc(alias = "bitmask")]
    pub fn with_allowed(self, allowed: Allowed<'a>) -> Self {
        Self { allowed: Some(allowed), ..self }
    }

    /// Adds a [`Bias`] to the logits, before anything else: before penalties, temperature and truncation, and whatever is
    /// allowed. Rows of weights have no logits, and the call is an [`Error::NeedsLogits`](crate::Error::NeedsLogits).
    ///
    /// Categories and offsets that do not fit the rows of the call are an [`Error::Entries`](crate::Error::Entries), and a
    /// bias that is NaN or +∞ is an [`Error::Adjustment`](crate::Error::Adjustment).
    #[must_use]
    #[doc(alias = "logit_bias")]
    pub fn with_bias(self, bias: Bias<'a>) -> Self {
        Self { bias: Some(bias), ..self }
    }

    /// Gives a [`Penalty`] to categories that a row has in its [history](Self::with_history), after its bias and before
    /// temperature and truncation. Without a history it changes nothing.
    #[must_use]
    #[doc(alias = "repetition_penalty")]
    #[doc(alias = "frequency_penalty")]
    #[doc(alias = "presence_penalty")]
    pub fn with_penalty(self, penalty: Penalty) -> Self {
        Self { penalty, ..self }
    }

    /// Gives each row its own penalty; [`Penalty::new`] changes nothing. There must be one for each row of the call, or it
    /// is an [`Error::RowOptions`](crate::Error::RowOptions).
    #[must_use]
    pub fn with_penalties(self, penalties: &'a [Penalty]) -> Self {
        Self { penalties: Some(penalties), ..self }
    }

    /// Says which categories each row has had before, for [penalties](Self::with_penalty). A [`History`] that does not fit
    /// the rows of the call is an [`Error::Entries`](crate::Error::Entries).
    #[must_use]
    pub fn with_history(self, history: History<'a>) -> Self {
        Self { history: Some(history), ..self }
    }

    /// Sets what the log-probabilities and logsumexps of [`sample_rows_scored`](crate::Sampler::sample_rows_scored) are
    /// among: what a truncation keeps, or all that is allowed. Draws do not depend on this.
    #[must_use]
    pub fn with_log_probs_of(self, log_probs_of: LogProbsOf) -> Self {
        Self { log_probs_of, ..self }
    }
}
