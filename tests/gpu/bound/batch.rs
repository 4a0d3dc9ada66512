//! A batch on a device, and its draws by the engine and by the reference.

use gumbel::noise::bits::MAX_DRAWS;
use gumbel::noise::philox::philox4x32_10;
use gumbel::reference::sample_rows;
use gumbel::{
    Allowed, Bias, DeviceBatch, Error, GpuSampler, History, LogProbsOf, Logits, NO_DRAW, Penalty,
    SampleOptions, Truncation, ValueFormat, Weights, wgpu,
};
use libtest_mimic::Failed;
use wgpu::BufferUsages as Usage;

use super::super::ensure;
use super::lists::{List, Lists};

/// A word that is neither a draw nor the sentinel.
const UNWRITTEN: u32 = NO_DRAW - 1;

/// A batch with all its data in memory.
#[derive(Clone)]
pub(crate) struct Batch {
    pub(crate) format: ValueFormat,
    /// The bits of each logit, weight or count in the format.
    pub(crate) logits: Vec<u32>,
    /// The bytes before the first logit, and after the last.
    pub(crate) offset: u64,
    pub(crate) slack: usize,
    pub(crate) rows: u32,
    pub(crate) categories: u32,
    pub(crate) row_stride: u32,
    /// The words before the first draw, in units of the alignment of the device's bindings.
    pub(crate) draws_offset: u64,
    pub(crate) draws: u32,
    pub(crate) first_draw: u32,
    pub(crate) seed: u64,
    pub(crate) first_row: u64,
    pub(crate) temperature: f32,
    pub(crate) row_ids: Option<Vec<u64>>,
    pub(crate) seeds: Option<Vec<u64>>,
    pub(crate) temperatures: Option<Vec<f32>>,
    pub(crate) first_draws: Option<Vec<u32>>,
    pub(crate) row_indices: Option<Vec<u32>>,
    pub(crate) source_rows: u32,
    /// Masks, and the words from one row's mask to the next.
    pub(crate) allowed: Option<(Vec<u32>, u32)>,
    pub(crate) truncation: Truncation,
    pub(crate) top_k: Option<Vec<u32>>,
    /// Top-p, min-p and epsilon of each row.
    pub(crate) shares: [Option<Vec<f32>>; 3],
    pub(crate) bias: Option<Lists<f32>>,
    pub(crate) history: Option<Lists<u32>>,
    pub(crate) penalty: Penalty,
    pub(crate) penalties: Option<Vec<Penalty>>,
    pub(crate) log_probs_of: LogProbsOf,
}

impl Batch {
    /// A batch of rows that follow each other without a gap; everything else has its default.
    pub(crate) fn new(format: ValueFormat, logits: Vec<u32>, rows: u32, categories: u32) -> Self {
        Self {
            format,
            logits,
            offset: 0,
            slack: 0,
            rows,
            categories,
            row_stride: categories,
            draws_offset: 1,
            draws: 1,
            first_draw: 0,
            seed: 0,
            first_row: 0,
            temperature: 1.0,
            row_ids: None,
            seeds: None,
            temperatures: None,
            first_draws: None,
            row_indices: None,
            source_rows: rows,
            allowed: None,
            truncation: Truncation::new(),
            top_k: None,
            shares: [None, None, None],
            bias: None,
            history: None,
            penalty: Penalty::new(),
            penalties: None,
            log_probs_of: LogProbsOf::Kept,
        }
    }

    /// A batch with as many roughly normal logits as the rows need, or as many weights or counts.
    pub(crate) fn normal(format: ValueFormat, rows: u32, categories: u32, row_stride: u32) -> Self {
        let logits = (rows - 1) * row_stride + categories;
        let bits = words(u64::from(logits)).map(|word| usual(format, word));
        Self { row_stride, ..Self::new(format, bits.collect(), rows, categories) }
    }

    /// Returns the reference's draws.
    pub(crate) fn expected(&self) -> Result<Vec<u32>, Failed> {
        let mut draws = Vec::new();
        for row in 0..self.rows as usize {
            draws.extend(self.expected_of(row)?);
        }
        Ok(draws)
    }

