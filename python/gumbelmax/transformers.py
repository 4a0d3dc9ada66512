"""Decoding with HF transformers: tokens that seeds decide, the same for a request alone and in any batch.

    tokens = model.generate(
        **inputs,
        do_sample=False,
        logits_processor=[GumbelSampler(seed=[17, 99], temperature=0.8, top_p=0.95)],
    )

Logits are copied to the CPU's memory if they are elsewhere, and drawn from there.
"""

from typing import Any

import torch
from torch import Tensor
from transformers import LogitsProcessor

from gumbelmax import _draws
from gumbelmax._options import Share

__all__ = ["GumbelSampler"]


class GumbelSampler(LogitsProcessor):
    """Leaves of each row of scores the drawn token alone, which ``generate(do_sample=False)`` then takes.

    >>> import torch
    >>> from gumbelmax.transformers import GumbelSampler
    >>> sampler = GumbelSampler(seed=[17, 99], top_k=5)
    >>> scores = torch.zeros(2, 100)
    >>> sampler(None, scores).isfinite().sum(-1), sampler.step
    (tensor([1, 1]), 1)

    A request's tokens depend on its logits, its seed and its row id. So with ``row_ids=0`` and a seed for each request,
    or with one seed and an id for each, they do not depend on the requests beside it, nor on their order. (The logits
    may: a model computes them in floats, which a larger batch may round otherwise.)

    Each call takes the next draw number: ``step`` tells where it is, and may be set. Put it last in the list: those
    before it (penalties, bans) change what is drawn from. A ``temperature`` or ``top_p`` of ``generate`` does nothing
    with ``do_sample=False``. Beams have no meaning here.

    Args:
        seed: an integer, or one for each row.
        step: the number of the first draw; 0 at the first token.
        row_ids: an id for each row, or one for all; None numbers the rows from 0 on.
        allowed: a function of ``input_ids`` and the scores that returns what may be drawn next, as grammar engines give
            it: masks of bits or booleans. Or None.
        temperature: as all others, for all rows or for each, as in :func:`gumbelmax.sample`, whose errors these are.
    """

    supports_continuous_batching = False

    def __init__(
        self,
        *,
        seed: Any,
        step: int = 0,
        row_ids: Any = None,
        allowed: Any = None,
        temperature: Any = 1.0,
        top_k: Any = None,
        top_p: Any = None,
        min_p: Any = None,
        epsilon: Any = None,
        cut_temperature: Any = None,
        share: Share = "top-k",
    ) -> None:
        """Keep the options of all draws."""
        self.step = step
        self._allowed = allowed
        self._options = {
            "seed": seed,
            "row_ids": row_ids,
            "temperature": temperature,
            "top_k": top_k,
            "top_p": top_p,
            "min_p": min_p,
            "epsilon": epsilon,
            "cut_temperature": cut_temperature,
            "share": share,
        }

    def __call__(self, input_ids: Any, scores: Tensor) -> Tensor:
        """Return scores of -inf, but 0 for the token of each row that is drawn."""
        allowed = None if self._allowed is None else self._allowed(input_ids, scores)
        drawn = _draws.sample(scores.cpu(), step=self.step, allowed=allowed, **self._options)
        self.step += 1
        left = torch.full_like(scores, -torch.inf)
        return left.scatter_(-1, drawn.to(scores.device)[..., None], 0.0)
