"""gumbelmax.arrow: needs pyarrow."""

import doctest

import numpy as np
import pytest

pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed")

import gumbelmax  # noqa: E402
import gumbelmax.arrow as ga  # noqa: E402


@pytest.fixture
def logits(rng):
    return rng.integers(-20, 20, (100, 8)).astype("float64") / 4


def test_examples():
    failed, tried = doctest.testmod(ga)
    assert failed == 0
    assert tried >= 7


def fixed(array):
    return pa.FixedSizeListArray.from_arrays(pa.array(array.ravel()), array.shape[1])


COLUMNS = {
    "fixed": fixed,
    "list": lambda a: pa.array(list(a)),
    "large list": lambda a: pa.array(list(a), pa.large_list(pa.from_numpy_dtype(a.dtype))),
    "tensor": lambda a: pa.FixedShapeTensorArray.from_numpy_ndarray(np.ascontiguousarray(a)),
    "slice": lambda a: fixed(np.vstack([a[:3], a, a[:2]]))[3:-2],
    "slice of lists": lambda a: pa.array(list(np.vstack([a[:3], a, a[:2]])))[3:-2],
}


@pytest.mark.parametrize("kind", COLUMNS)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_columns(logits, kind, dtype):
    column = COLUMNS[kind](logits.astype(dtype))
    want = gumbelmax.sample(logits, seed=1, first_row=5)
    for table in (pa.table({"logits": column}), pa.record_batch({"logits": column})):
        found = ga.sample(table, row_id=None, first_row=5, seed=1)
        assert type(found) is type(table)
        assert (found["draw"].to_numpy() == want).all()


def test_chunks_and_ids(logits, rng):
    ids = rng.integers(0, 2**63, 100)
    chunks = pa.chunked_array([fixed(logits[:30]), fixed(logits[30:31]), fixed(logits[31:])])
    table = pa.table({"logits": chunks, "row_id": ids})
    want = gumbelmax.sample(logits, seed=1, row_ids=ids)
    assert (ga.sample(table, seed=1)["draw"].to_numpy() == want).all()
    assert (gumbelmax.make_batch_fn(seed=1)(table)["draw"].to_numpy() == want).all()
    many = ga.sample(table, seed=1, draws=4)["draw"]
    assert many.type == pa.list_(pa.int64(), 4)
    assert (
        np.array(many.to_pylist()) == gumbelmax.sample(logits, seed=1, row_ids=ids, draws=4)
    ).all()
    assert ga.sample(table[:0], seed=1).num_rows == 0


def test_counts():
    table = pa.table({"n": pa.array([[0, 3], [2, 0]])})
    assert ga.sample(table, "n", None, seed=1, weights=True)["draw"].to_pylist() == [1, 0]


def test_a_column_is_read_where_it_is(logits):
    column = fixed(logits)
    assert ga.numbers(column).ctypes.data == column.values.buffers()[1].address


ERRORS = [
    ({"logits": pa.array([[1.0], None])}, None, ValueError, "row 1 is null"),
    (
        {"logits": pa.array([[1.0, 2.0], [1.0, None]])},
        None,
        ValueError,
        "row 1: its number of category 1 is null",
    ),
    (
        {"logits": pa.array([[1.0, 2.0], [1.0]])},
        None,
        ValueError,
        "row 1 has 1 categories, and row 0 has 2",
    ),
    (
        {"logits": pa.array([1.0, 2.0])},
        None,
        TypeError,
        "expected a column of lists of numbers, got double",
    ),
    (
        {"logits": pa.array([[1.0]]), "id": pa.array([None], pa.int64())},
        "id",
        ValueError,
        "row 0: its id is null",
    ),
    (
        {"logits": pa.array([[1.0]]), "id": pa.array([1.5])},
        "id",
        TypeError,
        "id: expected integers, got double",
    ),
    (
        {"logits": pa.array([[1.0, np.nan]])},
        None,
        ValueError,
        "row 0 has no draw: its logit of category 1 is NaN",
    ),
]


@pytest.mark.parametrize("row", range(len(ERRORS)))
def test_errors(row):
    columns, ids, kind, words = ERRORS[row]
    with pytest.raises(kind, match=words):
        ga.sample(pa.table(columns), row_id=ids, seed=1)
