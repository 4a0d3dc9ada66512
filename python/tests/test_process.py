"""Threads, forks, signals and memory."""

import importlib.util
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest

import gumbelmax
from gumbelmax import sample

LARGE = np.zeros((2000, 1000), "float32")


def in_python(code, timeout=120):
    """The standard output of a program of its own."""
    # not from the sources, which lie in this folder without the extension
    arguments = [sys.executable, "-P", "-W", "ignore", "-c", textwrap.dedent(code)]
    return subprocess.run(
        arguments, check=True, capture_output=True, text=True, timeout=timeout
    ).stdout


def test_the_number_of_threads_changes_no_draw():
    want = sample(LARGE, seed=1)
    before = gumbelmax.get_num_threads()
    try:
        for threads in (1, 3):
            gumbelmax.set_num_threads(threads)
            assert gumbelmax.get_num_threads() == threads
            assert (sample(LARGE, seed=1) == want).all()
    finally:
        gumbelmax.set_num_threads(0)
    assert gumbelmax.get_num_threads() == before


def test_the_interpreter_is_free_during_a_call():
    ticks, done = [], threading.Event()

    def tick():
        while not done.is_set():
            ticks.append(time.monotonic())
            time.sleep(0.001)

    other = threading.Thread(target=tick)
    other.start()
    start = time.monotonic()
    sample(np.zeros(1000, "float32"), seed=1, draws=3_000_000)
    end = time.monotonic()
    done.set()
    other.join()
    inside = [t for t in ticks if start < t < end]
    # a thread that waited for the interpreter would tick once between two pieces at most, each of 2**24 logits
    assert len(inside) > 2 * 3_000_000 * 1000 / 2**24


