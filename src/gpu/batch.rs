//! A batch that is on the device already: the values to draw from, and the memory for the draws.

use crate::options::{LogProbsOf, Penalty, Truncation, ValueFormat};

pub(super) use adjustment::DeviceEntries;

mod adjustment;

/// Rows of logits, [weights](crate::Weights) or counts in a buffer of the caller's, a buffer for their
/// draws, and how to draw.
///
/// The draws are those of [`sample_rows`](crate::reference::sample_rows) by Gumbel noise. A bound
/// batch uses this [method](crate::Method::Gumbel) for any number of draws. Draws by inverse CDF,
/// keys and soft samples are not available for a bound batch.
///
/// [`GpuSampler::bind`](crate::GpuSampler::bind) makes a batch ready to be encoded into the
/// caller's own command buffers.
///
/// ```no_run
/// use gumbel::{DeviceBatch, GpuSampler, wgpu};
/// # fn draw(logits: wgpu::Buffer, draws: wgpu::Buffer) -> Result<(), gumbel::Error> {
/// let sampler = GpuSampler::new()?;
/// // 256 rows of 128,256 logits each, one draw a row
/// let batch = DeviceBatch::new(&logits, &draws, 256, 128_256).with_seed(7).with_temperature(0.8);
/// let bound = sampler.bind(&batch)?;
/// let mut encoder = sampler.device().create_command_encoder(&Default::default());
/// for step in 0..1000 {
///     // ... passes of your own that write the logits ...
///     bound.encode(&mut encoder, step)?;
///     // ... and passes that read the draws
/// }
/// sampler.queue().submit([encoder.finish()]);
/// # Ok(())
/// # }
/// ```
///
/// # What can differ from row to row
///
/// Row ids, seeds, temperatures, the number of the first draw, the row of the logits to draw from, the allowed
/// categories, top-k, top-p, min-p, epsilon and penalties can each come from a buffer, with an element for each of the
/// `rows` rows; bias and history are lists of each row. The elements are read when the commands run, so that an earlier pass may have written them. A row with an element out
/// of range has no draw: it gets [`NO_DRAW`](crate::NO_DRAW), and no other row is harmed. A row
/// with values that cannot be drawn from has no draw either:
///
/// | values | no draw if there is |
/// |---|---|
/// | logits | a NaN, a +∞ or nothing but −∞ |
/// | weights | a negative one, a NaN, a +∞ or nothing but zeros |
/// | counts | nothing but zeros |
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct DeviceBatch<'a> {
    pub(super) logits: &'a wgpu::Buffer,
    pub(super) format: ValueFormat,
    pub(super) offset: u64,
    pub(super) rows: u32,
    pub(super) categories: u32,
    pub(super) row_stride: u32,
    pub(super) draws: &'a wgpu::Buffer,
    pub(super) draws_offset: u64,
    pub(super) draws_per_row: u32,
    pub(super) seed: u64,
    pub(super) first_row: u64,
    pub(super) temperature: f32,
    pub(super) row_ids: Option<&'a wgpu::Buffer>,
    pub(super) seeds: Option<&'a wgpu::Buffer>,
    pub(super) temperatures: Option<&'a wgpu::Buffer>,
    pub(super) first_draws: Option<&'a wgpu::Buffer>,
    pub(super) row_indices: Option<(&'a wgpu::Buffer, u32)>,
    /// Masks, and the words from one row's mask to the next.
    pub(super) allowed: Option<(&'a wgpu::Buffer, u32)>,
    pub(super) truncation: Truncation,
    /// The cuts of each row: top-k, top-p, min-p and epsilon.
    pub(super) cuts: [Option<&'a wgpu::Buffer>; 4],
    pub(super) log_probs: Option<&'a wgpu::Buffer>,
    pub(super) logsumexps: Option<&'a wgpu::Buffer>,
    pub(super) log_probs_of: LogProbsOf,
    pub(super) bias: Option<DeviceEntries<'a>>,
    pub(super) history: Option<DeviceEntries<'a>>,
    pub(super) penalty: Penalty,
    pub(super) penalties: Option<&'a wgpu::Buffer>,
}

impl<'a> DeviceBatch<'a> {
    /// Describes rows of `f32` that follow each other without a gap from the buffer's beginning on.
    /// Unless the methods say otherwise, there is one draw of each row, with seed 0 at temperature
    /// 1, and rows are numbered from 0.
    ///
    /// `draws` gets rows × draws words of `u32`, row by row. Both buffers need
    /// [`STORAGE`](wgpu::BufferUsages::STORAGE) and must not be the same.
    pub fn new(
        logits: &'a wgpu::Buffer,
        draws: &'a wgpu::Buffer,
        rows: u32,
        categories: u32,
    ) -> Self {
        Self {
            logits,
            format: ValueFormat::F32,
            offset: 0,
            rows,
            categories,
            row_stride: categories,
            draws,
            draws_offset: 0,
            draws_per_row: 1,
            seed: 0,
            first_row: 0,
            temperature: 1.0,
            row_ids: None,
            seeds: None,
            temperatures: None,
            first_draws: None,
            row_indices: None,
            allowed: None,
            truncation: Truncation::new(),
            cuts: [None; 4],
            log_probs: None,
            logsumexps: None,
            log_probs_of: LogProbsOf::Kept,
            bias: None,
            history: None,
            penalty: Penalty::new(),
            penalties: None,
        }
    }

    /// Sets the type of the values, logits by default. Values of the formats
    /// [`Weights`](ValueFormat::Weights) and [`Counts`](ValueFormat::Counts) are unnormalised
    /// weights, of which no logarithm has been taken. The other methods speak of logits; what they
    /// say, above all of where logits lie, holds for weights and counts too. Two 16-bit values
    /// share a word, the first in the lower half.
    pub fn with_format(self, format: ValueFormat) -> Self {
        Self { format, ..self }
    }

    /// Sets where the first logit is, in bytes; a multiple of a logit's size. Rows are loaded
    /// faster if all of them start at multiples of 16 bytes and the buffer reaches to the next such
    /// multiple after the last row.
    pub fn with_logits_offset(self, offset: u64) -> Self {
        Self { offset, ..self }
    }

    /// Sets the distance from one row's first logit to the next row's, in logits. With 0, all rows
    /// are the same logits.
    pub fn with_row_stride(self, row_stride: u32) -> Self {
        Self { row_stride, ..self }
    }

    /// Sets where the first draw goes, in bytes; a multiple of the device's
    /// [`min_storage_buffer_offset_alignment`](wgpu::Limits::min_storage_buffer_offset_alignment).
    pub fn with_draws_offset(self, draws_offset: u64) -> Self {
        Self { draws_offset, ..self }
    }

    /// Draws `draws` times from each row.
    pub fn with_draws(self, draws: u32) -> Self {
        Self { draws_per_row: draws, ..self }
    }

    /// Draws under this seed.
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Numbers the rows from `first_row` on, modulo 2⁶⁴.
    pub fn with_first_row(self, first_row: u64) -> Self {
        Self { first_row, ..self }
    }

    /// Divides the logits, or the logarithms of weights and counts, by this temperature: 0, which is
    /// greedy, or 2⁻¹⁰⁰ to 2¹⁰⁰; with weights and counts from 2⁻²⁰ on.
    pub fn with_temperature(self, temperature: f32) -> Self {
        Self { temperature, ..self }
    }

    /// Takes each row's stream id from a buffer: 64 bits, the low word first.
    pub fn with_row_ids(self, row_ids: &'a wgpu::Buffer) -> Self {
        Self { row_ids: Some(row_ids), ..self }
    }

    /// Takes each row's seed from a buffer: 64 bits, the low word first.
    pub fn with_seeds(self, seeds: &'a wgpu::Buffer) -> Self {
        Self { seeds: Some(seeds), ..self }
    }

    /// Takes each row's temperature from a buffer of `f32`: 0 or 2⁻¹⁰⁰ to 2¹⁰⁰, with
    /// weights and counts from 2⁻²⁰ on. The division is that of
    /// [`with_temperature`](Self::with_temperature), bit for bit.
    pub fn with_temperatures(self, temperatures: &'a wgpu::Buffer) -> Self {
        Self { temperatures: Some(temperatures), ..self }
    }

    /// Takes each row's first draw number from a buffer of `u32`. The number that is given when
    /// encoding is added to each of them. No sum may exceed 2³¹ − draws.
    pub fn with_first_draws(self, first_draws: &'a wgpu::Buffer) -> Self {
        Self { first_draws: Some(first_draws), ..self }
    }

    /// Gathers: row j draws from row `row_indices[j]` of the `source_rows` rows of logits, where
    /// `row_indices` is a buffer of `u32`. In everything else, such as its id, row j remains row j.
    pub fn with_row_indices(self, row_indices: &'a wgpu::Buffer, source_rows: u32) -> Self {
        Self { row_indices: Some((row_indices, source_rows)), ..self }
    }

    /// Draws only categories that a mask allows: bit i % 32 of word i / 32 is 1 if category i is allowed, in the layout
    /// that grammar engines share. Row j has the `words_per_row` words from word j · `words_per_row` on; with 0, all rows
    /// have the words at the beginning of the buffer. Bits beyond the last category mean nothing.
    ///
    /// A category that is not allowed has probability 0, whatever its value is, NaN included. A row in which nothing can
    /// be drawn gets [`NO_DRAW`](crate::NO_DRAW). The draws are those of
    /// [`SampleOptions::with_allowed`](crate::SampleOptions::with_allowed). The words are read when the commands run.
    ///
    /// ```no_run
    /// use gumbel::{DeviceBatch, GpuSampler, wgpu};
    /// # fn draw(logits: wgpu::Buffer, masks: wgpu::Buffer, draws: wgpu::Buffer) -> Result<(), gumbel::Error> {
    /// let sampler = GpuSampler::new()?;
    /// // 4,008 words have a bit for each of 128,256 categories
    /// let batch = DeviceBatch::new(&logits, &draws, 256, 128_256).with_allowed(&masks, 4008);
    /// let bound = sampler.bind(&batch)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_allowed(self, masks: &'a wgpu::Buffer, words_per_row: u32) -> Self {
        Self { allowed: Some((masks, words_per_row)), ..self }
    }

    /// Cuts the unlikely categories off all rows before anything is drawn. The draws are those of
    /// [`SampleOptions::with_truncation`](crate::SampleOptions::with_truncation), bit for bit; cuts are of what is
    /// [allowed](Self::with_allowed).
    ///
    /// Before the draws a dispatch finds where each row is cut, and another one before that the largest values of rows of more
    /// than 4,096 categories. If epsilon cuts rows of up to 64 draws, three more follow the draws, and nine if top-p cuts to a
    /// share of the whole row, as `docs/decoding.md` explains, to draw again from the rows whose draws were cut or are in doubt. All
    /// that needs 32 bytes a row and, for rows of more than 4,096 categories, 48 bytes for each 128 categories, or 64 with
    /// these cuts, which [`bind`](crate::GpuSampler::bind) allocates. A row may have 622,592 categories, or fewer where the device has
    /// workgroups of fewer than 256 invocations.
    ///
    /// ```no_run
    /// use gumbel::{DeviceBatch, GpuSampler, Truncation, wgpu};
    /// # fn draw(logits: wgpu::Buffer, top_p: wgpu::Buffer, draws: wgpu::Buffer) -> Result<(), gumbel::Error> {
    /// let sampler = GpuSampler::new()?;
    /// // the 50 most probable tokens, and of these a nucleus that each request chooses
    /// let batch = DeviceBatch::new(&logits, &draws, 256, 128_256)
    ///     .with_truncation(Truncation::new().with_top_k(50))
    ///     .with_top_p(&top_p);
    /// let bound = sampler.bind(&batch)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_truncation(self, truncation: Truncation) -> Self {
        Self { truncation, ..self }
    }

    /// Takes each row's [k](Truncation::with_top_k) from a buffer of `u32`, in place of that of all rows: 1 or more, and
    /// more than there are categories is no cut.
    pub fn with_top_k(self, top_k: &'a wgpu::Buffer) -> Self {
        let [_, top_p, min_p, epsilon] = self.cuts;
        Self { cuts: [Some(top_k), top_p, min_p, epsilon], ..self }
    }

    /// Takes each row's [p](Truncation::with_top_p) from a buffer of `f32`, in place of that of all rows: above 0, and 1
    /// or more is no cut.
    pub fn with_top_p(self, top_p: &'a wgpu::Buffer) -> Self {
        let [top_k, _, min_p, epsilon] = self.cuts;
        Self { cuts: [top_k, Some(top_p), min_p, epsilon], ..self }
    }

    /// Takes each row's [min-p](Truncation::with_min_p) from a buffer of `f32`, in place of that of all rows: 0, which is
    /// no cut, to 1.
    pub fn with_min_p(self, min_p: &'a wgpu::Buffer) -> Self {
        let [top_k, top_p, _, epsilon] = self.cuts;
        Self { cuts: [top_k, top_p, Some(min_p), epsilon], ..self }
    }

    /// Takes each row's [epsilon](Truncation::with_epsilon) from a buffer of `f32`, in place of that of all rows: 0,
    /// which is no cut, to 1.
    pub fn with_epsilon(self, epsilon: &'a wgpu::Buffer) -> Self {
        let [top_k, top_p, min_p, _] = self.cuts;
        Self { cuts: [top_k, top_p, min_p, Some(epsilon)], ..self }
    }

    /// Writes the logarithm of each draw's probability, rows × draws `f32`, row by row: those of
    /// [`sample_rows_scored`](crate::Sampler::sample_rows_scored), among what is allowed and what a truncation keeps, within
    /// 2·10⁻⁵ and the rounding to `f32`. A draw that is [`NO_DRAW`](crate::NO_DRAW) has NaN, and so has a row with a
    /// temperature of 0 from a buffer.
    ///
    /// Two dispatches follow the draws: one reads the logits once more, to add up each row, and the other writes. Cuts
    /// are then found exactly at once, which takes longer. [`bind`](crate::GpuSampler::bind) returns
    /// [`Error::NoNoise`](crate::Error::NoNoise) at temperature 0 for all rows.
    ///
    /// ```no_run
    /// use gumbel::{DeviceBatch, GpuSampler, wgpu};
    /// # fn draw(logits: wgpu::Buffer, draws: wgpu::Buffer, log_probs: wgpu::Buffer) -> Result<(), gumbel::Error> {
    /// let sampler = GpuSampler::new()?;
    /// // what a policy gradient needs: actions, and the logarithms of their probabilities
    /// let batch = DeviceBatch::new(&logits, &draws, 4096, 18).with_log_probs(&log_probs);
    /// let bound = sampler.bind(&batch)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_log_probs(self, log_probs: &'a wgpu::Buffer) -> Self {
        Self { log_probs: Some(log_probs), ..self }
    }

    /// Writes the logarithm of each row's sum of exp(logit / temperature), or of weight^(1/temperature), a `f32` for each row:
    /// those of [`logsumexp_rows`](crate::Sampler::logsumexp_rows), of what is allowed and what a truncation keeps, within
    /// 2·10⁻⁵ and the rounding to `f32`. A row without a draw has NaN. What this costs, and temperature 0, are as with
    /// [`with_log_probs`](Self::with_log_probs).
    pub fn with_logsumexps(self, logsumexps: &'a wgpu::Buffer) -> Self {
        Self { logsumexps: Some(logsumexps), ..self }
    }

    /// Sets what log-probabilities and logsumexps are among: what a truncation keeps, or all that is allowed. Then cuts need
    /// not be found at once.
    pub fn with_log_probs_of(self, log_probs_of: LogProbsOf) -> Self {
        Self { log_probs_of, ..self }
    }

    /// Whether what is kept of rows is to be added up.
    pub(super) fn has_sums_of_kept(&self) -> bool {
        self.has_sums() && self.log_probs_of == LogProbsOf::Kept
    }

    /// Whether rows are to be added up.
    pub(super) fn has_sums(&self) -> bool {
        self.log_probs.is_some() || self.logsumexps.is_some()
    }

    /// The number of draws of all rows together.
    pub(super) fn races(&self) -> u64 {
        u64::from(self.rows) * u64::from(self.draws_per_row)
    }
}
