"""Bias and penalties, as the crate's part takes them."""

import operator
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

Entries = tuple[Any, Any, Any]
"""Where each row's entries begin, and the last one's end, or None for all rows; categories; a number for each."""


def adjustment(
    bias: Any,
    repetition_penalty: Any,
    frequency_penalty: Any,
    presence_penalty: Any,
    history: Any,
) -> tuple[Any, ...] | None:
    """Return what is added to logits and taken from them as the crate's part takes it, or None if nothing is."""
    if bias is repetition_penalty is frequency_penalty is presence_penalty is history is None:
        return None
    penalties = (repetition_penalty, frequency_penalty, presence_penalty)
    if history is None and any(penalty is not None for penalty in penalties):
        raise ValueError(
            "penalties are of the categories that rows had before, and history says none: [] if there are none yet"
        )
    return (
        None if bias is None else biases(bias),
        *penalties,
        None if history is None else _history(history),
    )


def biases(bias: Any) -> Entries:
    """Return a bias as entries."""
    if not isinstance(bias, Mapping | list | tuple):
        raise TypeError(
            f"bias must be a dict from categories to numbers, or a list of one for each row, got "
            f"{type(bias).__name__}: an array is added to the logits as it is, logits + bias"
        )
    rows = _rows(bias)
    for row in rows:
        if not isinstance(row, Mapping):
            raise TypeError(f"bias must be a list of dicts or None, got {type(row).__name__}")
    categories = _categories("bias", (category for row in rows for category in row))
    values = [value for row in rows for value in row.values()]
    try:
        numbers = np.array(values, np.float64)
    except (TypeError, ValueError):
        raise TypeError(f"bias must be numbers, got {values!r}") from None
    return _offsets(bias, rows), categories, numbers


def _history(history: Any) -> Any:
    """Return entries, or an array of tokens as it is."""
    if not isinstance(history, Mapping | list | tuple):
        return history
    if not isinstance(history, Mapping) and all(_is_integer(token) for token in history):
        return np.array(history, np.int64)
    for row in _rows(history):
        if not isinstance(row, Iterable):
            raise TypeError(f"history must have integers as categories, got {row!r}")
    # -1 is none, as in arrays
    rows = [
        row if isinstance(row, Mapping) else [token for token in row if token != -1]
        for row in _rows(history)
    ]
    categories = _categories("history", (category for row in rows for category in row))
    counts = [
        count
        for row in rows
        for count in (row.values() if isinstance(row, Mapping) else [1] * len(row))
    ]
    if not all(_is_integer(count) and 0 <= count < 1 << 32 for count in counts):
        raise ValueError("history must have counts that are integers from 0 to 4294967295")
    return _offsets(history, rows), categories, np.array(counts, np.int64)


def _rows(given: Any) -> list[Any]:
    """Return what each row has, or in a list of one what all have."""
    rows = [given] if isinstance(given, Mapping) else given
    return [{} if row is None else row for row in rows]


def _offsets(given: Any, rows: list[Any]) -> list[int] | None:
    if isinstance(given, Mapping):
        return None
    offsets: list[int] = np.cumsum([0, *map(len, rows)]).tolist()
    return offsets


def _categories(what: str, categories: Iterable[Any]) -> Any:
    found = []
    for category in categories:
        if not _is_integer(category):
            raise TypeError(f"{what} must have integers as categories, got {category!r}")
        index = operator.index(category)
        if not 0 <= index < 1 << 32:
            raise ValueError(f"{what} has the category {index}, and categories are numbered from 0")
        found.append(index)
    return np.array(found, np.int64)


def _is_integer(value: Any) -> bool:
    try:
        operator.index(value)
    except TypeError:
        return False
    return True
