"""What several tests share."""

import os
import pathlib
import shutil

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def rng():
    return np.random.default_rng(20261129)


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
