//! An array with an axis of categories, as rows that the crate draws from.

use gumbel::half::{bf16, f16};
use gumbel::{Batch, Logits, Weights};
use pyo3::prelude::*;

use crate::dlpack::{Dtype, Tensor};
use crate::error;
use crate::strided::{Failure, Layout, Place, copied, integers};

/// The meaning of the numbers of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Logarithms of unnormalised probabilities.
    Logits,
    /// Unnormalised probabilities, or counts.
    Weights,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Logits => "logits",
            Self::Weights => "weights",
        }
    }
}

/// Values in the caller's memory, if the crate reads them there, or a copy.
enum Values {
    F16(Memory<f16>),
    Bf16(Memory<bf16>),
    F32(Memory<f32>),
    F64(Memory<f64>),
    Counts(Memory<u32>),
}

/// Rows with two strides.
struct Memory<T> {
    place: Place<T>,
    row_stride: usize,
    category_stride: usize,
}

/// The rows of an array: one for each index of all axes but that of the categories.
pub(crate) struct Rows<'py> {
    values: Values,
    kind: Kind,
    /// The shape of the array without the axis of categories.
    pub(crate) shape: Vec<usize>,
    pub(crate) rows: usize,
    pub(crate) categories: usize,
    /// The array, whose memory `values` may borrow.
    _tensor: Tensor<'py>,
}

/// What a thread without Python needs of [`Rows`].
pub(crate) struct Source<'a> {
    values: &'a Values,
    pub(crate) kind: Kind,
    rows: usize,
    pub(crate) categories: usize,
}

impl<'py> Rows<'py> {
    /// The rows of `object`, whose categories lie along `axis`.
    pub(crate) fn new(object: &Bound<'py, PyAny>, axis: isize, kind: Kind) -> PyResult<Self> {
        let tensor = Tensor::new(object, kind.name())?;
        let layout = Layout::new(&tensor, axis, kind.name())?;
        let values = values(&tensor, &layout, kind)?;
        let Layout { shape, rows, categories, .. } = layout;
        Ok(Self { values, kind, shape, rows, categories, _tensor: tensor })
    }

    /// What threads without Python need.
    pub(crate) fn source(&self) -> Source<'_> {
        Source {
            values: &self.values,
            kind: self.kind,
            rows: self.rows,
            categories: self.categories,
        }
    }

    /// The crate's error about these rows, of which the call that failed had those from `first` on.
    pub(crate) fn error(&self, error: gumbel::Error, first: usize) -> PyErr {
        error::to_python(error, first, &self.shape)
    }

    /// Checks the shape, for errors that must not wait for the first piece of the work.
    pub(crate) fn check(&self) -> PyResult<()> {
        self.source().part(0..0).map(drop).map_err(|error| self.error(error, 0))
    }
}

impl Source<'_> {
    /// Some of the rows.
    pub(crate) fn part(&self, rows: std::ops::Range<usize>) -> Result<Batch<'_>, gumbel::Error> {
        let (categories, count, first) = (self.categories, rows.len(), rows.start);
        debug_assert!(rows.end <= self.rows, "rows of the array");
        macro_rules! logits {
            ($memory:expr) => {{
                let (data, strides) = $memory.part(first, count);
                Logits::with_strides(data, count, categories, strides[0], strides[1])
                    .map(Batch::from)
            }};
        }
        macro_rules! weights {
            ($memory:expr) => {{
                let (data, strides) = $memory.part(first, count);
                Weights::with_strides(data, count, categories, strides[0], strides[1])
                    .map(Batch::from)
            }};
        }
        match (self.values, self.kind) {
            (Values::F16(memory), _) => logits!(memory),
            (Values::Bf16(memory), _) => logits!(memory),
            (Values::F32(memory), Kind::Logits) => logits!(memory),
            (Values::F64(memory), Kind::Logits) => logits!(memory),
            (Values::F32(memory), Kind::Weights) => weights!(memory),
            (Values::F64(memory), Kind::Weights) => weights!(memory),
            (Values::Counts(memory), _) => weights!(memory),
        }
    }

    /// Whether the values are `f64`.
    pub(crate) fn is_double(&self) -> bool {
        matches!(self.values, Values::F64(_))
    }

    /// Adds the values of a row, as they are.
    pub(crate) fn extend_row(&self, row: usize, to: &mut Vec<f64>) {
        macro_rules! extend {
            ($memory:expr, $double:expr) => {{
                let (data, [_, stride]) = $memory.part(row, 1);
                to.extend((0..self.categories).map(|category| $double(data[category * stride])));
            }};
        }
        match self.values {
            Values::F16(memory) => extend!(memory, f16::to_f64),
            Values::Bf16(memory) => extend!(memory, bf16::to_f64),
            Values::F32(memory) => extend!(memory, f64::from),
            Values::F64(memory) => extend!(memory, f64::from),
            Values::Counts(memory) => extend!(memory, f64::from),
        }
    }
}

