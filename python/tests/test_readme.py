"""The blocks of README.md run, one after the other. Those of libraries that are not installed are skipped."""

import contextlib
import importlib.util
import pathlib
import re
import warnings

import pytest
from conftest import ray_cluster

README = pathlib.Path(__file__).resolve().parent.parent / "README.md"
BLOCKS = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
LIBRARIES = ("torch", "transformers", "jax", "dask", "pyarrow", "ray")


def needs(block):
    imported = re.findall(r"^import (\w+)", block, re.MULTILINE)
    return [
        name for name in imported if name in LIBRARIES and importlib.util.find_spec(name) is None
    ]


@pytest.fixture(scope="module")
def names():
    """What the blocks before have defined."""
    return {}


def test_there_are_blocks():
    assert len(BLOCKS) >= 8


@pytest.mark.parametrize("i", range(len(BLOCKS)))
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_block(i, names, tmp_path):
    if missing := needs(BLOCKS[i]):
        pytest.skip(f"{missing[0]} is not installed")
    with contextlib.ExitStack() as around:
        if "import ray\n" in BLOCKS[i]:
            around.enter_context(warnings.catch_warnings(action="ignore"))
            around.enter_context(ray_cluster(tmp_path))
        exec(compile(BLOCKS[i], f"README.md, block {i}", "exec"), names)
