"""Options that many functions have."""

from collections.abc import Mapping
from typing import Any, Generic, Literal, TypeAlias, TypedDict, TypeVar

import numpy as np
import numpy.typing as npt

Method: TypeAlias = Literal["gumbel", "inverse-cdf", "auto"]
Invalid: TypeAlias = Literal["raise", "mark"]
Share: TypeAlias = Literal["top-k", "all", "rest"]
LogProbsOf: TypeAlias = Literal["kept", "allowed"]
OneSeed: TypeAlias = int | np.integer[Any] | np.random.Generator | np.random.SeedSequence
Seed: TypeAlias = npt.ArrayLike | np.random.Generator | np.random.SeedSequence
Scheme: TypeAlias = Literal["systematic", "stratified", "residual"]

Integer = TypeVar("Integer")
Number = TypeVar("Number")
Masks = TypeVar("Masks")


# Options of each function to which others pass them on. What may be given for each row is Any, as in that function:
# arrays are of any library.


class _Cuts(TypedDict, Generic[Integer, Number, Masks], total=False):
    """What may be drawn."""

    top_k: Integer | None
    top_p: Number | None
    min_p: Number | None
    epsilon: Number | None
    cut_temperature: Number | None
    share: Share
    allowed: Masks | None


class _Rows(TypedDict, total=False):
    """Which rows, and where the work is done."""

    temperature: Any
    row_ids: Any
    first_row: int
    axis: int
    invalid: Invalid
    device: str


class _Adjustment(TypedDict, total=False):
    """What is added to logits and taken from them."""

    bias: Any
    repetition_penalty: Any
    frequency_penalty: Any
    presence_penalty: Any
    history: Any


class BatchOptions(_Cuts[int, float, npt.ArrayLike], total=False):
    """What :func:`gumbelmax.make_batch_fn` takes beside names and a seed, each for all rows."""

    step: int
    temperature: float
    draws: int | None
    method: Method
    invalid: Invalid
    weights: bool
    device: str
    bias: Mapping[int, float] | None


class WeightOptions(_Rows, _Cuts[Any, Any, Any], total=False):
    """What :func:`gumbelmax.sample_weights` takes beside weights, seed and step."""

    draws: int | None
    method: Method
    dtype: Any


class SampleOptions(WeightOptions, _Adjustment, total=False):
    """What :func:`gumbelmax.sample` takes beside logits, seed and step."""


class ScoredOptions(SampleOptions, total=False):
    """What :func:`gumbelmax.sample_scored` takes beside logits, seed and step."""

    log_probs_of: LogProbsOf
    weights: bool


class EstimateOptions(_Rows, _Cuts[Any, Any, Any], _Adjustment, total=False):
    """What :func:`gumbelmax.estimate_log_z` takes beside logits, seed, step and draws."""

    weights: bool


class RaceOptions(EstimateOptions, total=False):
    """What :func:`gumbelmax.race` takes beside logits, k, seed and step."""

    draws: int | None
    dtype: Any


class SoftOptions(_Rows, _Cuts[Any, Any, Any], _Adjustment, total=False):
    """What :func:`gumbelmax.gumbel_softmax` takes beside logits, softness, seed and step."""

    draws: int | None


class AncestorOptions(TypedDict, total=False):
    """What :meth:`gumbelmax.Particles.resample` takes beside seed and step."""

    scheme: Scheme
    positions: int | None
    first_row: int
    row_ids: Any
    dtype: Any


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
        if not -array.ndim <= axis < array.ndim:
            raise ValueError(f"axis {axis} is out of range for allowed of {array.ndim} dimensions")
        array = np.moveaxis(array, axis, -1)
    categories = array.shape[-1]
    packed = np.packbits(array, axis=-1, bitorder="little")
    padded = np.zeros((*array.shape[:-1], -(-categories // 32) * 4), np.uint8)
    padded[..., : packed.shape[-1]] = packed
    return padded.view("<u4"), categories
