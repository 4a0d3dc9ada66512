#!/usr/bin/env python3
"""Time what else draws categorical samples on a CUDA GPU, beside the price of reading the logits.

    benches/peers/peers.py --out peers.csv                  # everything, some minutes on a GPU
    benches/peers/peers.py --shapes 256x128256 --peers triton,argmax
    benches/peers/peers.py --device cpu                     # small shapes by the wall clock
    benches/peers/peers.py --restricted                     # draws after top-k and top-p

One draw a row, from f32 logits that are on the device already. Each family of peers runs in a
process of its own, so that they do not share memory and none takes another down. Before it is
timed, a peer's frequencies are held against known distributions; if they are wrong it is not timed,
and the exit status is 1. What cannot run is a line without a time that says why.

Times are those of the GPU, by CUDA events, where the column `timing` says nothing else. The logits
are several sets taken in turn, four times the size of the L2 cache together, so that none is found
there; `--inputs one` takes the same again and again instead.
"""

import argparse
import csv
import datetime
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import TextIO

import lines
from lines import FAMILIES, Report, Shape

PROBE = """
import json, torch
found = {"torch": torch.__version__, "cuda": torch.version.cuda}
if torch.cuda.is_available():
    properties = torch.cuda.get_device_properties(0)
    found |= {"gpu": properties.name, "l2": getattr(properties, "L2_cache_size", 0)}
print(json.dumps(found))
"""
PACKAGES = ["jax", "jaxlib", "triton", "flashinfer-python", "vllm"]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--shapes", help="ROWSxCATEGORIES, several with commas between")
    parser.add_argument("--peers", help="parts of names, or families, with commas between")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--restricted", action="store_true", help="what cuts by top-k and top-p")
    parser.add_argument("--inputs", choices=["rotate", "one"], default="rotate")
    parser.add_argument("--seconds", type=float, default=0.3, help="for each measurement")
    parser.add_argument("--limit", type=float, default=300, help="seconds for a family of peers")
    parser.add_argument("--out", type=Path, help="CSV; standard output if not given")
    parser.add_argument("--probe", action="store_true", help="only say what is here")
    # how this file starts itself
    parser.add_argument("--family", help=argparse.SUPPRESS)
    parser.add_argument("--rotate-bytes", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    families = lines.RESTRICTED_FAMILIES if options.restricted else FAMILIES
    default = lines.RESTRICTED_SHAPES if options.restricted else lines.SHAPES
    if options.device != "cuda":
        default = lines.SMALL_SHAPES
    try:
        given = options.shapes
        options.shapes = [Shape.parse(text) for text in given.split(",")] if given else default
    except ValueError:
        parser.error(f"--shapes: not ROWSxCATEGORIES: {given}")
    parts = [part.strip().lower() for part in (options.peers or "").split(",")]
    options.names = {
        family: [n for n in names if any(part in n.lower() or part == family for part in parts)]
        for family, names in families.items()
    }
    if not any(options.names.values()):
        parser.error(f"--peers: none of {', '.join(sum(families.values(), []))}")
    return options


def probe() -> dict:
    """What torch sees. In a process of its own, since here it would keep hold of the GPU."""
    done = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, text=True)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        return {"error": f"torch cannot be used with {sys.executable}: {reason}"}
    return json.loads(done.stdout.splitlines()[-1])


def header(found: dict, device: str) -> list[str]:
    versions = [f"Python {sys.version.split()[0]}", f"torch {found['torch']}"]
    for package in PACKAGES:
        try:
            versions.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            versions.append(f"no {package}")
    text = [f"date: {datetime.date.today()}", f"versions: {', '.join(versions)}"]
    if device == "cuda":
        driver = "unknown"
        if shutil.which("nvidia-smi"):
            query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader", "--id=0"]
            driver = subprocess.run(query, capture_output=True, text=True).stdout.strip() or driver
        gpu = f"{found['gpu']}, L2 of {found['l2']} bytes"
        return [f"GPU: {gpu}", f"driver: {driver}, CUDA: {found['cuda']}", *text]
    return ["CPU, wall clock: to try the program, not to compare", *text]


def run_family(options: argparse.Namespace) -> None:
    """In the process of a family: measure, and write lines to what was standard output."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    # libraries' output must not get among the lines
    os.dup2(2, 1)
    if options.family == "jax":
        import jax_peers as peers
    else:
        import torch_peers as peers
    report = Report(out)
    names = options.names[options.family]
    peers.run(names, options.shapes, options.device, options.seconds, options.rotate_bytes, report)


def start_family(family: str, options: argparse.Namespace, rotate: int, out: TextIO) -> bool:
    """Run a family and write its lines, also those it could not; whether all draws were right."""
    command = [sys.executable, __file__, *sys.argv[1:], "--family", family]
    command += ["--rotate-bytes", str(rotate)]
    environment = dict(os.environ, XLA_PYTHON_CLIENT_PREALLOCATE="false")
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    if options.device == "cpu":
        environment |= {"JAX_PLATFORMS": "cpu", "TRITON_INTERPRET": "1"}
        # small shapes: threads that wait for each other would take longer than the work
        environment["OMP_NUM_THREADS"] = "1"
    child = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    timer = threading.Timer(options.limit, child.kill)
    timer.start()
    missing = {(shape, what): None for shape in options.shapes for what in options.names[family]}
    right = True
    assert child.stdout
    for text in child.stdout:
        out.write(text)
        out.flush()
        if not text.startswith("#"):
            rows, categories, what, *_, note = next(csv.reader([text]))
            missing.pop((Shape(int(rows), int(categories)), what), None)
            right &= not note.startswith("wrong")
            if options.out:
                print(text, end="", file=sys.stderr)
    status = child.wait()
    late = not timer.is_alive()
    timer.cancel()
    reason = f"no line from a process that ended with status {status}"
    if late:
        reason = f"its process was stopped after {options.limit:.0f} s"
    if status:
        out.write(f"# {family}: {reason}\n")
    for shape, what in missing:
        out.write(lines.line(shape, what, note=reason))
    out.flush()
    return right


def main() -> int:
    options = arguments()
    if options.family:
        run_family(options)
        return 0
    found = probe()
    if "error" not in found and options.device == "cuda" and "gpu" not in found:
        found["error"] = f"torch {found['torch']} finds no CUDA GPU (--device cpu tries the rest)"
    if "error" in found:
        print(found["error"], file=sys.stderr)
        return 2
    comments = header(found, options.device)
    if options.probe:
        print("\n".join(comments))
        return 0
    rotate = 0
    if options.device == "cuda" and options.inputs == "rotate":
        # if the size of the L2 cache is unknown, the size of the largest
        rotate = 4 * (found["l2"] or 128 << 20)
    out = options.out.open("w", encoding="utf-8", newline="") if options.out else sys.stdout
    with out:
        out.writelines(f"# {text}\n" for text in comments)
        out.write(",".join(lines.COLUMNS) + "\n")
        out.flush()
        wanted = [family for family, names in options.names.items() if names]
        right = [start_family(family, options, rotate, out) for family in wanted]
    if not all(right):
        print("Some peers' draws are wrong: see the notes.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
