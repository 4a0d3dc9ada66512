"""What each function returns, beside its example."""

import copy
import pickle

import numpy as np
import pytest

import gumbelmax
from gumbelmax import Generator, InverseCdf, log_prob, race, sample, sample_scored, sample_weights


def log_softmax(x, axis=-1):
    x = x - x.max(axis, keepdims=True)
    return x - np.log(np.exp(x).sum(axis, keepdims=True))


def chi_square(draws, probabilities):
    counts = np.bincount(draws, minlength=len(probabilities))
    expected = probabilities * len(draws)
    return ((counts - expected) ** 2 / expected).sum()


@pytest.mark.parametrize("method", ["gumbel", "inverse-cdf", "auto"])
def test_draws_are_softmax(rng, method):
    logits = rng.normal(size=20)
    probabilities = np.exp(log_softmax(logits))
    draws = sample(logits, seed=1, draws=200_000, method=method)
    # beyond 60 one time in 10^5, on 19 degrees of freedom; and a fault of a tenth is seen
    assert chi_square(draws, probabilities) < 60
    wrong = probabilities.copy()
    wrong[0] *= 1.1
    assert chi_square(draws, wrong / wrong.sum()) > 60 or probabilities[0] < 0.02


def test_what_rows_have_of_their_own(rng):
    logits = rng.normal(size=(2, 3, 40)).astype("float32")
    seeds = np.arange(6).reshape(2, 3)
    temperatures, steps = np.array([[0.5], [0.0]]), [3, 2**30, 7]
    ids = rng.integers(0, 2**64, (2, 3), dtype="uint64")
    options = {
        "seed": seeds,
        "temperature": temperatures,
        "step": steps,
        "row_ids": ids,
        "draws": 4,
    }
    found = sample(logits, **options)
    assert found.shape == (2, 3, 4)
    for i in range(2):
        for j in range(3):
            one = sample(
                logits[i, j],
                seed=seeds[i, j],
                temperature=temperatures[i, 0],
                step=steps[j],
                first_row=ids[i, j],
                draws=4,
            )
            assert (found[i, j] == one).all()


CUTS = {"top_k": 12, "top_p": 0.9, "min_p": 0.01, "epsilon": 0.001}


def test_cuts_of_rows(rng):
    """Each row is cut as it is alone, whether a cut is given for all rows or for each."""
    logits = rng.normal(0, 2, (2, 3, 40)).astype("float32")
    own = {
        "top_k": rng.integers(1, 50, (2, 3)),
        "top_p": rng.random((2, 1)) / 2 + 0.5,
        "min_p": rng.random(3) / 10,
        "epsilon": np.full((2, 3), 0.001, "float32"),
        "cut_temperature": np.array([0.5, 1.0, 2.0]),
        "allowed": rng.random((2, 3, 40)) < 0.8,
    }
    found = sample(logits, seed=1, draws=50, share="rest", **own)
    where = gumbelmax.cuts(logits, share="rest", **own)
    for i in np.ndindex(2, 3):
        alone = {name: np.broadcast_to(cut, (2, 3))[i] for name, cut in own.items() if cut.ndim < 3}
        alone |= {"share": "rest", "allowed": own["allowed"][i]}
        row_id = 3 * i[0] + i[1]
        assert (sample(logits[i], seed=1, draws=50, first_row=row_id, **alone) == found[i]).all()
        cut = gumbelmax.cuts(logits[i], **alone)
        assert tuple(cut) == tuple(each[i] for each in where)
        kept = (logits[i] >= cut.threshold) & own["allowed"][i]
        assert kept.sum() == cut.kept
        assert kept[found[i]].all()
    assert isinstance(gumbelmax.cuts(logits[0, 0]).kept, np.int64)
    assert gumbelmax.cuts(logits).kept.tolist() == [[40] * 3] * 2


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_every_function_draws_from_what_is_kept(rng, axis):
    logits = rng.normal(0, 2, (5, 20, 30))
    allowed = rng.random(logits.shape) < 0.9
    cuts = {**CUTS, "allowed": allowed, "axis": axis}
    threshold = np.expand_dims(gumbelmax.cuts(logits, **cuts).threshold, axis)
    kept = np.where((logits >= threshold) & allowed, logits, -np.inf)
    assert (kept != logits).any()
    options = {"seed": 4, "draws": 3, "axis": axis}
    draws = sample(logits, **options, **CUTS, allowed=allowed)
    assert (draws == sample(kept, **options)).all()
    scored = sample_scored(logits, **options, **CUTS, allowed=allowed)
    assert (scored.draws == draws).all()
    assert np.allclose(scored.log_probs, log_prob(kept, draws, axis=axis), atol=1e-5)
    assert (log_prob(logits, draws, **cuts) == log_prob(kept, draws, axis=axis)).all()
    assert (gumbelmax.logsumexp(logits, **cuts) == gumbelmax.logsumexp(kept, axis=axis)).all()
    soft = gumbelmax.gumbel_softmax(kept, 0.7, **options)
    for function in (
        lambda x, **o: race(x, 4, **options, **o),
        lambda x, **o: gumbelmax.estimate_log_z(x, **options, **o),
        lambda x, **o: gumbelmax.gumbel_softmax(x, 0.7, **options, **o),
        lambda x, **o: gumbelmax.gumbel_softmax_vjp(soft, x, 0.7, **options, **o),
        lambda x, **o: InverseCdf(x, seed=4, axis=axis, **o).sample(5),
        lambda x, **o: sample_weights(np.exp(x), **options, **o, method="inverse-cdf"),
    ):
        one, other = function(logits, **CUTS, allowed=allowed), function(kept)
        assert np.asarray(one).tobytes() == np.asarray(other).tobytes()
        assert np.asarray(one).tobytes() != np.asarray(function(logits)).tobytes()
    # what is given for each row, and a category that is not allowed and NaN
    logits = np.where(allowed, logits, np.nan)
    one = log_prob(logits, draws, **cuts)
    assert (one == log_prob(kept, draws, axis=axis)).all()


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


