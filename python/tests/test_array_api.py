"""Any library with the array API: needs array-api-strict, which has that and nothing else."""

import numpy as np
import pytest

xp = pytest.importorskip("array_api_strict", reason="array-api-strict is not installed")

import gumbelmax  # noqa: E402


def test_results_are_of_the_library(rng):
    logits = rng.normal(size=(5, 9))
    strict = xp.asarray(logits)
    found = gumbelmax.sample(strict, seed=1, draws=3)
    assert type(found) is type(strict)
    assert (np.from_dlpack(found) == gumbelmax.sample(logits, seed=1, draws=3)).all()
    soft = gumbelmax.gumbel_softmax(strict, seed=1, axis=0)
    assert type(soft) is type(strict)
    assert soft.shape == (5, 9)
    scored = gumbelmax.sample_scored(strict, seed=1)
    assert type(scored.log_probs) is type(strict)
    table = gumbelmax.InverseCdf(strict, seed=1)
    assert type(table.sample(2)) is type(strict)
