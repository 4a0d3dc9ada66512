//! A batch that is on the device already: what is drawn from, and where the draws go.

use crate::options::ValueFormat;

/// Rows of logits, [weights](crate::Weights) or counts in a buffer of the caller's, a buffer for their
/// draws, and how to draw.
///
/// The draws are those of [`sample_rows`](crate::reference::sample_rows) by Gumbel noise, the
/// [method](crate::Method::Gumbel) of a bound batch whatever its number of draws: there are neither
/// draws by inverse CDF nor keys or soft samples on this way.
///
/// [`GpuSampler::bind`](crate::GpuSampler::bind) makes it ready to be encoded into the caller's own
/// command buffers.
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
/// Row ids, seeds, temperatures, the number of the first draw and the row of the logits to draw from
/// can each come from a buffer, with an element for each of the `rows` rows. They are read when the
/// commands run, so that a pass before may have written them. A row with an element out of range has
/// no draw: it gets [`NO_DRAW`](crate::NO_DRAW), and no other row is harmed. The same holds of a row
/// with values that cannot be drawn from:
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
}

impl<'a> DeviceBatch<'a> {
    /// Rows of `f32` that follow each other without a gap from the buffer's beginning on, one draw
    /// of each with seed 0 at temperature 1, rows numbered from 0.
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
        }
    }

    /// The type of the values, which are logits, or with [`Weights`](ValueFormat::Weights) and
    /// [`Counts`](ValueFormat::Counts) are not: these are weights as they are, without a logarithm taken
    /// and not normalised. What is said of logits here, where they lie above all, holds for them.
    /// Two halves share a word, the lower half first.
    pub fn with_format(self, format: ValueFormat) -> Self {
        Self { format, ..self }
    }

    /// Where the first logit is, in bytes; a multiple of a logit's size. If all rows start at
    /// multiples of 16 bytes, and the buffer does not end before the next such multiple behind the
    /// last row, they are loaded faster.
    pub fn with_logits_offset(self, offset: u64) -> Self {
        Self { offset, ..self }
    }

    /// The distance from one row's first logit to the next row's, in logits; 0 draws from the same
    /// row again and again.
    pub fn with_row_stride(self, row_stride: u32) -> Self {
        Self { row_stride, ..self }
    }

    /// Where the first draw goes, in bytes; a multiple of the device's
    /// [`min_storage_buffer_offset_alignment`](wgpu::Limits::min_storage_buffer_offset_alignment).
    pub fn with_draws_offset(self, draws_offset: u64) -> Self {
        Self { draws_offset, ..self }
    }

    /// Draws so many times from each row.
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

    /// Takes each row's first draw number from a buffer of `u32`, to which the number that is given
    /// when encoding is added. No sum may exceed 2³¹ − draws.
    pub fn with_first_draws(self, first_draws: &'a wgpu::Buffer) -> Self {
        Self { first_draws: Some(first_draws), ..self }
    }

    /// Gathers: row j is drawn from row `row_indices[j]` of the `source_rows` rows of logits, where
    /// `row_indices` is a buffer of `u32`. Row j remains row j in everything else.
    pub fn with_row_indices(self, row_indices: &'a wgpu::Buffer, source_rows: u32) -> Self {
        Self { row_indices: Some((row_indices, source_rows)), ..self }
    }

    /// The draws in all, of all rows.
    pub(super) fn races(&self) -> u64 {
        u64::from(self.rows) * u64::from(self.draws_per_row)
    }
}