@pytest.mark.parametrize("method", ["gumbel", "inverse-cdf"])
def test_what_rows_of_weights_have_of_their_own(rng, method):
    """Temperatures, ids, first rows and axes are those of the logits of the weights, as far as these are exact."""
    weights = 2.0 ** rng.integers(-8, 8, (2, 3, 40))
    ids = rng.integers(0, 2**64, (2, 3), dtype="uint64")
    options = {
        "seed": np.arange(6).reshape(2, 3),
        "temperature": np.array([[0.5], [0.0]]),
        "step": [3, 2**30, 7],
        "row_ids": ids,
        "draws": 20,
        "method": method,
    }
    found = sample_weights(weights, **options)
    assert found.shape == (2, 3, 20)
    for i, j in np.ndindex(2, 3):
        one = {"seed": 3 * i + j, "step": options["step"][j], "draws": 20, "method": method}
        temperature = options["temperature"][i, 0]
        alone = sample_weights(weights[i, j], **one, temperature=temperature, first_row=ids[i, j])
        assert (found[i, j] == alone).all()
        if temperature == 0:
            assert (alone == weights[i, j].argmax()).all()
        else:
            # to the power of 1 / T
            squares = weights[i, j] ** 2
            assert np.mean(squares[alone] / squares.max()) > 0.3
    for axis in (0, 1, -3):
        moved = np.moveaxis(weights, -1, axis)
        assert (sample_weights(moved, **options, axis=axis) == found).all()
        assert (sample_weights(np.ascontiguousarray(moved), **options, axis=axis) == found).all()
    rows = weights.reshape(6, 40)
    whole = sample_weights(rows, seed=4, first_row=100, method=method)
    assert (sample_weights(rows[2:], seed=4, first_row=102, method=method) == whole[2:]).all()
    assert (sample_weights(rows, seed=4, row_ids=np.arange(100, 106), method=method) == whole).all()
    assert (whole != sample_weights(rows, seed=4, method=method)).any()


def test_weights_at_a_temperature():
    weights, draws = np.array([1.0, 2.0, 4.0, 0.0]), 100_000
    for temperature in (0.5, 1.0, 2.0):
        powers = weights ** (1 / temperature)
        for method in ("gumbel", "inverse-cdf"):
            found = sample_weights(
                weights, seed=1, draws=draws, temperature=temperature, method=method
            )
            assert chi_square(found, powers / powers.sum() + 1e-300) < 40
    assert chi_square(found, weights / 7 + 1e-300) > 1000


