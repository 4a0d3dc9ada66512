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
        "row 1 has 1 categories, and those before it have 2",
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
        {"logits": pa.array([[1.0], [2.0]]), "row_id": pa.array([7, None])},
        "row_id",
        ValueError,
        "row 1: its row_id is null",
    ),
    (
        {"logits": pa.array([[1.0], [2.0]]), "row_id": pa.array([7, -5])},
        "row_id",
        ValueError,
        r"row 1 \(row id -5\): row_ids must be integers from 0",
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


@pytest.mark.parametrize("kind", [pa.table, pa.record_batch])
@pytest.mark.parametrize("row", range(len(ERRORS)))
def test_errors(row, kind):
    columns, ids, error, words = ERRORS[row]
    with pytest.raises(error, match=f"^{words}"):
        ga.sample(kind(columns), row_id=ids, seed=1)


def bad(logits):
    logits = logits.copy()
    logits[85, 3] = np.nan
    return logits


ROW_85 = {
    "a table": (lambda a: pa.table({"logits": fixed(a)}), {"row_id": None}, "row 85 has no draw"),
    "a batch": (
        lambda a: pa.record_batch({"logits": fixed(a)}),
        {"row_id": None, "first_row": 1000},
        r"row 85 \(row id 1085\) has no draw: its logit of category 3 is NaN",
    ),
    "chunks": (
        lambda a: pa.table({"logits": pa.chunked_array([fixed(a[:70]), fixed(a[70:])])}),
        {"row_id": None, "first_row": 2**64 - 1},
        r"row 85 \(row id 84\) has no draw",
    ),
    "chunks with ids": (
        lambda a: pa.table(
            {
                "logits": pa.chunked_array([fixed(a[:70]), fixed(a[70:])]),
                "row_id": np.arange(100) + 2000,
            }
        ),
        {},
        r"row 85 \(row id 2085\) has no draw",
    ),
    "null": (
        lambda a: pa.table(
            {
                "logits": pa.chunked_array([fixed(a[:70]), pa.array([*a[70:85], None], FIXED)]),
                "row_id": np.arange(86) + 2000,
            }
        ),
        {},
        r"row 85 \(row id 2085\) is null",
    ),
    "lists": (
        lambda a: pa.table(
            {"logits": pa.chunked_array([pa.array([*a[:85]]), pa.array([a[85][:5]])])}
        ),
        {"row_id": None},
        "row 85 has 5 categories, and those before it have 8",
    ),
}
FIXED = pa.list_(pa.float64(), 8)


@pytest.mark.parametrize("what", ROW_85)
def test_errors_name_the_row_of_the_table(logits, what):
    make, options, words = ROW_85[what]
    table = make(bad(logits))
    with pytest.raises(ValueError, match=f"^{words}"):
        ga.sample(table, seed=1, **options)
    if not options:
        words = words.replace("row 85", "row 85 of the batch")
        with pytest.raises(ValueError, match=f"^{words}"):
            gumbelmax.make_batch_fn(seed=1)(table)


def test_files_without_ids(logits, rng, tmp_path):
    import pyarrow.parquet as pq  # noqa: PLC0415

    sizes, want = [30, 0, 45, 25], gumbelmax.sample(logits, seed=1)
    starts = np.cumsum([0, *sizes])
    paths = [tmp_path / f"{i}.parquet" for i in range(4)]
    for path, start, stop in zip(paths, starts, starts[1:], strict=False):
        pq.write_table(pa.table({"logits": fixed(logits[start:stop])}), path, row_group_size=10)
    mixed = [paths[i] for i in rng.permutation(4)]
    first = ga.first_rows(mixed)
    assert first == dict(zip(paths, starts.tolist(), strict=False))
    for path in mixed:
        # a file at once, and as it is streamed
        found = ga.sample(pq.read_table(path), row_id=None, first_row=first[path], seed=1)
        part = want[first[path] :][: found.num_rows]
        assert (found["draw"].to_numpy() == part).all()
        row = first[path]
        for batch in pq.ParquetFile(path).iter_batches(7):
            found = ga.sample(batch, row_id=None, first_row=row, seed=1)
            assert (found["draw"].to_numpy() == want[row:][: batch.num_rows]).all()
            row += batch.num_rows
    assert ga.first_rows(map(str, paths))[str(paths[3])] == 75
    with pytest.raises(ValueError, match=r"0\.parquet is there twice"):
        ga.first_rows([*paths, paths[0]])


def test_what_is_no_table_says_so():
    with pytest.raises(TypeError, match=r"^expected a table or a record batch .* got dict"):
        gumbelmax.arrow.sample({"logits": [[0.0]], "row_id": [1]}, seed=1)


@pytest.mark.parametrize("draws", [None, 3])
def test_a_table_without_chunks_has_a_column_of_the_same_type(draws):
    numbers = pa.list_(pa.float32())
    one = pa.table({"row_id": [1], "logits": pa.array([[0.0, 1.0]], numbers)})
    none = {"row_id": pa.chunked_array([], pa.int64()), "logits": pa.chunked_array([], numbers)}
    found = ga.sample(pa.table(none), seed=1, draws=draws)
    assert found.num_rows == 0
    assert found["draw"].type == ga.sample(one, seed=1, draws=draws)["draw"].type
