//! A batch on the device, made ready: what is encoded into the caller's commands.

use bytemuck::bytes_of;

use crate::error::Error;
use crate::job::Temperature;
use crate::noise::bits::MAX_DRAWS;

use super::GpuSampler;
use super::batch::DeviceBatch;
use super::guard::Doing;
use super::kernel::{
    EACH_FIRST_DRAW, EACH_ID, EACH_SEED, EACH_TEMPERATURE, Form, GATHERED, Pass, Passes,
    UNFILTERED, bind, flag, words,
};
use super::layout::{Layout, Races};

/// Bytes that the kernels load at once.
const VECTOR: u64 = 16;

/// A [`DeviceBatch`] with all that it takes to draw from it: pipelines, bindings, scratch memory.
///
/// Encoding allocates nothing, submits nothing and waits for nothing. A bound batch may be encoded
/// any number of times into the same commands or into others; it keeps the buffers alive.
#[derive(Debug)]
pub struct BoundBatch {
    passes: Passes,
    layout: Layout,
    bindings: wgpu::BindGroup,
    rows: u32,
    draws: u32,
}

impl BoundBatch {
    /// Adds the draws `first_draw` to `first_draw` + draws − 1 of each row, as a compute pass of
    /// their own.
    ///
    /// # Errors
    /// [`Error::Draws`] if there are no such draws: a row has 2³¹, numbered from 0.
    pub fn encode(&self, encoder: &mut wgpu::CommandEncoder, first_draw: u32) -> Result<(), Error> {
        self.check(first_draw)?;
        let descriptor =
            wgpu::ComputePassDescriptor { label: Some("gumbel"), timestamp_writes: None };
        self.encode_in(&mut encoder.begin_compute_pass(&descriptor), first_draw)
    }

    /// As [`encode`](Self::encode), into a compute pass of the caller's. It leaves a pipeline, the
    /// bind group 0 and immediate data behind. What the pass did before is done when the draws
    /// begin, and what it does next finds the draws.
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    pub fn encode_in(
        &self,
        pass: &mut wgpu::ComputePass<'_>,
        first_draw: u32,
    ) -> Result<(), Error> {
        self.check(first_draw)?;
        if self.rows > 0 {
            let (rows, draws) = (self.rows as usize, self.draws as usize);
            let first_draw = Some(first_draw);
            self.passes.encode(pass, &self.bindings, &self.layout, rows, draws, first_draw);
        }
        Ok(())
    }

    fn check(&self, first_draw: u32) -> Result<(), Error> {
        let draws = self.draws;
        if u64::from(first_draw) + u64::from(draws) > u64::from(MAX_DRAWS) {
            return Err(Error::Draws { first_draw, draws });
        }
        Ok(())
    }
}

impl GpuSampler {
    /// Makes a batch on the [device](Self::device) ready to be encoded.
    ///
    /// # Errors
    /// [`Error::Categories`], [`Error::Draws`], [`Error::Temperature`]; [`Error::DeviceBuffer`] for
    /// a buffer that is too small, is bound at an offset that the device does not take, or lacks a
    /// usage; [`Error::MissingFeature`] if the device was made without
    /// [`IMMEDIATES`](wgpu::Features::IMMEDIATES); and errors of the device.
    pub fn bind(&self, batch: &DeviceBatch<'_>) -> Result<BoundBatch, Error> {
        pollster::block_on(self.bind_async(batch))
    }

