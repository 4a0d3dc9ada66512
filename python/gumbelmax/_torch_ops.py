"""The operators of :mod:`gumbelmax.torch`, in types that operators have: no unions, and no 64 bits without a sign."""

# the Sequence of which torch.library makes lists in all releases from 2.4 on
from typing import Any, NamedTuple, Sequence  # noqa: UP035

import torch
from torch import Tensor

from gumbelmax import _draws, _softmax

_SIGNED = 2**63


def signed(number: int, name: str) -> int:
    """Return 64 bits as PyTorch's integers have them."""
    if not 0 <= number < 2 * _SIGNED:
        raise ValueError(f"{name} must be an integer from 0 to {2 * _SIGNED - 1}, got {number}")
    return number - 2 * _SIGNED if number >= _SIGNED else number


def _unsigned(number: int) -> int:
    return int(number) % (2 * _SIGNED)


def rows_of(logits: Tensor, axis: int) -> list[int]:
    """Return the shape of the rows."""
    shape = list(logits.shape)
    if not -len(shape) <= axis < len(shape):
        raise ValueError(f"axis {axis} is out of range for logits of {len(shape)} dimensions")
    del shape[axis]
    return shape


_CUTS = ("top_k", "top_p", "min_p", "epsilon", "cut_temperature")
_PENALTIES = ("repetition_penalty", "frequency_penalty", "presence_penalty", "history")
_OPTIONS = (*_CUTS, *_PENALTIES, "allowed")
"""What is cut, penalised and allowed, in the order in which the operators take it: a tensor or None for each."""


def tensors_of(*options: float | Tensor | None) -> list[Tensor | None]:
    """Return options as the operators take them: one number is a tensor without axes."""
    dtypes = {"top_k": torch.int64, "history": torch.int64, "allowed": torch.bool}

    def tensor(option: float | Tensor | None, name: str) -> Tensor | None:
        if option is None or isinstance(option, Tensor):
            return option
        return torch.tensor(option, dtype=dtypes.get(name, torch.float64))

    given = [tensor(option, name) for option, name in zip(options, _OPTIONS, strict=True)]
    # autograd takes a list of nothing but tensors for as many arguments, and would ask for the gradient of each
    return [*given, None]


def _options(tensors: Sequence[Tensor | None], share: str) -> dict[str, Any]:
    """Return options as the functions of the package take them."""
    given = {
        name: tensor.item() if tensor is not None and tensor.ndim == 0 else tensor
        for name, tensor in zip(_OPTIONS, tensors[:-1], strict=True)
    }
    return {**given, "share": share}


@torch.library.custom_op("gumbelmax::sample", mutates_args=(), device_types="cpu")
def sample_op(
    logits: Tensor,
    weights: bool,
    seed: int,
    seeds: Tensor | None,
    step: int,
    steps: Tensor | None,
    temperature: float,
    temperatures: Tensor | None,
    first_row: int,
    row_ids: Tensor | None,
    draws: int | None,
    axis: int,
    method: str,
    invalid: str,
    options: Sequence[Tensor | None],
    share: str,
) -> Tensor:
    given = _options(options, share)
    if weights:
        # weights have no penalties
        given = {name: option for name, option in given.items() if name not in _PENALTIES}
    function = _draws.sample_weights if weights else _draws.sample
    drawn = function(
        logits,
        seed=_unsigned(seed) if seeds is None else seeds,
        step=step if steps is None else steps,
        temperature=temperature if temperatures is None else temperatures,
        first_row=_unsigned(first_row),
        row_ids=row_ids,
        draws=draws,
        axis=axis,
        method=method,  # type: ignore[arg-type]
        invalid=invalid,  # type: ignore[arg-type]
        **given,
    )
    return drawn


