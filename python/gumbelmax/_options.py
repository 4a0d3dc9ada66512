"""Options that many functions have."""

from typing import Any, Literal, TypeAlias

import numpy as np

Method: TypeAlias = Literal["gumbel", "inverse-cdf", "auto"]
Invalid: TypeAlias = Literal["raise", "mark"]
Seed: TypeAlias = Any  # int | array of ints | np.random.Generator | np.random.SeedSequence


def seed_of(seed: Seed) -> Any:
    """Return the integers of a seed: one of 64 bits that NumPy's generators give, or what it is."""
    if isinstance(seed, np.random.Generator):
        return int(seed.integers(0, 2**64, dtype=np.uint64))
    if isinstance(seed, np.random.SeedSequence):
        return int(seed.generate_state(1, np.uint64)[0])
    return seed
