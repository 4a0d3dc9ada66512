"""Draws for PyTorch: functions on tensors that torch.compile takes, a distribution, and Gumbel-softmax with gradients.

>>> import torch
>>> import gumbelmax.torch
>>> logits = torch.zeros(2, 5, requires_grad=True)
>>> gumbelmax.torch.sample(logits, seed=1).shape
torch.Size([2])
>>> soft = gumbelmax.torch.gumbel_softmax(logits, tau=0.5, seed=1)
>>> soft[0, 0].backward()
>>> logits.grad.shape
torch.Size([2, 5])

The functions are pure: nothing but their arguments decides what they return, and PyTorch's own generators have no part.
All are for tensors in the CPU's memory, of float16, bfloat16, float32 or float64; :func:`sample` takes integers too.
Gradients are of first order.
"""

from typing import Any

import torch
from torch import Tensor

from gumbelmax._options import Invalid, Method, Share
from gumbelmax._torch_ops import rows_of, sample_op, signed, softmax_op, tensors_of

__all__ = ["Categorical", "gumbel_softmax", "sample"]


def _check(tensor: Tensor) -> None:
    if not isinstance(tensor, Tensor):
        raise TypeError(f"logits must be a tensor, got {type(tensor).__name__}")
    if tensor.device.type not in ("cpu", "meta"):
        raise ValueError(
            f"logits: expected a tensor in the CPU's memory, got one on {tensor.device}; copy it first, with .cpu()"
        )


def sample(
    logits: Tensor,
    *,
    seed: int | Tensor,
    step: int | Tensor = 0,
    temperature: float | Tensor = 1.0,
    row_ids: Tensor | None = None,
    first_row: int = 0,
    draws: int | None = None,
    axis: int = -1,
    method: Method = "gumbel",
    top_k: int | Tensor | None = None,
    top_p: float | Tensor | None = None,
    min_p: float | Tensor | None = None,
    epsilon: float | Tensor | None = None,
    cut_temperature: float | Tensor | None = None,
    share: Share = "top-k",
    allowed: Tensor | None = None,
    repetition_penalty: float | Tensor | None = None,
    frequency_penalty: float | Tensor | None = None,
    presence_penalty: float | Tensor | None = None,
    history: Tensor | None = None,
    invalid: Invalid = "raise",
    weights: bool = False,
) -> Tensor:
    """Draw from each row of a tensor, as :func:`gumbelmax.sample` does, whose arguments and errors these are.

    >>> import torch
    >>> from gumbelmax.torch import sample
    >>> rows = torch.tensor([[0.0, -torch.inf], [-torch.inf, 0.0]])
    >>> torch.compile(sample, backend="eager")(rows, seed=1)
    tensor([0, 1])

    Args:
        logits: a tensor of one dimension or more.
        weights: the numbers are weights or counts.
        history: integers whose last axis has the categories that each row had before, or all rows; -1 is none. (A bias
            for each category is added to the logits as it is.)

    Numbers that change from call to call are tensors under ``torch.compile``: it compiles anew for another ``float``.
    There is no ``bias`` here, no ``dtype`` and no ``device``.

    Returns:
        int64, of the shape of ``logits`` without ``axis``, and with an axis of the draws, the last.
    """
    _check(logits)
    one_seed, seeds = (0, seed) if isinstance(seed, Tensor) else (signed(seed, "seed"), None)
    one_step, steps = (0, step) if isinstance(step, Tensor) else (step, None)
    own = temperature if isinstance(temperature, Tensor) else None
    one_temperature = 1.0 if isinstance(temperature, Tensor) else float(temperature)
    first = signed(first_row, "first_row")
    rows = (first, row_ids)
    numbers = (one_seed, seeds, one_step, steps, one_temperature, own, *rows)
    cuts = (top_k, top_p, min_p, epsilon, cut_temperature)
    penalties = (repetition_penalty, frequency_penalty, presence_penalty, history)
    if weights and any(penalty is not None for penalty in penalties):
        raise ValueError("penalties and history are for logits, and these numbers are weights")
    options = tensors_of(*cuts, *penalties, allowed)
    return sample_op(logits, weights, *numbers, draws, axis, method, invalid, options, share)


