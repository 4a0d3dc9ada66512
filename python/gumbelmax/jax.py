"""Draws for JAX, under jit and vmap: the same on every machine, and exact to the far tail.

>>> import jax
>>> import gumbelmax.jax
>>> key = jax.random.key(1)
>>> draws = jax.jit(gumbelmax.jax.categorical)(key, jax.numpy.zeros((3, 5)))
>>> draws.shape, draws.dtype
((3,), dtype('int32'))

The 64 bits of a key are the seed of :func:`gumbelmax.sample`. So a key gives other draws than it gives
:func:`jax.random.categorical`, of the same distribution.

The work is done on the host's CPU, by a callback.
"""

import functools
import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from gumbelmax import _draws, _softmax
from gumbelmax._options import Method, Share

__all__ = ["categorical", "gumbel_softmax"]

_Array: TypeAlias = npt.NDArray[Any]


def _words(key: Any) -> Any:
    """Return the words of a key of the new kind or of the old one."""
    dtype = getattr(key, "dtype", type(key).__name__)
    is_new = not isinstance(dtype, str) and jnp.issubdtype(dtype, jax.dtypes.prng_key)
    if not is_new and dtype != jnp.uint32:
        raise TypeError(f"key must be a key, as jax.random.key makes it, got {dtype}")
    words = jax.random.key_data(key) if is_new else jnp.asarray(key)
    if words.ndim != 1:
        raise ValueError(
            f"key must be one key, got keys of shape {words.shape[:-1]}: jax.vmap maps over several"
        )
    return words


def _last(logits: Any, axis: int) -> jax.Array:
    """Return logits, floats, with the axis of the categories as the last."""
    logits = jnp.moveaxis(jnp.asarray(logits), axis, -1)
    return logits if jnp.issubdtype(logits.dtype, jnp.floating) else logits.astype(jnp.float32)


