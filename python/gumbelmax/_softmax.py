"""Gumbel-softmax samples, and gradients through them."""

from typing import Any

import numpy as np

from gumbelmax import _lib
from gumbelmax._adjustment import adjustment
from gumbelmax._libraries import like
from gumbelmax._options import Invalid, Seed, Share, restriction, seed_of


def gumbel_softmax(
    logits: Any,
    tau: float = 1.0,
    hard: bool = False,
    *,
    seed: Seed,
    step: Any = 0,
    temperature: Any = 1.0,
    row_ids: Any = None,
    first_row: int = 0,
    draws: int | None = None,
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
    device: str = "cpu",
) -> Any:
    """Return soft samples of draws: softmax((logits / T + gumbel noise) / tau).

    The noise is that of the draw which :func:`gumbelmax.sample` makes with the same arguments, and the drawn category
    has the largest number of its sample.

    >>> import numpy as np
    >>> from gumbelmax import gumbel_softmax, sample
    >>> logits = np.zeros((3, 5), np.float32)
    >>> soft = gumbel_softmax(logits, 0.5, seed=1)
    >>> np.allclose(soft.sum(-1), 1), bool((soft.argmax(-1) == sample(logits, seed=1)).all())
    (True, True)

    Args:
        logits: as in :func:`gumbelmax.sample`.
        tau: how soft: towards 0 a sample becomes 1 at the draw and 0 elsewhere. 2**-100 to 2**100.
        hard: return 1 at the draw and 0 elsewhere (straight-through: only the gradient is soft).

    The other arguments and the errors are those of :func:`gumbelmax.sample`; the temperature is above 0.

    Returns:
        float32, of the shape of ``logits``; with ``draws`` of the shape of the rows, of the draws, and of the
        categories.
    """
    restrict = restriction(top_k, top_p, min_p, epsilon, cut_temperature, share, allowed, axis)
    adjust = adjustment(bias, repetition_penalty, frequency_penalty, presence_penalty, history)
    seed = seed_of(seed)
    call = (
        seed,
        step,
        temperature,
        first_row,
        row_ids,
        draws,
        "gumbel",
        invalid,
        device,
        restrict,
        adjust,
    )
    samples = _lib.gumbel_softmax(logits, axis, call, tau, hard)
    if draws is None and axis != -1:
        samples = np.moveaxis(samples, -1, axis)
    return like(logits, samples)


def gumbel_softmax_vjp(
    cotangents: Any,
    logits: Any,
    tau: float = 1.0,
    hard: bool = False,
    *,
    seed: Seed,
    step: Any = 0,
    temperature: Any = 1.0,
    row_ids: Any = None,
    first_row: int = 0,
    draws: int | None = None,
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
    device: str = "cpu",
) -> Any:
    """Return the derivatives of a loss by the logits, given those by the samples of :func:`gumbel_softmax`.

    With ``hard`` they are those of the soft samples.

    >>> import numpy as np
    >>> from gumbelmax import gumbel_softmax_vjp
    >>> gumbel_softmax_vjp(np.ones(3), np.zeros(3), seed=1)  # samples add up to 1, whatever the logits
    array([0., 0., 0.], dtype=float32)

    Args:
        cotangents: the derivatives by the samples, of their shape.
        logits: those of the samples, as all other arguments.

    Returns:
        float32, of the shape of ``logits``: summed over the draws of a row.
    """
    restrict = restriction(top_k, top_p, min_p, epsilon, cut_temperature, share, allowed, axis)
    adjust = adjustment(bias, repetition_penalty, frequency_penalty, presence_penalty, history)
    seed = seed_of(seed)
    call = (
        seed,
        step,
        temperature,
        first_row,
        row_ids,
        draws,
        "gumbel",
        invalid,
        device,
        restrict,
        adjust,
    )
    gradients = _lib.gumbel_softmax_vjp(logits, axis, call, tau, hard, cotangents)
    if axis != -1:
        gradients = np.moveaxis(gradients, -1, axis)
    return like(logits, gradients)
