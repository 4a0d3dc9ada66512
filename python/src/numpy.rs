//! NumPy, the one library that is always there: arrays for results, and arrays made of lists and numbers.

use pyo3::buffer::{Element, PyBuffer};
use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyTuple, PyType};

struct NumPy {
    array: Py<PyType>,
    masked: Py<PyAny>,
    asarray: Py<PyAny>,
    empty: Py<PyAny>,
    int32: Py<PyAny>,
    int64: Py<PyAny>,
    uint16: Py<PyAny>,
    uint32: Py<PyAny>,
    float32: Py<PyAny>,
    float64: Py<PyAny>,
}

fn numpy(py: Python<'_>) -> PyResult<&'static NumPy> {
    static NUMPY: PyOnceLock<NumPy> = PyOnceLock::new();
    NUMPY.get_or_try_init(py, || {
        let module = py.import("numpy")?;
        let get = |name: &str| PyResult::Ok(module.getattr(name)?.unbind());
        let dtype = |name: &str| PyResult::Ok(module.call_method1("dtype", (name,))?.unbind());
        Ok(NumPy {
            array: module.getattr("ndarray")?.cast_into::<PyType>()?.unbind(),
            masked: module.getattr("ma")?.getattr("MaskedArray")?.unbind(),
            asarray: get("asarray")?,
            empty: get("empty")?,
            int32: dtype("int32")?,
            int64: dtype("int64")?,
            uint16: dtype("uint16")?,
            uint32: dtype("uint32")?,
            float32: dtype("float32")?,
            float64: dtype("float64")?,
        })
    })
}

/// Whether `object` is an array of NumPy.
pub(crate) fn is_array(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    object.is_instance(numpy(object.py())?.array.bind(object.py()))
}

/// Whether an array of NumPy has a mask.
pub(crate) fn is_masked(array: &Bound<'_, PyAny>) -> PyResult<bool> {
    let numpy = numpy(array.py())?;
    Ok(!array.get_type().is(&numpy.array) && array.is_instance(numpy.masked.bind(array.py()))?)
}

/// NumPy's array of a list, a number, or whatever it takes.
pub(crate) fn asarray<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    numpy(object.py())?.asarray.bind(object.py()).call1((object,))
}

/// The bits of an array of `ml_dtypes.bfloat16`, a type that NumPy knows by name alone, or `None` if it is none.
pub(crate) fn of_bfloat16<'py>(object: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = object.py();
    if !is_array(object)? || object.getattr(intern!(py, "dtype"))?.str()?.to_cow()? != "bfloat16" {
        return Ok(None);
    }
    Ok(Some(object.call_method1(intern!(py, "view"), (&numpy(py)?.uint16,))?))
}

/// A type of results.
pub(crate) trait Result: Element {
    #[doc(hidden)]
    fn dtype(py: Python<'_>) -> PyResult<&'static Py<PyAny>>;
}

macro_rules! result {
    ($($type:ty => $name:ident),*) => {$(
        impl Result for $type {
            fn dtype(py: Python<'_>) -> PyResult<&'static Py<PyAny>> {
                Ok(&numpy(py)?.$name)
            }
        }
    )*};
}

result!(i32 => int32, i64 => int64, u32 => uint32, f32 => float32, f64 => float64);

/// A new array, whose memory nobody else has until it is given away.
pub(crate) struct Output<'py, T> {
    array: Bound<'py, PyAny>,
    buffer: PyBuffer<T>,
    is_number: bool,
}

impl<'py, T: Result> Output<'py, T> {
    /// An array of `shape` and of `more` behind that, not yet written. NumPy's `MemoryError` if there is no room.
    pub(crate) fn new(py: Python<'py>, shape: &[usize], more: &[usize]) -> PyResult<Self> {
        let shape = [shape, more].concat();
        let is_number = shape.is_empty();
        // PyO3 reads no buffers without dimensions
        let shape = PyTuple::new(py, if is_number { vec![1] } else { shape })?;
        let array = numpy(py)?.empty.bind(py).call1((shape, T::dtype(py)?))?;
        let buffer = PyBuffer::get(&array)?;
        if !buffer.is_c_contiguous() || buffer.readonly() {
            return Err(PyValueError::new_err("numpy.empty gave an array that cannot be written"));
        }
        Ok(Self { array, buffer, is_number })
    }

    /// The memory of the array.
    #[allow(unsafe_code, reason = "the array is new, and not yet given to anybody")]
    pub(crate) fn values(&mut self) -> &mut [T] {
        match self.buffer.item_count() {
            0 => &mut [],
            // SAFETY: the buffer is contiguous, writable and of type T, and has so many items; no other code has seen
            // the array. Its numbers are of any value, for all of which T has a meaning.
            count => unsafe {
                std::slice::from_raw_parts_mut(self.buffer.buf_ptr().cast::<T>(), count)
            },
        }
    }

    /// The array, written.
    pub(crate) fn into_array(self) -> PyResult<Bound<'py, PyAny>> {
        match self.is_number {
            true => self.array.call_method1(
                intern!(self.array.py(), "reshape"),
                (PyTuple::empty(self.array.py()),),
            ),
            false => Ok(self.array),
        }
    }
}
