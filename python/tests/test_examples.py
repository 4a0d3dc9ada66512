"""The programs in examples/ run, and find what they check."""

import importlib.util
import os
import pathlib
import re
import subprocess
import sys

import pytest

EXAMPLES = pathlib.Path(__file__).resolve().parent.parent / "examples"


def run(name, *arguments):
    path = os.pathsep.join(p for p in sys.path if p)
    command = [sys.executable, "-W", "ignore", str(EXAMPLES / name), *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": path}
    # in a folder without the sources, where processes that it starts may look first
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env=environment,
        cwd=EXAMPLES,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


PICTURES = {"race.png", "top_k.png", "potts.png", "training.png", "top_p.png"}


@pytest.fixture
def _matplotlib():
    if importlib.util.find_spec("matplotlib") is None:
        pytest.skip("matplotlib is not installed")


@pytest.mark.usefixtures("_matplotlib")
def test_gallery(tmp_path):
    run("gallery.py", tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == PICTURES


NOTEBOOK = """
import pathlib, re, sys
sys.argv = ["ipykernel_launcher.py", "-f", "/tmp/kernel-1.json"]
source = pathlib.Path(sys.stdin.read()).read_text(encoding="utf-8")
names = {"__name__": "__main__"}
for cell in re.split(r"^# %%.*$", source, flags=re.MULTILINE):
    exec(cell, names)
import matplotlib
print(matplotlib.get_backend())
"""


@pytest.mark.usefixtures("_matplotlib")
def test_gallery_as_a_notebook(tmp_path):
    """Cell by cell, with the arguments and the names that a kernel has, and with the backend that it chooses."""
    (tmp_path / "data").symlink_to(EXAMPLES.parent.parent / "data")
    folder = tmp_path / "notebooks/mine"
    folder.mkdir(parents=True)
    path = os.pathsep.join(p for p in sys.path if p)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", NOTEBOOK],
        input=str(EXAMPLES / "gallery.py"),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "PYTHONPATH": path, "MPLBACKEND": "svg"},
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.splitlines()[-1] == "svg"
    assert {p.name for p in (folder / "gallery").iterdir()} == PICTURES


def test_parquet_on_ray(tmp_path):
    for name in ("ray", "pyarrow"):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed")
    for memory in ([], ["--memory-mb", 800]):
        # the second run finds the logits of the first, and its draws
        said = run("parquet_on_ray.py", tmp_path, "--rows", 100_000, "--categories", 50, *memory)
        assert said.splitlines()[-1].startswith("100000 rows of 50 categories")
        if sys.platform == "linux":
            assert re.search(r"MapWorker.*: \d+ MB at most, of \d+ MB of data", said)
