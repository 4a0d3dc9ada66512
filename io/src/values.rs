//! Values in the types that gumbel draws from, and blocks of rows of them.

use std::collections::TryReserveError;

use half::{bf16, f16};

use crate::column::Column;

/// What the values of a file are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Logits.
    #[default]
    Logits,
    /// Logits, for a command that takes no weights, and must not propose them.
    LogitsOnly,
    /// Weights or counts.
    Weights,
}

/// Values of one type.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Values {
    /// Logits, as they are in the file.
    F16(Vec<f16>),
    /// Logits, as they are in the file.
    Bf16(Vec<bf16>),
    /// Logits or weights; weights of 16 bits as well, which `f32` holds exactly.
    F32(Vec<f32>),
    /// Logits or weights, not rounded.
    F64(Vec<f64>),
    /// Integers: weights that are counts.
    Counts(Vec<u32>),
}

impl Default for Values {
    fn default() -> Self {
        Self::F32(Vec::new())
    }
}

/// Does the same with the vector of each type.
macro_rules! with_vector {
    ($values:expr, $vector:ident => $do:expr) => {
        match $values {
            $crate::values::Values::F16($vector) => $do,
            $crate::values::Values::Bf16($vector) => $do,
            $crate::values::Values::F32($vector) => $do,
            $crate::values::Values::F64($vector) => $do,
            $crate::values::Values::Counts($vector) => $do,
        }
    };
}
pub(crate) use with_vector;

impl Values {
    /// The number of values.
    #[must_use]
    pub fn len(&self) -> usize {
        with_vector!(self, vector => vector.len())
    }

    /// Whether there is no value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn clear(&mut self) {
        with_vector!(self, vector => vector.clear());
    }

    /// Makes this a vector of the type of `like`, empty, and keeps its memory if it is one.
    pub(crate) fn become_like(&mut self, like: &Self) {
        self.take_type_of(like);
        self.clear();
    }

    /// Makes this a vector of the type of `like`. If it is one, it keeps what it holds: whoever writes over all of it need
    /// not have it filled with zeros before.
    pub(crate) fn take_type_of(&mut self, like: &Self) {
        if std::mem::discriminant(self) != std::mem::discriminant(like) {
            *self = like.empty();
        }
    }

    /// An empty vector of this type.
    pub(crate) fn empty(&self) -> Self {
        match self {
            Self::F16(_) => Self::F16(Vec::new()),
            Self::Bf16(_) => Self::Bf16(Vec::new()),
            Self::F32(_) => Self::F32(Vec::new()),
            Self::F64(_) => Self::F64(Vec::new()),
            Self::Counts(_) => Self::Counts(Vec::new()),
        }
    }
}

/// Appends `more` zeros, or fails for want of memory. Memory grows by doubling, with what has been read.
pub(crate) fn grow<T: Clone + Default>(
    vector: &mut Vec<T>,
    more: usize,
) -> Result<(), TryReserveError> {
    vector.try_reserve(more)?;
    vector.resize(vector.len() + more, T::default());
    Ok(())
}

/// Sets the length, or fails for want of memory. What the vector held may remain.
pub(crate) fn set_length<T: Clone + Default>(
    vector: &mut Vec<T>,
    length: usize,
) -> Result<(), TryReserveError> {
    if let Some(more) = length.checked_sub(vector.len()) {
        vector.try_reserve_exact(more)?;
    }
    vector.resize(length, T::default());
    Ok(())
}

/// Some rows of a file.
#[derive(Clone, Debug, Default)]
pub struct Block {
    /// The number of the first row in the file.
    pub first_row: u64,
    /// The number of rows.
    pub rows: usize,
    /// The values: category c of row r is value `r * row_stride + c * category_stride`.
    pub values: Values,
    /// How far apart two rows are.
    pub row_stride: usize,
    /// How far apart two categories are.
    pub category_stride: usize,
    /// The ids of the rows, if a column of ids was asked for.
    pub row_ids: Option<Vec<u64>>,
    /// The columns that were asked for beside, in that order.
    pub kept: Vec<Column>,
}

impl Block {
    /// Makes this an empty block whose first row is `first_row`, and keeps its memory.
    pub(crate) fn begin(&mut self, first_row: u64, like: &Values, categories: usize) {
        self.first_row = first_row;
        self.rows = 0;
        self.values.become_like(like);
        (self.row_stride, self.category_stride) = (categories, 1);
        self.row_ids = None;
        self.kept.clear();
    }
}
