//! The types of the values of a .npy file, and the types that they are drawn from as.

use std::collections::TryReserveError;

use gumbel::{Batch, Logits, Weights};
use half::f16;
use npyz::{DType, Endianness, TypeChar};

use crate::error::Error;

/// Values in the types that gumbel draws from. A file fills one of the four vectors.
#[derive(Default)]
pub(crate) struct Values {
    /// Logits of f16, as they are.
    halves: Vec<f16>,
    /// Logits and weights of f32, and weights of f16.
    singles: Vec<f32>,
    /// Logits and weights of f64, as they are.
    doubles: Vec<f64>,
    counts: Vec<u32>,
}

/// The kind of values that a command draws from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Logits; the option --weights would ask for weights instead.
    Logits,
    /// Logits, for a command that does not take weights: soft samples.
    SoftLogits,
    /// Weights or counts.
    Weights,
}

/// How a value is stored, and whether it is a weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Format {
    stored: Stored,
    big_endian: bool,
    weights: bool,
}

/// The type of a stored value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stored {
    F16,
    F32,
    F64,
    /// An integer of `bytes` bytes.
    Int {
        bytes: usize,
        signed: bool,
    },
}

/// The vector of [`Values`] that holds the values of a format.
enum Place {
    Halves,
    Singles,
    Doubles,
    Counts,
}

/// An integer that is no count, and its position among the values that were decoded.
#[derive(Debug)]
pub(crate) struct NoCount {
    pub(crate) at: usize,
    count: i128,
}

impl NoCount {
    /// Returns the error for this integer, given its row and category.
    pub(crate) fn error(&self, row: u64, category: u64) -> Error {
        Error::Count { row, category, count: self.count }
    }
}

impl Values {
    /// Removes all values, and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.halves.clear();
        self.singles.clear();
        self.doubles.clear();
        self.counts.clear();
    }

    /// Reserves memory for `more` values.
    pub(crate) fn reserve(&mut self, format: Format, more: usize) -> Result<(), TryReserveError> {
        match format.place() {
            Place::Halves => self.halves.try_reserve(more),
            Place::Singles => self.singles.try_reserve(more),
            Place::Doubles => self.doubles.try_reserve(more),
            Place::Counts => self.counts.try_reserve(more),
        }
    }

    /// Returns the values as rows of `categories` values.
    pub(crate) fn batch(
        &self,
        format: Format,
        categories: usize,
    ) -> Result<Batch<'_>, gumbel::Error> {
        Ok(match (format.place(), format.weights) {
            (Place::Halves, _) => Logits::from_f16(&self.halves, categories)?.into(),
            (Place::Singles, false) => Logits::new(&self.singles, categories)?.into(),
            (Place::Singles, true) => Weights::new(&self.singles, categories)?.into(),
            (Place::Doubles, false) => Logits::from_f64(&self.doubles, categories)?.into(),
            (Place::Doubles, true) => Weights::from_f64(&self.doubles, categories)?.into(),
            (Place::Counts, _) => Weights::from_counts(&self.counts, categories)?.into(),
        })
    }

    /// Returns the logarithms of the unnormalised probabilities.
    pub(crate) fn log_weights(&self, format: Format) -> Vec<f64> {
        match (format.place(), format.weights) {
            (Place::Halves, _) => self.halves.iter().map(|&x| f64::from(x)).collect(),
            (Place::Singles, false) => self.singles.iter().map(|&x| f64::from(x)).collect(),
            (Place::Singles, true) => self.singles.iter().map(|&x| f64::from(x).ln()).collect(),
            (Place::Doubles, false) => self.doubles.clone(),
            (Place::Doubles, true) => self.doubles.iter().map(|x| x.ln()).collect(),
            (Place::Counts, _) => self.counts.iter().map(|&x| f64::from(x).ln()).collect(),
        }
    }
}

