"""Tables for very many draws from the same rows."""

from typing import Any

from gumbelmax import _lib
from gumbelmax._adjustment import adjustment
from gumbelmax._libraries import index_dtype, like
from gumbelmax._options import Invalid, OneSeed, Share, restriction, seed_of


class InverseCdf:
    """Rows that are added up once, to be drawn from again and again.

    A draw takes some tens of nanoseconds, however many categories its row has. The draws are those of
    :func:`gumbelmax.sample` with ``method="inverse-cdf"``. A table takes 16 to 24 bytes for each category, and keeps no
    reference to the array that it is made of. (Tables on a GPU are not for a forked process.)

    >>> from gumbelmax import InverseCdf
    >>> table = InverseCdf([3, 0, 1], seed=1, weights=True)
    >>> draws = table.sample(10_000)
    >>> bool(abs((draws == 0).mean() - 0.75) < 0.02)
    True
    >>> more = table.sample(10_000, step=10_000)  # the next draws

    Args:
        logits: as in :func:`gumbelmax.sample`.
        seed: one integer, as the temperature is one number: not for each row.
        weights: the numbers are weights or counts.

    The other arguments and the errors are those of :func:`gumbelmax.sample`.
    """

    def __init__(
        self,
        logits: Any,
        *,
        seed: OneSeed,
        temperature: float = 1.0,
        row_ids: Any = None,
        first_row: int = 0,
        axis: int = -1,
        top_k: Any = None,
        top_p: Any = None,
        min_p: Any = None,
        epsilon: Any = None,
        cut_temperature: Any = None,
        share: Share = "top-k",
        allowed: Any = None,
        bias: Any = None,
        repetition_penalty: Any = None,
        frequency_penalty: Any = None,
        presence_penalty: Any = None,
        history: Any = None,
        invalid: Invalid = "raise",
        weights: bool = False,
        device: str = "cpu",
    ) -> None:
        """Add the rows up."""
        restrict = restriction(top_k, top_p, min_p, epsilon, cut_temperature, share, allowed, axis)
        adjust = adjustment(bias, repetition_penalty, frequency_penalty, presence_penalty, history)
        call = (
            *(seed_of(seed), 0, temperature, first_row, row_ids, None),
            *("inverse-cdf", invalid, device, restrict, adjust),
        )
        self._table = _lib.Table(logits, axis, weights, call)
        # an empty array of the library in which results are given
        self._like = logits[:0, ...] if hasattr(logits, "__dlpack__") else None

    def __reduce__(self) -> str | tuple[Any, ...]:
        """Refuse to be pickled."""
        raise TypeError(
            "InverseCdf cannot be pickled: its sums are in this process; make it again from the logits"
        )

    def __copy__(self) -> "InverseCdf":
        """Return itself, as it does not change."""
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> "InverseCdf":
        """Return itself, as it does not change."""
        return self

    @property
    def categories(self) -> int:
        """The number of categories of each row."""
        return self._table.categories

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the rows."""
        return self._table.shape

    def sample(self, draws: int | None = None, *, step: int = 0, dtype: Any = None) -> Any:
        """Draw from each row.

        Args:
            draws: the number of draws from each row, for which the result has an axis, the last; None is one draw.
            step: the number of the first draw.
            dtype: "int64", "int32" or "uint32".

        Returns:
            Indices of categories, of the shape of the rows and of the draws.
        """
        drawn = self._table.sample(step, draws, index_dtype(dtype, self._like))
        return like(self._like, drawn)
