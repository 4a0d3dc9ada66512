# %% [markdown]
# # Pictures of gumbelmax
#
# A notebook in the percent format, which Jupyter (with jupytext), VS Code and others open, and a program:
#
#     python python/examples/gallery.py FOLDER
#
# writes the pictures, and checks what they show. In a notebook they are shown beside their cells, and written to the
# folder gallery beside it. It needs matplotlib, and data/letters.npy of the repository that it lies in.

# %%
"""Pictures of gumbelmax: the race, Gumbel top-k, a Potts lattice, training by Gumbel-softmax, decoding with top-p."""

import os
import pathlib
import sys

import matplotlib as mpl
import numpy as np

import gumbelmax

# Jupyter has chosen how it shows pictures; a program has no display to show them on
if "MPLBACKEND" not in os.environ:
    mpl.use("Agg")
import matplotlib.pyplot as plt

# a notebook has the kernel's arguments, of which "-f" is the first, and no file
ARGUMENTS = sys.argv[1:] if "__file__" in globals() else []
HERE = pathlib.Path(__file__ if "__file__" in globals() else "notebook").resolve().parent
FOLDER = pathlib.Path(ARGUMENTS[0] if ARGUMENTS and ARGUMENTS[0] != "-f" else "gallery")
FOLDER.mkdir(parents=True, exist_ok=True)

# %% [markdown]
# ## The race
#
# Each category is an alarm that rings after an exponential time, with its weight as the rate. The first to ring is the
# draw. When it rings does not depend on which it is: a time of rate 1 + 2 + 5 for each of them.

# %%
WEIGHTS = np.array([1.0, 2.0, 5.0])
race = gumbelmax.race(WEIGHTS, 3, seed=1, draws=100_000, weights=True)
winner, time = race.categories[:, 0], race.times[:, 0]

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
for i in range(12):
    order = race.categories[i]
    left.scatter(race.times[i], np.full(3, i), c=order, cmap="viridis", vmin=0, vmax=2)
left.set(title="twelve races", xlabel="time", ylabel="race", xscale="log")
grid = np.linspace(0, 0.8, 200)
for category in range(3):
    label = f"weight {WEIGHTS[category]:.0f}: {np.mean(winner == category):.3f} of the races"
    right.hist(
        time[winner == category], 60, range=(0, 0.8), density=True, histtype="step", label=label
    )
right.plot(grid, 8 * np.exp(-8 * grid), "k--", linewidth=1, label="Exp(8)")
right.set(title="when the winner rings", xlabel="time")
right.legend()
figure.savefig(FOLDER / "race.png", dpi=120)

assert np.allclose(np.bincount(winner) / 1e5, WEIGHTS / 8, atol=0.01)
assert all(abs(time[winner == category].mean() - 1 / 8) < 0.01 for category in range(3))

# %% [markdown]
# ## Gumbel top-k
#
# The first k to ring are k draws without replacement. How often is each category among the first k?

# %%
logits = np.linspace(3, -3, 30)
figure, axes = plt.subplots(figsize=(9, 3.2), layout="constrained")
before = np.zeros(30)
for k in (1, 2, 4, 8, 16):
    first = gumbelmax.race(logits, k, seed=2, draws=50_000).categories
    share = np.bincount(first.ravel(), minlength=30) / 50_000
    axes.plot(share, "o-", markersize=3, label=f"k = {k}")
    assert abs(share.sum() - k) < 1e-9
    assert (share > before).all()
    before = share
axes.set(title="the share of races in which a category is among the first k", xlabel="category")
axes.legend()
figure.savefig(FOLDER / "top_k.png", dpi=120)

# %% [markdown]
# ## A Potts lattice
#
# Each site has one of three states, and likes those of its four neighbours. The sites of one colour of a chessboard
# are drawn from at once, a row of three logits each: the site is the row's id, the sweep is the step.

# %%
SIDE, STATES, SWEEPS = 96, 3, 150
CRITICAL = np.log(1 + np.sqrt(STATES))
sites = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)
colour = np.add(*np.indices((SIDE, SIDE))) % 2


def sweep(lattice: np.ndarray, beta: float, number: int) -> np.ndarray:
    """Draw every site once, given its neighbours."""
    for which in (0, 1):
        ours = colour == which
        neighbours = [np.roll(lattice, shift, axis) for axis in (0, 1) for shift in (1, -1)]
        counts = sum((n[ours][:, None] == np.arange(STATES)).astype(np.float32) for n in neighbours)
        lattice = lattice.copy()
        lattice[ours] = gumbelmax.sample(beta * counts, seed=3, step=number, row_ids=sites[ours])
    return lattice


figure, all_axes = plt.subplots(1, 3, figsize=(9, 3.3), layout="constrained")
order = []
for axes, factor in zip(all_axes, (0.7, 1.0, 1.4), strict=True):
    lattice = gumbelmax.sample(np.zeros((SIDE, SIDE, STATES)), seed=4)
    for number in range(SWEEPS):
        lattice = sweep(lattice, factor * CRITICAL, number)
    order.append(np.mean(lattice == np.roll(lattice, 1, 0)))
    axes.imshow(lattice, cmap="viridis", interpolation="nearest")
    axes.set(title=f"{factor} of the critical coupling", xticks=[], yticks=[])
