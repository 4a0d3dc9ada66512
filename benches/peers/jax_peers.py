"""jax.random.categorical, jitted, with each of JAX's usual generators of random bits.

JAX runs on a stream of its own, where no events can be put from outside. So each shape is timed
twice: by the wall clock, many calls on the queue at a time, which is the GPU's time for large
shapes and the host's for small ones; and, where JAX's own interface to CUPTI works, as the sum of
the times of all kernels of a call, without the gaps between them. The latter favours JAX.
"""

import time
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

import lines
from lines import Report, Shape, Times

GENERATORS = {lines.JAX: "threefry2x32", lines.JAX_RBG: "rbg"}
# a sample by the wall clock is as many calls as take about this long
SAMPLE_S = 0.01
MOST_CALLS = 200
KERNEL_CALLS = 30

Draw = Callable[[jax.Array, jax.Array], jax.Array]
draw: Draw = jax.jit(lambda key, logits: jax.random.categorical(key, logits, axis=-1))


def keys(generator: str, count: int) -> list[jax.Array]:
    """Made ahead, so that a call is nothing but the draw."""
    made = list(jax.random.split(jax.random.key(2, impl=generator), count))
    jax.block_until_ready(made)
    return made


def check(generator: str, device: str) -> str:
    """What is wrong with the draws; empty if nothing is."""
    draws = 1_000_000 if device == "cuda" else 20_000
    for weights in lines.known_distributions():
        rows = max(200, 16 * draws // len(weights))
        row = jnp.array(lines.log_weights(weights), dtype=jnp.float32)
        logits = jnp.tile(row, (rows, 1))
        first, second = (np.asarray(draw(key, logits)) for key in keys(generator, 2))
        if first.shape != (rows,):
            return f"{lines.WRONG}{first.shape} instead of a draw a row"
        if (first == second).all():
            return f"{lines.WRONG}the same in two calls"
        both = np.concatenate([first, second])
        if both.min() < 0:
            return f"{lines.WRONG}an index below 0"
        counts = np.bincount(both, minlength=len(weights)).tolist()
        if text := lines.complaint(counts, weights):
            return text
    return ""


def inputs(shape: Shape, rotate_bytes: int) -> list[jax.Array]:
    """Logits, in as many sets as it takes to be out of the cache when their turn comes again."""
    sets = max(1, -(-rotate_bytes // shape.bytes))
    normal = jax.jit(lambda key: 3 * jax.random.normal(key, tuple(shape), dtype=jnp.float32))
    made = [normal(key) for key in jax.random.split(jax.random.key(1, impl="rbg"), sets)]
    return jax.block_until_ready(made)


def wall(some_keys: list[jax.Array], logits: list[jax.Array], seconds: float) -> Times:
    def call(i: int) -> jax.Array:
        return draw(some_keys[i % len(some_keys)], logits[i % len(logits)])

    for i in range(3):
        jax.block_until_ready(call(i))
    start = time.perf_counter()
    jax.block_until_ready(call(3))
    calls = int(SAMPLE_S / (time.perf_counter() - start)) + 1
    calls = min(calls, MOST_CALLS)
    samples: list[float] = []
    done = 0
    end = time.perf_counter() + seconds
    while len(samples) < 5 or time.perf_counter() < end:
        start_ns = time.perf_counter_ns()
        results = [call(done + i) for i in range(calls)]
        jax.block_until_ready(results)
        samples.append((time.perf_counter_ns() - start_ns) / calls)
        done += calls
    return Times(samples, "wall", f"{calls} calls on the queue at a time, host's part included")


def kernels(some_keys: list[jax.Array], logits: list[jax.Array]) -> Times:
    """The sum of the kernels' times of each call, by the interface that Mosaic's profiler uses."""
    from jax._src.lib import mosaic_gpu

    cupti = mosaic_gpu._mosaic_gpu_ext
    jax.block_until_ready(draw(some_keys[0], logits[0]))
    cupti._cupti_init()
    try:
        for i in range(KERNEL_CALLS):
            result = draw(some_keys[i % len(some_keys)], logits[i % len(logits)])
            jax.block_until_ready(result)
    finally:
        timings = cupti._cupti_get_timings(True)
    count, rest = divmod(len(timings), KERNEL_CALLS)
    names = [name for name, _ in timings[:count]]
    if not count or rest or [name for name, _ in timings] != names * KERNEL_CALLS:
        raise RuntimeError(f"{len(timings)} kernels in {KERNEL_CALLS} calls, not the same in each")
    samples = [
        sum(milliseconds for _, milliseconds in timings[i : i + count]) * 1e6
        for i in range(0, len(timings), count)
    ]
    return Times(samples, "cupti kernels", f"sum of {count} kernels, gaps left out")


def run(
    names: list[str],
    shapes: list[Shape],
    device: str,
    seconds: float,
    rotate_bytes: int,
    report: Report,
) -> None:
    platform = jax.devices()[0].platform
    if platform != ("gpu" if device == "cuda" else "cpu"):
        raise RuntimeError(f"jax runs on {platform}")
    usable = []
    for what in names:
        try:
            wrong = check(GENERATORS[what], device)
        except Exception as error:
            wrong = lines.failure(error)
        if wrong:
            for shape in shapes:
                report.failed(shape, what, wrong)
        else:
            usable.append(what)
    made = {what: keys(GENERATORS[what], 256) for what in usable}
    # CUPTI last: it alone could end the process
    passes = [True, False] if device == "cuda" else [True]
    for by_wall in passes:
        for shape in shapes if usable else []:
            try:
                logits = inputs(shape, rotate_bytes)
            except Exception as error:
                if by_wall:
                    for what in usable:
                        report.failed(shape, what, error)
                continue
            sets = "one input" if len(logits) == 1 else f"{len(logits)} inputs in turn"
            for what in usable:
                try:
                    if by_wall:
                        times = wall(made[what], logits, seconds)
                    else:
                        times = kernels(made[what], logits)
                    report.time(shape, what, times, sets)
                except Exception as error:
                    if by_wall:
                        report.failed(shape, what, error)
                    else:
                        report.comment(f"{shape} {what}: no CUPTI: {lines.failure(error)[:200]}")
            del logits
