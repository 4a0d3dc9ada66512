//! The types of stored values, and how they become those that gumbel draws from.

use half::{bf16, f16};

use crate::values::{Kind, Values};

/// The type of a stored value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stored {
    F16,
    Bf16,
    F32,
    F64,
    /// A byte that is 0 or not.
    Bool,
    /// An integer of `bytes` bytes.
    Int {
        bytes: usize,
        signed: bool,
    },
}

/// How stored values become values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decoder {
    stored: Stored,
    big_endian: bool,
    weights: bool,
}

/// An integer that is no count, and its position among the values that were decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoCount {
    pub(crate) at: usize,
    pub(crate) count: i128,
}

impl Stored {
    /// The size of a value.
    pub(crate) fn bytes(self) -> usize {
        match self {
            Self::Bool => 1,
            Self::F16 | Self::Bf16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
            Self::Int { bytes, .. } => bytes,
        }
    }
}

/// What is needed in place of a type that is not read; `called` is what the format calls the type.
pub(crate) fn unsuitable(called: &str, kind: Kind, is_mask: bool) -> String {
    let wanted = match kind {
        Kind::Weights => {
            "weights are floats of 16, 32 or 64 bits, or integers or booleans, which are counts"
        }
        Kind::Logits if is_mask => {
            "a mask is no logits: --weights draws from what is true, and numpy.where(mask, logits, -inf) masks logits"
        }
        Kind::Logits => "logits are floats of 16, 32 or 64 bits (for weights there is --weights)",
        Kind::LogitsOnly => {
            "soft samples are of logits, floats of 16, 32 or 64 bits: give the logarithms of weights"
        }
    };
    format!("its type is {called}, {wanted}")
}

impl Decoder {
    /// The decoder of these values. Fails if they are no values of this kind; `called` is what the format calls the type.
    pub(crate) fn new(
        stored: Stored,
        big_endian: bool,
        kind: Kind,
        called: &str,
    ) -> Result<Self, String> {
        let weights = kind == Kind::Weights;
        match stored {
            Stored::Bool | Stored::Int { .. } if !weights => {
                Err(unsuitable(called, kind, stored == Stored::Bool))
            }
            _ => Ok(Self { stored, big_endian, weights }),
        }
    }

    /// The size of a stored value.
    pub(crate) fn bytes(self) -> usize {
        self.stored.bytes()
    }

    /// An empty vector of the values' type.
    pub(crate) fn values(self) -> Values {
        match self.stored {
            Stored::F16 if !self.weights => Values::F16(Vec::new()),
            Stored::Bf16 if !self.weights => Values::Bf16(Vec::new()),
            Stored::F16 | Stored::Bf16 | Stored::F32 => Values::F32(Vec::new()),
            Stored::F64 => Values::F64(Vec::new()),
            Stored::Bool | Stored::Int { .. } => Values::Counts(Vec::new()),
        }
    }
}

/// A type of [`Values`].
pub(crate) trait Value: bytemuck::Pod + Default + Send + Sync {
    /// Whether stored values are values as they are.
    fn is_stored(decoder: Decoder) -> bool;
    /// Decodes as many values as `out` holds.
    fn decode(decoder: Decoder, bytes: &[u8], out: &mut [Self]) -> Result<(), NoCount>;
}

/// The bytes, N at a time.
fn words<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> + Clone {
    bytes.as_chunks().0.iter().copied()
}

fn set<T>(out: &mut [T], values: impl Iterator<Item = T>) {
    for (to, value) in out.iter_mut().zip(values) {
        *to = value;
    }
}

/// A float that is stored in its own type, in either order.
macro_rules! float {
    ($float:ty, $stored:pat) => {
        fn is_stored(decoder: Decoder) -> bool {
            matches!(decoder.stored, $stored) && decoder.big_endian == cfg!(target_endian = "big")
        }
    };
}

macro_rules! plain {
    ($float:ty, $stored:pat) => {
        impl Value for $float {
            float!($float, $stored);

            fn decode(decoder: Decoder, bytes: &[u8], out: &mut [Self]) -> Result<(), NoCount> {
                let read =
                    if decoder.big_endian { Self::from_be_bytes } else { Self::from_le_bytes };
                set(out, words(bytes).map(read));
                Ok(())
            }
        }
    };
}

plain!(f16, Stored::F16);
plain!(bf16, Stored::Bf16);
plain!(f64, Stored::F64);

impl Value for f32 {
    float!(f32, Stored::F32);

    fn decode(decoder: Decoder, bytes: &[u8], out: &mut [Self]) -> Result<(), NoCount> {
        match (decoder.stored, decoder.big_endian) {
            (Stored::F16, false) => set(out, words(bytes).map(|w| f16::from_le_bytes(w).to_f32())),
            (Stored::F16, true) => set(out, words(bytes).map(|w| f16::from_be_bytes(w).to_f32())),
            (Stored::Bf16, false) => {
                set(out, words(bytes).map(|w| bf16::from_le_bytes(w).to_f32()))
            }
            (Stored::Bf16, true) => set(out, words(bytes).map(|w| bf16::from_be_bytes(w).to_f32())),
            (_, false) => set(out, words(bytes).map(f32::from_le_bytes)),
            (_, true) => set(out, words(bytes).map(f32::from_be_bytes)),
        }
        Ok(())
    }
}

impl Value for u32 {
    fn is_stored(_: Decoder) -> bool {
        false
    }

    fn decode(decoder: Decoder, bytes: &[u8], out: &mut [Self]) -> Result<(), NoCount> {
        let (size, signed) = match decoder.stored {
            Stored::Int { bytes, signed } => (bytes, signed),
            _ => {
                set(out, bytes.iter().map(|&byte| u32::from(byte != 0)));
                return Ok(());
            }
        };
        if (size, signed, decoder.big_endian) == (4, false, false) {
            set(out, words(bytes).map(u32::from_le_bytes));
            return Ok(());
        }
        for (at, (to, stored)) in out.iter_mut().zip(bytes.chunks_exact(size)).enumerate() {
            let count = integer(stored, signed, decoder.big_endian);
            *to = u32::try_from(count).map_err(|_| NoCount { at, count })?;
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
