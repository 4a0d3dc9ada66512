"""Results of more than one array."""

from typing import Any, NamedTuple


class Scored(NamedTuple):
    """Draws with their log-probabilities."""

    draws: Any
    """Indices of categories: the rows' shape, and an axis of the draws if there is one."""
    log_probs: Any
    """The natural logarithm of the probability of each draw, float64, of the shape of the draws."""
    logsumexp: Any
    """The logarithm of each row's normaliser, float64, of the rows' shape: of what the log-probabilities are among."""


class Race(NamedTuple):
    """The first categories of each race, which are draws without replacement."""

    categories: Any
    """Indices of categories in the order in which they rang; the last axis has k of them. -1 where a row has fewer
    categories that can be drawn."""
    times: Any
    """When each rang, float64: exponential with the rate exp(logit) or the weight. +inf where there is no category."""
    perturbed_logits: Any
    """Logit plus Gumbel noise, float64: minus the logarithm of the time. -inf where there is no category."""


class LogZ(NamedTuple):
    """An estimate of each row's log Z."""

    estimate: Any
    """float64, of the rows' shape."""
    standard_error: Any
    """float64, of the rows' shape."""


class Cuts(NamedTuple):
    """Where rows are cut."""

    threshold: Any
    """The least logit or weight that is kept, float64, of the rows' shape. Kept are the categories that are allowed and
    whose value is at least this. NaN for a row without a draw."""
    kept: Any
    """The number of categories that are kept, int64; 0 for a row without a draw."""
    share: Any
    """The share that the kept categories have of the probability of all that are allowed, float64."""
