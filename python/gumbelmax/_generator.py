"""A generator that advances from call to call."""

from collections.abc import Mapping
from typing import Any, Unpack

from gumbelmax import _draws, _lib, _particles, _softmax, _sums
from gumbelmax._options import (
    AncestorOptions,
    EstimateOptions,
    OneSeed,
    RaceOptions,
    SampleOptions,
    ScoredOptions,
    SoftOptions,
    WeightOptions,
    seed_of,
)
from gumbelmax._results import LogZ, Race, Scored


class Generator:
    """A seed and the number of the next draw: each call gets numbers that no call before it had.

    >>> import numpy as np
    >>> from gumbelmax import Generator, sample
    >>> rng, logits = Generator(42), np.zeros(1000)
    >>> first, second = rng.sample(logits), rng.sample(logits)
    >>> both = sample(logits, seed=42, draws=2)
    >>> bool(first == both[0]), bool(second == both[1])
    (True, True)

    To go on later, keep ``rng.seed`` and ``rng.step``, or pickle the generator: ``Generator(42, step=2)`` goes on after
    the two draws above. A copy repeats the numbers of its original; give threads and processes that draw from the same
    rows a seed each. A step is used up when its call begins, whether or not that succeeds.

    Args:
        seed: as in :func:`gumbelmax.sample`, one integer.
        step: the number of the next draw.

    Raises:
        ValueError: by any call for more draws than are left of the 2**31 that a seed has.
    """

    def __init__(self, seed: OneSeed, step: int = 0) -> None:
        """Begin at a step."""
        self._sequence = _lib.Sequence(seed_of(seed), step)

    @property
    def seed(self) -> int:
        """The seed."""
        return self._sequence.seed

    @property
    def step(self) -> int:
        """The number of the next draw."""
        return self._sequence.step

    def __repr__(self) -> str:
        """Return what makes this generator."""
        return f"Generator({self.seed}, step={self.step})"

    def __reduce__(self) -> tuple[type["Generator"], tuple[int, int]]:
        """Say how to make this generator again."""
        return Generator, (self.seed, self.step)

    def _numbers(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return the options of a call with the seed and with the step that is its turn."""
        for name in ("seed", "step"):
            if name in options:
                raise TypeError(f"a Generator has the {name} of its own")
        return {**options, "seed": self.seed, "step": self._sequence.take(options.get("draws"))}

    def sample(self, logits: Any, **options: Unpack[SampleOptions]) -> Any:
        """Draw from each row, as :func:`gumbelmax.sample` does."""
        return _draws.sample(logits, **self._numbers(options))

    def sample_weights(self, weights: Any, **options: Unpack[WeightOptions]) -> Any:
        """Draw from each row of weights, as :func:`gumbelmax.sample_weights` does."""
        return _draws.sample_weights(weights, **self._numbers(options))

    def sample_scored(self, logits: Any, **options: Unpack[ScoredOptions]) -> Scored:
        """Draw with log-probabilities, as :func:`gumbelmax.sample_scored` does."""
        return _draws.sample_scored(logits, **self._numbers(options))

    def race(self, logits: Any, k: int, **options: Unpack[RaceOptions]) -> Race:
        """Run races, as :func:`gumbelmax.race` does."""
        return _draws.race(logits, k, **self._numbers(options))

    def estimate_log_z(
        self, logits: Any, *, draws: int, **options: Unpack[EstimateOptions]
    ) -> LogZ:
        """Estimate log Z, as :func:`gumbelmax.estimate_log_z` does."""
        return _sums.estimate_log_z(logits, **self._numbers({**options, "draws": draws}))

    def gumbel_softmax(
        self, logits: Any, tau: float = 1.0, hard: bool = False, **options: Unpack[SoftOptions]
    ) -> Any:
        """Return soft samples, as :func:`gumbelmax.gumbel_softmax` does."""
        return _softmax.gumbel_softmax(logits, tau, hard, **self._numbers(options))

    def resample(self, log_weights: Any, **options: Unpack[AncestorOptions]) -> Any:
        """Resample particles, as :func:`gumbelmax.resample` does."""
        return _particles.resample(log_weights, **self._numbers(options))
