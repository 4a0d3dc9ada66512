"""Sample a Parquet data set that is larger than the memory of a worker, on Ray Data.

    python python/examples/parquet_on_ray.py --rows 1_000_000 --categories 100 --workers 2 FOLDER

writes FOLDER/logits (made-up logits, a file at a time), draws from each row, and writes FOLDER/draws: row ids and
draws. Then it reads some files of both, and checks that each draw is that of one call. Ray streams: blocks are read,
drawn from and written while others are on their way, and the memory of a worker holds some blocks.
"""

import argparse
import os
import pathlib
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import ray

import gumbelmax.arrow
import gumbelmax.ray

SEED = 42
ROWS_OF_A_FILE = 50_000


def write_logits(folder: pathlib.Path, rows: int, categories: int) -> None:
    """Write made-up logits. A row's id is its place in the whole data set."""
    folder.mkdir(parents=True)
    for first in range(0, rows, ROWS_OF_A_FILE):
        count = min(ROWS_OF_A_FILE, rows - first)
        logits = np.random.default_rng(first).normal(size=(count, categories)).astype(np.float32)
        column = pa.FixedSizeListArray.from_arrays(pa.array(logits.ravel()), categories)
        ids = np.arange(first, first + count)
        table = pa.table({"row_id": ids, "logits": column})
        pq.write_table(
            table, folder / f"{first:012}.parquet", compression="none", row_group_size=10_000
        )


def check(folder: pathlib.Path) -> int:
    """Compare the draws of two files of logits with those of a call for these files."""
    found = pq.read_table(folder / "draws")
    draws = dict(zip(found["row_id"].to_pylist(), found["draw"].to_pylist(), strict=True))
    files = sorted((folder / "logits").iterdir())
    for file in (files[0], files[-1]):
        table = pq.read_table(file)
        ids = table["row_id"].to_numpy()
        logits = gumbelmax.arrow.numbers(table["logits"].combine_chunks())
        want = gumbelmax.sample(logits, seed=SEED, row_ids=ids)
        assert [draws[i] for i in ids] == want.tolist()
    return len(draws)


def main() -> None:
    """Write, draw, and check."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--categories", type=int, default=100)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    write_logits(options.folder / "logits", options.rows, options.categories)

    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    ray.init(num_cpus=options.workers + 1, include_dashboard=False, _node_ip_address="127.0.0.1")
    start = time.monotonic()
    logits = ray.data.read_parquet(str(options.folder / "logits"))
    drawn = gumbelmax.ray.sample(logits, seed=SEED, concurrency=options.workers)
    drawn.select_columns(["row_id", "draw"]).write_parquet(str(options.folder / "draws"))
    seconds = time.monotonic() - start
    ray.shutdown()

    rows = check(options.folder)
    size = sum(file.stat().st_size for file in (options.folder / "logits").iterdir())
    print(
        f"{rows} rows of {options.categories} categories, {size / 1e6:.0f} MB, {options.workers} workers: "
        f"{seconds:.1f} s, {rows / seconds:.0f} rows/s, {size / 1e6 / seconds:.0f} MB/s"
    )


if __name__ == "__main__":
    main()
