//! The caller's buffers: whether they fit a batch, and which part of each is bound.

use std::num::NonZeroU64;

use super::super::batch::DeviceBatch;
use crate::error::Error;
use crate::options::ValueFormat;

/// Bytes that the kernels load at once.
const VECTOR: u64 = 16;

/// The limits of a device on bindings.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bindable {
    /// Bindings start at multiples of this, a power of two.
    pub(super) alignment: u64,
    /// The most bytes of a binding.
    pub(super) most: u64,
}

impl Bindable {
    pub(super) fn new(limits: &wgpu::Limits) -> Self {
        Self {
            alignment: u64::from(limits.min_storage_buffer_offset_alignment),
            most: limits.max_storage_buffer_binding_size.min(limits.max_buffer_size),
        }
    }

    /// Checks that a binding of `bytes` bytes is within the device's limit.
    ///
    /// # Errors
    /// [`Error::DeviceBuffer`] if the device binds fewer bytes.
    pub(super) fn check(self, what: &'static str, bytes: u64, fewer: &str) -> Result<(), Error> {
        let most = self.most;
        if bytes <= most {
            return Ok(());
        }
        Err(wrong(
            what,
            format!(
                "{bytes} bytes are to be bound, and the device binds {most} at most; bind fewer \
                 {fewer} at a time"
            ),
        ))
    }
}

/// The buffers of a batch with at least one row.
#[derive(Clone, Debug)]
pub(super) struct Buffers<'a> {
    pub(super) logits: Logits<'a>,
    pub(super) draws: wgpu::BufferBinding<'a>,
    /// Row ids, seeds, temperatures, first draws and row indices.
    pub(super) each: [Option<wgpu::BufferBinding<'a>>; 5],
    pub(super) masks: Option<wgpu::BufferBinding<'a>>,
    /// Top-k, top-p, min-p and epsilon.
    pub(super) cuts: [Option<wgpu::BufferBinding<'a>>; 4],
    /// Log-probabilities and the logarithms of sums.
    pub(super) scores: [Option<wgpu::BufferBinding<'a>>; 2],
}

impl<'a> Buffers<'a> {
    /// Checks the buffers of a batch, and finds the part of each that is bound.
    ///
    /// # Errors
    /// [`Error::DeviceBuffer`], which says what does not fit.
    pub(super) fn new(batch: &DeviceBatch<'a>, device: Bindable) -> Result<Self, Error> {
        let each = |what, buffer, bytes| each(what, buffer, bytes, batch, device);
        Ok(Self {
            logits: Logits::new(batch, device)?,
            draws: draws(batch, device)?,
            each: [
                each("the row ids", batch.row_ids, 8)?,
                each("the seeds", batch.seeds, 8)?,
                each("the temperatures", batch.temperatures, 4)?,
                each("the first draws", batch.first_draws, 4)?,
                row_indices(batch, device)?,
            ],
            masks: masks(batch, device)?,
            cuts: [
                each("the numbers of top-k", batch.cuts[0], 4)?,
                each("the shares of top-p", batch.cuts[1], 4)?,
                each("the shares of min-p", batch.cuts[2], 4)?,
                each("the probabilities of epsilon", batch.cuts[3], 4)?,
            ],
            scores: scores(batch, device)?,
        })
    }
}

/// The part of the caller's buffer that is bound as logits.
#[derive(Clone, Debug)]
pub(super) struct Logits<'a> {
    pub(super) binding: wgpu::BufferBinding<'a>,
    /// The number of the first row's first logit, counted from where the binding starts.
    pub(super) first: u32,
    /// Whether all rows start at multiples of 16 bytes and can be loaded 16 bytes at a time.
    pub(super) vec4: bool,
}

impl<'a> Logits<'a> {
    pub(super) fn new(batch: &DeviceBatch<'a>, device: Bindable) -> Result<Self, Error> {
        let wrong = |problem: String| wrong("the logits", problem);
        let (buffer, offset) = (batch.logits, batch.offset);
        usable("the logits", buffer)?;
        if matches!(batch.format, ValueFormat::F64 | ValueFormat::WeightsF64) {
            let format = batch.format;
            return Err(wrong(format!(
                "they are {format}, which devices do not read; a batch in the host's memory may be of f64"
            )));
        }
        if buffer == batch.draws {
            return Err(wrong("they are in the same buffer as the draws".to_owned()));
        }
        let bytes = batch.format.bytes() as u64;
        if !offset.is_multiple_of(bytes) {
            return Err(wrong(format!(
                "they start at byte {offset}, which is no multiple of a logit's {bytes} bytes"
            )));
        }
        let rows = batch.row_indices.map_or(batch.rows, |(_, rows)| rows);
        let Some(before) = rows.checked_sub(1) else {
            return Err(wrong("there are no rows to gather from".to_owned()));
        };
        let logits =
            u128::from(before) * u128::from(batch.row_stride) + u128::from(batch.categories);
        let needed = u128::from(offset) + logits * u128::from(bytes);
        let size = buffer.size();
        if needed > u128::from(size) {
            return Err(wrong(format!(
                "{rows} rows of {} {} with a row stride of {} from byte {offset} on need {needed} \
                 bytes, and the buffer has {size}",
                batch.categories, batch.format, batch.row_stride
            )));
        }
        // the logits are within the buffer, so `needed` is below 2^64
        let needed = needed as u64;
        // a vector that is loaded at once must start at a multiple of its size in the buffer, and a
        // device may bind at multiples of less
        let start = offset & !(device.alignment.max(VECTOR) - 1);
        let first = (offset - start) / bytes;
        if logits + u128::from(first) > u128::from(u32::MAX) {
            return Err(wrong(format!("{logits} logits are more than can be numbered")));
        }
        let starts_right = |logit: u64| (logit * bytes).is_multiple_of(VECTOR);
        let vectors = (needed - start).next_multiple_of(VECTOR);
        let vec4 = starts_right(first)
            && starts_right(u64::from(batch.row_stride))
            && start + vectors <= size;
        let bound = if vec4 { vectors } else { (needed - start).next_multiple_of(4) };
        if start + bound > size {
            return Err(wrong(format!(
                "the last logit is alone in its word, and the buffer ends within that at byte \
                 {size}: its size must be a multiple of 4"
            )));
        }
        device.check("the logits", bound, "rows")?;
        let binding = wgpu::BufferBinding { buffer, offset: start, size: NonZeroU64::new(bound) };
        Ok(Self { binding, first: first as u32, vec4 })
    }
}

/// The part of the caller's buffer that is bound as draws.
fn draws<'a>(batch: &DeviceBatch<'a>, device: Bindable) -> Result<wgpu::BufferBinding<'a>, Error> {
    let wrong = |problem: String| wrong("the draws", problem);
    let (buffer, offset, alignment) = (batch.draws, batch.draws_offset, device.alignment);
    usable("the draws", buffer)?;
    if !offset.is_multiple_of(alignment) {
        return Err(wrong(format!(
            "they start at byte {offset}, and the device binds at multiples of {alignment}"
        )));
    }
    let races = batch.races();
    let (size, needed) = (buffer.size(), u128::from(offset) + 4 * u128::from(races));
    if needed > u128::from(size) {
        return Err(wrong(format!(
            "{} rows with {} draws each from byte {offset} on need {needed} bytes, and the buffer \
             has {size}",
            batch.rows, batch.draws_per_row
        )));
    }
    device.check("the draws", 4 * races, "rows or draws")?;
    Ok(wgpu::BufferBinding { buffer, offset, size: NonZeroU64::new(4 * races) })
}

