"""Soft samples, and gradients through them."""

import numpy as np
import pytest

import gumbelmax
from gumbelmax import sample


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_soft_samples_and_their_gradients(rng, axis):
    logits = rng.normal(size=(3, 4, 5))
    options = {"tau": 0.7, "seed": 1, "axis": axis, "temperature": 2.0}
    soft = gumbelmax.gumbel_softmax(logits, **options)
    assert soft.shape == logits.shape
    assert soft.dtype == np.float32
    draws = sample(logits, seed=1, axis=axis, temperature=2.0)
    assert (soft.argmax(axis) == draws).all()
    hard = gumbelmax.gumbel_softmax(logits, hard=True, **options)
    assert (hard == np.moveaxis(np.eye(logits.shape[axis])[draws], -1, axis)).all()

    cotangents = rng.normal(size=logits.shape)
    gradient = gumbelmax.gumbel_softmax_vjp(cotangents, logits, **options)
    # the derivative of the samples, by their formula: y (g - sum(g y)) / (tau T)
    y = soft.astype("float64")
    want = y * (cotangents - (cotangents * y).sum(axis, keepdims=True)) / (0.7 * 2.0)
    assert np.abs(gradient - want).max() < 1e-5
    # and by differences
    h, (i, j, k) = 1e-2, (1, 2, 3)
    losses = []
    for sign in (1, -1):
        moved = logits.copy()
        moved[i, j, k] += sign * h
        losses.append((gumbelmax.gumbel_softmax(moved, **options) * cotangents).sum())
    assert abs((losses[0] - losses[1]) / (2 * h) - gradient[i, j, k]) < 1e-3
    assert (
        gumbelmax.gumbel_softmax_vjp(cotangents, logits, hard=True, **options) == gradient
    ).all()


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
def test_cotangents_lie_as_the_samples_do(rng, axis):
    logits = rng.normal(size=(3, 4, 5))
    want = gumbelmax.gumbel_softmax_vjp(np.cos(logits), logits, 0.7, seed=1)
    # so that rows are the same, whichever axis has the categories
    moved = np.moveaxis(logits, -1, axis)
    for cotangents in (np.cos(moved), np.cos(moved)[:, ::-1].copy()[:, ::-1]):
        found = gumbelmax.gumbel_softmax_vjp(cotangents, moved, 0.7, seed=1, axis=axis)
        assert (np.moveaxis(found, axis, -1) == want).all()
    several = np.stack([np.cos(logits)] * 2, -2)
    twice = gumbelmax.gumbel_softmax_vjp(several, moved, 0.7, seed=1, draws=2, axis=axis)
    next_step = gumbelmax.gumbel_softmax_vjp(np.cos(logits), logits, 0.7, seed=1, step=1)
    assert np.allclose(np.moveaxis(twice, axis, -1), want + next_step, atol=1e-6)


def test_soft_samples_of_several_draws(rng):
    logits = rng.normal(size=(4, 6)).astype("float32")
    soft = gumbelmax.gumbel_softmax(logits, 0.5, seed=3, draws=7)
    assert soft.shape == (4, 7, 6)
    each = [gumbelmax.gumbel_softmax(logits, 0.5, seed=3, step=step) for step in range(7)]
    assert (soft == np.stack(each, 1)).all()
    cotangents = rng.normal(size=soft.shape).astype("float32")
    whole = gumbelmax.gumbel_softmax_vjp(cotangents, logits, 0.5, seed=3, draws=7)
    parts = [
        gumbelmax.gumbel_softmax_vjp(cotangents[:, step], logits, 0.5, seed=3, step=step)
        for step in range(7)
    ]
    assert np.allclose(whole, sum(parts), atol=1e-6)
