"""Draws, alone and with their log-probabilities, and races."""

from typing import Any

from numpy import ndarray

from gumbelmax import _lib
from gumbelmax._adjustment import adjustment
from gumbelmax._libraries import index_dtype, like
from gumbelmax._options import Invalid, LogProbsOf, Method, Seed, Share, restriction, seed_of
from gumbelmax._results import Race, Scored

NO_DRAW = -1
"""The draw of a row that has none, with ``invalid="mark"`` (4294967295 in results of uint32)."""


def sample(
    logits: Any,
    *,
    seed: Seed,
    step: Any = 0,
    temperature: Any = 1.0,
    row_ids: Any = None,
    first_row: int = 0,
    draws: int | None = None,
    axis: int = -1,
    method: Method = "gumbel",
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
    dtype: Any = None,
    device: str = "cpu",
) -> Any:
    """Draw from each row of logits.

    Category i is drawn with probability exp(logits[i] / T) / sum(exp(logits / T)), T the temperature, exactly to the
    far tail: a category of probability 1e-15 is drawn with probability 1e-15, and -inf never.

    Two calls with the same arguments give the same draws: in a loop, change ``step`` (or see :class:`Generator`).

    >>> import numpy as np
    >>> from gumbelmax import sample
    >>> logits = np.log([[0.5, 0.5, 0.0], [0.0, 0.0, 1.0]], out=np.full((2, 3), -np.inf), where=[[1, 1, 0], [0, 0, 1]])
    >>> draws = sample(logits, seed=7, draws=1000)
    >>> draws.shape
    (2, 1000)
    >>> bool((draws[0] < 2).all()), bool((draws[1] == 2).all())
    (True, True)

    A row draws the same alone as in a batch, if its id is the same:

    >>> alone = sample(logits[1], seed=7, draws=1000, first_row=1)
    >>> bool((alone == draws[1]).all())
    True

    Args:
        logits: an array of one dimension or more, of float16, bfloat16, float32, float64 or integers, or a list.
            float64 is told apart however far from 0 (1e7 and 1e7 + 0.5).
        seed: 0 to 2**64 - 1, or one for each row; or a ``numpy.random.Generator`` or ``SeedSequence``, from which one
            is taken. Draws under different seeds are independent.
        step: the number of the first draw, 0 to 2**31 - 1, or one for each row.
        temperature: divides the logits; 0 (greedy: the largest logit, the lowest index on ties) or from 2**-100 to
            2**100. May be given for each row.
        row_ids: an id from 0 to 2**64 - 1 for each row, in place of numbers. Rows with one id have the same noise.
        first_row: the number of the first row.
        draws: the number of draws from each row. They get an axis of their own, the last. None is one draw, without.
        axis: the axis of the categories.
        method: "gumbel" reads the row for each draw. "inverse-cdf" adds the row up once, and draws by a search: for
            many draws, but categories of less than 2**-54 of the probability of the most probable one (of 1,000; 2**-44
            of 10**6) are never drawn. "auto" is "inverse-cdf" for 16 draws or more. The two draw differently.
        top_k: keep the ``top_k`` most probable categories, and those that are as probable as the last of them. All cuts
            may be given together; with and without them the same seed draws the same category, unless that is cut.
        top_p: keep the most probable categories until they have this share of the probability; above 0, and 1 is no
            cut.
        min_p: keep categories of at least this share of the largest probability; 0 to 1.
        epsilon: keep categories of at least this probability, and the most probable; 0 to 1.
        cut_temperature: the temperature at which probabilities are compared, by default that of the draw: 1 to cut
            first and divide by the temperature afterwards.
        share: what ``top_p`` is a share of: of what ``top_k`` keeps ("top-k"), of "all", or of what all other cuts keep
            ("rest").
        allowed: which categories may be drawn: booleans, of the shape of ``logits`` or of one dimension for all rows;
            or masks of bits, which take less time: uint32 or int32, bit i % 32 of word i // 32 of the last axis for
            category i, a mask for each row or one for all. What is not allowed has probability 0, NaN included.
        bias: what is added to logits before anything else: a dict from categories to numbers, for all rows, or a list
            of one for each row. -inf bans a category.
        repetition_penalty: what positive logits of categories in ``history`` are divided by, and others multiplied
            by; above 0. Penalties come after the bias, and before temperature and cuts.
        frequency_penalty: what is subtracted for each time that a category is in ``history``.
        presence_penalty: what is subtracted once from the categories in ``history``.
        history: the categories that each row had before: an array of integers whose last axis has them, for each row or
            for all (-1 is none); a list with one list for each row; or dicts from categories to counts. A count of 0 is
            of a prompt: the repetition penalty alone concerns it.
        invalid: a row with a NaN, a +inf or nothing but -inf has no draw. "raise" raises, and names the row; "mark"
            gives -1 as its draw.
        dtype: of the result, "int64", "int32" or "uint32"; by default int64, and int32 for JAX.
        device: "cpu"; "gpu"; "auto", a GPU for large calls if there is one; or (part of) an adapter's name. The draws
            are the same. What is not "cpu" loads the machine's drivers into the process, and rows are carried there.
            (Mesa's drivers do not get along with Triton or TensorFlow in one process.)

    ``seed``, ``step``, ``temperature``, the cuts and the penalties may be given for each row, as an array that is
    broadcast to the shape of the rows. Lists of one for each row are in C order.

    Returns:
        Indices of categories: an array of the shape of ``logits`` without ``axis``, and with an axis of the draws, in
        the library of ``logits``.

    Raises:
        ValueError: an argument or a row is invalid; the words name the row.
        TypeError: the type of an argument is.
        MemoryError: there is no memory for the result, or for a copy.
        RuntimeError: a GPU failed.
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
        method,
        invalid,
        device,
        restrict,
        adjust,
    )
    if type(logits) is ndarray:
        name = "int64" if dtype is None else index_dtype(dtype, logits)
        drawn = _lib.sample(logits, axis, False, call, name)
        return drawn if drawn.ndim else drawn[()]
    drawn = _lib.sample(logits, axis, False, call, index_dtype(dtype, logits))
    return like(logits, drawn)


def sample_weights(
    weights: Any,
    *,
    seed: Seed,
    step: Any = 0,
    temperature: Any = 1.0,
    row_ids: Any = None,
    first_row: int = 0,
    draws: int | None = None,
    axis: int = -1,
    method: Method = "gumbel",
    top_k: Any = None,
    top_p: Any = None,
    min_p: Any = None,
    epsilon: Any = None,
    cut_temperature: Any = None,
    share: Share = "top-k",
    allowed: Any = None,
    invalid: Invalid = "raise",
    dtype: Any = None,
    device: str = "cpu",
) -> Any:
    """Draw from each row of weights: unnormalised probabilities, or counts.

    Category i is drawn with probability weights[i] ** (1 / T) / sum(weights ** (1 / T)). No logarithm is taken, and
    nothing is normalised. Weights are 0 or positive, and finite; integers are counts up to 2**32 - 1.

    >>> from gumbelmax import sample_weights
    >>> draws = sample_weights([3, 0, 1], seed=1, draws=10_000)
    >>> bool(abs((draws == 0).mean() - 0.75) < 0.02), int((draws == 1).sum())
    (True, 0)

    Arguments, result and errors are those of :func:`sample`, but for a ``temperature`` that is 0 or from 2**-20 on.
    Bias and penalties are of logits.
    """
    restrict = restriction(top_k, top_p, min_p, epsilon, cut_temperature, share, allowed, axis)
    seed = seed_of(seed)
    call = (
        seed,
        step,
        temperature,
        first_row,
        row_ids,
        draws,
        method,
        invalid,
        device,
        restrict,
        None,
    )
    drawn = _lib.sample(weights, axis, True, call, index_dtype(dtype, weights))
    return like(weights, drawn)


def sample_scored(
    logits: Any,
    *,
    seed: Seed,
    step: Any = 0,
    temperature: Any = 1.0,
    row_ids: Any = None,
    first_row: int = 0,
    draws: int | None = None,
    axis: int = -1,
    method: Method = "gumbel",
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
    log_probs_of: LogProbsOf = "kept",
    weights: bool = False,
    dtype: Any = None,
    device: str = "cpu",
) -> Scored:
    """Draw from each row, and return the draws with their log-probabilities.

    The draws are those of :func:`sample`. A log-probability is within 5e-6 on the CPU and 2e-5 on a GPU, whatever
    constant is added to the logits; of an invalid row that is marked it is NaN.

    >>> import numpy as np
    >>> from gumbelmax import sample_scored
    >>> scored = sample_scored(np.zeros((2, 4)), seed=1)
    >>> np.allclose(scored.log_probs, np.log(1 / 4), atol=1e-5)
    True

    Of three categories with 4/8, 3/8 and 1/8, two are kept:

    >>> options = {"seed": 3, "top_k": 2, "weights": True}  # draws the first
    >>> kept, allowed = (
    ...     sample_scored([4, 3, 1], **options, log_probs_of=of) for of in ("kept", "allowed")
    ... )
    >>> np.exp([kept.log_probs, allowed.log_probs]).round(4), kept.draws == allowed.draws
    (array([0.5714, 0.5   ]), np.True_)

    Args:
        logits: as in :func:`sample`.
        log_probs_of: what probabilities and normalisers are among, where cuts take categories away: what is "kept",
            the distribution that is drawn from, or all that is "allowed", as if nothing were cut. Mask, bias, penalties
            and temperature count in both, and the draws are the same.
        weights: the numbers are weights or counts, as in :func:`sample_weights`.

    The other arguments and the errors are those of :func:`sample`; a temperature of 0, at which there are no
    probabilities, is one of them.
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
        method,
        invalid,
        device,
        restrict,
        adjust,
    )
    name = index_dtype(dtype, logits)
    found = _lib.sample_scored(logits, axis, weights, call, name, log_probs_of)
    return Scored(*(like(logits, result) for result in found))


