"""Types: of options that are passed on, and what mypy says of calls with them."""

import inspect
import pathlib
import re
import subprocess
import sys
import typing

import pytest

import gumbelmax
from gumbelmax import Generator

METHODS = [
    name
    for name, _ in inspect.getmembers(Generator, inspect.isfunction)
    if not name.startswith("_")
]


def accepted(function):
    """The names of all arguments, those of options too."""
    names = set()
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is parameter.VAR_KEYWORD:
            (options,) = typing.get_args(parameter.annotation)
            names |= options.__optional_keys__
        elif name != "self":
            names.add(name)
    return names


@pytest.mark.parametrize("name", METHODS)
def test_a_generator_takes_what_the_function_does(name):
    taken, of_function = accepted(getattr(Generator, name)), accepted(getattr(gumbelmax, name))
    assert taken | {"seed", "step"} == of_function
    assert not taken & {"seed", "step"}


def test_resample_takes_what_the_method_does():
    assert accepted(gumbelmax.resample) - {"log_weights"} == accepted(gumbelmax.Particles.resample)


def test_batches_take_what_draws_do():
    names = accepted(gumbelmax.make_batch_fn) - accepted(gumbelmax.sample)
    assert names == {"weights", "row_id", "output"}


def test_mypy_refuses_what_is_wrong_and_nothing_else(tmp_path):
    pytest.importorskip("mypy")
    calls = pathlib.Path(__file__).parent / "typed.py"
    marked = {
        number: refused[1]
        for number, line in enumerate(calls.read_text(encoding="utf-8").splitlines(), 1)
        if (refused := re.search("# refused: (.*)", line))
    }
    # away from the sources, so that the types are those of the package that is installed
    command = [sys.executable, "-m", "mypy", "--strict", "--hide-error-context", str(calls)]
    done = subprocess.run(
        command, check=False, cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    errors = re.findall(r"typed\.py:(\d+): error: .*\[(.*)\]", done.stdout)
    assert {int(number): kind for number, kind in errors} == marked, done.stdout + done.stderr