impl Format {
    /// Returns the format of values of this type, which are weights or logits.
    pub(crate) fn new(dtype: &DType, wanted: Wanted) -> Result<Self, String> {
        let weights = wanted == Wanted::Weights;
        if let DType::Plain(plain) = dtype {
            let stored = match (plain.type_char(), plain.size_field()) {
                (TypeChar::Float, 2) => Some(Stored::F16),
                (TypeChar::Float, 4) => Some(Stored::F32),
                (TypeChar::Float, 8) => Some(Stored::F64),
                (kind @ (TypeChar::Int | TypeChar::Uint), bytes @ (1 | 2 | 4 | 8)) if weights => {
                    Some(Stored::Int { bytes: bytes as usize, signed: kind == TypeChar::Int })
                }
                _ => None,
            };
            if let Some(stored) = stored {
                let big_endian = plain.endianness() == Endianness::Big;
                return Ok(Self { stored, big_endian, weights });
            }
        }
        let wanted = match wanted {
            Wanted::Weights => "weights are f2, f4 or f8, or integers i1 to u8, which are counts",
            Wanted::Logits => "logits are f2, f4 or f8 (for weights there is --weights)",
            Wanted::SoftLogits => {
                "soft samples are of logits, f2, f4 or f8: give the logarithms of weights"
            }
        };
        Err(format!("its type is {}, {wanted}", dtype.descr()))
    }

    /// The size of a stored value.
    pub(crate) fn bytes(self) -> usize {
        match self.stored {
            Stored::F16 => 2,
            Stored::F32 => 4,
            Stored::F64 => 8,
            Stored::Int { bytes, .. } => bytes,
        }
    }

    fn place(self) -> Place {
        match self.stored {
            Stored::F16 if !self.weights => Place::Halves,
            Stored::F16 | Stored::F32 => Place::Singles,
            Stored::F64 => Place::Doubles,
            Stored::Int { .. } => Place::Counts,
        }
    }

    /// Appends the values in `bytes`. Fails with the first integer that is no count.
    pub(crate) fn decode(self, bytes: &[u8], values: &mut Values) -> Result<(), NoCount> {
        let Values { halves, singles, doubles, counts } = values;
        let weights = self.weights;
        match (self.stored, self.big_endian) {
            (Stored::F16, big) => {
                let read = if big { f16::from_be_bytes } else { f16::from_le_bytes };
                if weights {
                    singles.extend(words(bytes).map(|word| f32::from(read(word))));
                } else {
                    halves.extend(words(bytes).map(read));
                }
            }
            (Stored::F32, false) => singles.extend(words(bytes).map(f32::from_le_bytes)),
            (Stored::F32, true) => singles.extend(words(bytes).map(f32::from_be_bytes)),
            (Stored::F64, false) => doubles.extend(words(bytes).map(f64::from_le_bytes)),
            (Stored::F64, true) => doubles.extend(words(bytes).map(f64::from_be_bytes)),
            (Stored::Int { bytes: size, signed }, big_endian) => {
                for (at, stored) in bytes.chunks_exact(size).enumerate() {
                    let count = integer(stored, signed, big_endian);
                    counts.push(u32::try_from(count).map_err(|_| NoCount { at, count })?);
                }
            }
        }
        Ok(())
    }
}

/// An integer of up to eight bytes.
fn integer(stored: &[u8], signed: bool, big_endian: bool) -> i128 {
    let mut word = [0; 8];
    let (size, top) = (stored.len(), 64 - 8 * stored.len() as u32);
    // at the top of the word, from where a shift extends the sign
    if big_endian {
        word[..size].copy_from_slice(stored);
    } else {
        word[8 - size..].copy_from_slice(stored);
    }
    let word = if big_endian { u64::from_be_bytes(word) } else { u64::from_le_bytes(word) };
    if signed { i128::from((word as i64) >> top) } else { i128::from(word >> top) }
}

/// The bytes, N at a time.
fn words<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> + Clone {
    bytes.as_chunks().0.iter().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_of_every_size_keep_their_sign() {
        for value in [0, 1, -1, 127, -128, 32_767, -32_768, i32::MAX.into(), i64::MIN, i64::MAX] {
            for size in [1, 2, 4, 8] {
                let kept = value << (64 - 8 * size) >> (64 - 8 * size);
                let (little, big) = (value.to_le_bytes(), value.to_be_bytes());
                let (little, big) = (&little[..size], &big[8 - size..]);
                assert_eq!(integer(little, true, false), i128::from(kept));
                assert_eq!(integer(big, true, true), i128::from(kept));
                let mask = u64::MAX >> (64 - 8 * size);
                assert_eq!(integer(little, false, false), i128::from(value as u64 & mask));
                assert_eq!(integer(big, false, true), i128::from(value as u64 & mask));
            }
        }
    }
}