/// The part of the caller's buffer that is bound as masks.
fn masks<'a>(
    batch: &DeviceBatch<'a>,
    device: Bindable,
) -> Result<Option<wgpu::BufferBinding<'a>>, Error> {
    let Some((buffer, words_per_row)) = batch.allowed else {
        return Ok(None);
    };
    let (what, words) = ("the masks", batch.categories.div_ceil(32));
    usable(what, buffer)?;
    if buffer == batch.draws {
        return Err(wrong(what, "they are in the same buffer as the draws".to_owned()));
    }
    if words_per_row != 0 && words_per_row < words {
        let problem = format!(
            "{words_per_row} words for each row are given, and {} categories need {words}",
            batch.categories
        );
        return Err(wrong(what, problem));
    }
    let (rows, size) = (batch.rows, buffer.size());
    let all = u64::from(rows - 1) * u64::from(words_per_row) + u64::from(words);
    let needed = 4 * u128::from(all);
    if needed > u128::from(size) {
        let problem = format!(
            "masks of {words} words for {rows} rows, {words_per_row} words apart, need {needed} bytes, and the \
             buffer has {size}"
        );
        return Err(wrong(what, problem));
    }
    if all > u64::from(u32::MAX) {
        return Err(wrong(what, format!("{all} words are more than can be numbered")));
    }
    device.check(what, 4 * all, "rows")?;
    Ok(Some(wgpu::BufferBinding { buffer, offset: 0, size: NonZeroU64::new(4 * all) }))
}

