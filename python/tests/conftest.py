"""What several tests share."""

import contextlib
import os
import pathlib
import shutil

import numpy as np
import pytest

import gumbelmax

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def rng():
    return np.random.default_rng(20261129)


def log_softmax(x, axis=-1):
    x = x - x.max(axis, keepdims=True)
    return x - np.log(np.exp(x).sum(axis, keepdims=True))


@pytest.fixture(scope="session")
def command():
    """The command `gumbel`: $GUMBEL_COMMAND, or what a build of this repository left."""
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    candidates = [target / kind / "gumbel" for kind in ("debug", "release")]
    found = os.environ.get("GUMBEL_COMMAND") or next(
        (str(c) for c in candidates if c.exists()), None
    )
    found = found or shutil.which("gumbel")
    if found is None:
        pytest.skip(
            "there is no command gumbel: cargo build --package gumbel-cli, or set GUMBEL_COMMAND"
        )
    return found


@contextlib.contextmanager
def ray_cluster(folder):
    """A cluster of Ray on this machine, without what it shows and tells. It is begun in a folder without sources."""
    import ray  # noqa: PLC0415  (few tests need it)

    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    # what a worker imports it finds where this process does
    path = str(pathlib.Path(gumbelmax.__file__).parent.parent)
    environment = {"env_vars": {"PYTHONPATH": path}}
    # Ray has workers look into this process's folder first, which may be that of the sources
    with contextlib.chdir(folder):
        ray.init(
            num_cpus=3,
            include_dashboard=False,
            _node_ip_address="127.0.0.1",
            runtime_env=environment,
            log_to_driver=False,
            object_store_memory=500_000_000,
        )
    ray.data.DataContext.get_current().enable_progress_bars = False
    yield
    ray.shutdown()
