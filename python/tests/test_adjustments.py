"""Bias and penalties: every function is that of the adjusted rows, which a few lines of NumPy make."""

import collections

import numpy as np
import pytest

import gumbelmax
from gumbelmax import sample

ROWS, CATEGORIES = 7, 40
NONE = {"repetition_penalty": 1.0, "frequency_penalty": 0.0, "presence_penalty": 0.0}


@pytest.fixture
def logits(rng):
    return rng.normal(0, 1, (ROWS, CATEGORIES)).astype("float32")


@pytest.fixture
def given(rng):
    """A bias, a history and penalties for each row."""
    tokens = [rng.integers(0, CATEGORIES, rng.integers(0, 60)) // 2 for _ in range(ROWS)]
    prompts = [rng.integers(0, CATEGORIES, 5) for _ in range(ROWS)]
    history = [
        {**dict.fromkeys(prompt.tolist(), 0), **collections.Counter(drawn.tolist())}
        for prompt, drawn in zip(prompts, tokens, strict=True)
    ]
    bias = [
        {int(category): float(rng.normal()) for category in rng.permutation(CATEGORIES)[:4]}
        for _ in range(ROWS)
    ]
    bias[2] = {}
    bias[3][5] = -np.inf
    return {
        "bias": bias,
        "history": history,
        "repetition_penalty": rng.random(ROWS) + 0.7,
        "frequency_penalty": rng.random(ROWS) - 0.3,
        "presence_penalty": rng.random(ROWS),
    }


def adjusted(logits, *, bias=None, history=None, **penalties):
    """The logits as the documentation of the crate's ``Penalty`` defines them."""
    rows = logits.astype("float64")
    numbers = {
        name: np.broadcast_to(np.float32(penalties.get(name, none)), len(rows)).astype("float64")
        for name, none in NONE.items()
    }
    for row, x in enumerate(rows):
        for category, more in (bias[row] if bias else {}).items():
            x[category] += np.float32(more)
        for category, count in (history[row] if history else {}).items():
            repetition = numbers["repetition_penalty"][row]
            x[category] = x[category] / repetition if x[category] > 0 else x[category] * repetition
            x[category] -= numbers["frequency_penalty"][row] * count
            if count > 0:
                x[category] -= numbers["presence_penalty"][row]
    return rows if logits.dtype == np.float64 else rows.astype("float32")


FUNCTIONS = {
    "sample": lambda x, **o: sample(x, seed=4, draws=300, **o),
    "by inverse CDF": lambda x, **o: sample(x, seed=4, draws=300, method="inverse-cdf", **o),
    "cut": lambda x, **o: sample(x, seed=4, draws=300, top_k=5, top_p=0.8, **o),
    "sample_scored": lambda x, **o: gumbelmax.sample_scored(x, seed=4, draws=300, **o),
    "race": lambda x, **o: gumbelmax.race(x, 4, seed=4, draws=300, temperature=0.5, **o),
    "cuts": lambda x, **o: gumbelmax.cuts(x, top_p=0.7, **o),
    "logsumexp": gumbelmax.logsumexp,
    "log_prob": lambda x, **o: gumbelmax.log_prob(x, np.arange(280).reshape(7, 40) % 40, **o),
    "log_prob, cut": lambda x, **o: gumbelmax.log_prob(x, np.arange(7), top_p=0.99, **o),
    "estimate_log_z": lambda x, **o: gumbelmax.estimate_log_z(x, seed=4, draws=10, **o),
    "gumbel_softmax": lambda x, **o: gumbelmax.gumbel_softmax(x, 0.7, seed=4, **o),
    "InverseCdf": lambda x, **o: gumbelmax.InverseCdf(x, seed=4, **o).sample(300),
    "Generator": lambda x, **o: gumbelmax.Generator(4, step=5).sample(x, draws=300, **o),
}


def as_bytes(results):
    results = results if isinstance(results, tuple) else (results,)
    return [np.asarray(result).tobytes() for result in results]


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_every_function_is_that_of_the_adjusted_rows(logits, given, dtype, name):
    function, logits = FUNCTIONS[name], logits.astype(dtype)
    want = as_bytes(function(adjusted(logits, **given)))
    assert as_bytes(function(logits, **given)) == want
    # the comparison sees each of them
    for left_out in ("bias", "repetition_penalty", "frequency_penalty", "presence_penalty"):
        others = {key: value for key, value in given.items() if key != left_out}
        assert as_bytes(function(adjusted(logits, **others))) != want


def slopes(logits, *, bias, history, repetition_penalty, **_):
    """The derivatives of adjusted logits by the logits."""
    biased = adjusted(logits.astype("float64"), bias=bias)
    found = np.ones_like(biased)
    for row, counts in enumerate(history):
        repetition = np.float64(np.float32(repetition_penalty[row]))
        for category in counts:
            found[row, category] = 1 / repetition if biased[row, category] > 0 else repetition
    return found


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_gradients_are_by_the_logits_as_they_were(logits, given, dtype):
    logits, cotangents = logits.astype(dtype), np.cos(np.arange(280.0)).reshape(7, 40)
    plain = gumbelmax.gumbel_softmax_vjp(cotangents, adjusted(logits, **given), seed=4)
    want = (plain.astype("float64") * slopes(logits, **given)).astype("float32")
    found = gumbelmax.gumbel_softmax_vjp(cotangents, logits, seed=4, **given)
    assert found.tobytes() == want.tobytes()
    assert found.tobytes() != plain.tobytes()


def test_forms(logits):
    """One for all rows, one for each; arrays of tokens, lists of them and counts."""
    bias, numbers = {3: 2.5, 0: -1}, {"frequency_penalty": 0.4, "presence_penalty": 0.3}
    tokens = np.array([[1, 1, 2], [5, -1, 5], [-1, -1, -1], *[[7, 0, 7]] * 4])
    counts = [collections.Counter(row[row >= 0].tolist()) for row in tokens]
    want = sample(adjusted(logits, bias=[bias] * ROWS, history=counts, **numbers), seed=1, draws=50)
    assert (want != sample(logits, seed=1, draws=50)).any()
    ragged = [row[row >= 0].tolist() for row in tokens]
    for history in (
        *(tokens, tokens.astype("int16"), np.asfortranarray(tokens), tokens.tolist()),
        *(counts, ragged, [row or None for row in ragged], [np.array(row, int) for row in ragged]),
    ):
        for one_or_each in (bias, [bias] * ROWS):
            found = sample(logits, seed=1, draws=50, bias=one_or_each, history=history, **numbers)
            assert (found == want).all()
    counts = [collections.Counter(tokens[0].tolist())] * ROWS
    want = sample(adjusted(logits, history=counts, **numbers), seed=1, draws=50)
    for history in (tokens[0], tokens[:1], tokens[0].tolist(), counts[0]):
        assert (sample(logits, seed=1, draws=50, history=history, **numbers) == want).all()
    # nothing yet, and rows along another axis
    for history in ([], np.empty(0, int), np.empty((ROWS, 0)), [[]] * ROWS, [None] * ROWS, {}):
        found = sample(logits, seed=1, history=history, **numbers)
        assert (found == sample(logits, seed=1)).all()
    found = sample(logits.T, seed=1, draws=50, axis=0, history=counts[0], **numbers)
    assert (found == want).all()


def test_rows_of_two_dimensions(logits):
    three = np.stack([logits[:6].reshape(2, 3, CATEGORIES)] * 2)[0]
    tokens = np.arange(24).reshape(2, 3, 4) % 7
    flat = {"bias": [{i: 9.0} for i in range(6)], "history": tokens.reshape(6, 4).tolist()}
    numbers = {"presence_penalty": 3.0, "draws": 20, "seed": 1}
    want = sample(logits[:6], **flat, **numbers).reshape(2, 3, 20)
    assert (sample(three, **flat, **numbers) == want).all()
    assert (sample(three, **{**flat, "history": tokens}, **numbers) == want).all()
    one = sample(logits[0], bias={0: 9.0}, history=tokens[0, 0], **numbers)
    assert (one == want[0, 0]).all()


def test_a_call_in_many_pieces(rng):
    rows = 40_000
    logits = np.broadcast_to(rng.normal(size=1000).astype("float32"), (rows, 1000))
    tokens = rng.integers(0, 20, (rows, 2))
    bias = [{int(row) % 1000: 9.0} for row in range(rows)]
    whole = sample(logits, seed=1, bias=bias, history=tokens, frequency_penalty=5.0)
    part = slice(39_000, 39_100)
    alone = sample(
        logits[part],
        seed=1,
        first_row=part.start,
        bias=bias[part],
        history=tokens[part],
        frequency_penalty=5.0,
    )
    assert (whole[part] == alone).all()
    assert (whole[part] == np.arange(part.start, part.stop) % 1000).mean() > 0.5
    chosen = np.arange(1000)
    found = gumbelmax.log_prob(logits, chosen[np.arange(rows) % 1000], bias=bias)
    want = gumbelmax.log_prob(logits[part], chosen[:100], bias=bias[part])
    assert (found[part] == want).all()


def test_batches(logits):
    fn = gumbelmax.make_batch_fn(seed=1, bias={2: 5.0})
    found = fn({"logits": logits, "row_id": np.arange(ROWS)})["draw"]
    assert (found == sample(logits, seed=1, bias={2: 5.0})).all()
    assert (found != sample(logits, seed=1)).any()
    none = gumbelmax.make_batch_fn(seed=1, weights=True, bias=None)
    assert none({"logits": np.array([[0, 1]]), "row_id": [0]})["draw"].tolist() == [1]
    with pytest.raises(TypeError, match="for all rows"):
        gumbelmax.make_batch_fn(seed=1, bias=[{2: 5.0}])
    with pytest.raises(TypeError, match="integers as categories, got 'a'"):
        gumbelmax.make_batch_fn(seed=1, bias={"a": 5.0})
    with pytest.raises(TypeError, match="weights have none"):
        gumbelmax.make_batch_fn(seed=1, weights=True, bias={2: 5.0})


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_is_finite_stays_so(dtype):
    most = np.finfo(dtype).max
    logits = np.array([[most, most, 0.0, -np.inf]], dtype)
    options = {"bias": {0: 3e38, 3: 1.0}, "history": [1], "repetition_penalty": 0.5}
    where = gumbelmax.cuts(logits, **options)
    assert (where.threshold, where.kept) == (0.0, 3)
    found = gumbelmax.log_prob(logits, [[0, 1, 2, 3]], **options)
    assert found[0].tolist() == [-np.log(2), -np.log(2), -float(most), -np.inf]
    banned = gumbelmax.log_prob(logits, [[0, 1]], bias={0: -np.inf})
    assert banned[0].tolist() == [-np.inf, 0.0]