MARKED = {
    "sample": lambda x, **o: sample(x, seed=3, **o),
    "several draws": lambda x, **o: sample(x, seed=3, draws=4, **o),
    "by inverse CDF": lambda x, **o: sample(x, seed=3, draws=4, method="inverse-cdf", **o),
    "greedy": lambda x, **o: sample(x, seed=3, temperature=0, **o),
    "cut": lambda x, **o: sample(x, seed=3, top_k=3, top_p=0.9, **o),
    "sample_weights": lambda x, **o: sample_weights(np.exp(x), seed=3, **o),
    "weights by inverse CDF": lambda x, **o: sample_weights(
        np.exp(x), seed=3, draws=4, method="inverse-cdf", **o
    ),
    "sample_scored": lambda x, **o: sample_scored(x, seed=3, **o),
    "race": lambda x, **o: race(x, 3, seed=3, **o),
    "cuts": lambda x, **o: gumbelmax.cuts(x, top_p=0.9, **o),
    "logsumexp": gumbelmax.logsumexp,
    "estimate_log_z": lambda x, **o: gumbelmax.estimate_log_z(x, seed=3, draws=9, **o).estimate,
    "gumbel_softmax": lambda x, **o: gumbelmax.gumbel_softmax(x, seed=3, **o),
    "gumbel_softmax_vjp": lambda x, **o: gumbelmax.gumbel_softmax_vjp(
        np.ones(x.shape), x, seed=3, **o
    ),
    "InverseCdf": lambda x, **o: InverseCdf(x, seed=3, **o).sample(4),
}


@pytest.mark.parametrize("name", MARKED)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_a_marked_row_harms_no_other(rng, dtype, name):
    function = MARKED[name]
    rows = rng.normal(size=(50, 8)).astype(dtype)
    want = function(rows)
    rows[7, 2], rows[20], rows[49, 0] = np.nan, -np.inf, np.inf
    with pytest.raises(ValueError, match="row 7 has no draw"):
        function(rows)
    found = function(rows, invalid="mark")
    found, want = ((r,) if isinstance(r, np.ndarray) else r for r in (found, want))
    for one, other in zip(found, want, strict=True):
        is_marked = np.isin(np.arange(50), [7, 20, 49])
        assert one[~is_marked].tobytes() == other[~is_marked].tobytes()
        assert (one[is_marked] != other[is_marked]).all()


def test_pieces_and_permutations_draw_what_the_whole_does(rng):
    logits = rng.normal(size=(100, 30)).astype("float32")
    whole = sample(logits, seed=9, first_row=1000, step=5, draws=6)
    assert (sample(logits[40:], seed=9, first_row=1040, step=5, draws=6) == whole[40:]).all()
    assert (sample(logits, seed=9, first_row=1000, step=8, draws=3) == whole[:, 3:]).all()
    order = rng.permutation(100)
    assert (
        sample(logits[order], seed=9, row_ids=1000 + order, step=5, draws=6) == whole[order]
    ).all()


def test_a_call_in_many_pieces_draws_what_its_parts_do(rng):
    row = rng.normal(size=1000).astype("float32")
    # 2 * 10^8 logits, drawn from in pieces of rows here and of draws there
    many = sample(row, seed=2, draws=200_000)
    assert (many[150_000:150_100] == sample(row, seed=2, step=150_000, draws=100)).all()
    rows = sample(np.broadcast_to(row, (200_000, 1000)), seed=2)
    assert (
        rows[150_000:150_100]
        == sample(np.broadcast_to(row, (100, 1000)), seed=2, first_row=150_000)
    ).all()
    scored = sample_scored(row, seed=2, draws=200_000)
    assert (scored.draws == many).all()


def test_a_row_by_inverse_cdf_in_pieces_draws_what_its_parts_do(rng):
    row, many = rng.normal(size=50), 2**24 + 5000
    whole = sample(row, seed=2, draws=many, method="inverse-cdf", dtype="int32")
    for first in (0, 2**24 - 1000, many - 100):
        part = sample(row, seed=2, step=first, draws=100, method="inverse-cdf")
        assert (whole[first : first + 100] == part).all()
    # that these are too many is said before the first is drawn
    with pytest.raises(ValueError, match=r"step \+ draws must not exceed 2147483648"):
        sample(row, seed=2, step=2**31 - many + 1, draws=many, method="inverse-cdf", dtype="int32")


