"""Draw from millions of categorical distributions at once, with the same draws everywhere.

Logits go in, the index of one category for each row comes out, with probability exactly softmax:

>>> import numpy as np
>>> import gumbelmax
>>> logits = np.zeros((1_000, 16), np.float32)
>>> draws = gumbelmax.sample(logits, seed=42)
>>> draws.shape, draws.dtype
((1000,), dtype('int64'))

**A draw depends on** its row's numbers, on the temperature, on the method, and on (seed, row id, step), and on nothing
else: not on the machine, the number of threads, the batch, or the position in it. So two calls with the same arguments
give the same draws. In a loop, give each turn its own ``step``, or let a :class:`Generator` count.

**Arrays** of NumPy, PyTorch, JAX, and of any library that speaks DLPack and keeps them in the CPU's memory, are read
where they are, and results are arrays of the same library. Do not write to an array while it is drawn from: the
interpreter is free for other threads in the meantime.

**Rows** are all axes but that of the categories, ``axis``. They are numbered from ``first_row`` on, in C order, or have
the ids that ``row_ids`` gives them: a row with an id has the same draws in whatever batch.

Modules for those who have these libraries: :mod:`gumbelmax.torch`, :mod:`gumbelmax.transformers`, :mod:`gumbelmax.jax`,
:mod:`gumbelmax.arrow`, :mod:`gumbelmax.dask`, :mod:`gumbelmax.ray`.
"""

import os
import sys

from gumbelmax._batches import make_batch_fn
from gumbelmax._digest import digest
from gumbelmax._draws import NO_DRAW, race, sample, sample_scored, sample_weights
from gumbelmax._generator import Generator
from gumbelmax._lib import __version__, devices, get_num_threads, set_num_threads
from gumbelmax._particles import Particles, resample
from gumbelmax._results import Cuts, LogZ, Race, Scored
from gumbelmax._softmax import gumbel_softmax, gumbel_softmax_vjp
from gumbelmax._sums import cuts, estimate_log_z, log_prob, logsumexp
from gumbelmax._tables import InverseCdf

if sys.platform == "linux" and "XDG_RUNTIME_DIR" not in os.environ:
    # As in containers: a layer of the drivers of Mesa would write errors to standard error, as it finds no display
    # server to ask for its GPU. This switches the layer off. It is done here, before there are threads.
    os.environ.setdefault("NODEVICE_SELECT", "1")

__all__ = [
    "NO_DRAW",
    "Cuts",
    "Generator",
    "InverseCdf",
    "LogZ",
    "Particles",
    "Race",
    "Scored",
    "__version__",
    "cuts",
    "devices",
    "digest",
    "estimate_log_z",
    "get_num_threads",
    "gumbel_softmax",
    "gumbel_softmax_vjp",
    "log_prob",
    "logsumexp",
    "make_batch_fn",
    "race",
    "resample",
    "sample",
    "sample_scored",
    "sample_weights",
    "set_num_threads",
]
