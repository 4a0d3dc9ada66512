//! Arrays of any library, read where they are: the part of DLPack that a reader on the CPU needs.
//!
//! A capsule is only looked into, and never consumed: as long as the [`Tensor`] holds it, the array lives, and when it
//! is dropped the capsule gives the array back by itself. So no deleter is called here.
//!
//! Source: the header dlpack.h, version 1.1, and "Python Specification for DLPack" of the array API.
#![allow(unsafe_code, reason = "another library describes its memory by pointers")]

use std::ffi::{CStr, c_void};

use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyCapsule, PyCapsuleMethods, PyDict, PyTuple};

use crate::numpy;

const UNVERSIONED: &CStr = c"dltensor";
const VERSIONED: &CStr = c"dltensor_versioned";
/// The versions whose layout is the one below.
const MAJOR: u32 = 1;
/// Devices whose memory the CPU reads: its own, and its own as CUDA and ROCm pin it.
const HOST: [i32; 3] = [1, 3, 11];

#[repr(C)]
struct Device {
    kind: i32,
    id: i32,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct DataType {
    code: u8,
    bits: u8,
    lanes: u16,
}

#[repr(C)]
struct DlTensor {
    data: *mut c_void,
    device: Device,
    ndim: i32,
    dtype: DataType,
    shape: *mut i64,
    strides: *mut i64,
    byte_offset: u64,
}

#[repr(C)]
struct ManagedVersioned {
    major: u32,
    minor: u32,
    manager: *mut c_void,
    deleter: *mut c_void,
    flags: u64,
    tensor: DlTensor,
}

/// The types of values that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub(crate) enum Dtype {
    Bool,
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    F16,
    Bf16,
    F32,
    F64,
}

impl Dtype {
    fn new(DataType { code, bits, lanes }: DataType) -> Option<Self> {
        Some(match (code, bits, lanes) {
            (0, 8, 1) => Self::I8,
            (0, 16, 1) => Self::I16,
            (0, 32, 1) => Self::I32,
            (0, 64, 1) => Self::I64,
            (1, 8, 1) => Self::U8,
            (1, 16, 1) => Self::U16,
            (1, 32, 1) => Self::U32,
            (1, 64, 1) => Self::U64,
            (2, 16, 1) => Self::F16,
            (2, 32, 1) => Self::F32,
            (2, 64, 1) => Self::F64,
            (4, 16, 1) => Self::Bf16,
            (6, 8, 1) => Self::Bool,
            _ => return None,
        })
    }
}

/// An array in the memory of whoever made it.
pub(crate) struct Tensor<'py> {
    /// The address of the element whose indices are all 0.
    pub(crate) data: *const c_void,
    pub(crate) dtype: Dtype,
    pub(crate) shape: Vec<usize>,
    /// In elements, not in bytes. May be negative.
    pub(crate) strides: Vec<isize>,
    /// Keeps the memory.
    capsule: Bound<'py, PyAny>,
}

impl<'py> Tensor<'py> {
    /// The array that `object` is, or that NumPy makes of it. `what` names it in errors.
    pub(crate) fn new(object: &Bound<'py, PyAny>, what: &str) -> PyResult<Self> {
        let py = object.py();
        let exporter = if numpy::is_array(object)? {
            if numpy::is_masked(object)? {
                // else what is behind the mask would be read
                return Err(PyTypeError::new_err(format!(
                    "{what}: a masked array is read without its mask: give what it has filled with, as with -inf for \
                     logits"
                )));
            }
            object.clone()
        } else if object.hasattr(intern!(py, "__dlpack__"))? {
            without_gradient(object)?
        } else {
            numpy::asarray(object).map_err(|error| no_array(object, what, &error))?
        };
        if !numpy::is_array(&exporter)? {
            check_device(&exporter, what)?;
        }
        let exported = export(&exporter);
        let capsule = match exported {
            Ok(capsule) => capsule,
            Err(error) => match numpy::of_bfloat16(&exporter)? {
                Some(bits) => {
                    let mut tensor = Self::new(&bits, what)?;
                    tensor.dtype = Dtype::Bf16;
                    return Ok(tensor);
                }
                None => return Err(refused(&exporter, what, &error)),
            },
        };
        Self::of_capsule(capsule, what)
    }

    /// What keeps the memory.
    pub(crate) fn into_owner(self) -> Py<PyAny> {
        self.capsule.unbind()
    }

