"""One function for batches of rows, for every engine that maps functions over them."""

import contextlib
import dataclasses
import functools
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Unpack

import numpy as np
import numpy.typing as npt

from gumbelmax import _draws
from gumbelmax._adjustment import biases
from gumbelmax._lib import __version__
from gumbelmax._libraries import is_of
from gumbelmax._options import BatchOptions, OneSeed, seed_of

Array = npt.NDArray[Any]
OF_BATCH = " of the batch"

_ROW = re.compile(r"^row (\d+)(?: \(index \([\d, ]*\) of rows of shape \([\d, ]*\)\))?")


@contextlib.contextmanager
def naming(words: Callable[[int], str]) -> Iterator[None]:
    """Have an error about a row of a block say which one it is to whoever does not see the block.

    Args:
        words: what a row is called that has this number in the block.
    """
    try:
        yield
    except ValueError as error:
        row = _ROW.match(str(error))
        if row is None:
            raise
        raise ValueError(words(int(row[1])) + str(error)[row.end() :]) from None


def named(row: int, ids: Array | None, first_row: int = 0, of: str = "") -> str:
    """Return a row in words: its place, and its id unless that is the same.

    Args:
        row: its place.
        ids: of the rows, or None if they are numbered.
        first_row: the number of the first row, if they are.
        of: what the place is in.
    """
    row_id = (first_row + row) % 2**64 if ids is None else ids[row]
    is_said = row_id != row or (ids is not None and of != "")
    return f"row {row}{of}" + (f" (row id {row_id})" if is_said else "")


@functools.cache
def golden() -> tuple[int, ...]:
    """Return draws by which two processes know that they draw the same."""
    logits = np.sin(np.arange(8 * 5000, dtype=np.float32).reshape(8, 5000) % 1009)
    found = _draws.sample(logits, seed=42, row_ids=np.arange(8) << 40, draws=2, device="cpu")
    return tuple(found.ravel().tolist())


@dataclasses.dataclass(frozen=True)
class Draw:
    """What to draw from each batch. Can be pickled; the process that calls it may be another one."""

    seed: int
    options: BatchOptions
    version: str = __version__
    golden: tuple[int, ...] = dataclasses.field(default_factory=golden)

    @property
    def draws(self) -> int | None:
        """How many from each row, or None for one without an axis of draws."""
        return self.options.get("draws")

    def __call__(self, logits: Any, *, row_ids: Any = None, first_row: int = 0) -> Array:
        """Draw from the rows of an array."""
        self.check()
        options: dict[str, Any] = {**self.options, "row_ids": row_ids, "first_row": first_row}
        function = _draws.sample_weights if options.pop("weights", False) else _draws.sample
        drawn: Array = function(logits, seed=self.seed, **options)
        return drawn

    def check(self) -> None:
        """Check that this process draws what the process does in which the work was planned."""
        if self.golden != golden():
            raise RuntimeError(
                f"gumbelmax {__version__} of this worker does not draw what {self.version} of the driver draws"
            )


def planned(*, seed: OneSeed, **options: Unpack[BatchOptions]) -> Draw:
    """Return what to draw, its options checked: a fault of theirs must not wait for a worker."""
    for name, option in options.items():
        if name not in BatchOptions.__optional_keys__:
            raise TypeError(f"there is no option {name!r}")
        if name not in ("allowed", "bias"):
            _check_one(name, option)
    _check_one("seed", seed)
    categories = 1
    bias = options.get("bias")
    if bias is None:
        options.pop("bias", None)
    elif options.get("weights"):
        raise TypeError("a bias is of logits, and weights have none")
    elif not isinstance(bias, Mapping):
        raise TypeError("bias must be a dict from categories to numbers, for all rows")
    else:
        categories = int(biases(bias)[1].max(initial=0)) + 1
    if options.get("allowed") is not None:
        options["allowed"] = mask = np.asarray(options["allowed"])
        if mask.ndim != 1:
            raise ValueError(f"allowed must be one mask for all rows, got the shape {mask.shape}")
        categories = len(mask) if mask.dtype == bool else categories
    draw = Draw(seed_of(seed), options)
    draw(np.empty((0, categories)))
    return draw


