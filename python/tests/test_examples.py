"""The programs in examples/ run, and find what they check."""

import importlib.util
import os
import pathlib
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


def test_gallery(tmp_path):
    if importlib.util.find_spec("matplotlib") is None:
        pytest.skip("matplotlib is not installed")
    run("gallery.py", tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {
        "race.png",
        "top_k.png",
        "potts.png",
        "training.png",
        "top_p.png",
    }


def test_parquet_on_ray(tmp_path):
    for name in ("ray", "pyarrow"):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed")
    said = run("parquet_on_ray.py", tmp_path, "--rows", 100_000, "--categories", 50)
    assert said.splitlines()[-1].startswith("100000 rows of 50 categories")
