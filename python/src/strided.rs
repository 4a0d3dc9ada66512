//! Strides: where the rows of an array lie, whichever axis has the categories, and copies of rows that the crate cannot
//! read where they are.
#![allow(unsafe_code, reason = "values are read from the memory of another library")]

use std::ffi::c_void;

use gumbel::half::{bf16, f16};
use pyo3::exceptions::{PyMemoryError, PyTypeError, PyValueError};
use pyo3::prelude::*;

use crate::dlpack::{Dtype, Tensor};

/// How an array is seen as rows.
pub(crate) struct Layout {
    /// The shape without the axis of categories.
    pub(crate) shape: Vec<usize>,
    strides: Vec<isize>,
    pub(crate) rows: usize,
    pub(crate) categories: usize,
    category_stride: isize,
}

impl Layout {
    /// The array with its categories along `axis`, which counts from the end if it is negative.
    pub(crate) fn new(tensor: &Tensor<'_>, axis: isize, what: &str) -> PyResult<Self> {
        let ndim = tensor.shape.len();
        let at = if axis < 0 { axis.checked_add_unsigned(ndim) } else { Some(axis) };
        let at = at.and_then(|axis| usize::try_from(axis).ok()).filter(|&axis| axis < ndim);
        let Some(at) = at else {
            return Err(PyValueError::new_err(match ndim {
                0 => format!(
                    "{what}: expected an array with an axis of categories, got a single number"
                ),
                _ => format!("axis {axis} is out of range for {what} of {ndim} dimensions"),
            }));
        };
        let (mut shape, mut strides) = (tensor.shape.clone(), tensor.strides.clone());
        let (categories, category_stride) = (shape.remove(at), strides.remove(at));
        Ok(Self { rows: shape.iter().product(), shape, strides, categories, category_stride })
    }

    /// The elements of an array, one row each.
    fn of_elements(shape: Vec<usize>, strides: Vec<isize>) -> Self {
        Self { rows: shape.iter().product(), shape, strides, categories: 1, category_stride: 1 }
    }

    /// An element for each element of an array of `shape`, to which the tensor is broadcast as NumPy does; `None` if it
    /// cannot be.
    pub(crate) fn broadcast(tensor: &Tensor<'_>, shape: &[usize]) -> Option<Self> {
        Self::of_elements(tensor.shape.clone(), tensor.strides.clone()).for_rows(shape)
    }

    /// A row for each element of an array of `shape`, to which the rows are broadcast as NumPy does; `None` if they
    /// cannot be.
    pub(crate) fn for_rows(&self, shape: &[usize]) -> Option<Self> {
        let missing = shape.len().checked_sub(self.shape.len())?;
        let mut strides = vec![0; shape.len()];
        for (axis, (&extent, &stride)) in self.shape.iter().zip(&self.strides).enumerate() {
            if extent == shape[missing + axis] {
                strides[missing + axis] = stride;
            } else if extent != 1 {
                return None;
            }
        }
        Some(Self { rows: shape.iter().product(), shape: shape.to_vec(), strides, ..*self })
    }

    /// The elements of an array in the order of one in which this axis is the last.
    pub(crate) fn with_last(&self, axis: usize) -> Self {
        let (mut shape, mut strides) = (self.shape.clone(), self.strides.clone());
        let (extent, stride) = (shape.remove(axis), strides.remove(axis));
        shape.push(extent);
        strides.push(stride);
        Self { shape, strides, ..*self }
    }

    /// The address of the rows, the number of elements from there to the last one, and both strides, if the crate can
    /// read values of type `T` there: aligned, no stride negative, and all rows equally far apart.
    pub(crate) fn in_place<T>(&self, tensor: &Tensor<'_>) -> Option<(*const T, usize, [usize; 2])> {
        let data = tensor.data.cast::<T>();
        if self.rows == 0 || self.categories == 0 {
            return Some((std::ptr::NonNull::<T>::dangling().as_ptr().cast_const(), 0, [0, 1]));
        }
        let category_stride = match self.categories {
            1 => 1,
            _ => usize::try_from(self.category_stride).ok()?,
        };
        let row_stride = usize::try_from(self.row_stride()?).ok()?;
        let last = (self.rows - 1).checked_mul(row_stride)?;
        let span = (self.categories - 1)
            .checked_mul(category_stride)?
            .checked_add(last)?
            .checked_add(1)?;
        let fits =
            span.checked_mul(size_of::<T>()).is_some_and(|bytes| bytes <= isize::MAX as usize);
        (data.is_aligned() && !data.is_null() && fits).then_some((
            data,
            span,
            [row_stride, category_stride],
        ))
    }

    /// The distance of the rows, if all are equally far apart.
    fn row_stride(&self) -> Option<isize> {
        let mut found: Option<(isize, usize)> = None;
        for (&extent, &stride) in self.shape.iter().zip(&self.strides).rev() {
            if extent == 1 {
                continue;
            }
            found = Some(match found {
                None => (stride, extent),
                Some((least, rows)) if stride == least.checked_mul(rows as isize)? => {
                    (least, rows * extent)
                }
                Some(_) => return None,
            });
        }
        Some(found.map_or(0, |(stride, _)| stride))
    }