    fn of_capsule(capsule: Bound<'py, PyAny>, what: &str) -> PyResult<Self> {
        let not_dlpack =
            || PyTypeError::new_err(format!("{what}: __dlpack__ gave no capsule of DLPack"));
        let held = capsule.cast::<PyCapsule>().map_err(|_| not_dlpack())?;
        let tensor: *const DlTensor = if held.is_valid_checked(Some(VERSIONED)) {
            let managed = held.pointer_checked(Some(VERSIONED))?.cast::<ManagedVersioned>();
            // SAFETY: a capsule of this name holds this struct, whose first word is the same in all versions
            if unsafe { (*managed.as_ptr()).major } != MAJOR {
                return Err(PyValueError::new_err(format!(
                    "{what}: expected DLPack of version {MAJOR}, got another"
                )));
            }
            // SAFETY: as above; of this version the rest of the layout is as declared
            unsafe { &raw const (*managed.as_ptr()).tensor }
        } else if held.is_valid_checked(Some(UNVERSIONED)) {
            // the struct of this name begins with the tensor
            held.pointer_checked(Some(UNVERSIONED))?.cast::<DlTensor>().as_ptr()
        } else {
            return Err(not_dlpack());
        };
        // SAFETY: the pointer is to a tensor that lives as long as the capsule, which nobody else has
        let tensor = unsafe { &*tensor };
        if !HOST.contains(&tensor.device.kind) {
            return Err(on_device(what));
        }
        let Some(dtype) = Dtype::new(tensor.dtype) else {
            let DataType { code, bits, lanes } = tensor.dtype;
            return Err(PyTypeError::new_err(format!(
                "{what}: expected numbers of float16, bfloat16, float32, float64 or integers, got DLPack's type \
                 ({code}, {bits}, {lanes})"
            )));
        };
        let ndim = usize::try_from(tensor.ndim).map_err(|_| not_dlpack())?;
        let extents = |pointer: *const i64| match ndim {
            0 => &[][..],
            // SAFETY: shape and strides have an element for each dimension
            _ => unsafe { std::slice::from_raw_parts(pointer, ndim) },
        };
        let shape = extents(tensor.shape).iter().map(|&n| usize::try_from(n));
        let shape = shape.collect::<Result<Vec<_>, _>>().map_err(|_| not_dlpack())?;
        let strides = if tensor.strides.is_null() {
            dense(&shape)
        } else {
            extents(tensor.strides).iter().map(|&stride| stride as isize).collect()
        };
        let data = tensor.data.cast_const().wrapping_byte_add(tensor.byte_offset as usize);
        Ok(Self { data, dtype, shape, strides, capsule })
    }
}

/// A tensor of PyTorch without its part in a gradient, which keeps it from being given away.
fn without_gradient<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = object.py();
    match object.getattr_opt(intern!(py, "requires_grad"))? {
        Some(requires) if requires.is_truthy()? => object.call_method0(intern!(py, "detach")),
        _ => Ok(object.clone()),
    }
}

/// The strides of rows that follow each other without a gap.
fn dense(shape: &[usize]) -> Vec<isize> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis].max(1) as isize;
    }
    strides
}

/// Asks for a capsule, of the version with flags if the library has it: NumPy then gives arrays that may not be
/// written, too.
fn export<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    static VERSION: PyOnceLock<Py<PyDict>> = PyOnceLock::new();
    let py = object.py();
    let name = intern!(py, "__dlpack__");
    let arguments = VERSION.get_or_try_init(py, || {
        let arguments = PyDict::new(py);
        arguments.set_item("max_version", PyTuple::new(py, [MAJOR, 1])?)?;
        PyResult::Ok(arguments.unbind())
    })?;
    match object.call_method(name, (), Some(arguments.bind(py))) {
        Err(error) if error.is_instance_of::<PyTypeError>(py) => object.call_method0(name),
        capsule => capsule,
    }
}

fn check_device(object: &Bound<'_, PyAny>, what: &str) -> PyResult<()> {
    let device = object.call_method0(intern!(object.py(), "__dlpack_device__"));
    let device = device.map_err(|error| {
        let words = format!(
            "{what}: expected an array in the CPU's memory, got {}: {} (what JAX or PyTorch traces, gumbelmax.jax and \
             gumbelmax.torch take)",
            type_of(object),
            error.value(object.py())
        );
        caused(PyTypeError::new_err(words), &error, object.py())
    })?;
    let kind: i32 = device.get_item(0)?.extract()?;
    if HOST.contains(&kind) { Ok(()) } else { Err(on_device(what)) }
}

fn on_device(what: &str) -> PyErr {
    PyValueError::new_err(format!(
        "{what}: expected an array in the CPU's memory, got one on another device; copy it first, for instance \
         with .cpu() (torch) or jax.device_get (JAX)"
    ))
}

/// The library's reason for giving no capsule, in words that tell which argument is meant.
fn refused(object: &Bound<'_, PyAny>, what: &str, error: &PyErr) -> PyErr {
    let py = object.py();
    let type_name = type_of(object);
    let dtype = object
        .getattr(intern!(py, "dtype"))
        .map_or_else(|_| String::new(), |dtype| format!(" of {dtype}"));
    let words = format!(
        "{what}: expected numbers of float16, bfloat16, float32, float64 or integers, in the machine's byte order, got \
         {type_name}{dtype}: {}",
        error.value(py)
    );
    caused(PyTypeError::new_err(words), error, py)
}

/// NumPy's reason for making no array, as of lists of several lengths.
fn no_array(object: &Bound<'_, PyAny>, what: &str, error: &PyErr) -> PyErr {
    let py = object.py();
    let words =
        format!("{what}: NumPy makes no array of this {}: {}", type_of(object), error.value(py));
    if error.is_instance_of::<PyValueError>(py) {
        caused(PyValueError::new_err(words), error, py)
    } else if error.is_instance_of::<PyTypeError>(py) || error.is_instance_of::<PyRuntimeError>(py)
    {
        caused(PyTypeError::new_err(words), error, py)
    } else {
        // there may be no memory for it
        error.clone_ref(py)
    }
}

fn type_of(object: &Bound<'_, PyAny>) -> String {
    object.get_type().name().map_or_else(|_| "object".into(), |name| name.to_string())
}

fn caused(refusal: PyErr, by: &PyErr, py: Python<'_>) -> PyErr {
    refusal.set_cause(py, Some(by.clone_ref(py)));
    refusal
}
