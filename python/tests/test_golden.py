"""Golden values of the crate (tests/integration/golden.rs). A change of these is a change of everybody's draws."""

import numpy as np
import pytest

import gumbelmax

LOGITS = ((np.arange(320) * 7919 % 1009) / 256 - 2).astype("float32").reshape(8, 40)

GOLDEN = [
    ({}, [14, 28, 15, 16, 6, 1, 24, 4]),
    ({"temperature": 0.7}, [14, 28, 15, 16, 38, 1, 24, 4]),
    ({"temperature": 3.0}, [16, 28, 15, 16, 24, 1, 35, 4]),
    ({"temperature": 0.0}, [33, 26, 19, 12, 5, 31, 37, 30]),
    ({"first_row": 2**32 - 4}, [2, 33, 26, 39, 1, 0, 27, 17]),
    (
        {"row_ids": np.array([7, 6, 5, 4, 3, 2, 1, 2**64 - 1], "uint64")},
        [4, 35, 1, 6, 16, 32, 6, 30],
    ),
]


@pytest.mark.parametrize("row", range(len(GOLDEN)))
def test_draws(row):
    options, golden = GOLDEN[row]
    assert gumbelmax.sample(LOGITS, seed=42, **options).tolist() == golden


def test_draws_of_a_row():
    assert gumbelmax.sample(LOGITS[:2], seed=42, draws=4, step=2).tolist() == [
        [35, 35, 5, 15],
        [3, 26, 23, 14],
    ]
    long = ((np.arange(128_256) * 7919 % 1009) / 256 - 2).astype("float32")
    assert gumbelmax.sample(long, seed=42, draws=4).tolist() == [57_302, 11_944, 83_259, 37_941]


def test_perturbed_logits():
    found = gumbelmax.race(LOGITS[:2], 3, seed=42)
    assert found.categories.tolist() == [[14, 16, 24], [28, 20, 17]]
    keys = [[84_637_136, 84_539_771, 58_106_149], [80_083_628, 71_080_810, 38_674_508]]
    assert (found.perturbed_logits * 2**24).tolist() == keys