    /// Returns the reference's draws of one row. Each row is drawn by itself, since each may have
    /// options of its own.
    fn expected_of(&self, row: usize) -> Result<Vec<u32>, Failed> {
        let none = vec![NO_DRAW; self.draws as usize];
        let Some((source, options)) = self.options_of(row) else { return Ok(none) };
        match self.with_row(source, |row| sample_rows(row, &options))? {
            Err(
                Error::Temperature { .. }
                | Error::WeightsTemperature { .. }
                | Error::Truncation { .. },
            ) => Ok(none),
            drawn => Ok(drawn?),
        }
    }

    /// Returns the row of values that a row draws from, and how; `None` if there is no such row, or not so many draws.
    pub(crate) fn options_of(&self, row: usize) -> Option<(usize, SampleOptions<'_>)> {
        let source = self.row_indices.as_ref().map_or(row, |row_indices| row_indices[row] as usize);
        let first = u64::from(self.first_draws.as_ref().map_or(0, |first| first[row]));
        let first = first + u64::from(self.first_draw);
        let source_rows = if self.row_indices.is_some() { self.source_rows } else { self.rows };
        if source >= source_rows as usize || first + u64::from(self.draws) > u64::from(MAX_DRAWS) {
            return None;
        }
        let id = match &self.row_ids {
            Some(ids) => ids[row],
            None => self.first_row.wrapping_add(row as u64),
        };
        let options = SampleOptions::default()
            .with_seed(self.seeds.as_ref().map_or(self.seed, |seeds| seeds[row]))
            .with_first_row(id)
            .with_draws(self.draws)
            .with_first_draw(first as u32)
            .with_temperature(self.temperatures.as_ref().map_or(self.temperature, |t| t[row]))
            .with_sentinels(true)
            .with_penalty(self.penalties.as_ref().map_or(self.penalty, |own| own[row]))
            .with_truncation(self.truncation_of(row))
            .with_log_probs_of(self.log_probs_of);
        let options = match self.bias.as_ref().map(|bias| bias.of(row)) {
            Some(list) => options.with_bias(Bias::shared(&list.categories, &list.values)),
            None => options,
        };
        let options = match self.history.as_ref().map(|history| history.of(row)) {
            Some(List { offsets, categories, values }) => {
                options.with_history(History::each(offsets, categories, values))
            }
            None => options,
        };
        let options = match &self.allowed {
            Some((words, apart)) => {
                options.with_allowed(Allowed::shared(&words[row * *apart as usize..]))
            }
            None => options,
        };
        Some((source, options))
    }

