"""Every device of this machine draws the same.

scripts/test-python runs this file in a process of its own: the drivers of Mesa and Triton each bring an LLVM, and a
process that loads both crashes. No other test may ask for a device but the CPU.
"""

import os
import subprocess
import sys
import textwrap

import ml_dtypes
import numpy as np
import pytest

import gumbelmax

ADAPTERS = gumbelmax.devices()[1:]


@pytest.fixture(params=ADAPTERS or [None])
def device(request):
    if request.param is None:
        pytest.skip("there is no adapter, or this build draws on the CPU alone")
    return request.param


TYPES = ["float16", ml_dtypes.bfloat16, "float32", "float64"]


@pytest.mark.parametrize("dtype", TYPES)
def test_operations(device, rng, dtype):
    logits = rng.normal(size=(300, 200)).astype(dtype)
    there, here = {"seed": 1, "device": device}, {"seed": 1, "device": "cpu"}
    races = [gumbelmax.race(logits, 4, **options) for options in (there, here)]
    assert (races[0].perturbed_logits == races[1].perturbed_logits).all()
    tables = [gumbelmax.InverseCdf(logits, **options) for options in (there, here)]
    assert (tables[0].sample(50) == tables[1].sample(50)).all()
    soft = [gumbelmax.gumbel_softmax(logits, 0.5, **options) for options in (there, here)]
    assert np.abs(soft[0] - soft[1]).max() < 1e-4
    scored = gumbelmax.sample_scored(logits, **there)
    assert np.abs(scored.log_probs - gumbelmax.log_prob(logits, scored.draws)).max() < 1e-4


CUTS = {
    "top_k": np.arange(300) % 50 + 1,
    "top_p": 0.9,
    "min_p": 0.001,
    "epsilon": np.linspace(0, 0.001, 300),
    "cut_temperature": 1.5,
    "share": "all",
}
PENALTIES = {
    "bias": {3: 2.0, 5: -np.inf},
    "history": np.arange(900).reshape(300, 3) % 11,
    "repetition_penalty": np.linspace(0.7, 1.4, 300),
    "frequency_penalty": 0.5,
    "presence_penalty": 0.25,
}
OPTIONS = {
    "nothing": {},
    "rows": {
        "row_ids": np.arange(300) * 2**40 + 7,
        "temperature": np.linspace(0, 2, 300),
        "step": np.arange(300),
        "draws": 3,
    },
    "inverse CDF": {"method": "inverse-cdf", "draws": 20},
    "cuts": CUTS,
    "mask": {"allowed": np.arange(60_000).reshape(300, 200) % 3 > 0},
    "penalties": PENALTIES,
    "all": {**CUTS, **PENALTIES, "allowed": np.arange(200) % 3 > 0, "temperature": 0.7, "draws": 4},
}


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("name", OPTIONS)
def test_draws(device, rng, dtype, name):
    logits = rng.normal(0, 2, (300, 200)).astype(dtype)
    options = {"seed": 1, **OPTIONS[name]}
    there, here = (gumbelmax.sample(logits, **options, device=d) for d in (device, "cpu"))
    assert there.tobytes() == here.tobytes()
    assert (here != gumbelmax.sample(logits, **{**options, "seed": 2})).any()


@pytest.mark.parametrize("dtype", [*TYPES, "uint8", "uint32", "int64"])
@pytest.mark.parametrize("name", ["nothing", "rows", "inverse CDF", "cuts", "mask"])
def test_draws_by_weights(device, rng, dtype, name):
    weights = rng.integers(0, 100, (300, 200)).astype(dtype)
    options = {"seed": 1, **OPTIONS[name]}
    there, here = (gumbelmax.sample_weights(weights, **options, device=d) for d in (device, "cpu"))
    assert there.tobytes() == here.tobytes()


def test_a_call_in_many_pieces(device):
    # so many that they are no one piece on a GPU either
    found = gumbelmax.sample(np.zeros(40, "float32"), seed=1, draws=4_000_000, device=device)
    assert (found[-100:] == gumbelmax.sample(np.zeros(40), seed=1, step=3_999_900, draws=100)).all()


def run(code):
    """The standard output of a program of its own."""
    arguments = [sys.executable, "-P", "-c", textwrap.dedent(code)]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


DRIVERS = """
import re, numpy, gumbelmax

def drivers():
    kinds = r"\\S*/lib(?:vulkan_|nvidia|GLX?_|EGL_|amdvlk|LLVM)\\S*"
    return len(set(re.findall(kinds, open("/proc/self/maps").read())))

def draw(device):
    gumbelmax.sample(numpy.zeros((3, 4)), seed=1, device=device)
    return drivers()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the list of libraries is of Linux")
def test_a_device_that_is_named_draws(device):
    """The draws are the same everywhere, so that they do not tell who drew: the process's libraries do."""
    said = run(DRIVERS + f"print(drivers(), draw('cpu'), draw('auto'), draw({device!r}))")
    before, cpu, auto, there = map(int, said.split())
    # "auto" asks nobody for so few logits
    assert before == cpu == auto == 0
    assert there > 0
    # "gpu" is a GPU, and no software that stands for one
    said = run(
        DRIVERS + "try:\n    print(draw('gpu'))\nexcept ValueError as error:\n    print(error)"
    )
    assert said.startswith("no adapter is a hardware GPU") or int(said) > 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("asked", [True, False])
def test_a_forked_process_is_refused_a_device_whose_driver_was_asked_before(device, asked):
    before = "gumbelmax.devices()" if asked else f"draw({device!r})"
    said = run(f"""
        import os, signal, numpy, gumbelmax
        def draw(device):
            return gumbelmax.sample(numpy.zeros((300, 1000), "float32"), seed=1, device=device)
        want = draw("cpu")
        {before}
        child = os.fork()
        if child == 0:
            signal.alarm(60)
            fine = all((draw(device) == want).all() for device in ("cpu", "auto"))
            for device in ("gpu", {device!r}):
                for call in (draw, lambda d: gumbelmax.InverseCdf(numpy.zeros(3), seed=1, device=d)):
                    try:
                        call(device)
                        fine = False
                    except RuntimeError as error:
                        fine &= "forked from one that had asked the drivers" in str(error)
            os._exit(0 if fine else 1)
        print(os.waitpid(child, 0)[1])
    """)
    assert said == "0\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_has_devices_if_nobody_asked_before(device):
    said = run(f"""
        import os, signal, numpy, gumbelmax
        def draw(device):
            return gumbelmax.sample(numpy.zeros((300, 1000), "float32"), seed=1, device=device)
        want = draw("cpu")
        child = os.fork()
        if child == 0:
            signal.alarm(60)
            os._exit(0 if (draw({device!r}) == want).all() else 1)
        print(os.waitpid(child, 0)[1])
    """)
    assert said == "0\n"


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
