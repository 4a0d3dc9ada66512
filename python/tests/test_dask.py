"""gumbelmax.dask: needs Dask. The cluster is a real one, on this machine."""

import doctest
import os
import signal

import numpy as np
import pytest

da = pytest.importorskip("dask.array", reason="Dask is not installed")
distributed = pytest.importorskip("distributed", reason="dask.distributed is not installed")

import gumbelmax  # noqa: E402
import gumbelmax.dask as gd  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")


def test_examples():
    failed, tried = doctest.testmod(gd)
    assert failed == 0
    assert tried >= 12


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
@pytest.mark.parametrize("draws", [None, 4])
def test_arrays_of_more_dimensions(rng, axis, draws):
    whole = rng.normal(size=(9, 10, 11))
    want = gumbelmax.sample(whole, seed=3, axis=axis, draws=draws, first_row=2**64 - 5)
    for chunks in ((4, 3, 5), (9, 1, 2)):
        blocks = da.from_array(whole, chunks=chunks)
        found = gd.sample(blocks, seed=3, axis=axis, draws=draws, first_row=2**64 - 5)
        assert found.shape == want.shape
        assert (found.compute(scheduler="threads") == want).all()


def test_errors_before_anything_is_computed():
    blocks = da.zeros((10, 3), chunks=(5, 3))
    with pytest.raises(ValueError, match="temperature must be"):
        gd.sample(blocks, seed=1, temperature=-1)
    with pytest.raises(ValueError, match="compute_chunk_sizes"):
        gd.sample(blocks[blocks[:, 0] > 0], seed=1)


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
@pytest.mark.parametrize("draws", [None, 4])
def test_ids_in_more_dimensions(rng, axis, draws):
    whole = rng.normal(size=(9, 10, 11))
    shape = np.moveaxis(whole, axis, -1).shape[:-1]
    ids = rng.integers(0, 2**64, shape, dtype="uint64")
    want = gumbelmax.sample(whole, seed=3, axis=axis, draws=draws, row_ids=ids)
    blocks = da.from_array(whole, chunks=(4, 3, 5))
    for given in (ids, da.from_array(ids, chunks=(2, 7))):
        found = gd.sample(blocks, seed=3, axis=axis, draws=draws, row_ids=given)
        assert found.shape == want.shape
        assert found.compute(scheduler="threads").tobytes() == want.tobytes()


@pytest.mark.parametrize("draws", [None, 3])
def test_filtered_rows_keep_their_draws(rng, draws):
    whole, ids = rng.normal(size=(200, 9)), da.arange(200, chunks=30) + 2**40
    blocks = da.from_array(whole, chunks=(30, 9))
    want = gumbelmax.sample(whole, seed=3, first_row=2**40, draws=draws)
    kept = blocks[:, 0] > 0
    found = gd.sample(blocks[kept], seed=3, row_ids=ids[kept], draws=draws)
    assert (found.compute(scheduler="threads") == want[whole[:, 0] > 0]).all()


def test_ids_that_do_not_fit(rng):
    blocks = da.zeros((10, 3), chunks=(5, 3))
    with pytest.raises(ValueError, match=r"row_ids of shape \(9,\) does not fit rows of shape"):
        gd.sample(blocks, seed=1, row_ids=np.arange(9))
    with pytest.raises(TypeError, match="row_ids must be integers, got float64"):
        gd.sample(blocks, seed=1, row_ids=np.arange(10.0))
    with pytest.raises(ValueError, match="do not match them block by block"):
        gd.sample(blocks[blocks[:, 0] == 0], seed=1, row_ids=da.arange(10, chunks=2))


ERRORS = {
    "rows": ((1000, 8), (100, 8), (995, 2), {}, "row 995 has no draw: its logit of category 2"),
    "first row": ((1000, 8), (100, 8), (995, 2), {"first_row": 50}, r"row 995 \(row id 1045\) has"),
    "ids": (
        *((1000, 8), (100, 8), (995, 2)),
        {"row_ids": np.arange(5000, 6000)},
        r"row 95 of the block \(row id 5995\) has no draw",
    ),
    "more dimensions": (
        *((20, 30, 8), (7, 9, 8), (16, 25, 2)),
        {},
        r"row 505 \(index \(16, 25\) of rows of shape \(20, 30\)\) has no draw",
    ),
}


@pytest.mark.parametrize("what", ERRORS)
def test_errors_name_the_row_of_the_array(what):
    shape, chunks, at, options, words = ERRORS[what]
    whole = np.zeros(shape)
    whole[at] = np.nan
    with pytest.raises(ValueError, match=f"^{words}"):
        gd.sample(da.from_array(whole, chunks=chunks), seed=1, **options).compute()


ROWS = 100_000


@pytest.fixture(scope="module")
def whole():
    return np.random.default_rng(1).normal(size=(ROWS, 100)).astype("float32")


@pytest.fixture(scope="module")
def want(whole):
    return gumbelmax.sample(whole, seed=42)


@pytest.fixture(params=[1, 2])
def cluster(request):
    cluster = distributed.LocalCluster(
        n_workers=request.param,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address=None,
    )
    with cluster, distributed.Client(cluster) as client:
        yield client


# A scheduler takes milliseconds for a block: of one row and of seven, a part of the rows does if it need not be long.
IS_LONG = os.environ.get("GUMBELMAX_LONG_TESTS") == "1"
BLOCKS = [(1, ROWS if IS_LONG else 500), (7, ROWS if IS_LONG else 7000), (1000, ROWS)]


@pytest.mark.parametrize(("block", "rows"), BLOCKS)
def test_blocks_on_a_cluster(cluster, whole, want, block, rows):
    blocks = da.from_array(whole[:rows], chunks=(block, 100))
    found = gd.sample(blocks, seed=42).compute()
    assert found.tobytes() == want[:rows].tobytes()
    # the comparison sees rows that are numbered from another one on
    assert (
        gd.sample(blocks[:1000], seed=42, first_row=1).compute().tobytes() != want[:1000].tobytes()
    )


def test_shuffled_rows_keep_their_draws(cluster, whole, want):
    order = np.random.default_rng(2).permutation(1000)
    rows, ids = da.from_array(whole[:1000], chunks=(70, 100)), da.arange(1000, chunks=70)
    found = gd.sample(rows[order], row_ids=ids[order], seed=42).compute()
    assert found.tobytes() == want[order].tobytes()
    # by numbers they would not
    assert gd.sample(rows[order], seed=42).compute().tobytes() != want[order].tobytes()


def test_a_worker_is_killed_in_the_middle(whole, want):
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
    )
    with cluster, distributed.Client(cluster) as client:
        pids = client.run(os.getpid)
        drawn = gd.sample(da.from_array(whole, chunks=(50, 100)), seed=42)
        future = client.compute(drawn)
        done = 0
        while done < 100:
            done = sum(len(keys) for keys in client.has_what().values())
        assert not future.done()
        os.kill(next(iter(pids.values())), signal.SIGKILL)
        assert future.result(timeout=120).tobytes() == want.tobytes()
        assert set(client.run(os.getpid).values()) != set(pids.values())
