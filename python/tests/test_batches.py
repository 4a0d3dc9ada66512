"""Batches of rows: of any size, in any order, as mappings and as tables of Arrow."""

import pickle

import numpy as np
import pytest

from gumbelmax import make_batch_fn, sample

OPTIONS = {"seed": 11, "temperature": 0.7}


@pytest.fixture
def rows(rng):
    return rng.normal(size=(500, 30)).astype("float32"), rng.permutation(500) + 2**60


@pytest.mark.parametrize("size", [1, 7, 500])
@pytest.mark.parametrize("draws", [None, 3])
def test_mappings(rows, rng, size, draws):
    logits, ids = rows
    want = sample(logits, row_ids=ids, draws=draws, **OPTIONS)
    function = pickle.loads(pickle.dumps(make_batch_fn(draws=draws, output="token", **OPTIONS)))
    order = rng.permutation(500)
    for first in range(0, 500, size):
        some = order[first : first + size]
        found = function({"logits": logits[some], "row_id": ids[some], "other": some})
        assert (found["token"] == want[some]).all()
        assert (found["other"] == some).all()


def test_rows_as_objects(rows):
    logits, ids = rows
    objects = np.empty(500, object)
    objects[:] = list(logits)
    found = make_batch_fn(**OPTIONS)({"logits": objects, "row_id": ids})
    assert (found["draw"] == sample(logits, row_ids=ids, **OPTIONS)).all()
    objects[7] = objects[7][:-1]
    words = (
        rf"^row 7 of the batch \(row id {ids[7]}\) has 29 categories, and those before it have 30"
    )
    with pytest.raises(ValueError, match=words):
        make_batch_fn(**OPTIONS)({"logits": objects, "row_id": ids})


def test_errors_name_the_row_by_its_id(rows):
    logits, ids = rows
    logits[95, 4] = np.nan
    words = (
        rf"^row 95 of the batch \(row id {ids[95]}\) has no draw: its logit of category 4 is NaN"
    )
    with pytest.raises(ValueError, match=words):
        make_batch_fn(**OPTIONS)({"logits": logits, "row_id": ids})
    counts = {"logits": [[1, 2], [3, -1]], "row_id": [7, 1]}
    with pytest.raises(ValueError, match=r"^row 1 of the batch \(row id 1\), category 1: a count"):
        make_batch_fn(seed=1, weights=True)(counts)
    with pytest.raises(ValueError, match=r"^row 1 of the batch \(row id -7\): row_ids must be"):
        make_batch_fn(seed=1)({"logits": [[1.0], [2.0]], "row_id": [1, -7]})
    with pytest.raises(TypeError, match=r"^row_id: expected integers, got float64"):
        make_batch_fn(seed=1)({"logits": [[1.0], [2.0]], "row_id": [np.nan, 1.0]})


@pytest.mark.parametrize(
    ("batch", "kind", "words"),
    [
        (
            {"logits": np.zeros((2, 3)), "row_id": [5]},
            ValueError,
            "^the batch has 2 rows of logits, and 1 of row_id",
        ),
        (
            {"logits": [1.0, 2.0], "row_id": [5, 6]},
            ValueError,
            r"^row 0 of the batch \(row id 5\) is no array of numbers, got 1.0",
        ),
        (
            {"logits": np.zeros(2), "row_id": [5, 6]},
            ValueError,
            r"^logits: expected rows x categories, got the shape \(2,\)",
        ),
        (
            {"logits": [[1, 2], [3]], "row_id": [5, 6]},
            ValueError,
            r"^row 1 of the batch \(row id 6\) has 1 categories, and those before it have 2",
        ),
        (
            {"logits": [[1, 2], None], "row_id": [5, 6]},
            ValueError,
            r"^row 1 of the batch \(row id 6\) is no array of numbers, got None",
        ),
        (
            {"logits": np.zeros((1, 2)), "row_id": 5},
            ValueError,
            r"^row_id: expected one id for each row, got the shape \(\)",
        ),
        ([[1, 2]], TypeError, "^a batch is a mapping of names to arrays, .* got list"),
    ],
)
def test_what_is_no_batch(batch, kind, words):
    with pytest.raises(kind, match=words):
        make_batch_fn(seed=1)(batch)


def test_cuts_and_a_mask_for_all_rows(rows, rng):
    logits, ids = rows
    for mask in (rng.random(30) < 0.5, np.array([0x2AAAAAAA], "int32")):
        cuts = {"top_k": 9, "top_p": 0.8, "share": "all", "allowed": mask}
        want = sample(logits, row_ids=ids, **cuts, **OPTIONS)
        function = pickle.loads(pickle.dumps(make_batch_fn(**cuts, **OPTIONS)))
        found = function({"logits": logits[:7], "row_id": ids[:7]})
        assert (found["draw"] == want[:7]).all()
        assert (want != sample(logits, row_ids=ids, **OPTIONS)).any()


def test_options_are_checked_before_any_batch():
    with pytest.raises(ValueError, match="temperature must be"):
        make_batch_fn(seed=1, temperature=-1)
    with pytest.raises(ValueError, match="seed must be"):
        make_batch_fn(seed=-1)
    with pytest.raises(ValueError, match="top_p must be above 0"):
        make_batch_fn(seed=1, top_p=0)
    with pytest.raises(ValueError, match="one mask for all rows, got the shape"):
        make_batch_fn(seed=1, allowed=np.ones((2, 3), bool))
    for name in ("seed", "temperature", "step", "top_k"):
        with pytest.raises(ValueError, match=rf"^{name} must be one for all rows, got .* \(1,\)"):
            make_batch_fn(**{"seed": 1, name: [1]})
    with pytest.raises(TypeError, match="there is no option 'top_q'"):
        make_batch_fn(seed=1, top_q=0.5)


def test_a_worker_that_draws_otherwise_is_refused(rows):
    function = make_batch_fn(**OPTIONS)
    object.__setattr__(function.draw, "golden", (1, 2, 3))
    with pytest.raises(RuntimeError, match=r"does not draw what .* of the driver draws"):
        function({"logits": rows[0], "row_id": rows[1]})