impl<T> Memory<T> {
    /// The memory of some rows, and both strides.
    fn part(&self, first: usize, count: usize) -> (&[T], [usize; 2]) {
        let all = self.place.values();
        let from = if count == 0 { all.len() } else { first * self.row_stride };
        (&all[from..], [self.row_stride, self.category_stride])
    }
}

fn values(tensor: &Tensor<'_>, layout: &Layout, kind: Kind) -> PyResult<Values> {
    Ok(match (kind, tensor.dtype) {
        (_, Dtype::F32) => Values::F32(memory(tensor, layout)?),
        (_, Dtype::F64) => Values::F64(memory(tensor, layout)?),
        (Kind::Logits, Dtype::F16) => Values::F16(memory(tensor, layout)?),
        (Kind::Logits, Dtype::Bf16) => Values::Bf16(memory(tensor, layout)?),
        (Kind::Weights, Dtype::U32) => Values::Counts(memory(tensor, layout)?),
        // every half is a float
        (Kind::Weights, Dtype::F16) => {
            Values::F32(converted(tensor, layout, |v: f16| Ok(v.to_f32()))?)
        }
        (Kind::Weights, Dtype::Bf16) => {
            Values::F32(converted(tensor, layout, |v: bf16| Ok(v.to_f32()))?)
        }
        (Kind::Weights, _) => {
            let count = |count: i128| {
                u32::try_from(count)
                    .map_err(|_| format!("a count is from 0 to 4294967295, got {count}"))
            };
            Values::Counts(copy(integers(tensor, layout, count), layout)?)
        }
        (Kind::Logits, _) => {
            Values::F64(copy(integers(tensor, layout, |logit| Ok(logit as f64)), layout)?)
        }
    })
}

/// Values of the type that the crate reads: in place if they lie as it reads them.
fn memory<T: Copy>(tensor: &Tensor<'_>, layout: &Layout) -> PyResult<Memory<T>> {
    match layout.in_place::<T>(tensor) {
        Some((data, len, [row_stride, category_stride])) => {
            Ok(Memory { place: Place::Borrowed(data, len), row_stride, category_stride })
        }
        None => converted(tensor, layout, Ok),
    }
}

/// A copy, row by row, of values each of which is converted. An error is that of a value, with its row and category.
fn converted<S: Copy, T>(
    tensor: &Tensor<'_>,
    layout: &Layout,
    convert: impl Fn(S) -> Result<T, String>,
) -> PyResult<Memory<T>> {
    copy(copied(tensor.data, layout, convert), layout)
}

/// A copy as the rows that it is of.
fn copy<T>(copied: Result<Vec<T>, Failure>, layout: &Layout) -> PyResult<Memory<T>> {
    let (rows, categories) = (layout.rows, layout.categories);
    let values = copied.map_err(|failure| {
        failure.to_python(&format!("{rows} rows of {categories} categories"), |at| {
            let row = error::row_words(at / categories, &layout.shape);
            format!("{row}, category {}", at % categories)
        })
    })?;
    Ok(Memory { place: Place::Copied(values), row_stride: categories, category_stride: 1 })
}