def test_threads_draw_at_the_same_time():
    want, found = sample(LARGE, seed=1), []
    threads = [
        threading.Thread(target=lambda: found.append(sample(LARGE, seed=1))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert all((draws == want).all() for draws in found)


def test_threads_share_what_they_draw_with():
    """A generator gives each number once; all may use a table and set the number of threads, with a GIL or without."""
    row, rows = np.arange(50.0), np.zeros((300, 100), "float32")
    generator, table = gumbelmax.Generator(7), gumbelmax.InverseCdf(rows, seed=1)
    want, drawn, wrong = table.sample(3), [], []

    def work(which):
        for turn in range(100):
            drawn.append(int(generator.sample(row)))
            if turn % 20 == 0:
                gumbelmax.set_num_threads(1 + which % 3)
                wrong.append((table.sample(3) != want).any())

    threads = [threading.Thread(target=work, args=(which,)) for which in range(8)]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        gumbelmax.set_num_threads(0)
    assert generator.step == 800
    assert sorted(drawn) == sorted(sample(row, seed=7, draws=800))
    assert len(wrong) == 40
    assert not any(wrong)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("what", ["sample", "table", "particles", "race", "log_prob"])
def test_a_forked_process_draws(what):
    # LARGE needs other threads; those of the parent do not exist in the child, which would wait for ever
    code = """
        import os, signal, sys
        import numpy as np
        import gumbelmax
        LARGE = np.random.default_rng(1).normal(size=(2000, 1000)).astype("float32")
        table = gumbelmax.InverseCdf(LARGE, seed=1)
        particles = gumbelmax.Particles(np.zeros(10**6))
        work = {
            "sample": lambda: gumbelmax.sample(LARGE, seed=1),
            "table": lambda: table.sample(1000),
            "particles": lambda: particles.resample(seed=1, scheme="residual"),
            "race": lambda: gumbelmax.race(LARGE, 3, seed=1).categories,
            "log_prob": lambda: gumbelmax.log_prob(LARGE, np.zeros(2000, int)),
        }[WHAT]
        want = work()
        child = os.fork()
        if child == 0:
            signal.alarm(60)
            os._exit(0 if (work() == want).all() and gumbelmax.get_num_threads() > 0 else 1)
        print(os.waitpid(child, 0)[1])
    """
    assert in_python(f"WHAT = {what!r}\n" + textwrap.dedent(code)) == "0\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_pools_of_multiprocessing_draw():
    code = """
        import multiprocessing
        import numpy as np
        import gumbelmax
        LARGE = np.zeros((2000, 1000), "float32")
        want = gumbelmax.sample(LARGE, seed=1)
        def work(part):
            return gumbelmax.sample(LARGE[1000 * part:][:1000], seed=1, first_row=1000 * part)
        for _ in range(2):
            with multiprocessing.get_context("fork").Pool(2) as pool:
                print((np.concatenate(pool.map(work, [0, 1])) == want).all())
    """
    assert in_python(code) == "True\nTrue\n"


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize(
    "call",
    [
        "gumbelmax.sample(np.zeros(1000, 'float32'), seed=1, draws=100_000_000)",
        "gumbelmax.sample(np.broadcast_to(np.zeros(1000, 'float32'), (100_000_000, 1000)), seed=1)",
        "gumbelmax.gumbel_softmax(np.zeros(1000, 'float32'), seed=1, draws=1_000_000)",
        "gumbelmax.estimate_log_z(np.zeros((10**6, 1000), 'float32'), seed=1, draws=1000)",
        "gumbelmax.race(np.broadcast_to(np.zeros(1000, 'float32'), (10**7, 1000)), 3, seed=1)",
        "gumbelmax.log_prob(np.broadcast_to(np.zeros(1000), (10**7, 1000)), np.zeros(10**7, int))",
    ],
)
def test_ctrl_c_ends_a_long_call(call):
    code = f"""
        import signal
        import numpy as np
        import gumbelmax
        # which a shell takes from programs in the background
        signal.signal(signal.SIGINT, signal.default_int_handler)
        print("ready", flush=True)
        try:
            {call}
        except KeyboardInterrupt:
            print("interrupted", flush=True)
    """
    arguments = [sys.executable, "-P", "-c", textwrap.dedent(code)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        # the longest of these copies its indices first, a second on a busy machine
        time.sleep(2)
        assert process.poll() is None
        start = time.monotonic()
        process.send_signal(signal.SIGINT)
        try:
            assert process.stdout.readline() == "interrupted\n"
            assert time.monotonic() - start < 3
        finally:
            process.kill()


@pytest.mark.skipif(sys.platform != "linux", reason="the measure is of Linux")
def test_rows_in_place_are_not_copied():
    # In a process of its own, whose peak nothing before has set; ru_maxrss begins with that of the parent.
    code = """
        import re
        import numpy as np
        from gumbelmax import sample
        logits = np.zeros((1000, 40_000), "float32")  # 160 MB
        sample(logits[:10], seed=1)
        sample(logits[:, :10], seed=1, axis=0)
        def peak():
            return int(re.search(r"VmHWM:\\s*(\\d+) kB", open("/proc/self/status").read())[1])
        before = peak()
        sample(logits, seed=1)
        sample(logits[::2], seed=1)
        sample(logits, seed=1, axis=0)
        sample(logits.T, seed=1, axis=0)
        sample(logits.reshape(10, 100, 40_000), seed=1)
        print(peak() - before)
        # the measure sees a copy
        sample(logits[::-1], seed=1)
        print(peak() - before)
    """
    in_place, copied = map(int, in_python(code).split())
    assert in_place < 50_000
    assert copied > 100_000


@pytest.mark.skipif(sys.platform != "linux", reason="the measure is of Linux")
@pytest.mark.parametrize("library", ["torch", "jax"])
@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
def test_rows_of_other_libraries_are_not_copied(library, dtype):
    if importlib.util.find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    module = "torch" if library == "torch" else "jax.numpy"
    code = f"""
        import re
        import {module} as xp
        from gumbelmax import sample
        logits = xp.zeros((1000, 80_000), dtype=xp.{dtype})  # 160 or 320 MB
        assert float(logits[0, 0]) == 0
        sample(logits[:10], seed=1)
        def peak():
            return int(re.search(r"VmHWM:\\s*(\\d+) kB", open("/proc/self/status").read())[1])
        before = peak()
        sample(logits, seed=1)
        sample(logits, seed=1, axis=0)
        print(peak() - before)
        # the measure sees a copy
        kept = [logits + i for i in (1, 2)]
        assert float(kept[1][0, 0]) == 2
        print(peak() - before)
    """
    in_place, copied = map(int, in_python(code).split())
    assert in_place < 50_000
    assert copied > 100_000
