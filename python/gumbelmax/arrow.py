"""Draws for tables of Apache Arrow: a column of lists in, a column of indices out.

>>> import pyarrow as pa
>>> import gumbelmax.arrow
>>> rows = pa.array([[0.0, 1.0], [2.0, 0.0], [0.0, 0.0]], pa.list_(pa.float32(), 2))
>>> table = pa.table({"logits": rows, "row_id": [7, 8, 9]})
>>> gumbelmax.arrow.sample(table, seed=1)["draw"].type
DataType(int64)

Columns are FixedSizeList, fixed-shape tensors, List or LargeList with as many numbers in each row, of float16, float32,
float64, or integers (counts). The numbers of a chunk are read where they are.
"""

import os
from collections.abc import Iterable
from typing import Any, Unpack

import numpy as np
import pyarrow as pa

from gumbelmax._batches import Array, Draw, named, naming, planned
from gumbelmax._options import BatchOptions, OneSeed

__all__ = ["first_rows", "numbers", "sample"]


def sample(
    table: Any,
    logits: str = "logits",
    row_id: str | None = "row_id",
    *,
    first_row: int = 0,
    output: str = "draw",
    seed: OneSeed,
    **options: Unpack[BatchOptions],
) -> Any:
    """Return a table with one more column, of draws.

    Args:
        table: a ``pyarrow.Table`` or ``RecordBatch``.
        logits: the name of the column of logits.
        row_id: the name of the column of row ids, without nulls; None numbers the rows from ``first_row`` on.
        first_row: the number of the first row.
        output: the name of the new column: int64, or lists of int64 if there are ``draws``.
        seed: as in :func:`gumbelmax.sample`, one integer.
        options: those of :func:`gumbelmax.make_batch_fn`.

    Raises:
        ValueError: a row is null, has a null, or has another number of categories; and the errors of
            :func:`gumbelmax.sample`. The words name the row.
    """
    return with_draws(table, planned(seed=seed, **options), logits, row_id, first_row, output)


def with_draws(
    table: Any,
    draw: Draw,
    logits: str,
    row_id: str | None,
    first_row: int,
    output: str,
    of: str = "",
) -> Any:
    """Return the table with a column of draws. Errors name a row by its place in the table, which is `of` something."""
    if not isinstance(table, pa.Table | pa.RecordBatch):
        raise TypeError(f"expected a table or a record batch of Arrow, got {type(table).__name__}")
    column = table[logits]
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    ids = None if row_id is None else _ids(table[row_id], row_id)
    found, first, categories = [], 0, None

    def of_table(row: int) -> str:
        return named(first + row, ids, first_row, of)

    for chunk in chunks:
        with naming(of_table):
            rows = numbers(chunk)
            if len(chunk):
                categories = categories or rows.shape[1]
                if rows.shape[1] != categories:
                    raise ValueError(
                        f"row 0 has {rows.shape[1]} categories, and those before it have {categories}"
                    )
            if ids is None:
                drawn = draw(rows, first_row=(first_row + first) % 2**64)
            else:
                drawn = draw(rows, row_ids=ids[first : first + len(chunk)])
        first += len(chunk)
        found.append(_column(drawn))
    type_ = pa.int64() if draw.draws is None else pa.list_(pa.int64(), draw.draws)
    return (
        table.append_column(output, pa.chunked_array(found, type_))
        if isinstance(table, pa.Table)
        else table.append_column(output, found[0])
    )


def numbers(array: Any) -> Array:
    """Return the rows of an array of lists as a NumPy array of rows x categories, without a copy where there is no gap.

    >>> import pyarrow as pa
    >>> from gumbelmax.arrow import numbers
    >>> numbers(pa.array([[1, 2], [3, 4]]))
    array([[1, 2],
           [3, 4]])
    """
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    kind = array.type
    is_fixed = pa.types.is_fixed_size_list(kind)
    if not (is_fixed or pa.types.is_list(kind) or pa.types.is_large_list(kind)):
        raise TypeError(f"expected a column of lists of numbers, got {kind}")
    if array.null_count:
        row = int(np.flatnonzero(array.is_null().to_numpy(zero_copy_only=False))[0])
        raise ValueError(f"row {row} is null")
    values = array.flatten()
    categories = kind.list_size if is_fixed else _categories(array)
    if values.null_count:
        value = int(np.flatnonzero(values.is_null().to_numpy(zero_copy_only=False))[0])
        row, category = divmod(value, max(categories, 1))
        raise ValueError(f"row {row}: its number of category {category} is null")
    return values.to_numpy(zero_copy_only=False).reshape(len(array), categories)


def _categories(array: Any) -> int:
    """Return the length of all lists."""
    lengths = np.diff(array.offsets.to_numpy())
    if not len(lengths):
        return 1
    others = np.flatnonzero(lengths != lengths[0])
    if len(others):
        row = int(others[0])
        raise ValueError(
            f"row {row} has {lengths[row]} categories, and those before it have {lengths[0]}"
        )
    return int(lengths[0])


def first_rows(paths: Iterable[Any], *, filesystem: Any = None) -> dict[Any, int]:
    """Return the number of the first row of each of some Parquet files, by their footers.

    The rows of all files are numbered as those of one table, the files in the order of their paths, whatever order
    these come in. Files without a column of row ids are drawn from by these numbers, one by one, on any worker:

        first = gumbelmax.arrow.first_rows(paths)
        for path in paths:
            table = pyarrow.parquet.read_table(path)
            drawn = gumbelmax.arrow.sample(table, row_id=None, first_row=first[path], seed=42)

    A file that is added later, and whose path is not the last, changes the numbers of those behind it: keep the result.

    Args:
        paths: of all files of the data set.
        filesystem: of ``pyarrow``, where the paths are not of this machine.
    """
    import pyarrow.parquet as pq  # noqa: PLC0415  (not all builds of pyarrow have it)

    found, first = {}, 0
    for path in sorted(paths, key=os.fspath):
        if path in found:
            raise ValueError(f"{path} is there twice")
        found[path] = first
        first += pq.read_metadata(path, filesystem=filesystem).num_rows
    return found


def _ids(column: Any, name: str) -> Array:
    if column.null_count:
        row = int(np.flatnonzero(column.is_null().to_numpy(zero_copy_only=False))[0])
        raise ValueError(f"row {row}: its {name} is null")
    if not pa.types.is_integer(column.type):
        raise TypeError(f"{name}: expected integers, got {column.type}")
    if isinstance(column, pa.ChunkedArray):
        ids: Array = column.to_numpy()
        return ids
    return column.to_numpy(zero_copy_only=False)


def _column(drawn: Array) -> Any:
    """Return draws as a column: numbers, or lists of them."""
    if drawn.ndim == 1:
        return pa.array(drawn)
    rows, draws = drawn.shape
    return pa.FixedSizeListArray.from_arrays(pa.array(drawn.reshape(rows * draws)), draws)
