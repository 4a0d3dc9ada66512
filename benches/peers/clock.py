"""How long calls take: by CUDA events on a GPU, by the wall clock on a CPU."""

import time
from collections.abc import Callable

import torch

from lines import Times

Call = Callable[[int], object]

WARM_UP_S = 0.1
LEAST_REPETITIONS = 10
MOST_REPETITIONS = 1000


class WallClock:
    """For trying things on a CPU."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def measure(self, call: Call, seconds: float | None = None) -> Times:
        call(0)
        samples = []
        end = time.perf_counter() + (seconds or self.seconds)
        while len(samples) < 3 or (time.perf_counter() < end and len(samples) < MOST_REPETITIONS):
            start = time.perf_counter_ns()
            call(len(samples))
            samples.append(float(time.perf_counter_ns() - start))
        return Times(samples, "wall")


class CudaClock:
    """The time between two events around one call, without what the host takes to start it.

    The host needs longer to put a call of several kernels on the queue than a GPU needs for small
    ones. So the GPU first spins until all of the call is on the queue, and a repetition counts only
    if the first event was still ahead of it then. Calls that wait for the GPU themselves cannot be
    timed like this: their time includes the host's part, and the note says so.
    """

    # Spinning is counted in cycles, and no GPU's clock is much above 2 GHz.
    CYCLES_A_NS = 2
    LONGEST_DELAY_NS = 3_000_000
    # If the host is late in this many repetitions in a row, the call itself waits for the GPU.
    MOST_LATE = 10

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def measure(self, call: Call, seconds: float | None = None) -> Times:
        budget = seconds or self.seconds
        self._warm_up(call)
        delay = min(2 * self._host_time(call) + 20_000, self.LONGEST_DELAY_NS)
        late_in_a_row = 0
        ahead: list[float] = []
        late: list[float] = []
        end = time.perf_counter() + budget
        while True:
            samples = ahead if delay else late
            enough = len(samples) >= LEAST_REPETITIONS and time.perf_counter() > end
            if enough or len(samples) >= MOST_REPETITIONS:
                break
            elapsed, was_ahead = self._once(call, len(samples), delay)
            if not delay:
                late.append(elapsed)
            elif was_ahead:
                ahead.append(elapsed)
                late_in_a_row = 0
            else:
                delay = min(2 * delay, self.LONGEST_DELAY_NS)
                late_in_a_row += 1
                if late_in_a_row == self.MOST_LATE:
                    delay, end = 0, time.perf_counter() + budget
        note = "" if delay else "waits for the GPU within, so the host's part is included"
        return Times(samples, "cuda events", note)

    def _once(self, call: Call, repetition: int, delay_ns: int) -> tuple[float, bool]:
        start = torch.cuda.Event(enable_timing=True)
        end = torch.cuda.Event(enable_timing=True)
        torch.cuda.synchronize()
        if delay_ns:
            torch.cuda._sleep(delay_ns * self.CYCLES_A_NS)
        start.record()
        call(repetition)
        end.record()
        was_ahead = not start.query()
        end.synchronize()
        return start.elapsed_time(end) * 1e6, was_ahead

    @staticmethod
    def _warm_up(call: Call) -> None:
        end = time.perf_counter() + WARM_UP_S
        calls = 0
        while calls < 3 or (time.perf_counter() < end and calls < MOST_REPETITIONS):
            call(calls)
            torch.cuda.synchronize()
            calls += 1

    @staticmethod
    def _host_time(call: Call) -> int:
        """Nanoseconds until a call has returned, the shortest of some."""
        times = []
        for i in range(5):
            torch.cuda.synchronize()
            start = time.perf_counter_ns()
            call(i)
            times.append(time.perf_counter_ns() - start)
        torch.cuda.synchronize()
        return min(times)
