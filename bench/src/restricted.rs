//! Draws that a mask or a truncation restricts, beside a draw from all categories.

use gumbel::noise::philox::philox4x32_10;
use gumbel::{Allowed, CpuSampler, DeviceBatch, Logits, SampleOptions, Truncation, wgpu};

use crate::device::Device;
use crate::error::Error;
use crate::logits::Known;
use crate::placement::Piece;
use crate::results::{ALL_CUTS, ARGMAX, MASK, MIN_P, SAMPLE, TOP_K, TOP_P};
use crate::shape::Shape;

/// How draws are made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Drawing {
    temperature: f32,
    truncation: Truncation,
    masked: bool,
}

/// A mask of each row of a piece, on the device.
#[derive(Debug)]
pub(crate) struct Masks {
    buffer: wgpu::Buffer,
    words_per_row: u32,
}

impl Drawing {
    /// The draws of an operation.
    pub(crate) fn of(what: &str) -> Self {
        let plain = Self { temperature: 1.0, truncation: Truncation::new(), masked: false };
        let cut = |truncation| Self { truncation, ..plain };
        let new = Truncation::new;
        match what {
            ARGMAX => Self { temperature: 0.0, ..plain },
            MASK => Self { masked: true, ..plain },
            MIN_P => cut(new().with_min_p(0.05)),
            TOP_K => cut(new().with_top_k(50)),
            TOP_P => cut(new().with_top_p(0.9)),
            ALL_CUTS => cut(new().with_top_k(50).with_top_p(0.9).with_min_p(0.02)),
            _ => plain,
        }
    }

    /// The masks of a piece, if these draws have any.
    pub(crate) fn masks(
        self,
        device: &Device<'_>,
        shape: Shape,
        piece: &Piece,
    ) -> Result<Option<Masks>, Error> {
        if !self.masked {
            return Ok(None);
        }
        let words = masks(shape, piece.first_row, piece.rows);
        let bytes: &[u8] = bytemuck::cast_slice(&words);
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST;
        let buffer = device.buffer(bytes.len() as u64, usage)?;
        device.checked(|| {
            device.sampler.queue().write_buffer(&buffer, 0, bytes);
            Ok(())
        })?;
        Ok(Some(Masks { buffer, words_per_row: words_per_row(shape) }))
    }

    /// The batch, drawn from in this way.
    pub(crate) fn restrict<'a>(
        self,
        batch: DeviceBatch<'a>,
        masks: Option<&'a Masks>,
    ) -> DeviceBatch<'a> {
        let batch = batch.with_temperature(self.temperature).with_truncation(self.truncation);
        match masks {
            Some(Masks { buffer, words_per_row }) => batch.with_allowed(buffer, *words_per_row),
            None => batch,
        }
    }

    /// The CPU engine's draws.
    pub(crate) fn expected(self, shape: Shape, known: &Known) -> Result<Vec<u32>, Error> {
        let words = if self.masked { masks(shape, 0, shape.rows) } else { Vec::new() };
        let options = SampleOptions::default()
            .with_temperature(self.temperature)
            .with_truncation(self.truncation);
        let options = match self.masked {
            true => options.with_allowed(Allowed::each(&words, words_per_row(shape) as usize)),
            false => options,
        };
        let rows = Logits::new(&known.logits, shape.categories as usize)?;
        Ok(CpuSampler::new().sample_rows(rows, &options)?)
    }
}

/// The operations of a run that measures restricted draws.
pub(crate) const RESTRICTED: [&str; 6] = [SAMPLE, MASK, MIN_P, TOP_K, TOP_P, ALL_CUTS];

fn words_per_row(shape: Shape) -> u32 {
    shape.categories.div_ceil(32)
}

/// The masks of some rows: about 95 % of the categories are allowed.
fn masks(shape: Shape, first_row: u32, rows: u32) -> Vec<u32> {
    let per_row = words_per_row(shape);
    let word = |at: u32| {
        // of a random word's bits, a half is 1, so that 1/16 · 3/4 of these are
        let [a, b, c, d] = philox4x32_10([at, 0, 0, 0], [7, 8]);
        !(a & b & c & d & (a.rotate_left(16) | b.rotate_left(16)))
    };
    let begin = first_row.wrapping_mul(per_row);
    (0..rows * per_row).map(|i| word(begin.wrapping_add(i))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_allow_nearly_all_categories_and_are_those_of_their_rows() {
        let shape = Shape { rows: 40, categories: 3000 };
        let all = masks(shape, 0, 40);
        let allowed: u32 = all.iter().map(|word| word.count_ones()).sum();
        let share = f64::from(allowed) / (32 * all.len()) as f64;
        assert!((share - 0.953).abs() < 0.004, "{share}");
        assert_eq!(masks(shape, 7, 3), all[7 * 94..10 * 94]);
    }
}