def _seeds(words: _Array) -> npt.NDArray[np.uint64]:
    """Return 64 bits for each key: its two words. Of a key of four words (rbg) the first two are mixed in."""
    pairs = words.astype(np.uint64).reshape(-1, words.shape[-1] // 2, 2)
    each = (pairs[..., 0] << np.uint64(32)) | pairs[..., 1]
    seeds = each[..., -1]
    for i in range(each.shape[-1] - 1):
        # splitmix64, as both halves of such a key may be the same
        mixed = each[..., i] + np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        seeds = seeds ^ mixed ^ (mixed >> np.uint64(31))
    return seeds.reshape(words.shape[:-1])


def _rows(words: _Array, batch: int, rows: tuple[int, ...]) -> dict[str, Any]:
    """Return the options that say which rows these are.

    vmap puts axes before those of the function. Each of their elements is a call of its own, with the seed of its key
    and with rows from 0 on.
    """
    seeds = _seeds(words)
    if batch == 0:
        return {"seed": int(seeds)}
    ids = np.arange(math.prod(rows), dtype=np.uint64).reshape(rows)
    seeds = seeds.reshape(seeds.shape + (1,) * len(rows))
    return {
        "seed": seeds,
        "row_ids": np.broadcast_to(ids, np.broadcast_shapes(seeds.shape, ids.shape)),
    }


def _is_broadcast(shape: tuple[int, ...], to: tuple[int, ...]) -> bool:
    return all(extent in (1, wanted) for extent, wanted in zip(shape, to, strict=True))


def _masks(allowed: Any, axis: int, rows: tuple[int, ...]) -> Any:
    """Return masks with their last axis for that of the categories, one for each row."""
    if allowed is None:
        return None
    allowed = jnp.asarray(allowed)
    if allowed.ndim == 0:
        raise TypeError("allowed must be an array, with an axis of categories or of their words")
    if allowed.dtype == bool and allowed.ndim > 1:
        allowed = jnp.moveaxis(allowed, axis, -1)
    return jnp.broadcast_to(allowed, (*rows, allowed.shape[-1]))


def _histories(history: Any, rows: tuple[int, ...]) -> Any:
    """Return the categories that each row had before."""
    if history is None:
        return None
    history = jnp.asarray(history)
    if history.size == 0:
        # what nobody has had before, of whatever type
        history = history.astype(jnp.int32)
    if not jnp.issubdtype(history.dtype, jnp.integer):
        raise TypeError(f"history must have integers, got {history.dtype}")
    return jnp.broadcast_to(history, (*rows, history.shape[-1]))


_NUMBERS = (
    "top_k",
    "top_p",
    "min_p",
    "epsilon",
    "cut_temperature",
    "share",
    "repetition_penalty",
    "frequency_penalty",
    "presence_penalty",
)


def _check(**numbers: Any) -> None:
    """Refuse numbers that are known only when a compiled function runs: they are no operands of the callback."""
    for name, number in numbers.items():
        if isinstance(number, jax.core.Tracer):
            raise TypeError(
                f"{name} must be a number that is known when the function is traced, got {number}: make it a static "
                f"argument of jit, and none that is mapped or differentiated by"
            )


def _options(numbers: tuple[Any, ...], arrays: tuple[Any, Any]) -> dict[str, Any]:
    """Return what is cut, penalised and allowed as the functions of the package take it. Arrays: masks and history."""
    allowed, history = (None if array is None else _host(array) for array in arrays)
    return {**dict(zip(_NUMBERS, numbers, strict=True)), "allowed": allowed, "history": history}


def _host(array: Any) -> _Array:
    return np.asarray(array)


def categorical(
    key: Any,
    logits: Any,
    axis: int = -1,
    shape: Sequence[int] | None = None,
    *,
    temperature: float = 1.0,
    method: Method = "gumbel",
    top_k: int | None = None,
    top_p: float | None = None,
    min_p: float | None = None,
    epsilon: float | None = None,
    cut_temperature: float | None = None,
    share: Share = "top-k",
    allowed: Any = None,
    repetition_penalty: float | None = None,
    frequency_penalty: float | None = None,
    presence_penalty: float | None = None,
    history: Any = None,
) -> jax.Array:
    """Draw from each row of logits, as :func:`jax.random.categorical` does.

    ``key``, ``logits``, ``axis`` and ``shape`` are as there. ``mode``, a choice of the noise, is not here, as there is
    but one, exact to the far tail; for ``replace=False`` there is :func:`gumbelmax.race`, outside of jit.

    >>> import jax
    >>> from gumbelmax.jax import categorical
    >>> keys, logits = jax.random.split(jax.random.key(1), 4), jax.numpy.zeros((4, 100))
    >>> together = jax.vmap(categorical)(keys, logits)
    >>> bool(together[2] == categorical(keys[2], logits[2]))
    True

    Args:
        key: of either kind.
        logits: an array of float16, bfloat16, float32 or float64; integers become float32.
        axis: the axis of the categories.
        shape: that of the result: it ends with the shape of the rows, or with one to which that is broadcast.
        temperature: divides the logits; 0 is greedy. As all numbers it must be known when the function is traced: a
            number, or a static argument of jit. (One that is traced divides the logits beforehand.)
        method: as in :func:`gumbelmax.sample`.
        top_k: as ``top_p``, ``min_p``, ``epsilon``, ``cut_temperature`` and ``share`` in :func:`gumbelmax.sample`, one
            number for all rows.
        allowed: as in :func:`gumbelmax.sample`; an array, which may be traced.
        repetition_penalty: as ``frequency_penalty`` and ``presence_penalty`` in :func:`gumbelmax.sample`, one number
            for all rows.
        history: integers whose last axis has the categories that each row had before, or all rows; -1 is none. It may
            be traced.

    Returns:
        int32, of the shape of ``logits`` without ``axis``, or of ``shape``.

    Raises:
        ValueError: the shape does not fit, or there are several keys. (An invalid row is an error of the callback, with
            the words of :func:`gumbelmax.sample`.)
        TypeError: a number is traced, or the key is none.
    """
    cuts = (top_k, top_p, min_p, epsilon, cut_temperature, share)
    numbers = (*cuts, repetition_penalty, frequency_penalty, presence_penalty)
    _check(temperature=temperature, **dict(zip(_NUMBERS, numbers, strict=True)))
    words, logits = _words(key), _last(logits, axis)
    rows = logits.shape[:-1]
    all_of = rows if shape is None else tuple(shape)
    samples, rows = all_of[: len(all_of) - len(rows)], all_of[len(all_of) - len(rows) :]
    if len(all_of) < logits.ndim - 1 or not _is_broadcast(logits.shape[:-1], rows):
        raise ValueError(
            f"shape {all_of} does not end with the shape of the rows, {logits.shape[:-1]}, or one it is broadcast to"
        )
    logits = jnp.broadcast_to(logits, (*rows, logits.shape[-1]))

    def draw(words: Any, logits: Any, arrays: Any) -> _Array:
        words, logits = _host(words), _host(logits)
        batch = words.ndim - 1
        drawn = _draws.sample(
            logits,
            **_rows(words, batch, rows),
            draws=math.prod(samples),
            temperature=temperature,
            method=method,
            **_options(numbers, arrays),
            dtype="int32",
        )
        drawn = np.moveaxis(drawn, -1, batch)
        return drawn.reshape(drawn.shape[:batch] + samples + rows)

    if math.prod(samples) == 0:
        return jnp.zeros(all_of, jnp.int32)
    result = jax.ShapeDtypeStruct(all_of, jnp.int32)
    arrays = (_masks(allowed, axis, rows), _histories(history, rows))
    drawn: jax.Array = jax.pure_callback(
        draw, result, words, logits, arrays, vmap_method="broadcast_all"
    )
    return drawn


_Soft: TypeAlias = tuple[float, bool, float, tuple[Any, ...]]  # tau, hard, temperature, numbers


@functools.partial(jax.custom_vjp, nondiff_argnums=(3,))
def _soft(words: Any, logits: Any, arrays: Any, options: _Soft) -> Any:
    rows, (tau, hard, temperature, numbers) = logits.shape[:-1], options

    def soften(words: Any, logits: Any, arrays: Any) -> _Array:
        words, logits = _host(words), _host(logits)
        samples = _softmax.gumbel_softmax(
            logits,
            tau,
            hard,
            temperature=temperature,
            **_rows(words, words.ndim - 1, rows),
            **_options(numbers, arrays),
        )
        return np.asarray(samples).astype(logits.dtype, copy=False)

    result = jax.ShapeDtypeStruct(logits.shape, logits.dtype)
    return jax.pure_callback(soften, result, words, logits, arrays, vmap_method="broadcast_all")


def _soft_forward(words: Any, logits: Any, arrays: Any, options: _Soft) -> Any:
    return _soft(words, logits, arrays, options), (words, logits, arrays)


def _soft_backward(options: _Soft, kept: Any, cotangents: Any) -> Any:
    words, logits, arrays = kept
    rows, (tau, hard, temperature, numbers) = logits.shape[:-1], options

    def pull(words: Any, logits: Any, arrays: Any, cotangents: Any) -> _Array:
        words, logits = _host(words), _host(logits)
        gradients = _softmax.gumbel_softmax_vjp(
            _host(cotangents).astype(np.float32),
            logits,
            tau,
            hard,
            temperature=temperature,
            **_rows(words, words.ndim - 1, rows),
            **_options(numbers, arrays),
        )
        return np.asarray(gradients).astype(logits.dtype, copy=False)

    result = jax.ShapeDtypeStruct(logits.shape, logits.dtype)
    pulled = jax.pure_callback(
        pull, result, words, logits, arrays, cotangents, vmap_method="broadcast_all"
    )
    return None, pulled, None


_soft.defvjp(_soft_forward, _soft_backward)


def gumbel_softmax(
    key: Any,
    logits: Any,
    tau: float = 1.0,
    hard: bool = False,
    axis: int = -1,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    min_p: float | None = None,
    epsilon: float | None = None,
    cut_temperature: float | None = None,
    share: Share = "top-k",
    allowed: Any = None,
    repetition_penalty: float | None = None,
    frequency_penalty: float | None = None,
    presence_penalty: float | None = None,
    history: Any = None,
) -> jax.Array:
    """Return soft samples, softmax((logits / T + gumbel noise) / tau), through which gradients go.

    >>> import jax
    >>> from gumbelmax.jax import gumbel_softmax
    >>> first = lambda logits: gumbel_softmax(jax.random.key(1), logits, 0.5)[0]
    >>> jax.jit(jax.grad(first))(jax.numpy.zeros(3)).shape
    (3,)

    Args:
        key: that of the draw of :func:`categorical` at which a sample has its largest number.
        logits: as there.
        tau: how soft. As all numbers it must be known when the function is traced.
        hard: return 1 at the draw and 0 elsewhere; the gradient is that of the soft sample.
        axis: the axis of the categories.
        temperature: divides the logits; above 0.
        top_k: like all other cuts, masks and penalties, as in :func:`categorical`.

    Returns:
        An array of the shape and type of ``logits`` (float32 for integers). It is computed in float32.

    Raises:
        TypeError: a number is traced.
    """
    cuts = (top_k, top_p, min_p, epsilon, cut_temperature, share)
    numbers = (*cuts, repetition_penalty, frequency_penalty, presence_penalty)
    _check(tau=tau, temperature=temperature, **dict(zip(_NUMBERS, numbers, strict=True)))
    words, logits = _words(key), _last(logits, axis)
    rows = logits.shape[:-1]
    arrays = (_masks(allowed, axis, rows), _histories(history, rows))
    samples = _soft(words, logits, arrays, (tau, hard, temperature, numbers))
    return jnp.moveaxis(samples, -1, axis)
