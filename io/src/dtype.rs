//! A type of values, where the file does not say it or says too little.

use std::fmt;
use std::str::FromStr;

use crate::stored::Stored;

/// The type of values, given from outside: .npy files have no name for `bf16`, and text has no types at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dtype {
    /// Half precision.
    F16,
    /// bfloat16: the leading half of an `f32`.
    Bf16,
    /// Single precision.
    F32,
    /// Double precision.
    F64,
}

impl Dtype {
    const NAMES: [(Self, &str); 4] =
        [(Self::F16, "f16"), (Self::Bf16, "bf16"), (Self::F32, "f32"), (Self::F64, "f64")];

    pub(crate) fn stored(self) -> Stored {
        match self {
            Self::F16 => Stored::F16,
            Self::Bf16 => Stored::Bf16,
            Self::F32 => Stored::F32,
            Self::F64 => Stored::F64,
        }
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::NAMES.iter().find(|(dtype, _)| dtype == self).map_or("", |(_, name)| name);
        f.write_str(name)
    }
}

impl FromStr for Dtype {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::NAMES.iter().find(|(_, name)| *name == text);
        found
            .map(|&(dtype, _)| dtype)
            .ok_or_else(|| "the types are f16, bf16, f32 and f64".to_owned())
    }
}
