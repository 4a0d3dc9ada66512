"""What each function returns, beside its example."""

import copy
import pickle

import numpy as np
import pytest
from conftest import log_softmax

import gumbelmax
from gumbelmax import Generator, InverseCdf, log_prob, race, sample, sample_scored, sample_weights


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