    /// Calls `of` with a row of values.
    pub(crate) fn with_row<R>(
        &self,
        source: usize,
        of: impl FnOnce(gumbel::Batch<'_>) -> R,
    ) -> Result<R, Failed> {
        let categories = self.categories as usize;
        let bits = &self.logits[source * self.row_stride as usize..][..categories];
        Ok(match self.format {
            ValueFormat::Weights => {
                let weights: Vec<_> = bits.iter().map(|&bits| f32::from_bits(bits)).collect();
                of(Weights::strided(&weights, 1, categories, categories)?.into())
            }
            ValueFormat::Counts => of(Weights::strided(bits, 1, categories, categories)?.into()),
            format => {
                let logits: Vec<_> = bits.iter().map(|&bits| value_of(format, bits)).collect();
                of(Logits::new(&logits, categories)?.into())
            }
        })
    }

    /// Returns the truncation of a row.
    fn truncation_of(&self, row: usize) -> Truncation {
        let mut truncation = self.truncation;
        let [top_p, min_p, epsilon] =
            self.shares.each_ref().map(|shares| shares.as_ref().map(|shares| shares[row]));
        truncation.top_k = self.top_k.as_ref().map(|top_k| top_k[row]).or(truncation.top_k);
        truncation.top_p = top_p.or(truncation.top_p);
        truncation.min_p = min_p.or(truncation.min_p);
        truncation.epsilon = epsilon.or(truncation.epsilon);
        truncation
    }

    /// Returns the engine's draws. The memory around the logits is poison, and the memory around
    /// the draws must stay unchanged.
    pub(crate) fn drawn(&self, gpu: &GpuSampler) -> Result<Vec<u32>, Failed> {
        self.drawn_with_scores(gpu, [None, None])
    }

    /// Returns the engine's draws as [`drawn`](Self::drawn) does, and writes log-probabilities and the logarithms of sums
    /// to these buffers.
    pub(crate) fn drawn_with_scores(
        &self,
        gpu: &GpuSampler,
        [log_probs, logsumexps]: [Option<&wgpu::Buffer>; 2],
    ) -> Result<Vec<u32>, Failed> {
        let mut logits = vec![0xff; self.offset as usize];
        for &bits in &self.logits {
            logits.extend_from_slice(&bits.to_le_bytes()[..self.format.bytes()]);
        }
        logits.resize((logits.len() + self.slack).next_multiple_of(4).max(4), 0xff);
        let logits = buffer(gpu, &logits);
        let row_ids = self.row_ids.as_ref().map(|ids| buffer(gpu, ids));
        let seeds = self.seeds.as_ref().map(|seeds| buffer(gpu, seeds));
        let temperatures = self.temperatures.as_ref().map(|t| buffer(gpu, t));
        let first_draws = self.first_draws.as_ref().map(|first| buffer(gpu, first));
        let row_indices = self.row_indices.as_ref().map(|row_indices| buffer(gpu, row_indices));
        let masks = self.allowed.as_ref().map(|(words, apart)| (buffer(gpu, words), *apart));
        let top_k = self.top_k.as_ref().map(|top_k| buffer(gpu, top_k));
        let [top_p, min_p, epsilon] =
            self.shares.each_ref().map(|shares| shares.as_ref().map(|shares| buffer(gpu, shares)));
        let bias = self.bias.as_ref().map(|lists| lists.buffers(gpu));
        let history = self.history.as_ref().map(|lists| lists.buffers(gpu));
        let penalties = self.penalties.as_ref().map(|penalties| {
            let own = penalties.iter().map(|p| [p.repetition, p.frequency, p.presence]);
            buffer(gpu, &own.collect::<Vec<_>>())
        });

        let alignment = u64::from(gpu.device().limits().min_storage_buffer_offset_alignment);
        let before = (self.draws_offset * alignment / 4) as usize;
        let number = (self.rows * self.draws) as usize;
        let draws = buffer(gpu, &vec![UNWRITTEN; before + number + 67]);

        let mut batch = DeviceBatch::new(&logits, &draws, self.rows, self.categories)
            .with_format(self.format)
            .with_logits_offset(self.offset)
            .with_row_stride(self.row_stride)
            .with_draws_offset(4 * before as u64)
            .with_draws(self.draws)
            .with_seed(self.seed)
            .with_first_row(self.first_row)
            .with_temperature(self.temperature)
            .with_truncation(self.truncation)
            .with_penalty(self.penalty)
            .with_log_probs_of(self.log_probs_of);
        if let Some((offsets, categories, values)) = &bias {
            batch = batch.with_bias(offsets.as_ref(), categories, values);
        }
        if let Some((Some(offsets), categories, counts)) = &history {
            batch = batch.with_history(offsets, categories, counts);
        }
        if let Some(penalties) = &penalties {
            batch = batch.with_penalties(penalties);
        }
        if let Some(row_ids) = &row_ids {
            batch = batch.with_row_ids(row_ids);
        }
        if let Some(seeds) = &seeds {
            batch = batch.with_seeds(seeds);
        }
        if let Some(temperatures) = &temperatures {
            batch = batch.with_temperatures(temperatures);
        }
        if let Some(first_draws) = &first_draws {
            batch = batch.with_first_draws(first_draws);
        }
        if let Some(row_indices) = &row_indices {
            batch = batch.with_row_indices(row_indices, self.source_rows);
        }
        if let Some((masks, words_per_row)) = &masks {
            batch = batch.with_allowed(masks, *words_per_row);
        }
        if let Some(top_k) = &top_k {
            batch = batch.with_top_k(top_k);
        }
        if let Some(top_p) = &top_p {
            batch = batch.with_top_p(top_p);
        }
        if let Some(min_p) = &min_p {
            batch = batch.with_min_p(min_p);
        }
        if let Some(epsilon) = &epsilon {
            batch = batch.with_epsilon(epsilon);
        }
        if let Some(log_probs) = log_probs {
            batch = batch.with_log_probs(log_probs);
        }
        if let Some(logsumexps) = logsumexps {
            batch = batch.with_logsumexps(logsumexps);
        }
        let bound = gpu.bind(&batch)?;
        let mut encoder = gpu.device().create_command_encoder(&Default::default());
        bound.encode(&mut encoder, self.first_draw)?;
        gpu.queue().submit([encoder.finish()]);

        let words = read(gpu, &draws)?;
        let (around, draws) = (before..before + number, &words[before..before + number]);
        let touched = words
            .iter()
            .enumerate()
            .position(|(i, &word)| !around.contains(&i) && word != UNWRITTEN);
        ensure(touched.is_none(), || {
            format!("word {touched:?} was written, and draws are {around:?}")
        })?;
        Ok(draws.to_vec())
    }

    /// Returns how many of the engine's draws are not the reference's. Unwritten draws count.
    pub(crate) fn mismatches(&self, gpu: &GpuSampler) -> Result<usize, Failed> {
        let expected = self.expected()?;
        let drawn = self.drawn(gpu)?;
        Ok(drawn.iter().zip(&expected).filter(|(got, expected)| got != expected).count())
    }

    /// Checks that the engine's draws are the reference's.
    pub(crate) fn same(&self, gpu: &GpuSampler, what: &str) -> Result<(), Failed> {
        let (expected, drawn) = (self.expected()?, self.drawn(gpu)?);
        let wrong: Vec<_> = (0..drawn.len()).filter(|&i| drawn[i] != expected[i]).collect();
        ensure(wrong.is_empty(), || {
            let Self { format, rows, categories, row_stride, offset, draws, .. } = self;
            let first = wrong[0];
            format!(
                "{what}: {rows} rows of {categories} {format}, stride {row_stride}, from byte \
                 {offset}, {draws} draws: {} mismatches, the first at {first}: {} instead of {}",
                wrong.len(),
                drawn[first],
                expected[first]
            )
        })
    }
}

/// Creates a buffer with these contents, to be bound and to be copied from.
pub(crate) fn buffer<T: bytemuck::NoUninit>(gpu: &GpuSampler, contents: &[T]) -> wgpu::Buffer {
    let bytes: &[u8] = bytemuck::cast_slice(contents);
    let buffer = gpu.device().create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size: bytes.len().max(4) as u64,
        usage: Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST,
        mapped_at_creation: false,
    });
    gpu.queue().write_buffer(&buffer, 0, bytes);
    buffer
}

