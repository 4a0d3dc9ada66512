"""The examples in the documentation of each function."""

import doctest
import importlib

import pytest

import gumbelmax

MODULES = {
    "_batches": 1,
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
    assert doctest.testmod(gumbelmax).failed == 0


def test_every_function_has_an_example_that_runs():
    finder, without = doctest.DocTestFinder(recurse=False), set()
    for name in gumbelmax.__all__:
        function = getattr(gumbelmax, name)
        if not callable(function):
            continue
        module = function.__module__.removeprefix("gumbelmax.")
        if any(test.examples for test in finder.find(function, name, module=False)):
            assert module in MODULES, name
        else:
            without.add(name)
    # types of results, and what a machine has
    assert without == {
        "Cuts",
        "LogZ",
        "Race",
        "Scored",
        "devices",
        "get_num_threads",
        "set_num_threads",
    }