    /// As [`bind`](Self::bind), without blocking.
    ///
    /// # Errors
    /// As [`bind`](Self::bind).
    pub async fn bind_async(&self, batch: &DeviceBatch<'_>) -> Result<BoundBatch, Error> {
        let temperature = Temperature::new(batch.temperature)?;
        let (rows, draws) = (batch.rows, batch.draws_per_row);
        if batch.categories == 0 || batch.categories == u32::MAX {
            return Err(Error::Categories { got: batch.categories as usize });
        }
        if draws == 0 || draws > MAX_DRAWS {
            return Err(Error::Draws { first_draw: 0, draws });
        }
        let limits = self.device.limits();
        if !self.device.features().contains(wgpu::Features::IMMEDIATES)
            || limits.max_immediate_size < size_of::<u32>() as u32
        {
            return Err(Error::MissingFeature {
                feature: "IMMEDIATES with a max_immediate_size of 4 or more",
                needed_for: "drawing from logits on the device",
            });
        }

        let alignment = u64::from(limits.min_storage_buffer_offset_alignment);
        let logits = LogitsBinding::new(batch, alignment)?;
        let each = [
            Each::new("the row ids", batch.row_ids, rows, 8)?,
            Each::new("the seeds", batch.seeds, rows, 8)?,
            Each::new("the temperatures", batch.temperatures, rows, 4)?,
            Each::new("the first draws", batch.first_draws, rows, 4)?,
            Each::new("the sources", batch.sources.map(|(buffer, _)| buffer), rows, 4)?,
        ];
        let draws_binding = draws_binding(batch, alignment)?;
        let most = limits.max_storage_buffer_binding_size;
        if logits.size > most {
            let problem = format!(
                "{} bytes are to be bound, and the device binds {most} at most; bind fewer rows at \
                 a time",
                logits.size
            );
            return Err(Error::DeviceBuffer { what: "the logits", problem });
        }

        // at temperature 0 for all rows there is a faster kernel
        let greedy = temperature == Temperature::Greedy && batch.temperatures.is_none();
        let races = Races {
            rows: rows.max(1) as usize,
            categories: batch.categories as usize,
            draws,
            greedy,
        };
        let layout = Layout::new(races, self.limits.device);
        let guard = &self.guard;
        let own = each[1..].iter().any(|each| each.buffer.is_some());
        let form = Form { format: batch.format, vec4: logits.vec4, each: own, immediates: true };
        let Some(bind_layout) = self.kernels.layout(own) else {
            return Err(Error::MissingFeature {
                feature: "max_storage_buffers_per_shader_stage of 8 or more",
                needed_for: "seeds, temperatures, first draws or sources from a buffer",
            });
        };
        let passes = self.kernels.passes(guard, &layout, form, layout.is_cut()).await?;

        let pass = Pass {
            seed: words(batch.seed),
            first_row: words(batch.first_row),
            rows,
            draws,
            categories: batch.categories,
            first_logit: logits.first,
            row_stride: batch.row_stride,
            source_rows: batch.sources.map_or(rows, |(_, source_rows)| source_rows),
            flags: each
                .iter()
                .zip([EACH_ID, EACH_SEED, EACH_TEMPERATURE, EACH_FIRST_DRAW, GATHERED])
                .fold(flag(!self.filter, UNFILTERED), |flags, (each, bit)| {
                    flags | flag(each.buffer.is_some(), bit)
                }),
            ..Pass::laid_out(&layout, temperature)
        };
        use wgpu::BufferUsages as Usage;
        let uniform_usage = Usage::UNIFORM | Usage::COPY_DST;
        let uniform = guard.buffer("the pass", size_of::<Pass>() as u64, uniform_usage).await?;
        let parts = u64::from(layout.parts) + 1;
        let outcomes = if layout.is_cut() { 16 * parts * logits_races(batch) } else { 16 };
        if outcomes > most {
            let problem = format!(
                "the outcomes of {rows} x {draws} draws in parts need {outcomes} bytes, and the \
                 device binds {most} at most; bind fewer rows or draws at a time"
            );
            return Err(Error::DeviceBuffer { what: "the draws", problem });
        }
        let outcomes = guard.buffer("the outcomes", outcomes, Usage::STORAGE).await?;
        let nothing = guard.buffer("nothing", 16, Usage::STORAGE).await?;

        let bound = || {
            self.queue.write_buffer(&uniform, 0, bytes_of(&pass));
            let mut bound = vec![
                uniform.as_entire_buffer_binding(),
                logits.binding(batch.logits),
                each[0].binding(&nothing),
                outcomes.as_entire_buffer_binding(),
                draws_binding,
            ];
            if own {
                bound.extend(each[1..].iter().map(|each| each.binding(&nothing)));
            }
            bind(guard.device(), bind_layout, &bound)
        };
        let bindings = guard.checked(Doing::Drawing, bound).await?;
        Ok(BoundBatch { passes, layout, bindings, rows, draws })
    }
}

fn logits_races(batch: &DeviceBatch<'_>) -> u64 {
    u64::from(batch.rows) * u64::from(batch.draws_per_row)
}

/// The part of the caller's buffer that is bound as logits.
#[derive(Clone, Copy, Debug)]
struct LogitsBinding {
    start: u64,
    size: u64,
    /// The first row's first logit, counted from the start.
    first: u32,
    vec4: bool,
}