    /// Calls `visit` with the number of each row and the distance of its first value from that of row 0.
    fn for_each_row<E>(
        &self,
        mut visit: impl FnMut(usize, isize) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut index = vec![0; self.shape.len()];
        let mut offset = 0isize;
        for row in 0..self.rows {
            visit(row, offset)?;
            for axis in (0..index.len()).rev() {
                index[axis] += 1;
                offset = offset.wrapping_add(self.strides[axis]);
                if index[axis] < self.shape[axis] {
                    break;
                }
                offset = offset.wrapping_sub(self.strides[axis].wrapping_mul(index[axis] as isize));
                index[axis] = 0;
            }
        }
        Ok(())
    }
}

/// Values in the memory of another library, or a copy of them.
pub(crate) enum Place<T> {
    /// So many elements from this address on. Whoever holds this keeps the array that they are of.
    Borrowed(*const T, usize),
    Copied(Vec<T>),
}

// SAFETY: threads read the memory, and touch nothing of Python's. (Whoever writes to an array while it is drawn from
// does what the documentation asks not to do.)
unsafe impl<T: Sync> Sync for Place<T> {}

impl<T> Place<T> {
    /// The values. The array must be alive.
    pub(crate) fn values(&self) -> &[T] {
        match self {
            // SAFETY: the array is alive, as whoever holds this sees to, and has so many elements there
            &Self::Borrowed(data, len) => unsafe { std::slice::from_raw_parts(data, len) },
            Self::Copied(values) => values,
        }
    }
}

/// Why there is no copy.
pub(crate) enum Failure {
    NoMemory,
    /// Integers are asked for.
    Floats,
    /// The number of a value, and what is wrong with it.
    Value(usize, String),
}

impl Failure {
    /// The exception for a copy of `what`, in which `place` says in words where a value is.
    pub(crate) fn to_python(&self, what: &str, place: impl FnOnce(usize) -> String) -> PyErr {
        match self {
            Self::NoMemory => PyMemoryError::new_err(format!("no memory for a copy of {what}")),
            Self::Floats => PyTypeError::new_err(format!("{what} must be integers, got floats")),
            Self::Value(at, words) => PyValueError::new_err(format!("{}: {words}", place(*at))),
        }
    }
}

/// The values of type `S` from `data` on, converted, row by row.
pub(crate) fn copied<S: Copy, T>(
    data: *const c_void,
    layout: &Layout,
    convert: impl Fn(S) -> Result<T, String>,
) -> Result<Vec<T>, Failure> {
    let data = data.cast::<S>();
    let categories = layout.categories;
    let mut values = Vec::new();
    let len = layout.rows.checked_mul(categories).ok_or(Failure::NoMemory)?;
    values.try_reserve_exact(len).map_err(|_| Failure::NoMemory)?;
    layout.for_each_row(|row, offset| {
        for category in 0..categories {
            let at = offset.wrapping_add(layout.category_stride.wrapping_mul(category as isize));
            // SAFETY: these indices are below the shape, so that the strides lead to an element of the array, which may
            // lie anywhere
            let value = unsafe { data.wrapping_offset(at).read_unaligned() };
            let failure = |words| Failure::Value(row * categories + category, words);
            values.push(convert(value).map_err(failure)?);
        }
        Ok::<(), Failure>(())
    })?;
    Ok(values)
}

/// A copy of integers of any type, each of them converted.
pub(crate) fn integers<T>(
    tensor: &Tensor<'_>,
    layout: &Layout,
    convert: impl Fn(i128) -> Result<T, String>,
) -> Result<Vec<T>, Failure> {
    macro_rules! of {
        ($type:ty) => {
            copied(tensor.data, layout, |value: $type| convert(i128::from(value)))
        };
    }
    match tensor.dtype {
        Dtype::Bool | Dtype::U8 => of!(u8),
        Dtype::U16 => of!(u16),
        Dtype::U32 => of!(u32),
        Dtype::U64 => of!(u64),
        Dtype::I8 => of!(i8),
        Dtype::I16 => of!(i16),
        Dtype::I32 => of!(i32),
        Dtype::I64 => of!(i64),
        // an empty list is one of floats
        Dtype::F16 | Dtype::Bf16 | Dtype::F32 | Dtype::F64 if tensor.shape.contains(&0) => {
            Ok(Vec::new())
        }
        Dtype::F16 | Dtype::Bf16 | Dtype::F32 | Dtype::F64 => Err(Failure::Floats),
    }
}

/// A copy of numbers of any type as `f64`.
pub(crate) fn floats(tensor: &Tensor<'_>, layout: &Layout) -> Result<Vec<f64>, Failure> {
    match tensor.dtype {
        Dtype::F16 => copied(tensor.data, layout, |value: f16| Ok(value.to_f64())),
        Dtype::Bf16 => copied(tensor.data, layout, |value: bf16| Ok(value.to_f64())),
        Dtype::F32 => copied(tensor.data, layout, |value: f32| Ok(f64::from(value))),
        Dtype::F64 => copied(tensor.data, layout, Ok),
        _ => integers(tensor, layout, |value| Ok(value as f64)),
    }
}

/// A copy of numbers of any type as `f32`.
pub(crate) fn singles(tensor: &Tensor<'_>, layout: &Layout) -> Result<Vec<f32>, Failure> {
    match tensor.dtype {
        Dtype::F32 => copied(tensor.data, layout, Ok),
        _ => Ok(floats(tensor, layout)?.into_iter().map(|value| value as f32).collect()),
    }
}
