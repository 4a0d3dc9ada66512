"""Resampling for particle filters."""

from typing import Any, Unpack

from gumbelmax import _lib
from gumbelmax._libraries import index_dtype, like
from gumbelmax._options import AncestorOptions, OneSeed, Scheme, seed_of


class Particles:
    """Particles with log-weights, to be resampled.

    >>> import numpy as np
    >>> from gumbelmax import Particles
    >>> particles = Particles([0.0, -np.inf, 0.0, np.log(3)])
    >>> len(particles), round(particles.effective_sample_size, 3)
    (4, 2.273)
    >>> particles.resample(seed=7, positions=5)
    array([0, 2, 3, 3, 3])

    Args:
        log_weights: natural logarithms of unnormalised weights, one dimension. Any constant may be added to them.

    Raises:
        ValueError: a log-weight is NaN or +inf, or all are -inf.
    """

    def __init__(self, log_weights: Any) -> None:
        """Add the weights up."""
        self._particles = _lib.Particles(log_weights)
        self._like = log_weights[:0, ...] if hasattr(log_weights, "__dlpack__") else None

    def __reduce__(self) -> str | tuple[Any, ...]:
        """Refuse to be pickled."""
        raise TypeError(
            "Particles cannot be pickled: their sums are in this process; make them again from the log-weights"
        )

    def __copy__(self) -> "Particles":
        """Return itself, as it does not change."""
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> "Particles":
        """Return itself, as it does not change."""
        return self

    def __len__(self) -> int:
        """Return the number of particles."""
        return len(self._particles)

    @property
    def effective_sample_size(self) -> float:
        """sum(w) ** 2 / sum(w ** 2): 1 if one particle has all the weight, and their number if all have the same."""
        return self._particles.effective_sample_size

    @property
    def logsumexp(self) -> float:
        """log(sum(w)); less the logarithm of their number, a filter's estimate of the likelihood of the step."""
        return self._particles.logsumexp

    def resample(
        self,
        *,
        seed: OneSeed,
        step: int = 0,
        scheme: Scheme = "systematic",
        positions: int | None = None,
        first_row: int = 0,
        row_ids: Any = None,
        dtype: Any = None,
    ) -> Any:
        """Return the ancestor of each position, the number of a particle.

        Each scheme gives a particle positions * w / sum(w) positions on average. "systematic" takes one uniform number
        for all, "stratified" one for each position, "residual" copies the whole part and draws the rest.

        Args:
            seed: an integer, or a generator of NumPy.
            step: the number of the draw; in a filter that of the step.
            scheme: as above.
            positions: how many; by default as many as particles.
            first_row: the number of the first position.
            row_ids: ids of the positions, in place of numbers.
            dtype: "int64", "int32" or "uint32".
        """
        found = self._particles.resample(
            *(scheme, seed_of(seed), step, first_row, row_ids, positions),
            index_dtype(dtype, self._like),
        )
        return like(self._like, found)


def resample(
    log_weights: Any, *, seed: OneSeed, step: int = 0, **options: Unpack[AncestorOptions]
) -> Any:
    """Return the ancestors of particles with these log-weights.

    >>> from gumbelmax import resample
    >>> resample([0.0, -1e9, 0.0], seed=7, positions=4)
    array([0, 0, 2, 2])

    Arguments and errors are those of :class:`Particles` and of :meth:`Particles.resample`.
    """
    return Particles(log_weights).resample(seed=seed, step=step, **options)