def race(
    logits: Any,
    k: int,
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
    weights: bool = False,
    dtype: Any = None,
    device: str = "cpu",
) -> Race:
    """Run the race of each draw: the first k categories, which are k draws without replacement, and their times.

    Category i is an alarm that rings after an exponential time of rate exp(logits[i]), or of its weight. The first to
    ring is the draw of :func:`sample`. The next are draws from the categories that are left (Gumbel top-k).

    >>> from gumbelmax import race
    >>> rates = [1.0, 2.0, 5.0]
    >>> first = race(rates, 3, seed=1, draws=10_000, weights=True)
    >>> first.categories.shape
    (10000, 3)
    >>> bool(abs(first.times[:, 0].mean() - 1 / 8) < 0.005)  # the first of all rings at the rate of 1 + 2 + 5
    True

    Args:
        logits: as in :func:`sample`.
        k: how many categories of each race, 1 or more.
        weights: the numbers are weights or counts, as in :func:`sample_weights`.

    The other arguments and the errors are those of :func:`sample`; a temperature of 0, at which there is no race, is
    one of them.

    Returns:
        Arrays of the shape of the rows, of the draws, and of k.
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
    found = _lib.race(logits, axis, weights, call, index_dtype(dtype, logits), k)
    return Race(*(like(logits, result) for result in found))