@dataclasses.dataclass(frozen=True)
class BatchFunction:
    """A function of batches, made by :func:`make_batch_fn`."""

    draw: Draw
    logits: str
    row_id: str
    output: str

    def __call__(self, batch: Any) -> Any:
        """Add a column of draws to a batch."""
        if isinstance(batch, Mapping):
            ids = _ids(batch[self.row_id], self.row_id)
            with naming(lambda row: named(row, ids, of=OF_BATCH)):
                rows = _stacked(batch[self.logits], self.logits)
                if len(ids) != len(rows):
                    raise ValueError(
                        f"the batch has {len(rows)} rows of {self.logits}, and {len(ids)} of {self.row_id}"
                    )
                found = self.draw(rows, row_ids=ids)
            return {**batch, self.output: found}
        if not is_of(batch, "pyarrow"):
            raise TypeError(
                f"a batch is a mapping of names to arrays, or a table or record batch of Arrow, got "
                f"{type(batch).__name__}"
            )
        from gumbelmax import arrow  # noqa: PLC0415  (pyarrow is not a requirement)

        which = (self.logits, self.row_id, 0, self.output)
        return arrow.with_draws(batch, self.draw, *which, of=OF_BATCH)


def make_batch_fn(
    logits: str = "logits",
    row_id: str = "row_id",
    *,
    output: str = "draw",
    seed: OneSeed,
    **options: Unpack[BatchOptions],
) -> BatchFunction:
    """Return a function that adds a column of draws to a batch of rows.

    A batch is a mapping of names to NumPy arrays, or a table or record batch of Arrow. The function keeps no state, so
    that batches may be of any size, in any order, on any worker, and any number of times: the draw of a row depends on
    its logits, its id and the seed. The first call in a process checks that it draws what the process does in which
    the function was made.

    >>> import numpy as np
    >>> from gumbelmax import make_batch_fn, sample
    >>> fn = make_batch_fn(seed=7)
    >>> logits, ids = np.zeros((6, 10)), np.arange(6)
    >>> one, two = (fn({"logits": logits[s], "row_id": ids[s]}) for s in (slice(0, 1), slice(1, 6)))
    >>> bool((np.concatenate([one["draw"], two["draw"]]) == sample(logits, seed=7)).all())
    True

    Args:
        logits: the name of the column of logits: an array of rows x categories, or a list column of Arrow.
        row_id: the name of the column of row ids, integers from 0 to 2**64 - 1. They must be data, or computed from
            what does not change (a file's number and the row in it), and never from a block or a partition.
        output: the name of the column of draws.
        seed: as in :func:`gumbelmax.sample`, one integer.
        options: `step`, `temperature`, `draws`, `method`, `invalid`, `weights` (the numbers are weights or counts),
            `device`, `bias`, and what may be drawn: `top_k`, `top_p`, `min_p`, `epsilon`, `cut_temperature`, `share`
            and `allowed`, as in :func:`gumbelmax.sample`. Each is the same for all rows.

    Raises:
        ValueError: an option is invalid. The function raises it too, and names the row by its place in the batch and
            by its id.
        TypeError: the type of an option is, or there is no option of its name.
    """
    return BatchFunction(planned(seed=seed, **options), logits, row_id, output)


def _check_one(name: str, option: Any) -> None:
    if shape := np.shape(option):
        raise ValueError(f"{name} must be one for all rows, got the shape {shape}")


def _stacked(rows: Any, name: str) -> Array:
    """Return rows that come as an array or a list of arrays as an array of numbers."""
    if isinstance(rows, list | tuple) or getattr(rows, "dtype", None) == np.dtype(object):
        rows = list(rows)
        lengths = [np.size(row) if np.ndim(row) else None for row in rows]
        for row, length in enumerate(lengths):
            if length is None:
                raise ValueError(f"row {row} is no array of numbers, got {rows[row]!r}")
            if length != lengths[0]:
                raise ValueError(
                    f"row {row} has {length} categories, and those before it have {lengths[0]}"
                )
        rows = np.stack(rows) if lengths else np.empty((0, 1))
    array = np.asarray(rows)
    if array.ndim != 2:  # noqa: PLR2004  (rows and categories)
        raise ValueError(f"{name}: expected rows x categories, got the shape {array.shape}")
    return array


def _ids(ids: Any, name: str) -> Array:
    array = np.asarray(ids)
    if array.ndim != 1:
        raise ValueError(f"{name}: expected one id for each row, got the shape {array.shape}")
    if array.size and not np.issubdtype(array.dtype, np.integer):
        raise TypeError(f"{name}: expected integers, got {array.dtype}")
    return array
