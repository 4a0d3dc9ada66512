"""Draws for Dask: arrays of rows in blocks, on threads, processes or a cluster.

>>> import dask.array as da
>>> import gumbelmax.dask
>>> logits = da.zeros((1000, 16), chunks=(300, 16))
>>> draws = gumbelmax.dask.sample(logits, seed=1)
>>> draws.compute().shape
(1000,)

A row's number is its place in the whole array, so that the draws are those of :func:`gumbelmax.sample` for the whole,
however it is cut, and however often a block is computed. Workers need agree on nothing but the seed.
"""

import math
from typing import Any

import dask.array as da
import numpy as np

from gumbelmax._batches import Array, Draw, planned
from gumbelmax._options import Seed

__all__ = ["sample"]


def sample(
    logits: Any, *, axis: int = -1, first_row: int = 0, seed: Seed, **options: Any
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

    Args:
        logits: an array of which each block has whole rows; where categories are cut, blocks are joined first.
        axis: the axis of the categories.
        first_row: the number of the first row.
        seed: as in :func:`gumbelmax.sample`, one integer.
        options: those of :func:`gumbelmax.make_batch_fn`.

    Returns:
        A Dask array of int64, of the shape of ``logits`` without ``axis`` and with an axis of the draws, in blocks as
        those of ``logits``. Each process draws on the threads of one pool (``RAYON_NUM_THREADS``).
    """
    axis = range(logits.ndim)[axis]
    draw = planned(seed=seed, **options)
    if any(math.isnan(extent) for extent in logits.shape):
        raise ValueError(
            "the blocks of logits have sizes that are not known, and rows no numbers: call compute_chunk_sizes() first"
        )
    logits = logits.rechunk({axis: -1})
    shape = tuple(extent for i, extent in enumerate(logits.shape) if i != axis)
    chunks = tuple(sizes for i, sizes in enumerate(logits.chunks) if i != axis)
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
    if len(shape) == 1:
        # the usual case: rows with consecutive numbers
        return draw(logits, first_row=(first_row + place[0][0]) % 2**64)
    ids = np.full((1,) * len(shape), first_row, np.uint64)
    for i, (start, stop) in enumerate(place):
        stride = np.uint64(math.prod(shape[i + 1 :]))
        along = np.arange(start, stop, dtype=np.uint64) * stride
        ids = ids + along.reshape([-1 if i == j else 1 for j in range(len(shape))])
    return draw(logits, row_ids=ids)
