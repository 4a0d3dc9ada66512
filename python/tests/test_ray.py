"""gumbelmax.ray: needs Ray. The cluster is a real one, on this machine."""

import doctest
import os

import numpy as np
import pytest
from conftest import ray_cluster

ray = pytest.importorskip("ray", reason="Ray is not installed")
pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
pytest.importorskip("ray.data", reason="Ray Data is not installed")

import gumbelmax  # noqa: E402
import gumbelmax.ray as gr  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")
ROWS = 100_000


@pytest.fixture(scope="module", autouse=True)
def cluster(tmp_path_factory):
    with ray_cluster(tmp_path_factory.mktemp("ray")):
        yield


def test_examples():
    failed, tried = doctest.testmod(gr)
    assert failed == 0
    assert tried >= 5


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(ROWS, 100)).astype("float32")
    column = pa.FixedSizeListArray.from_arrays(pa.array(logits.ravel()), 100)
    return pa.table({"row_id": np.arange(ROWS), "logits": column})


@pytest.fixture(scope="module")
def want(table):
    logits = table["logits"].combine_chunks().values.to_numpy().reshape(ROWS, 100)
    return gumbelmax.sample(logits, seed=42)


def drawn(ds, rows):
    """The draws in the order of the ids, each of which is there once."""
    found = pa.concat_tables([ray.get(ref) for ref in ds.to_arrow_refs()])
    ids = found["row_id"].to_numpy()
    assert len(ids) == rows
    draws = np.full(rows, -7)
    draws[ids] = found["draw"].to_numpy()
    return draws


# A block takes Ray milliseconds: of one row and of seven, a part of the rows does, and batches of one row and of seven
# are cut from larger blocks.
IS_LONG = os.environ.get("GUMBELMAX_LONG_TESTS") == "1"
BLOCKS = [
    (1, None, 2000 if IS_LONG else 200),
    (7, None, 14_000 if IS_LONG else 1400),
    (1000, 1, ROWS if IS_LONG else 10_000),
    (1000, 7, ROWS),
    (1000, None, ROWS),
]


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(("block", "batch", "rows"), BLOCKS)
def test_blocks_in_any_order(table, want, workers, block, batch, rows):
    order = np.random.default_rng(block).permutation(rows)
    shuffled = table.slice(0, rows).take(order)
    blocks = [shuffled.slice(first, block) for first in range(0, rows, block)]
    ds = ray.data.from_arrow(blocks)
    found = drawn(gr.sample(ds, seed=42, concurrency=workers, batch_size=batch), rows)
    assert found.tobytes() == want[:rows].tobytes()


def test_another_seed_is_seen(table, want):
    ds = ray.data.from_arrow([table.slice(0, 1000)])
    assert drawn(gr.sample(ds, seed=43), 1000).tobytes() != want[:1000].tobytes()


def test_a_worker_is_killed_in_the_middle(table, want, tmp_path, monkeypatch):
    sampler, marker = gr.Sampler, str(tmp_path / "killed")

    class Mortal(sampler):
        """Dies once, in its twentieth batch."""

        batches = 0

        def __call__(self, batch):
            self.batches += 1
            if self.batches == 20:
                try:
                    os.close(os.open(marker, os.O_CREAT | os.O_EXCL))
                except FileExistsError:
                    pass
                else:
                    os._exit(1)
            return super().__call__(batch)

    monkeypatch.setattr(gr, "Sampler", Mortal)
    blocks = [table.slice(first, 1000) for first in range(0, ROWS, 1000)]
    found = drawn(gr.sample(ray.data.from_arrow(blocks), seed=42, concurrency=2), ROWS)
    assert os.path.exists(marker)
    assert found.tobytes() == want.tobytes()


def test_errors_name_the_row_by_its_id(table):
    logits = table["logits"].combine_chunks().values.to_numpy()[:100_000].reshape(1000, 100).copy()
    logits[995, 4] = np.nan
    column = pa.FixedSizeListArray.from_arrays(pa.array(logits.ravel()), 100)
    whole = pa.table({"row_id": np.arange(2000, 3000), "logits": column})
    ds = ray.data.from_arrow([whole.slice(first, 100) for first in range(0, 1000, 100)])
    words = r"row 95 of the batch \(row id 2995\) has no draw: its logit of category 4 is NaN"
    with pytest.raises(Exception, match=words):
        gr.sample(ds, seed=1).materialize()


def test_files(table, want, tmp_path):
    import pyarrow.parquet as pq  # noqa: PLC0415

    for i in range(4):
        pq.write_table(table.slice(2500 * i, 2500), tmp_path / f"{i}.parquet")
    ds = ray.data.read_parquet(str(tmp_path))
    gr.sample(ds, seed=42, concurrency=2).write_parquet(str(tmp_path / "out"))
    found = pq.read_table(str(tmp_path / "out"))
    assert (found["draw"].to_numpy()[np.argsort(found["row_id"].to_numpy())] == want[:10_000]).all()