/// The parts of the caller's buffers that are bound as log-probabilities and the logarithms of sums.
fn scores<'a>(
    batch: &DeviceBatch<'a>,
    device: Bindable,
) -> Result<[Option<wgpu::BufferBinding<'a>>; 2], Error> {
    let (rows, draws) = (u64::from(batch.rows), u64::from(batch.draws_per_row));
    let of_draws = [batch.logits, batch.draws];
    let of = |what, buffer: Option<&'a wgpu::Buffer>, other: Option<&wgpu::Buffer>, n: u64| {
        let Some(buffer) = buffer else { return Ok(None) };
        usable(what, buffer)?;
        if of_draws.into_iter().chain(other).any(|taken| taken == buffer) {
            let problem = "they are in the same buffer as something else of the batch".to_owned();
            return Err(wrong(what, problem));
        }
        let size = buffer.size();
        if 4 * n > size {
            let problem = format!(
                "{rows} rows with {draws} draws each need {} bytes, and the buffer has {size}",
                4 * n
            );
            return Err(wrong(what, problem));
        }
        device.check(what, 4 * n, "rows")?;
        Ok(Some(wgpu::BufferBinding { buffer, offset: 0, size: NonZeroU64::new(4 * n) }))
    };
    Ok([
        of("the log-probabilities", batch.log_probs, batch.logsumexps, rows * draws)?,
        of("the logarithms of sums", batch.logsumexps, batch.log_probs, rows)?,
    ])
}

/// The part of a buffer that has an element for each row. Not the whole buffer: that may be larger
/// than what the device binds, or no multiple of 4.
fn each<'a>(
    what: &'static str,
    buffer: Option<&'a wgpu::Buffer>,
    bytes: u64,
    batch: &DeviceBatch<'_>,
    device: Bindable,
) -> Result<Option<wgpu::BufferBinding<'a>>, Error> {
    let words_of_rows = u64::from(batch.rows) * bytes / 4;
    buffer.map(|buffer| words(what, buffer, words_of_rows, batch, device)).transpose()
}

/// The row indices of a batch.
pub(super) fn row_indices<'a>(
    batch: &DeviceBatch<'a>,
    device: Bindable,
) -> Result<Option<wgpu::BufferBinding<'a>>, Error> {
    let buffer = batch.row_indices.map(|(buffer, _)| buffer);
    each("the row indices", buffer, 4, batch, device)
}

/// The first words of a buffer.
pub(super) fn words<'a>(
    what: &'static str,
    buffer: &'a wgpu::Buffer,
    count: u64,
    batch: &DeviceBatch<'_>,
    device: Bindable,
) -> Result<wgpu::BufferBinding<'a>, Error> {
    let (rows, needed, room) = (batch.rows, 4 * count, 4 * elements(what, buffer, batch)?);
    if needed > room {
        let size = buffer.size();
        let problem = format!("{rows} rows need {needed} bytes, and the buffer has {size}");
        return Err(wrong(what, problem));
    }
    device.check(what, needed, "rows")?;
    Ok(wgpu::BufferBinding { buffer, offset: 0, size: NonZeroU64::new(needed) })
}

/// The number of words of a buffer that the draws are not in.
pub(super) fn elements(
    what: &'static str,
    buffer: &wgpu::Buffer,
    batch: &DeviceBatch<'_>,
) -> Result<u64, Error> {
    usable(what, buffer)?;
    if buffer == batch.draws {
        return Err(wrong(what, "they are in the same buffer as the draws".to_owned()));
    }
    Ok(buffer.size() / 4)
}

/// A buffer of the caller's, or the one that stands for none.
pub(super) fn given<'a>(
    buffer: &Option<wgpu::BufferBinding<'a>>,
    nothing: &wgpu::BufferBinding<'a>,
) -> wgpu::BufferBinding<'a> {
    buffer.as_ref().unwrap_or(nothing).clone()
}

/// Checks that a buffer has the number of a draw at this byte, and that the number can be copied.
///
/// # Errors
/// [`Error::DeviceBuffer`], which says what is wrong.
pub(super) fn check_number(buffer: &wgpu::Buffer, offset: u64) -> Result<(), Error> {
    const WHAT: &str = "the number of the first draw";
    if !buffer.usage().contains(wgpu::BufferUsages::COPY_SRC) {
        let problem = format!("the buffer lacks the usage COPY_SRC; it has {:?}", buffer.usage());
        return Err(wrong(WHAT, problem));
    }
    if !offset.is_multiple_of(4) {
        return Err(wrong(WHAT, format!("it is at byte {offset}, which is no multiple of 4")));
    }
    let size = buffer.size();
    if offset.checked_add(4).is_none_or(|end| end > size) {
        let problem = format!("it is at byte {offset}, and the buffer has {size} bytes");
        return Err(wrong(WHAT, problem));
    }
    Ok(())
}

fn usable(what: &'static str, buffer: &wgpu::Buffer) -> Result<(), Error> {
    if buffer.usage().contains(wgpu::BufferUsages::STORAGE) {
        return Ok(());
    }
    Err(wrong(what, format!("the buffer lacks the usage STORAGE; it has {:?}", buffer.usage())))
}

pub(super) fn wrong(what: &'static str, problem: String) -> Error {
    Error::DeviceBuffer { what, problem }
}