/// Returns the words of a buffer, after everything that was submitted.
pub(crate) fn read(gpu: &GpuSampler, buffer: &wgpu::Buffer) -> Result<Vec<u32>, Failed> {
    let device = gpu.device();
    let readback = device.create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size: buffer.size(),
        usage: Usage::MAP_READ | Usage::COPY_DST,
        mapped_at_creation: false,
    });
    let mut encoder = device.create_command_encoder(&Default::default());
    encoder.copy_buffer_to_buffer(buffer, 0, &readback, 0, buffer.size());
    gpu.queue().submit([encoder.finish()]);
    // a failure shows when the range is requested
    readback.map_async(wgpu::MapMode::Read, .., |_| ());
    device.poll(wgpu::PollType::wait_indefinitely())?;
    let words = bytemuck::cast_slice(&readback.get_mapped_range(..)?).to_vec();
    Ok(words)
}

/// Returns random words, which are the same in every run.
pub(crate) fn words(n: u64) -> impl Iterator<Item = u32> {
    (0..n).map(|i| philox4x32_10([(i / 4) as u32, 0, 0, 0], [5, 6])[(i % 4) as usize])
}

/// Returns a value of the format: a roughly normal logit, a weight with such a logarithm, or a
/// count of any length. Some weights and counts are 0.
fn usual(format: ValueFormat, word: u32) -> u32 {
    match format {
        ValueFormat::F16 => u32::from(half::f16::from_f32(normal(word)).to_bits()),
        ValueFormat::Bf16 => u32::from(half::bf16::from_f32(normal(word)).to_bits()),
        ValueFormat::Weights => normal(word).exp().to_bits(),
        ValueFormat::Counts => word >> (word % 32),
        _ => normal(word).to_bits(),
    }
}

/// Returns a roughly normal number with standard deviation 3.
fn normal(word: u32) -> f32 {
    let bytes: u32 = word.to_le_bytes().iter().map(|&byte| u32::from(byte)).sum();
    (bytes as f32 - 510.0) * (3.0 / 147.8)
}

/// Returns the logit that the bits stand for, exactly.
pub(crate) fn value_of(format: ValueFormat, bits: u32) -> f32 {
    match format {
        ValueFormat::F16 => half::f16::from_bits(bits as u16).to_f32(),
        ValueFormat::Bf16 => half::bf16::from_bits(bits as u16).to_f32(),
        _ => f32::from_bits(bits),
    }
}
