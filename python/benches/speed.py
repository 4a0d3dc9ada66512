"""How long draws take, beside those of other libraries, in one interleaved run.

    python python/benches/speed.py benches/results/python-DATE

writes DATE.md and DATE.csv there. The other libraries take part if they are installed: NumPy (logits plus Gumbel noise,
argmax), torch.multinomial, jax.random.categorical, tf.random.categorical. All take a NumPy array of float32 logits (or,
for torch.multinomial, of probabilities, made beforehand), and the time is that of the whole call from Python. Turns
are interleaved, and the least time of each counts. Times mean something on an idle machine only: the load is written
beside them.
"""

import csv
import os
import pathlib
import platform
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import gumbelmax

SHAPES = [(256, 128_256), (65_536, 1024), (1_000_000, 16), (1, 128_256), (1, 50_257), (1, 16)]
SHORT = 0.1
Peers = dict[str, Callable[[], Any]]


def ours(logits: np.ndarray) -> Peers:
    """Calls of gumbelmax."""
    return {"gumbelmax": lambda: gumbelmax.sample(logits, seed=1, device="cpu")}


def numpy_peers(logits: np.ndarray) -> Peers:
    """Noise on each logit, in NumPy."""
    rng = np.random.default_rng(1)
    return {
        "numpy: argmax(logits + gumbel)": lambda: (logits + rng.gumbel(size=logits.shape)).argmax(
            -1
        )
    }


def torch_peers(logits: np.ndarray) -> Peers:
    """torch.multinomial, from probabilities and from logits."""
    import torch  # noqa: PLC0415

    tensor = torch.from_numpy(logits)
    probabilities = torch.softmax(tensor, -1).numpy()
    return {
        "torch.multinomial(probs, 1)": lambda: torch.multinomial(
            torch.from_numpy(probabilities), 1
        ),
        "torch.multinomial(softmax(logits), 1)": lambda: torch.multinomial(
            torch.softmax(torch.from_numpy(logits), -1), 1
        ),
    }


def jax_peers(logits: np.ndarray) -> Peers:
    """jax.random.categorical, compiled."""
    import jax  # noqa: PLC0415

    draw, key = jax.jit(jax.random.categorical), jax.random.key(1)
    return {"jax.random.categorical": lambda: draw(key, logits).block_until_ready()}


def tensorflow_peers(logits: np.ndarray) -> Peers:
    """tf.random.categorical."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf  # noqa: PLC0415

    return {"tf.random.categorical": lambda: tf.random.categorical(logits, 1).numpy()}


def timed(peers: Peers, seconds: float) -> dict[str, float]:
    """The least time of each, in seconds, of turns that are interleaved."""
    best = {}
    for name, call in peers.items():
        call()
        start = time.perf_counter()
        call()
        best[name] = time.perf_counter() - start
    end, turns = time.perf_counter() + seconds, 0
    while time.perf_counter() < end or turns < 3:
        for name, call in peers.items():
            # several of what is short: the first may wait for threads of the call before, which go on for a while
            for _ in range(5 if best[name] < SHORT else 1):
                start = time.perf_counter()
                call()
                best[name] = min(best[name], time.perf_counter() - start)
        turns += 1
    return best


def words(seconds: float) -> str:
    """A time in three digits."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def versions() -> list[str]:
    """The versions of all that took part, and what could not."""
    lines = []
    for name in ("numpy", "torch", "jax", "tensorflow"):
        try:
            lines.append(f"{name} {__import__(name).__version__}")
        except ImportError as error:
            lines.append(f"{name} did not take part: {error}")
    return lines


def main() -> None:
    """Measure, and write both files."""
    stem = pathlib.Path(sys.argv[1])
    load = os.getloadavg()[0]
    makers = [ours, numpy_peers, torch_peers, jax_peers, tensorflow_peers]
    rows: list[tuple[str, str, float, float]] = []
    for shape in SHAPES:
        logits = np.random.default_rng(1).normal(size=shape).astype(np.float32)
        peers: Peers = {}
        for make in makers:
            try:
                peers |= make(logits)
            except ImportError:
                continue
        best = timed(peers, 30 if logits.size > 1e6 else 5)
        label = f"{shape[0]:,} × {shape[1]:,}"
        rows += [(label, name, time_, time_ / best["gumbelmax"]) for name, time_ in best.items()]
        print(label, {name: words(t) for name, t in best.items()}, file=sys.stderr)
    empty = np.zeros((0, 16), np.float32)
    call = timed({"gumbelmax": lambda: gumbelmax.sample(empty, seed=1)}, 1)["gumbelmax"]
    rows.append(("0 × 16, an empty call", "gumbelmax", call, 1.0))

    with stem.with_name(stem.name + ".csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["shape", "call", "seconds", "times gumbelmax"])
        table.writerows((shape, name, f"{t:.3e}", f"{ratio:.2f}") for shape, name, t, ratio in rows)
    lines = [
        "# One draw from each row, from Python",
        "",
        f"`python python/benches/speed.py benches/results/{stem.name}`, {time.strftime('%Y-%m-%d', time.gmtime())}, "
        f"on {os.cpu_count()} cores ({processor()}), {gumbelmax.get_num_threads()} threads for gumbelmax; Python "
        f"{platform.python_version()}, gumbelmax {gumbelmax.__version__}, {', '.join(versions())}.",
        "",
        "The least time of each, in turns that are interleaved; the whole call from a NumPy array of float32. "
        f"The load of the machine before the run was {load:.1f}.",
        "",
        "| rows × categories | call | time | times gumbelmax |",
        "|---|---|---|---|",
        *(f"| {shape} | {name} | {words(t)} | {ratio:.1f} |" for shape, name, t, ratio in rows),
        "",
    ]
    stem.with_name(stem.name + ".md").write_text("\n".join(lines), encoding="utf-8")


def processor() -> str:
    """The name of the processor."""
    try:
        text = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or "unknown"
    names = [
        line.partition(":")[2].strip()
        for line in text.splitlines()
        if line.startswith("model name")
    ]
    return names[0] if names else "unknown"


if __name__ == "__main__":
    main()