def gumbel_softmax(
    logits: Tensor,
    tau: float | Tensor = 1.0,
    hard: bool = False,
    *,
    seed: int | Tensor,
    step: int | Tensor = 0,
    temperature: float | Tensor = 1.0,
    row_ids: Tensor | None = None,
    first_row: int = 0,
    dim: int = -1,
    top_k: int | Tensor | None = None,
    top_p: float | Tensor | None = None,
    min_p: float | Tensor | None = None,
    epsilon: float | Tensor | None = None,
    cut_temperature: float | Tensor | None = None,
    share: Share = "top-k",
    allowed: Tensor | None = None,
    repetition_penalty: float | Tensor | None = None,
    frequency_penalty: float | Tensor | None = None,
    presence_penalty: float | Tensor | None = None,
    history: Tensor | None = None,
) -> Tensor:
    """Return soft samples, as :func:`torch.nn.functional.gumbel_softmax` does, whose noise the arguments decide.

    The largest number of a sample is at the draw of :func:`sample` with the same arguments. With ``hard`` a sample is 1
    there and 0 elsewhere, and the gradient is that of the soft sample.

    >>> import torch
    >>> from gumbelmax.torch import gumbel_softmax
    >>> gumbel_softmax(torch.zeros(3), hard=True, seed=1).sum()
    tensor(1.)

    The gradient is by ``logits``, and by nothing else. In training, change ``step`` from one step to the next.

    Args:
        logits: a tensor of one dimension or more.
        tau: how soft; 2**-100 to 2**100; one number. A tensor without axes where it changes from call to call under
            ``torch.compile``, which compiles anew for another ``float``. (So it does for a ``temperature``, a cut and
            a penalty.)
        hard: straight-through samples.
        seed: as ``step``, ``temperature``, ``row_ids`` and ``first_row`` in :func:`gumbelmax.sample`: tensors if each
            row has its own.
        dim: the axis of the categories.
        top_k: as all other cuts, ``allowed``, the penalties and ``history``, as in :func:`sample`.

    Several ``draws`` of a row, a ``bias``, ``invalid="mark"`` and a ``device`` are options of
    :func:`gumbelmax.gumbel_softmax` and not of this one: expand the logits, add the bias to them, and mask.

    Returns:
        A tensor of the shape and type of ``logits``. It is computed in float32.

    Raises:
        ValueError: an argument or a row is invalid, as in :func:`gumbelmax.sample`; or ``tau`` or ``temperature`` asks
            for a gradient.
        TypeError: ``logits`` are no tensor, or integers.
    """
    _check(logits)
    if not logits.is_floating_point():
        raise TypeError(f"logits must be floats, as the samples are, got {logits.dtype}")
    rows_of(logits, dim)
    softness = (_number(tau, "tau"), _number(temperature, "temperature"))
    one_seed, seeds = (0, seed) if isinstance(seed, Tensor) else (signed(seed, "seed"), None)
    one_step, steps = (0, step) if isinstance(step, Tensor) else (step, None)
    numbers = (one_seed, seeds, one_step, steps, softness[1], signed(first_row, "first_row"))
    cuts = (top_k, top_p, min_p, epsilon, cut_temperature)
    penalties = (repetition_penalty, frequency_penalty, presence_penalty, history)
    options = tensors_of(*cuts, *penalties, allowed)
    return softmax_op(logits, softness[0], hard, *numbers, row_ids, dim, options, share)


def _number(given: float | Tensor, name: str) -> Tensor:
    """Return a number, or one for each row, as a tensor."""
    if not isinstance(given, Tensor):
        return torch.tensor(float(given), dtype=torch.float64)
    if given.requires_grad:
        raise ValueError(f"{name} has no gradient here: give {name}.detach()")
    if name == "tau" and given.ndim:
        raise ValueError(f"tau must be one number, got a tensor of shape {tuple(given.shape)}")
    return given


class Categorical(torch.distributions.Categorical):
    """A :class:`torch.distributions.Categorical` whose samples a seed decides, the same on every machine.

    >>> import torch
    >>> from gumbelmax.torch import Categorical
    >>> coin = Categorical(logits=torch.zeros(2), seed=1)
    >>> draws = coin.sample((1000,))
    >>> draws.shape, coin.step
    (torch.Size([1000]), 1000)
    >>> coin.log_prob(draws[0])
    tensor(-0.6931)

    Each call of ``sample`` takes the next numbers of the seed: ``step`` tells where it is, and may be set. Rows are
    numbered in the order of the batch. All else is the base class's.

    Args:
        probs: weights, 0 or positive, which need not add up to 1.
        logits: or logits.
        seed: an integer.
        step: the number of the first draw.
        first_row: the number of the first row.
        validate_args: as in the base class.
    """

    def __init__(
        self,
        probs: Tensor | None = None,
        logits: Tensor | None = None,
        *,
        seed: int,
        step: int = 0,
        first_row: int = 0,
        validate_args: bool | None = None,
    ) -> None:
        """Take weights or logits."""
        super().__init__(probs, logits, validate_args)
        # the base class normalises, in floats that differ from machine to machine
        self._given: Tensor = probs if logits is None else logits  # type: ignore[assignment]
        self._weights = logits is None
        self.seed, self.step, self._first_row = seed, step, first_row

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Draw: a tensor of ``sample_shape`` and of the batch's shape."""
        shape = torch.Size(sample_shape)
        draws = shape.numel()
        if draws == 0:
            return self._given.new_empty(shape + self.batch_shape, dtype=torch.int64)
        drawn = sample(
            self._given.detach(),
            seed=self.seed,
            step=self.step,
            first_row=self._first_row,
            draws=draws,
            weights=self._weights,
        )
        self.step += draws
        return drawn.movedim(-1, 0).reshape(shape + self.batch_shape)

    def expand(self, batch_shape: Any, _instance: Any = None) -> "Categorical":
        """Return a distribution of a larger batch, whose rows have noise of their own."""
        shape = torch.Size(batch_shape) + self._given.shape[-1:]
        given = {"probs" if self._weights else "logits": self._given.expand(shape)}
        numbers = {"seed": self.seed, "step": self.step, "first_row": self._first_row}
        return Categorical(**given, **numbers, validate_args=False)  # type: ignore[arg-type]