def test_races(rng):
    logits = rng.normal(size=(5, 4, 12)).astype("float32")
    found = race(logits, 12, seed=1, draws=3)
    assert found.categories.shape == found.times.shape == (5, 4, 3, 12)
    assert (np.sort(found.categories) == np.arange(12)).all()
    assert (found.categories[..., 0] == sample(logits, seed=1, draws=3)).all()
    assert (np.diff(found.times) >= 0).all()
    assert np.allclose(np.exp(-found.perturbed_logits), found.times, rtol=1e-12)
    few = race([0.0, -np.inf], 3, seed=1)
    assert few.categories.tolist() == [0, -1, -1]
    assert few.times[1] == np.inf
    assert few.perturbed_logits[1] == -np.inf


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


def test_normalisers(rng):
    weights = rng.integers(1, 100, (30, 20)).astype("uint32")
    want = np.log(weights.sum(-1))
    assert np.allclose(gumbelmax.logsumexp(weights, weights=True), want, atol=1e-9)
    found = gumbelmax.estimate_log_z(np.log(weights), seed=1, draws=20_000)
    assert found.estimate.shape == (30,)
    errors = np.abs(found.estimate - want) / found.standard_error
    assert errors.max() < 5
    assert errors.max() > 0.5
    assert np.allclose(gumbelmax.sample_scored(weights, seed=1, weights=True).logsumexp, want)


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_soft_samples_and_their_gradients(rng, axis):
    logits = rng.normal(size=(3, 4, 5))
    options = {"tau": 0.7, "seed": 1, "axis": axis, "temperature": 2.0}
    soft = gumbelmax.gumbel_softmax(logits, **options)
    assert soft.shape == logits.shape
    assert soft.dtype == np.float32
    draws = sample(logits, seed=1, axis=axis, temperature=2.0)
    assert (soft.argmax(axis) == draws).all()
    hard = gumbelmax.gumbel_softmax(logits, hard=True, **options)
    assert (hard == np.moveaxis(np.eye(logits.shape[axis])[draws], -1, axis)).all()

    cotangents = rng.normal(size=logits.shape)
    gradient = gumbelmax.gumbel_softmax_vjp(cotangents, logits, **options)
    # the derivative of the samples, by their formula: y (g - sum(g y)) / (tau T)
    y = soft.astype("float64")
    want = y * (cotangents - (cotangents * y).sum(axis, keepdims=True)) / (0.7 * 2.0)
    assert np.abs(gradient - want).max() < 1e-5
    # and by differences
    h, (i, j, k) = 1e-2, (1, 2, 3)
    losses = []
    for sign in (1, -1):
        moved = logits.copy()
        moved[i, j, k] += sign * h
        losses.append((gumbelmax.gumbel_softmax(moved, **options) * cotangents).sum())
    assert abs((losses[0] - losses[1]) / (2 * h) - gradient[i, j, k]) < 1e-3
    assert (
        gumbelmax.gumbel_softmax_vjp(cotangents, logits, hard=True, **options) == gradient
    ).all()


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
def test_cotangents_lie_as_the_samples_do(rng, axis):
    logits = rng.normal(size=(3, 4, 5))
    want = gumbelmax.gumbel_softmax_vjp(np.cos(logits), logits, 0.7, seed=1)
    # so that rows are the same, whichever axis has the categories
    moved = np.moveaxis(logits, -1, axis)
    for cotangents in (np.cos(moved), np.cos(moved)[:, ::-1].copy()[:, ::-1]):
        found = gumbelmax.gumbel_softmax_vjp(cotangents, moved, 0.7, seed=1, axis=axis)
        assert (np.moveaxis(found, axis, -1) == want).all()
    several = np.stack([np.cos(logits)] * 2, -2)
    twice = gumbelmax.gumbel_softmax_vjp(several, moved, 0.7, seed=1, draws=2, axis=axis)
    next_step = gumbelmax.gumbel_softmax_vjp(np.cos(logits), logits, 0.7, seed=1, step=1)
    assert np.allclose(np.moveaxis(twice, axis, -1), want + next_step, atol=1e-6)