@sample_op.register_fake
def _(
    logits: Tensor,
    weights: bool,
    seed: int,
    seeds: Tensor | None,
    step: int,
    steps: Tensor | None,
    temperature: float,
    temperatures: Tensor | None,
    first_row: int,
    row_ids: Tensor | None,
    draws: int | None,
    axis: int,
    method: str,
    invalid: str,
    options: Sequence[Tensor | None],
    share: str,
) -> Tensor:
    shape = rows_of(logits, axis) + ([] if draws is None else [draws])
    return logits.new_empty(shape, dtype=torch.int64)


@torch.library.custom_op("gumbelmax::gumbel_softmax", mutates_args=(), device_types="cpu")
def softmax_op(
    logits: Tensor,
    tau: Tensor,
    hard: bool,
    seed: int,
    seeds: Tensor | None,
    step: int,
    steps: Tensor | None,
    temperature: Tensor,
    first_row: int,
    row_ids: Tensor | None,
    axis: int,
    options: Sequence[Tensor | None],
    share: str,
) -> Tensor:
    samples: Tensor = _softmax.gumbel_softmax(
        logits,
        tau.item(),
        hard,
        **_numbers(seed, seeds, step, steps, temperature, first_row, row_ids),
        **_options(options, share),
        axis=axis,
    )
    return samples.to(logits.dtype).contiguous()


@torch.library.custom_op("gumbelmax::gumbel_softmax_vjp", mutates_args=(), device_types="cpu")
def vjp_op(
    cotangents: Tensor,
    logits: Tensor,
    tau: Tensor,
    hard: bool,
    seed: int,
    seeds: Tensor | None,
    step: int,
    steps: Tensor | None,
    temperature: Tensor,
    first_row: int,
    row_ids: Tensor | None,
    axis: int,
    options: Sequence[Tensor | None],
    share: str,
) -> Tensor:
    # by float32, which NumPy has, unlike bfloat16
    gradients: Tensor = _softmax.gumbel_softmax_vjp(
        cotangents.float(),
        logits,
        tau.item(),
        hard,
        **_numbers(seed, seeds, step, steps, temperature, first_row, row_ids),
        **_options(options, share),
        axis=axis,
    )
    return gradients.to(logits.dtype).contiguous()


def _numbers(
    seed: int,
    seeds: Tensor | None,
    step: int,
    steps: Tensor | None,
    temperature: Tensor,
    first_row: int,
    row_ids: Tensor | None,
) -> dict[str, Any]:
    return {
        "seed": _unsigned(seed) if seeds is None else seeds,
        "step": step if steps is None else steps,
        "temperature": temperature if temperature.ndim else temperature.item(),
        "first_row": _unsigned(first_row),
        "row_ids": row_ids,
    }


@softmax_op.register_fake
def _(logits: Tensor, *_: Any) -> Tensor:
    return logits.new_empty(logits.shape)


@vjp_op.register_fake
def _(cotangents: Tensor, logits: Tensor, *_: Any) -> Tensor:
    return logits.new_empty(logits.shape)


def _keep(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    # tensors, those of lists too, are to be saved, so that a change of them is noticed; all else is kept as it is
    saved: list[Tensor] = []

    def kept(given: Any) -> Any:
        if isinstance(given, list | tuple):
            return [kept(one) for one in given]
        if not isinstance(given, Tensor):
            return given
        saved.append(given)
        return _Saved(len(saved) - 1)

    ctx.inputs = [kept(given) for given in inputs]
    ctx.save_for_backward(*saved)


class _Saved(NamedTuple):
    """The place of a tensor among those that are saved for the backward pass."""

    number: int


def _backward(ctx: Any, cotangents: Tensor) -> tuple[Tensor | None, ...]:
    saved = ctx.saved_tensors

    def given(kept: Any) -> Any:
        if isinstance(kept, _Saved):
            return saved[kept.number]
        return [given(one) for one in kept] if isinstance(kept, list) else kept

    inputs = given(ctx.inputs)
    return (vjp_op(cotangents, *inputs), *(None for _ in inputs[1:]))


softmax_op.register_autograd(_backward, setup_context=_keep)
