"""Options that many functions have."""

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias, TypedDict

import numpy as np
import numpy.typing as npt

Method: TypeAlias = Literal["gumbel", "inverse-cdf", "auto"]
Invalid: TypeAlias = Literal["raise", "mark"]
Share: TypeAlias = Literal["top-k", "all", "rest"]
LogProbsOf: TypeAlias = Literal["kept", "allowed"]
OneSeed: TypeAlias = int | np.integer[Any] | np.random.Generator | np.random.SeedSequence
Seed: TypeAlias = npt.ArrayLike | np.random.Generator | np.random.SeedSequence


class BatchOptions(TypedDict, total=False):
    """What :func:`gumbelmax.make_batch_fn` takes beside names and a seed, each for all rows."""

    step: int
    temperature: float
    draws: int | None
    method: Method
    invalid: Invalid
    weights: bool
    device: str
    bias: Mapping[int, float] | None
    top_k: int | None
    top_p: float | None
    min_p: float | None
    epsilon: float | None
    cut_temperature: float | None
    share: Share
    allowed: npt.ArrayLike | None


def seed_of(seed: Seed) -> Any:
    """Return the integers of a seed: one of 64 bits that NumPy's generators give, or what it is."""
    if isinstance(seed, np.random.Generator):
        return int(seed.integers(0, 2**64, dtype=np.uint64))
    if isinstance(seed, np.random.SeedSequence):
        return int(seed.generate_state(1, np.uint64)[0])
    return seed


def restriction(
    top_k: Any,
    top_p: Any,
    min_p: Any,
    epsilon: Any,
    cut_temperature: Any,
    share: Share,
    allowed: Any,
    axis: int,
) -> tuple[Any, ...] | None:
    """Return what may be drawn as the crate's part takes it, or None if that is everything."""
    if (
        top_k is top_p is min_p is epsilon is cut_temperature is allowed is None
        and share == "top-k"
    ):
        return None
    masks = None if allowed is None else masks_of(allowed, axis)
    return (top_k, top_p, min_p, epsilon, cut_temperature, share, masks)


def masks_of(allowed: Any, axis: int) -> tuple[Any, int | None]:
    """Return masks as words of 32 bits, and of how many booleans a row's words are made, or None if they were words."""
    array = np.asarray(allowed)
    if array.dtype != bool or array.ndim == 0:
        return array, None
    if array.ndim > 1:
        array = np.moveaxis(array, axis, -1)
    categories = array.shape[-1]
    packed = np.packbits(array, axis=-1, bitorder="little")
    padded = np.zeros((*array.shape[:-1], -(-categories // 32) * 4), np.uint8)
    padded[..., : packed.shape[-1]] = packed
    return padded.view("<u4"), categories