figure.savefig(FOLDER / "potts.png", dpi=120)

assert order == sorted(order)

# %% [markdown]
# ## Training by Gumbel-softmax
#
# Logits learn a distribution through their samples: the loss is the distance of the mean of 256 straight-through
# samples from a target, and the gradient that of soft samples.

# %%
TARGET = np.array([0.02, 0.4, 0.08, 0.3, 0.15, 0.05])
theta, losses = np.zeros(6, np.float32), []
for step in range(1500):
    options = {"tau": 0.7, "hard": True, "seed": 5, "step": 256 * step, "draws": 256}
    samples = gumbelmax.gumbel_softmax(theta, **options)
    error = samples.mean(0) - TARGET
    losses.append((error**2).sum())
    cotangents = np.broadcast_to(2 * error / 256, samples.shape).astype(np.float32)
    theta = theta - 1.0 * gumbelmax.gumbel_softmax_vjp(cotangents, theta, **options)
learned = np.exp(theta) / np.exp(theta).sum()

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
left.semilogy(np.convolve(losses, np.ones(30) / 30, "valid"))
left.set(title="loss, the mean of 30 steps", xlabel="step")
right.bar(np.arange(6) - 0.2, TARGET, 0.4, label="target")
right.bar(np.arange(6) + 0.2, learned, 0.4, label="learned")
right.legend()
figure.savefig(FOLDER / "training.png", dpi=120)

assert np.abs(learned - TARGET).max() < 0.08

# %% [markdown]
# ## Decoding with top-p
#
# A decoder draws the next letter of a word from those that have the share p of the probability. The same seed draws the
# same letter with and without a cut, unless that letter is cut: words differ from the first such letter on.

# %%
ROOT = next(up for up in (HERE, *HERE.parents) if (up / "data/letters.npy").exists())
LETTERS = np.load(ROOT / "data/letters.npy")
NAMES, EDGE, LENGTH = "abcdefghijklmnopqrstuvwxyz.", 26, 12
SHARES = [0.3, 0.5, 0.7, 0.9, 1.0]


def words(p: float, count: int) -> list[str]:
    """Decode words: the word is the row, the letter's place is the step."""
    letters = [np.full(count, EDGE)]
    for step in range(LENGTH):
        letters.append(gumbelmax.sample(LETTERS[letters[-1]], seed=6, step=step, top_p=p))
    spelled = ("".join(NAMES[i] for i in word[1:]) for word in np.stack(letters, -1))
    return [word.partition(".")[0] for word in spelled]


figure, (left, middle, right) = plt.subplots(
    1, 3, figsize=(11, 3.6), layout="constrained", width_ratios=[1.3, 1, 1]
)
row = LETTERS[NAMES.index("q") - 1]  # what follows a p
order = np.argsort(-row)
probability = np.exp(row - gumbelmax.logsumexp(row))
left.bar(range(27), probability[order], color="lightgrey")
kept = row[order] >= gumbelmax.cuts(row, top_p=0.7).threshold
left.bar(np.flatnonzero(kept), probability[order][kept])
left.set(title="what follows p: in blue top-p 0.7", xticks=range(27), ylabel="probability")
left.set_xticklabels([NAMES[i] for i in order])

where = [gumbelmax.cuts(LETTERS, top_p=p) for p in SHARES]
whole = gumbelmax.sample(LETTERS, seed=7, draws=20_000)
same = [(gumbelmax.sample(LETTERS, seed=7, draws=20_000, top_p=p) == whole).mean() for p in SHARES]
middle.plot(SHARES, [found.kept.mean() / 27 for found in where], "o-", label="letters kept")
middle.plot(SHARES, [found.share.mean() for found in where], "o-", label="their probability")
middle.plot(SHARES, same, "k+", markersize=10, label="draws that stay")
middle.set(title="the mean of all rows", xlabel="top-p")
middle.legend()

decoded = [words(p, 9) for p in SHARES]
right.axis("off")
for column, (p, found) in enumerate(zip(SHARES, decoded, strict=True)):
    text = "\n".join([f"p = {p}", "", *(word[:9] for word in found)])
    right.text(column * 0.23 - 0.08, 1, text, va="top", family="monospace", fontsize=8)
figure.savefig(FOLDER / "top_p.png", dpi=120)

# a draw stays if its letter is kept, and that is as probable as what is kept; five standard errors
assert all(abs(s - found.share.mean()) < 0.005 for s, found in zip(same, where, strict=True))
assert all((found.share >= p - 1e-6).all() for p, found in zip(SHARES, where, strict=True))
assert (gumbelmax.sample(LETTERS, seed=7, draws=20_000, top_p=1.0) == whole).all()
print(f"wrote race.png, top_k.png, potts.png, training.png and top_p.png to {FOLDER}")
