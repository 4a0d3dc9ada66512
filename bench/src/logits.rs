//! The logits, which device and host make alike, and the draws that are right.
//!
//! In whole sixteenths: f32, f16 and bf16 all hold them exactly, so one set of expected draws serves all three.

use gumbel::noise::philox::philox4x32_10;
use gumbel::{CpuSampler, Logits, SampleOptions, ValueFormat};
use rayon::prelude::*;

use crate::error::Error;
use crate::shape::Shape;

/// What the logits of rows are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rows {
    /// Roughly normal, with standard deviation 3.
    #[default]
    Normal,
    /// All the same.
    Equal,
    /// 0 and 1/16 in turn.
    TwoValues,
    /// 0 and less and less down to -10: many are equal, side by side.
    Falling,
    /// One of 10, and the others roughly normal, with standard deviation 3/4.
    OneHead,
}

impl Rows {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Normal, Self::Equal, Self::TwoValues, Self::Falling, Self::OneHead];

    /// The name, as the command takes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Equal => "equal",
            Self::TwoValues => "two-values",
            Self::Falling => "falling",
            Self::OneHead => "one-head",
        }
    }

    /// The logit of a category, in sixteenths, of a random word.
    fn sixteenths(self, category: u32, categories: u32, word: u32) -> i32 {
        match self {
            Self::Normal => sixteenths(word),
            Self::Equal => 0,
            Self::TwoValues => (category % 2) as i32,
            Self::Falling => -((category / categories.div_ceil(160)) as i32),
            Self::OneHead if category == 7 => 160,
            Self::OneHead => sixteenths(word) >> 2,
        }
    }
}

/// A type of logits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Format {
    pub(crate) name: &'static str,
    pub(crate) of: ValueFormat,
}

impl Format {
    pub(crate) const F32: Self = Self { name: "f32", of: ValueFormat::F32 };
    pub(crate) const F16: Self = Self { name: "f16", of: ValueFormat::F16 };
    pub(crate) const BF16: Self = Self { name: "bf16", of: ValueFormat::Bf16 };

    pub(crate) fn bytes(self) -> u64 {
        self.of.bytes() as u64
    }
}

/// Returns a logit in sixteenths, from the sum of a word's four bytes, which is nearly normal.
fn sixteenths(word: u32) -> i32 {
    let sum: i32 = word.to_le_bytes().iter().map(|&byte| i32::from(byte)).sum();
    ((sum - 510) * 83) >> 8
}

/// Returns the first `count` logits of a region, in rows of so many categories.
fn logits(rows: Rows, categories: u32, region: u32, count: usize) -> Vec<f32> {
    let mut logits = vec![0.0; count];
    let piece = 1 << 16;
    logits.par_chunks_mut(4 * piece).enumerate().for_each(|(n, logits)| {
        for (i, four) in logits.chunks_mut(4).enumerate() {
            // blocks are numbered modulo 2^32, as on the device
            let words = philox4x32_10([(n * piece + i) as u32, region, 0, 0], [5, 6]);
            for (at, (logit, word)) in (4 * (n * piece + i)..).zip(four.iter_mut().zip(words)) {
                let category = (at % categories as usize) as u32;
                *logit = rows.sixteenths(category, categories, word) as f32 / 16.0;
            }
        }
    });
    logits
}

/// A region's logits in the host's memory, and the CPU engine's draws from them.
#[derive(Debug)]
pub(crate) struct Known {
    rows: Rows,
    pub(crate) logits: Vec<f32>,
    pub(crate) sample: Vec<u32>,
    pub(crate) argmax: Vec<u32>,
}

impl Known {
    pub(crate) fn new(shape: Shape, of: Rows, region: u32) -> Result<Self, Error> {
        let logits = logits(of, shape.categories, region, shape.logits() as usize);
        let draw = |temperature| {
            let options = SampleOptions::default().with_temperature(temperature);
            let rows = Logits::new(&logits, shape.categories as usize)?;
            CpuSampler::new().sample_rows(rows, &options)
        };
        let (sample, argmax) = (draw(1.0)?, draw(0.0)?);
        Ok(Self { rows: of, logits, sample, argmax })
    }

    /// The same of another region.
    pub(crate) fn of_region(&self, shape: Shape, region: u32) -> Result<Self, Error> {
        Self::new(shape, self.rows, region)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logits_are_normal_enough() {
        let logits = logits(Rows::Normal, 1 << 20, 0, 1 << 20);
        let mean = logits.iter().map(|&x| f64::from(x)).sum::<f64>() / logits.len() as f64;
        let square = logits.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>();
        let deviation = (square / logits.len() as f64 - mean * mean).sqrt();
        assert!(mean.abs() < 0.05 && (deviation - 3.0).abs() < 0.02, "{mean} {deviation}");
    }

    #[test]
    fn logits_are_exact_in_every_format() {
        for rows in Rows::ALL {
            for logit in logits(rows, 1 << 16, 0, 1 << 18) {
                assert_eq!(half::f16::from_f32(logit).to_f32().to_bits(), logit.to_bits());
                assert_eq!(half::bf16::from_f32(logit).to_f32().to_bits(), logit.to_bits());
            }
        }
    }

    #[test]
    fn regions_differ() {
        let normal = |region, count| logits(Rows::Normal, 16, region, count);
        assert_ne!(normal(0, 16), normal(1, 16));
        assert_eq!(normal(1, 16)[..7], normal(1, 7));
    }
}
