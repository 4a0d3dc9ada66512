"""Draws for Dask: arrays of rows in blocks, on threads, processes or a cluster.

>>> import dask.array as da
>>> import gumbelmax.dask
>>> logits = da.zeros((1000, 16), chunks=(300, 16))
>>> draws = gumbelmax.dask.sample(logits, seed=1)
>>> draws.compute().shape
(1000,)

A row's number is its place in the whole array, or the id that ``row_ids`` has for it, so that the draws are those of
:func:`gumbelmax.sample` for the whole, however it is cut, and however often a block is computed. Workers need agree on
nothing but the seed.
"""

import math
from typing import Any, Unpack

import dask.array as da
import numpy as np

from gumbelmax._batches import Array, Draw, named, naming, planned
from gumbelmax._options import BatchOptions, OneSeed

__all__ = ["sample"]


def sample(
    logits: Any,
    *,
    axis: int = -1,
    first_row: int = 0,
    row_ids: Any = None,
    seed: OneSeed,
    **options: Unpack[BatchOptions],
) -> da.Array:
    """Draw from each row of a Dask array, lazily.

    >>> import dask.array as da
    >>> import numpy as np
    >>> import gumbelmax
    >>> from gumbelmax.dask import sample
    >>> whole = np.random.default_rng(1).normal(size=(100, 20))
    >>> blocks = da.from_array(whole, chunks=(7, 20))
    >>> bool((sample(blocks, seed=5).compute() == gumbelmax.sample(whole, seed=5)).all())
    True

    Rows that are shuffled or filtered keep their draws, if their ids are with them:

    >>> order = np.random.default_rng(2).permutation(100)
    >>> shuffled = sample(blocks[order], row_ids=order, seed=5)
    >>> bool((shuffled.compute() == gumbelmax.sample(whole, seed=5)[order]).all())
    True

    Args:
        logits: an array of which each block has whole rows; where categories are cut, blocks are joined first.
        axis: the axis of the categories.
        first_row: the number of the first row.
        row_ids: an id from 0 to 2**64 - 1 for each row, in place of numbers: an array of Dask or NumPy, of the shape
            of ``logits`` without ``axis``. It gets the blocks of the rows, and has them already where their sizes are
            not known.
        seed: as in :func:`gumbelmax.sample`, one integer.
        options: those of :func:`gumbelmax.make_batch_fn`.

    Returns:
        A Dask array of int64, of the shape of ``logits`` without ``axis`` and with an axis of the draws, in blocks as
        those of ``logits``. Each process draws on the threads of one pool (``RAYON_NUM_THREADS``).

    Raises:
        ValueError: an option is invalid, or ``row_ids`` does not fit the rows. When blocks are computed, a row is: the
            words name it by its place in the whole array, or by its place in its block and its id.
    """
    axis = range(logits.ndim)[axis]
    draw = planned(seed=seed, **options)
    shape = tuple(extent for i, extent in enumerate(logits.shape) if i != axis)
    if row_ids is None and any(math.isnan(extent) for extent in logits.shape):
        raise ValueError(
            "the blocks of logits have sizes that are not known, and rows no numbers: call compute_chunk_sizes() "
            "first, or give row_ids"
        )
    logits = logits.rechunk({axis: -1})
    chunks = tuple(sizes for i, sizes in enumerate(logits.chunks) if i != axis)
    if row_ids is not None:
        return _with_ids(logits, _ids(row_ids, shape, chunks), axis, draw)
    if draw.draws is not None:
        chunks = (*chunks, (draw.draws,))
    return da.map_blocks(
        _block,
        logits,
        draw=draw,
        axis=axis,
        shape=shape,
        first_row=first_row,
        dtype=np.int64,
        meta=np.empty((0,) * len(chunks), np.int64),
        drop_axis=axis,
        new_axis=None if draw.draws is None else logits.ndim - 1,
        chunks=chunks,
    )


def _ids(row_ids: Any, shape: tuple[Any, ...], chunks: tuple[Any, ...]) -> da.Array:
    """Return ids in the blocks of the rows."""
    ids = row_ids if isinstance(row_ids, da.Array) else np.asarray(row_ids)
    if not np.issubdtype(ids.dtype, np.integer):
        raise TypeError(f"row_ids must be integers, got {ids.dtype}")
    fits = len(ids.shape) == len(shape) and all(
        extent == of_ids or math.isnan(extent) or math.isnan(of_ids)
        for extent, of_ids in zip(shape, ids.shape, strict=True)
    )
    if not fits:
        raise ValueError(f"row_ids of shape {ids.shape} does not fit rows of shape {shape}")
    if not any(math.isnan(extent) for extent in (*shape, *ids.shape)):
        return ids.rechunk(chunks) if isinstance(ids, da.Array) else da.from_array(ids, chunks)
    if not isinstance(ids, da.Array) or ids.numblocks != tuple(len(sizes) for sizes in chunks):
        raise ValueError(
            "the blocks of logits or of row_ids have sizes that are not known, and the other ones do not match them "
            "block by block: call compute_chunk_sizes() first"
        )
    return ids


def _with_ids(logits: da.Array, ids: da.Array, axis: int, draw: Draw) -> da.Array:
    """Draw from each block with its ids."""
    rows = tuple(i for i in range(logits.ndim) if i != axis)
    new = {} if draw.draws is None else {logits.ndim: draw.draws}
    return da.blockwise(
        _block_with_ids,
        (*rows, *new),
        logits,
        tuple(range(logits.ndim)),
        ids,
        rows,
        draw=draw,
        axis=axis,
        new_axes=new,
        # there is one block along this axis
        concatenate=True,
        # blocks of sizes that are not known are taken as they come
        align_arrays=False,
        dtype=np.int64,
        meta=np.empty((0,) * (len(rows) + len(new)), np.int64),
    )


def _block_with_ids(logits: Array, ids: Array, *, draw: Draw, axis: int) -> Array:
    """Draw from a block whose rows have ids."""
    flat = ids.ravel()
    with naming(lambda row: named(row, flat, of=" of the block")):
        return draw(np.moveaxis(logits, axis, -1), row_ids=ids)


def _block(
    logits: Array,
    *,
    draw: Draw,
    axis: int,
    shape: tuple[int, ...],
    first_row: int,
    block_info: Any = None,
) -> Array:
    """Draw from a block."""
    place = [extent for i, extent in enumerate(block_info[0]["array-location"]) if i != axis]
    logits = np.moveaxis(logits, axis, -1)
    starts = [start for start, _ in place]

    def of_array(row: int) -> str:
        index = np.unravel_index(row, logits.shape[:-1]) if shape else ()
        index = tuple(int(i) + start for i, start in zip(index, starts, strict=True))
        number = int(np.ravel_multi_index(index, shape)) if shape else 0
        words = named(number, None, first_row)
        return words if len(shape) == 1 else f"{words} (index {index} of rows of shape {shape})"

    with naming(of_array):
        if len(shape) == 1:
            # the usual case: rows with consecutive numbers
            return draw(logits, first_row=(first_row + starts[0]) % 2**64)
        ids = np.full((1,) * len(shape), first_row, np.uint64)
        for i, (start, stop) in enumerate(place):
            stride = np.uint64(math.prod(shape[i + 1 :]))
            along = np.arange(start, stop, dtype=np.uint64) * stride
            ids = ids + along.reshape([-1 if i == j else 1 for j in range(len(shape))])
        return draw(logits, row_ids=ids)
