"""Every device of this machine draws the same.

scripts/test-python runs this file in a process of its own: the drivers of Mesa and Triton each bring an LLVM, and a
process that loads both crashes. No other test may ask for a device but the CPU.
"""

import os
import subprocess
import sys

import numpy as np
import pytest

import gumbelmax

ADAPTERS = gumbelmax.devices()[1:]


@pytest.fixture(params=ADAPTERS or [None])
def device(request):
    if request.param is None:
        pytest.skip("there is no adapter, or this build draws on the CPU alone")
    return request.param


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_operations(device, rng, dtype):
    logits = rng.normal(size=(300, 200)).astype(dtype)
    there, here = {"seed": 1, "device": device}, {"seed": 1, "device": "cpu"}
    assert (gumbelmax.sample(logits, **there) == gumbelmax.sample(logits, **here)).all()
    ids = rng.integers(0, 2**63, 300)
    own = {"row_ids": ids, "temperature": rng.random(300) + 0.5, "draws": 3}
    assert (
        gumbelmax.sample(logits, **own, **there) == gumbelmax.sample(logits, **own, **here)
    ).all()
    races = [gumbelmax.race(logits, 4, **options) for options in (there, here)]
    assert (races[0].perturbed_logits == races[1].perturbed_logits).all()
    tables = [gumbelmax.InverseCdf(logits, **options) for options in (there, here)]
    assert (tables[0].sample(50) == tables[1].sample(50)).all()
    soft = [gumbelmax.gumbel_softmax(logits, 0.5, **options) for options in (there, here)]
    assert np.abs(soft[0] - soft[1]).max() < 1e-4
    scored = gumbelmax.sample_scored(logits, **there)
    assert np.abs(scored.log_probs - gumbelmax.log_prob(logits, scored.draws)).max() < 1e-4


def test_an_adapter_that_nobody_has():
    with pytest.raises(ValueError, match=r"no adapter.*voodoo"):
        gumbelmax.sample(np.zeros(3), seed=1, device="voodoo")


def test_a_part_of_a_name_is_enough(device):
    rows = np.zeros((3, 4))
    assert (
        gumbelmax.sample(rows, seed=1, device=device[:6]) == gumbelmax.sample(rows, seed=1)
    ).all()


def test_a_large_call_finds_its_device_by_itself():
    large = np.zeros((300, 1000), "float32")
    found = gumbelmax.sample(large, seed=1, device="auto")
    assert (found == gumbelmax.sample(large, seed=1)).all()


def test_the_drivers_are_silent():
    code = """
import numpy, gumbelmax
gumbelmax.sample(numpy.zeros((300, 1000)), seed=1, device="auto")
gumbelmax.devices()
"""
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("XDG_RUNTIME_DIR", "NODEVICE_SELECT")
    }
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    assert done.stderr == ""
