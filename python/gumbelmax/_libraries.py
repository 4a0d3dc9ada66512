"""Results in the library from which the arguments came."""

import sys
from typing import Any

import numpy as np
import numpy.typing as npt


def is_of(array: object, library: str) -> bool:
    """Tell whether an array is of a library, without importing that."""
    return type(array).__module__.partition(".")[0] == library


def is_of_jax(array: object) -> bool:
    """Tell whether an array is of JAX, whose types live in jaxlib."""
    return is_of(array, "jaxlib") or is_of(array, "jax")


def like(array: Any, result: npt.NDArray[Any]) -> Any:
    """Return a result in the library of ``array``, without a copy where the library can do that."""
    if isinstance(array, np.ndarray) or not hasattr(array, "__dlpack__"):
        # a number for a single row, as NumPy's own functions give
        return result if result.ndim else result[()]
    if is_of(array, "torch"):
        return sys.modules["torch"].from_numpy(result)
    if is_of_jax(array):
        # not from_dlpack: JAX without 64-bit types has to convert
        return sys.modules["jax"].numpy.asarray(result)
    if hasattr(array, "__array_namespace__"):
        return array.__array_namespace__().from_dlpack(result)
    return result


def index_dtype(dtype: Any, array: object) -> str:
    """Return the name of the type of indices: by default the one at home in the library of ``array``."""
    if dtype is None:
        return "int32" if is_of_jax(array) else "int64"
    if isinstance(dtype, str):
        return dtype
    if is_of(dtype, "torch"):
        return str(dtype).removeprefix("torch.")
    return str(np.dtype(dtype))
