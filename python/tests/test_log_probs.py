"""Log-probabilities, of draws and of given categories, by their definition in NumPy."""

import numpy as np
import pytest
from conftest import log_softmax

import gumbelmax
from gumbelmax import Generator, log_prob, sample_scored


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("shift", [0, 1e7])
def test_log_probs(rng, axis, shift):
    logits = rng.normal(size=(7, 8, 9)) + shift
    want = log_softmax(logits / 0.5, axis)
    scored = sample_scored(logits, seed=1, temperature=0.5, axis=axis, device="cpu")
    index = np.expand_dims(scored.draws, axis)
    at = np.take_along_axis(want, index, axis).squeeze(axis)
    assert np.abs(scored.log_probs - at).max() < 5e-6
    assert np.abs(log_prob(logits, scored.draws, temperature=0.5, axis=axis) - at).max() < 1e-7
    # the bounds see a fault
    assert np.abs(scored.log_probs - np.roll(at, 1)).max() > 1e-3


def test_log_prob_of_many_indices(rng):
    logits = rng.normal(size=(40, 1000)).astype("float32")
    logits[:, 3] = -np.inf
    index = rng.integers(0, 1000, (40, 2, 5))
    index[0, 0, 0] = 3
    found = log_prob(logits, index)
    want = np.take_along_axis(log_softmax(logits.astype("float64")), index.reshape(40, -1), 1)
    assert found.shape == index.shape
    assert found[0, 0, 0] == -np.inf
    assert np.allclose(found.reshape(40, -1), want, atol=1e-12)
    weights = np.exp(logits)
    assert np.allclose(log_prob(weights, index, weights=True), found, atol=1e-5)


def test_log_prob_of_what_is_cut():
    logits = [[0.0, 1.0, 2.0, 3.0], [3.0, 2.0, 1.0, 0.0]]
    found = log_prob(logits, [[0, 1, 2, 3]] * 2, top_k=[1, 3])
    assert found[0].tolist() == [-np.inf, -np.inf, -np.inf, 0.0]
    want = log_prob([3.0, 2.0, 1.0], [0, 1, 2])
    assert found[1].tolist() == [*want, -np.inf]


@pytest.mark.parametrize("weights", [False, True])
@pytest.mark.parametrize("method", ["gumbel", "inverse-cdf"])
def test_log_probs_among_what_is_kept_or_allowed(rng, method, weights):
    """Of the same draws: by the definition in NumPy, for cuts, masks, bias and temperatures of each row."""
    logits = rng.normal(0, 2, (5, 40))
    allowed, temperature = rng.random((5, 40)) < 0.8, np.array([0.5, 1, 2, 0.75, 1.25])
    bias = [{} if weights else {3: 1.5, 7: -np.inf} for _ in range(5)]
    options = {
        "top_k": [3, 5, 40, 7, 1],
        "top_p": [1.0, 0.6, 0.7, 1.0, 0.9],
        "allowed": allowed,
        "temperature": temperature,
        "weights": weights,
        **({} if weights else {"bias": bias}),
    }
    adjusted = logits.copy()
    for row, of_row in zip(adjusted, bias, strict=True):
        row[list(of_row)] += list(of_row.values())
    values = np.exp(logits) if weights else logits
    threshold = gumbelmax.cuts(values, **options).threshold[:, None]
    masked = np.where(allowed, adjusted, -np.inf)
    cut = (np.exp(adjusted) if weights else adjusted) < threshold
    want, sums = {}, {}
    for of, among in (("kept", np.where(cut, -np.inf, masked)), ("allowed", masked)):
        scaled = among / temperature[:, None]
        want[of], sums[of] = log_softmax(scaled), np.log(np.exp(scaled).sum(-1))
    drawing = {"seed": 6, "draws": 30, "method": method}
    draws = gumbelmax.sample_scored(values, **drawing, **options).draws
    assert not np.take_along_axis(cut, draws, -1).any()
    for of, log_probs in want.items():
        at = np.take_along_axis(log_probs, draws, -1)
        scored = sample_scored(values, **drawing, **options, log_probs_of=of)
        assert (scored.draws == draws).all()
        assert np.abs(scored.log_probs - at).max() < 5e-6
        assert np.abs(scored.logsumexp - sums[of]).max() < 1e-5
        every = log_prob(values, [np.arange(40)] * 5, **options, log_probs_of=of)
        assert np.allclose(every, log_probs, atol=1e-7, rtol=0)
        assert (every == -np.inf).sum() == (
            ~allowed | cut if of == "kept" else masked == -np.inf
        ).sum()
    # a row of which one category is kept: the two are not the same
    assert (want["kept"][4].max(), cut[4].sum()) == (0.0, 39)
    assert want["allowed"][4].max() < -0.1
    generator = Generator(6)
    found = generator.sample_scored(values, draws=30, **options, log_probs_of="allowed")
    of_all = sample_scored(values, seed=6, draws=30, **options, log_probs_of="allowed")
    assert found.log_probs.tobytes() == of_all.log_probs.tobytes()


@pytest.mark.parametrize("of", ["kept", "allowed"])
def test_a_marked_row_has_no_log_probability(of):
    rows = [[0.0, 1.0], [np.nan, 0.0], [2.0, 0.0]]
    scored = sample_scored(rows, seed=1, top_k=1, invalid="mark", log_probs_of=of)
    assert scored.draws.tolist() == [1, gumbelmax.NO_DRAW, 0]
    assert np.isnan(scored.log_probs).tolist() == np.isnan(scored.logsumexp).tolist()
    want = log_softmax(np.array([[0.0, 1.0], [2.0, 0.0]])).max(-1) if of == "allowed" else 0.0
    assert np.abs(scored.log_probs[[0, 2]] - want).max() < 5e-6


@pytest.mark.parametrize("of", ["kept", "allowed"])
def test_log_prob_names_a_row_without_a_draw(of):
    rows = [[0.0, 1.0], [np.nan, 0.0]]
    with pytest.raises(ValueError, match="row 1 has no draw: its logit of category 0 is NaN"):
        gumbelmax.log_prob(rows, [0, 1], top_k=1, log_probs_of=of)
