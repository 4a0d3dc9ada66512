"""Sample a Parquet data set that is larger than the memory of a worker, on Ray Data.

    python python/examples/parquet_on_ray.py --rows 6_000_000 --categories 100 --memory-mb 800 FOLDER

writes FOLDER/logits (made-up logits, a file at a time), draws from each row, and writes FOLDER/draws: row ids and
draws. Then it reads some files of both, and checks that each draw is that of one call. Ray streams: blocks are read,
drawn from and written while others are on their way, and the memory of a worker holds some blocks. The most memory
that workers had is printed beside the size of the data (on Linux). With --memory-mb blocks are as small as a worker
with that much memory needs them, and the run fails if a worker had more. A second run in a folder takes the logits that
are there, if they are as many, and writes the draws anew.
"""

import argparse
import os
import pathlib
import re
import shutil
import threading
import time

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import ray

import gumbelmax.arrow
import gumbelmax.ray

SEED = 42
ROWS_OF_A_FILE = 50_000
# A worker of Ray has loaded Ray, Arrow and NumPy before it reads any data, and has several blocks on their way then.
WORKER_MB = 250
BLOCKS_OF_A_WORKER = 16


def write_logits(folder: pathlib.Path, rows: int, categories: int) -> None:
    """Write made-up logits, unless they are there. A row's id is its place in the whole data set."""
    done = folder.with_suffix(".complete")
    if done.exists() and done.read_text() == f"{rows} {categories}":
        return
    done.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
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
    done.write_text(f"{rows} {categories}")


def check(folder: pathlib.Path, rows: int) -> None:
    """Compare the draws of two files of logits with those of a call for these files, and count all draws."""
    draws = sorted((folder / "draws").glob("*.parquet"))
    assert sum(pq.read_metadata(file).num_rows for file in draws) == rows
    files = sorted((folder / "logits").glob("*.parquet"))
    for file in (files[0], files[-1]):
        table = pq.read_table(file)
        ids = table["row_id"].to_numpy()
        logits = gumbelmax.arrow.numbers(table["logits"].combine_chunks())
        want = gumbelmax.sample(logits, seed=SEED, row_ids=ids)
        # of each file of draws no more than these rows is kept
        ours = (pc.field("row_id") >= int(ids[0])) & (pc.field("row_id") <= int(ids[-1]))
        found = pa.concat_tables(pq.read_table(one, filters=ours) for one in draws)
        order = np.argsort(found["row_id"].to_numpy())
        assert (found["row_id"].to_numpy()[order] == ids).all()
        assert (found["draw"].to_numpy()[order] == want).all()


class Peaks(threading.Thread):
    """Looks how much memory of their own the workers of this process have at most, where there is /proc.

    What they share, which is Ray's store of blocks, counts for none of them: --store-mb is its size.
    """

    def __init__(self) -> None:
        """Begin to look."""
        super().__init__(daemon=True)
        self.done, self.peaks = threading.Event(), {}
        self.start()

    def run(self) -> None:
        """Look again and again, as workers come and go."""
        while not self.done.wait(0.1):
            parents, names = {}, {}
            for process in pathlib.Path("/proc").glob("[0-9]*"):
                try:
                    status = (process / "status").read_text()
                    name = (process / "cmdline").read_bytes().partition(b"\0")[0].decode()
                except OSError:
                    continue
                pid = int(process.name)
                parents[pid] = int(re.search(r"PPid:\s*(\d+)", status)[1])
                own = re.search(r"RssAnon:\s*(\d+) kB", status)
                if own and re.match(r"ray::.*(Read|Map|Write)", name):
                    names[pid] = (re.sub(r"\.\w+$", "", name), int(own[1]) / 1000)
            for pid, (name, peak) in names.items():
                above = pid
                while above not in (0, os.getpid()):
                    above = parents.get(above, 0)
                if above:
                    self.peaks[name] = max(self.peaks.get(name, 0), peak)

    def stop(self) -> dict[str, float]:
        """Return the megabytes of each kind of worker."""
        self.done.set()
        self.join()
        return self.peaks


def main() -> None:
    """Write, draw, and check."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--categories", type=int, default=100)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument(
        "--memory-mb", type=int, help="of each worker, beside the blocks they share"
    )
    parser.add_argument(
        "--store-mb", type=int, default=300, help="for the blocks in memory, of all"
    )
    options = parser.parse_args()
    if options.memory_mb and options.memory_mb < 2 * WORKER_MB:
        parser.error(
            f"a worker of Ray takes {WORKER_MB} MB before it reads anything: --memory-mb {2 * WORKER_MB} or more"
        )
    logits, draws = options.folder / "logits", options.folder / "draws"
    write_logits(logits, options.rows, options.categories)
    shutil.rmtree(draws, ignore_errors=True)

    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if options.memory_mb:
        # Ray's reader would have 8 batches of a file in memory before the first is asked for
        os.environ["RAY_DATA_ARROW_SCANNER_BATCH_READAHEAD"] = "1"
    ray.init(
        num_cpus=options.workers + 1,
        include_dashboard=False,
        _node_ip_address="127.0.0.1",
        object_store_memory=options.store_mb * 1_000_000,
    )
    if options.memory_mb:
        block = (options.memory_mb - WORKER_MB) * 1_000_000 // BLOCKS_OF_A_WORKER
        ray.data.DataContext.get_current().target_max_block_size = block
    start, peaks = time.monotonic(), Peaks()
    ds = ray.data.read_parquet(str(logits))
    drawn = gumbelmax.ray.sample(ds, seed=SEED, concurrency=options.workers)
    drawn.select_columns(["row_id", "draw"]).write_parquet(str(draws))
    seconds, most = time.monotonic() - start, peaks.stop()
    ray.shutdown()

    check(options.folder, options.rows)
    size = sum(file.stat().st_size for file in logits.iterdir()) / 1e6
    for name, megabytes in sorted(most.items()):
        print(f"{name.removeprefix('ray::')}: {megabytes:.0f} MB at most, of {size:.0f} MB of data")
    assert not options.memory_mb or max(most.values(), default=0) <= options.memory_mb
    print(
        f"{options.rows} rows of {options.categories} categories, {size:.0f} MB, {options.workers} workers: "
        f"{seconds:.1f} s, {options.rows / seconds:.0f} rows/s, {size / seconds:.0f} MB/s"
    )


if __name__ == "__main__":
    main()
