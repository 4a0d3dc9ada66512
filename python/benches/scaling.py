"""The rates from which docs/scaling.md plans 10^12 draws.

    python python/benches/scaling.py benches/results/python-scaling-DATE.md

On one thread: draws from memory, and Parquet read and written. With one and with two actors of one CPU each: a Parquet
data set drawn from on Ray Data. The least time of several turns counts. Needs pyarrow and Ray, and an idle machine.
"""

import os
import pathlib
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import ray

import gumbelmax.arrow
import gumbelmax.ray

ROWS, CATEGORIES, FILES = 200_000, 100, 8


def least(call: Callable[[], Any], seconds: float = 5.0) -> float:
    """The least time of a call, in seconds."""
    call()
    best, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
    return best


def on_one_thread(folder: pathlib.Path) -> list[tuple[str, float, str]]:
    """Rates of the parts of the work, each on one thread."""
    gumbelmax.set_num_threads(1)
    pa.set_cpu_count(1)
    logits = np.random.default_rng(1).normal(size=(ROWS, CATEGORIES)).astype(np.float32)
    ids = np.arange(ROWS)
    column = pa.FixedSizeListArray.from_arrays(pa.array(logits.ravel()), CATEGORIES)
    table = pa.table({"row_id": ids, "logits": column})
    drawn = gumbelmax.arrow.sample(table, seed=1).select(["row_id", "draw"])
    few = logits[:2000]
    gumbelmax_table = gumbelmax.InverseCdf(logits[0], seed=1)

    def read_lists() -> Any:
        return pq.read_table(folder / "logits.parquet", use_threads=False)

    pq.write_table(table, folder / "logits.parquet", compression="none")
    calls: list[tuple[str, Callable[[], Any], int, str]] = [
        ("draw, one from each row", lambda: gumbelmax.sample(logits, seed=1), ROWS, "draws"),
        (
            "draw, 100 from each row, inverse CDF",
            lambda: gumbelmax.sample(few, seed=1, draws=100, method="inverse-cdf"),
            200_000,
            "draws",
        ),
        (
            "draw, 10^6 from a kept table",
            lambda: gumbelmax_table.sample(1_000_000),
            1_000_000,
            "draws",
        ),
        (
            "draw, from a table of Arrow",
            lambda: gumbelmax.arrow.sample(table, seed=1),
            ROWS,
            "draws",
        ),
        ("read Parquet, lists of 100 float32", read_lists, ROWS, "rows"),
        (
            "write Parquet, row id and draw",
            lambda: pq.write_table(drawn, folder / "draws.parquet"),
            ROWS,
            "rows",
        ),
    ]
    rates = [(name, count / least(call), unit) for name, call, count, unit in calls]
    gumbelmax.set_num_threads(0)
    return rates


def on_ray(folder: pathlib.Path) -> list[tuple[str, float, str]]:
    """Rates of Parquet to Parquet."""
    logits = folder / "data"
    logits.mkdir()
    for i in range(FILES):
        numbers = np.random.default_rng(i).normal(size=(ROWS, CATEGORIES)).astype(np.float32)
        column = pa.FixedSizeListArray.from_arrays(pa.array(numbers.ravel()), CATEGORIES)
        table = pa.table({"row_id": np.arange(ROWS) + i * ROWS, "logits": column})
        pq.write_table(table, logits / f"{i}.parquet", compression="none", row_group_size=50_000)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    ray.init(num_cpus=4, include_dashboard=False, _node_ip_address="127.0.0.1", log_to_driver=False)
    ray.data.DataContext.get_current().enable_progress_bars = False
    rates = []
    for workers in (1, 2):
        times = []
        for turn in range(3):
            start = time.perf_counter()
            drawn = gumbelmax.ray.sample(
                ray.data.read_parquet(str(logits)), seed=1, concurrency=workers
            )
            drawn.select_columns(["row_id", "draw"]).write_parquet(
                str(folder / f"out-{workers}-{turn}")
            )
            times.append(time.perf_counter() - start)
        rates.append(
            (f"Parquet to Parquet on Ray, {workers} actors", FILES * ROWS / min(times), "rows")
        )
    ray.shutdown()
    return rates


def main() -> None:
    """Measure, and write the table."""
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        rates = on_one_thread(pathlib.Path(folder)) + on_ray(pathlib.Path(folder))
    lines = [
        "# Rates of draws at scale",
        "",
        f"`python python/benches/scaling.py {sys.argv[1]}`, {time.strftime('%Y-%m-%d', time.gmtime())}, on "
        f"{os.cpu_count()} cores; Python {platform.python_version()}, pyarrow {pa.__version__}, Ray {ray.__version__}. "
        f"Rows of {CATEGORIES} float32. The load of the machine before the run was {load:.1f}.",
        "",
        "| work | millions a second | bytes a second |",
        "|---|---|---|",
    ]
    for name, rate, unit in rates:
        size = {"draws": 0, "rows": 16 if "write" in name else 4 * CATEGORIES + 8}[unit]
        lines.append(
            f"| {name} | {rate / 1e6:.3g} {unit} | {f'{rate * size / 1e9:.3g} GB' if size else ''} |"
        )
    pathlib.Path(sys.argv[1]).write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
