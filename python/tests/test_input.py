"""Arrays of any type, layout and axis draw what the plain array of the same numbers draws."""

import ml_dtypes
import numpy as np
import pytest

from gumbelmax import NO_DRAW, log_prob, sample, sample_weights


@pytest.fixture
def logits(rng):
    # numbers that each type has
    return rng.integers(-20, 20, (6, 5, 16)).astype("float32") / 4


@pytest.fixture
def draws(logits):
    found = sample(logits, seed=5)
    assert found.shape == (6, 5)
    return found


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", ml_dtypes.bfloat16])
def test_types_of_logits(logits, draws, dtype):
    assert (sample(logits.astype(dtype), seed=5) == draws).all()


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", "float32"])
def test_integers_are_logits(logits, dtype):
    whole = np.floor(logits)
    assert (sample(whole.astype(dtype), seed=5) == sample(whole, seed=5)).all()


@pytest.mark.parametrize("dtype", ["bool", "uint8", "uint16", "uint32", "uint64", "int8", "int64"])
def test_integers_are_counts(rng, dtype):
    counts = rng.integers(0, 2, (50, 9)).astype(dtype)
    counts[:, -1] = 1
    assert (sample_weights(counts, seed=5) == sample_weights(counts.astype("uint32"), seed=5)).all()


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", ml_dtypes.bfloat16])
def test_types_of_weights(rng, dtype):
    weights = rng.integers(1, 8, (50, 9))
    want = sample_weights(weights.astype("float32"), seed=5)
    assert (sample_weights(weights.astype(dtype), seed=5) == want).all()


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_axes(logits, draws, axis, dtype):
    moved = np.moveaxis(logits.astype(dtype), -1, axis)
    for array in (moved, np.ascontiguousarray(moved)):
        assert (sample(array, seed=5, axis=axis) == draws).all()
    assert sample(moved, seed=5, axis=axis, draws=3).shape == (6, 5, 3)


def unaligned(array):
    memory = np.zeros(array.nbytes + 1, "uint8")
    found = memory[1:].view(array.dtype).reshape(array.shape)
    found[...] = array
    return found


LAYOUTS = {
    "contiguous": lambda a: a,
    "read-only": lambda a: np.frombuffer(a.tobytes(), a.dtype).reshape(a.shape),
    "Fortran": np.asfortranarray,
    "every second row": lambda a: np.repeat(a, 2, axis=0)[::2],
    "every second category": lambda a: np.repeat(a, 2, axis=2)[..., ::2],
    "gaps": lambda a: np.pad(a, ((0, 0), (0, 1), (0, 3)))[:, :-1, :-3],
    "backwards": lambda a: a[::-1, :, ::-1].copy()[::-1, :, ::-1],
    "unaligned": unaligned,
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", ml_dtypes.bfloat16])
def test_layouts(logits, draws, layout, dtype):
    array = LAYOUTS[layout](logits.astype(dtype))
    assert (array == logits).all()
    assert (sample(array, seed=5) == draws).all()


def test_broadcast_rows_are_one_row_in_memory():
    shared = np.broadcast_to(np.zeros(1000, "float32"), (100_000, 1000))
    found = sample(shared, seed=1)
    assert found.shape == (100_000,)
    assert len(np.unique(found)) == 1000


def test_one_row_gives_a_number():
    found = sample(np.zeros(5), seed=1)
    assert isinstance(found, np.int64)
    assert found == sample(np.zeros((1, 5)), seed=1)[0]


def test_lists():
    assert (
        sample([[0, 1.5], [2, 0]], seed=1).tolist()
        == sample(np.array([[0, 1.5], [2, 0]]), seed=1).tolist()
    )
    assert sample_weights([0, 1], seed=1) == 1


class Series:
    """As pandas has it: an array of NumPy with a length, and without DLPack."""

    def __init__(self, values):
        self.values = np.asarray(values)

    def __len__(self):
        return len(self.values)

    def __array__(self, dtype=None, copy=None):
        return self.values


def test_what_numpy_makes_an_array_of():
    """For logits, and for what each row has of its own."""
    rows = [[0.0, 1.5, 2.0], [2.0, 0.0, 1.0]]
    want = sample(rows, seed=[3, 4], temperature=[0.5, 2.0], top_k=[2, 3], row_ids=[0, 1], draws=9)
    for of in (tuple, Series):
        own = {"temperature": of([0.5, 2.0]), "top_k": of([2, 3]), "draws": 9}
        for seed, ids in ((range(3, 5), range(2)), (of([3, 4]), of([0, 1]))):
            assert (sample(of(rows), seed=seed, row_ids=ids, **own) == want).all()
    assert (want != sample(rows, seed=3, draws=9)).any()


def test_indices_that_are_none():
    assert log_prob(np.zeros((0, 3)), []).shape == (0,)


@pytest.mark.parametrize("shape", [(0, 3), (2, 0, 3), (0, 0, 3)])
def test_no_rows(shape):
    found = sample(np.zeros(shape), seed=1, draws=2)
    assert found.shape == (*shape[:-1], 2)


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint32", np.int32, np.dtype("uint32")])
def test_types_of_results(dtype):
    logits = np.array([[0.0, 0.0], [np.nan, 0.0]])
    found = sample(logits, seed=1, invalid="mark", dtype=dtype)
    assert found.dtype == np.dtype(dtype)
    assert found[1] == (2**32 - 1 if found.dtype == "uint32" else NO_DRAW)


class ArrayOfAnotherLibrary:
    """As much of an array as DLPack asks for, and no more."""

    def __init__(self, array, *, versioned=True, device=(1, 0)):
        self.array, self.versioned, self.device = array, versioned, device

    def __dlpack_device__(self):
        return self.device

    def __dlpack__(self, **options):
        if not self.versioned and "max_version" in options:
            raise TypeError("__dlpack__() got an unexpected keyword argument 'max_version'")
        return self.array.__dlpack__(**options)


@pytest.mark.parametrize("versioned", [True, False])
def test_dlpack_of_either_version(logits, draws, versioned):
    assert (sample(ArrayOfAnotherLibrary(logits, versioned=versioned), seed=5) == draws).all()


@pytest.mark.parametrize("device", [(2, 0), (8, 0), (10, 1)])
def test_arrays_on_other_devices_are_refused(logits, device):
    with pytest.raises(
        ValueError, match=r"logits: expected an array in the CPU's memory.*\.cpu\(\)"
    ):
        sample(ArrayOfAnotherLibrary(logits, device=device), seed=5)
