"""The clock of GPU times, on a GPU that is made up: a queue that is worked off in its own time."""

import importlib
import statistics
import sys
import time
import types
import unittest
from unittest import mock


class Gpu:
    """As much of torch.cuda as the clock uses."""

    def __init__(self) -> None:
        self.free_at = 0

    def kernel(self, ns: int) -> None:
        self.free_at = max(time.perf_counter_ns(), self.free_at) + ns

    def synchronize(self) -> None:
        wait_until(self.free_at)

    def _sleep(self, cycles: int) -> None:
        self.kernel(cycles // 2)

    def Event(self, enable_timing: bool) -> "Event":  # noqa: N802, torch's name
        assert enable_timing
        return Event(self)


class Event:
    def __init__(self, gpu: Gpu) -> None:
        self.gpu = gpu

    def record(self) -> None:
        self.at = max(time.perf_counter_ns(), self.gpu.free_at)

    def query(self) -> bool:
        return time.perf_counter_ns() >= self.at

    def synchronize(self) -> None:
        wait_until(self.at)

    def elapsed_time(self, end: "Event") -> float:
        return (end.at - self.at) / 1e6


def wait_until(ns: int) -> None:
    while time.perf_counter_ns() < ns:
        pass


class Clock(unittest.TestCase):
    def setUp(self) -> None:
        self.gpu = Gpu()
        torch = types.ModuleType("torch")
        torch.cuda = self.gpu  # type: ignore[attr-defined]
        patch = mock.patch.dict(sys.modules, {"torch": torch})
        patch.start()
        self.addCleanup(patch.stop)
        sys.modules.pop("clock", None)
        self.clock = importlib.import_module("clock").CudaClock(0.05)

    def test_the_hosts_part_is_left_out(self) -> None:
        def call(_: int) -> None:
            for _ in range(3):
                wait_until(time.perf_counter_ns() + 20_000)
                self.gpu.kernel(2_000)

        times = self.clock.measure(call)
        self.assertEqual(times.timing, "cuda events")
        self.assertEqual(times.note, "")
        self.assertGreaterEqual(len(times.samples), 10)
        self.assertAlmostEqual(statistics.median(times.samples), 6_000, delta=1)

    def test_a_call_that_waits_says_so(self) -> None:
        def call(_: int) -> None:
            wait_until(time.perf_counter_ns() + 20_000)
            self.gpu.kernel(2_000)
            self.gpu.synchronize()

        times = self.clock.measure(call)
        self.assertIn("waits for the GPU", times.note)
        self.assertGreaterEqual(len(times.samples), 10)
        self.assertGreater(statistics.median(times.samples), 20_000)


if __name__ == "__main__":
    unittest.main()