def test_soft_samples_of_several_draws(rng):
    logits = rng.normal(size=(4, 6)).astype("float32")
    soft = gumbelmax.gumbel_softmax(logits, 0.5, seed=3, draws=7)
    assert soft.shape == (4, 7, 6)
    each = [gumbelmax.gumbel_softmax(logits, 0.5, seed=3, step=step) for step in range(7)]
    assert (soft == np.stack(each, 1)).all()
    cotangents = rng.normal(size=soft.shape).astype("float32")
    whole = gumbelmax.gumbel_softmax_vjp(cotangents, logits, 0.5, seed=3, draws=7)
    parts = [
        gumbelmax.gumbel_softmax_vjp(cotangents[:, step], logits, 0.5, seed=3, step=step)
        for step in range(7)
    ]
    assert np.allclose(whole, sum(parts), atol=1e-6)


def test_tables_draw_what_the_method_does(rng):
    logits = rng.normal(size=(3, 2, 50))
    table = InverseCdf(logits, seed=4, first_row=10)
    assert (table.shape, table.categories) == ((3, 2), 50)
    want = sample(logits, seed=4, first_row=10, step=5, draws=1000, method="inverse-cdf")
    assert (table.sample(1000, step=5) == want).all()
    assert (table.sample(step=7) == want[..., 2]).all()
    assert table.sample(2, dtype="uint32").dtype == np.uint32


def test_resampling(rng):
    log_weights = rng.normal(size=1000)
    share = np.exp(log_softmax(log_weights)) * 1000
    for scheme, most in (("systematic", 1), ("stratified", 2), ("residual", 50)):
        ancestors = gumbelmax.resample(log_weights, seed=1, scheme=scheme)
        counts = np.bincount(ancestors, minlength=1000)
        assert counts.sum() == 1000
        assert np.abs(counts - share).max() <= most
        if scheme == "residual":
            assert (counts >= np.floor(share)).all()
    ids = np.arange(50, 1050)
    want = gumbelmax.resample(log_weights, seed=1, scheme="stratified", first_row=50)
    assert (gumbelmax.resample(log_weights, seed=1, scheme="stratified", row_ids=ids) == want).all()


def test_a_generator_counts_and_can_be_kept(rng):
    logits, weights = rng.normal(size=(5, 9)), rng.random((5, 9))
    generator = Generator(11)
    assert (generator.sample(logits) == sample(logits, seed=11)).all()
    assert (
        generator.sample_weights(weights, draws=3)
        == sample_weights(weights, seed=11, step=1, draws=3)
    ).all()
    assert (
        generator.race(logits, 2).categories == race(logits, 2, seed=11, step=4).categories
    ).all()
    assert generator.step == 5
    assert repr(generator) == "Generator(11, step=5)"
    for kept in (
        pickle.loads(pickle.dumps(generator)),
        copy.copy(generator),
        copy.deepcopy(generator),
    ):
        assert (kept.sample(logits) == sample(logits, seed=11, step=5)).all()
    assert generator.step == 5
    generator.sample_scored(logits)
    generator.gumbel_softmax(logits)
    generator.estimate_log_z(logits, draws=10)
    generator.resample(logits[0])
    assert generator.step == 18
    with pytest.raises(ValueError, match="row"):
        generator.sample([np.nan])
    assert generator.step == 19


@pytest.mark.parametrize(
    "what", [InverseCdf(np.zeros(3), seed=1), gumbelmax.Particles(np.zeros(3))]
)
def test_what_cannot_be_pickled_says_so(what):
    with pytest.raises(
        TypeError, match=f"{type(what).__name__} cannot be pickled: .* again from the"
    ):
        pickle.dumps(what)
    # they do not change, so that a copy may be the thing itself
    assert copy.copy(what) is what
    assert copy.deepcopy([what])[0] is what


def test_seeds_of_numpy():
    logits = np.zeros(1000)
    sequence = np.random.SeedSequence(5)
    assert sample(logits, seed=sequence) == sample(logits, seed=np.random.SeedSequence(5))
    generator = np.random.default_rng(5)
    first, second = sample(logits, seed=generator), sample(logits, seed=generator)
    assert first != second
    assert first == sample(logits, seed=np.random.default_rng(5))
    assert sample(logits, seed=np.uint64(7)) == sample(logits, seed=7)


def test_digests_of_no_draws():
    none = gumbelmax.digest(sample(np.zeros((0, 3)), seed=1))
    assert none == gumbelmax.digest([]) == "00000000"
    assert none != gumbelmax.digest([0])
