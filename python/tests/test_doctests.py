"""The examples in the documentation of each function."""

import doctest
import importlib

import pytest

MODULES = {
    "_digest": 1,
    "_draws": 4,
    "_generator": 1,
    "_particles": 2,
    "_softmax": 2,
    "_sums": 4,
    "_tables": 1,
}


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_functions(name):
    failed, tried = doctest.testmod(importlib.import_module(f"gumbelmax.{name}"), verbose=False)
    assert failed == 0
    assert tried >= MODULES[name]


def test_examples_of_the_package():
    import gumbelmax  # noqa: PLC0415

    assert doctest.testmod(gumbelmax).failed == 0
