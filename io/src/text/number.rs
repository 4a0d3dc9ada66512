//! Numbers in text: as Rust, Python and C write them, `nan` and `-inf` as numpy does.

use half::{bf16, f16};

use crate::Dtype;
use crate::stored::Value;
use crate::values::Values;

/// A type that numbers in text become.
pub(crate) trait Number: Value {
    /// The number nearest to what the text says, if it says a number.
    fn of(text: &str) -> Option<Self>;
}

macro_rules! number {
    ($($float:ty),*) => {$(
        impl Number for $float {
            fn of(text: &str) -> Option<Self> {
                text.parse().ok()
            }
        }
    )*};
}
number!(f16, bf16, f32, f64);

/// No `--dtype` says this.
impl Number for u32 {
    fn of(text: &str) -> Option<Self> {
        text.parse().ok()
    }
}

/// An empty vector of the type: text has no types, and loses nothing as `f64`.
pub(crate) fn values(dtype: Option<Dtype>) -> Values {
    match dtype {
        Some(Dtype::F16) => Values::F16(Vec::new()),
        Some(Dtype::Bf16) => Values::Bf16(Vec::new()),
        Some(Dtype::F32) => Values::F32(Vec::new()),
        Some(Dtype::F64) | None => Values::F64(Vec::new()),
    }
}

/// Whether a field says a number.
pub(crate) fn is_number(text: &str) -> bool {
    f64::of(text).is_some()
}
