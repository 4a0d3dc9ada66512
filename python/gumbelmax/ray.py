"""Draws for Ray Data: a column of draws for a data set of logits, on the CPUs and GPUs of a cluster.

    ds = ray.data.read_parquet("logits/")        # columns: row_id, logits
    drawn = gumbelmax.ray.sample(ds, seed=42)    # and draw
    drawn.write_parquet("draws/")

Row ids are a column of the data. So the draws are those of one call for all rows, in whatever blocks they come, in
whatever order, and if a worker dies and its blocks are drawn from again. Ids that an engine makes up
(`monotonically_increasing_id`) are not the same in the next run, and are not for this.
"""

from typing import Any, Unpack

import ray.data

from gumbelmax import _lib
from gumbelmax._batches import BatchFunction, make_batch_fn
from gumbelmax._options import BatchOptions, OneSeed

__all__ = ["Sampler", "sample"]


class Sampler:
    """The actor that draws: a batch function, with as many threads as it has CPUs."""

    def __init__(self, function: BatchFunction, threads: int) -> None:
        """Check that this worker draws what the driver does."""
        _lib.set_num_threads(threads)
        function.draw.check()
        self._function = function

    def __call__(self, batch: Any) -> Any:
        """Add a column of draws."""
        return self._function(batch)


def sample(
    ds: "ray.data.Dataset",
    logits: str = "logits",
    row_id: str = "row_id",
    *,
    output: str = "draw",
    seed: OneSeed,
    num_cpus: int = 1,
    concurrency: int | tuple[int, int] = 1,
    batch_size: int | None = None,
    map_options: dict[str, Any] | None = None,
    **options: Unpack[BatchOptions],
) -> "ray.data.Dataset":
    """Return the data set with one more column, of draws.

    >>> import pyarrow
    >>> import ray.data
    >>> from gumbelmax.ray import sample
    >>> table = pyarrow.table({"row_id": [7, 8], "logits": [[0.0, 1.0], [2.0, 0.0]]})
    >>> drawn = sample(ray.data.from_arrow(table), seed=1)
    >>> drawn.columns()
    ['row_id', 'logits', 'draw']

    Args:
        ds: a data set with a column of logits, rows of one length, and a column of row ids.
        logits: the name of the column of logits.
        row_id: the name of the column of row ids: integers from 0 to 2**64 - 1 that are data.
        output: the name of the column of draws.
        seed: as in :func:`gumbelmax.sample`, one integer.
        num_cpus: the CPUs of each actor, which are its threads.
        concurrency: the number of actors, or the least and the greatest one.
        batch_size: the rows of a batch; None is a block, which is what costs least.
        map_options: further arguments of ``Dataset.map_batches``, for instance ``{"num_gpus": 1}`` beside
            ``device="gpu"``.
        options: those of :func:`gumbelmax.make_batch_fn`.
    """
    function = make_batch_fn(logits, row_id, output=output, seed=seed, **options)
    least, most = concurrency if isinstance(concurrency, tuple) else (concurrency, concurrency)
    return ds.map_batches(
        Sampler,
        fn_constructor_args=(function, num_cpus),
        batch_size=batch_size,
        batch_format="pyarrow",
        zero_copy_batch=True,
        num_cpus=num_cpus,
        compute=ray.data.ActorPoolStrategy(min_size=least, max_size=most),
        **(map_options or {}),
    )