impl LogitsBinding {
    fn new(batch: &DeviceBatch<'_>, alignment: u64) -> Result<Self, Error> {
        let wrong = |problem: String| Error::DeviceBuffer { what: "the logits", problem };
        usable("the logits", batch.logits)?;
        if batch.logits == batch.draws {
            return Err(wrong("they are in the same buffer as the draws".to_owned()));
        }
        let bytes = batch.format.bytes() as u64;
        if !batch.offset.is_multiple_of(bytes) {
            let offset = batch.offset;
            return Err(wrong(format!(
                "they start at byte {offset}, which is no multiple of a logit's {bytes} bytes"
            )));
        }
        let rows = u128::from(batch.sources.map_or(batch.rows, |(_, rows)| rows));
        if rows == 0 && batch.sources.is_some() && batch.rows > 0 {
            return Err(wrong("there are no rows to gather from".to_owned()));
        }
        let logits = match rows.checked_sub(1) {
            None => 0,
            Some(before) => before * u128::from(batch.row_stride) + u128::from(batch.categories),
        };
        let needed = u128::from(batch.offset) + logits * u128::from(bytes);
        let size = batch.logits.size();
        if needed > u128::from(size) {
            return Err(wrong(format!(
                "{rows} rows of {} {} with a row stride of {} from byte {} on need {needed} bytes, \
                 and the buffer has {size}",
                batch.categories, batch.format, batch.row_stride, batch.offset
            )));
        }
        // in the buffer, so it is below 2^64
        let needed = needed as u64;
        let start = batch.offset / alignment * alignment;
        let first = (batch.offset - start) / bytes;
        let whole_vectors = (needed - start).next_multiple_of(VECTOR).max(VECTOR);
        let starts_right = |logit: u64| (logit * bytes).is_multiple_of(VECTOR);
        let vec4 = starts_right(first)
            && starts_right(u64::from(batch.row_stride))
            && start + whole_vectors <= size;
        let whole_words = (needed - start).next_multiple_of(4).max(4);
        let bound = if vec4 { whole_vectors } else { whole_words };
        if start + bound > size {
            return Err(wrong(format!(
                "{} bytes from byte {start} on are to be bound, and the buffer has {size}: its size \
                 must be a multiple of 4",
                bound
            )));
        }
        if logits + u128::from(first) > u128::from(u32::MAX) {
            return Err(wrong(format!("{logits} logits are more than can be numbered")));
        }
        Ok(Self { start, size: bound, first: first as u32, vec4 })
    }

    fn binding(self, buffer: &wgpu::Buffer) -> wgpu::BufferBinding<'_> {
        let size = std::num::NonZeroU64::new(self.size);
        wgpu::BufferBinding { buffer, offset: self.start, size }
    }
}

/// The part of the caller's buffer that is bound as draws.
fn draws_binding<'a>(
    batch: &DeviceBatch<'a>,
    alignment: u64,
) -> Result<wgpu::BufferBinding<'a>, Error> {
    let wrong = |problem: String| Error::DeviceBuffer { what: "the draws", problem };
    usable("the draws", batch.draws)?;
    let offset = batch.draws_offset;
    if !offset.is_multiple_of(alignment) {
        return Err(wrong(format!(
            "they start at byte {offset}, and the device binds at multiples of {alignment}"
        )));
    }
    let races = logits_races(batch);
    let (size, needed) = (batch.draws.size(), u128::from(offset) + 4 * u128::from(races));
    if needed > u128::from(size) {
        return Err(wrong(format!(
            "{} rows with {} draws each from byte {offset} on need {needed} bytes, and the buffer \
             has {size}",
            batch.rows, batch.draws_per_row
        )));
    }
    if races > u64::from(u32::MAX) {
        return Err(wrong(format!("{races} draws are more than can be numbered")));
    }
    let size = std::num::NonZeroU64::new((4 * races).max(4));
    Ok(wgpu::BufferBinding { buffer: batch.draws, offset, size })
}

/// A buffer with an element for each row, or none.
#[derive(Clone, Copy, Debug)]
struct Each<'a> {
    buffer: Option<&'a wgpu::Buffer>,
}

impl<'a> Each<'a> {
    fn new(
        what: &'static str,
        buffer: Option<&'a wgpu::Buffer>,
        rows: u32,
        bytes: u64,
    ) -> Result<Self, Error> {
        if let Some(buffer) = buffer {
            usable(what, buffer)?;
            let (needed, size) = (u64::from(rows) * bytes, buffer.size());
            if needed > size {
                return Err(Error::DeviceBuffer {
                    what,
                    problem: format!("{rows} rows need {needed} bytes, and the buffer has {size}"),
                });
            }
        }
        Ok(Self { buffer })
    }

    fn binding<'b>(&self, nothing: &'b wgpu::Buffer) -> wgpu::BufferBinding<'b>
    where
        'a: 'b,
    {
        self.buffer.unwrap_or(nothing).as_entire_buffer_binding()
    }
}

fn usable(what: &'static str, buffer: &wgpu::Buffer) -> Result<(), Error> {
    if buffer.usage().contains(wgpu::BufferUsages::STORAGE) {
        return Ok(());
    }
    let problem = format!("the buffer lacks the usage STORAGE; it has {:?}", buffer.usage());
    Err(Error::DeviceBuffer { what, problem })
}
