"""Shapes, names and the lines of the CSV: what all peers share. Only the standard library."""

import csv
import io
import math
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TextIO


class Shape(NamedTuple):
    rows: int
    categories: int

    @classmethod
    def parse(cls, text: str) -> "Shape":
        rows, categories = (int(part) for part in text.lower().split("x"))
        if rows < 1 or categories < 1:
            raise ValueError(text)
        return cls(rows, categories)

    def __str__(self) -> str:
        return f"{self.rows}x{self.categories}"

    @property
    def bytes(self) -> int:
        return 4 * self.rows * self.categories


SHAPES = [
    *(Shape(rows, 128_256) for rows in (1, 8, 64, 256, 1024)),
    Shape(65_536, 1024),
    Shape(1_000_000, 16),
    Shape(10_000_000, 16),
    Shape(1, 1 << 24),
]
# those of `gumbel bench --restricted`
RESTRICTED_SHAPES = [Shape(256, 128_256), Shape(64, 32_000)]
# the same kinds of shape for a machine without a GPU
SMALL_SHAPES = [Shape(1, 128_256), Shape(8, 10_000), Shape(256, 1024), Shape(10_000, 16)]

MULTINOMIAL = "torch.multinomial"
EXPONENTIAL = "torch exponential"
COMPILED = "torch exponential compiled"
ARGMAX = "torch argmax"
AMAX = "torch amax"
COPY = "torch copy"
TRITON = "triton gumbel"
TRITON_4X = "triton gumbel rand4x"
JAX = "jax.random.categorical"
JAX_RBG = "jax.random.categorical rbg"
FLASHINFER = "flashinfer sampling_from_logits"
# after these cuts, as decoders draw
TOP_K, TOP_P = 50, 0.9
TORCH_CUT = "torch topk, sort, cumsum"
FLASHINFER_CUT = "flashinfer top_k_top_p_sampling_from_logits"
VLLM_CUT = "vllm apply_top_k_top_p, random_sample"

# Families of peers that run in one process; no two families are in memory at the same time.
FAMILIES = {
    "torch": [COPY, ARGMAX, AMAX, MULTINOMIAL, EXPONENTIAL, COMPILED],
    "triton": [TRITON, TRITON_4X],
    "jax": [JAX, JAX_RBG],
    "flashinfer": [FLASHINFER],
}
# Those that cut first.
RESTRICTED_FAMILIES = {
    "torch": [TORCH_CUT],
    "flashinfer": [FLASHINFER_CUT],
    "vllm": [VLLM_CUT],
}
RESTRICTED = [name for names in RESTRICTED_FAMILIES.values() for name in names]

COLUMNS = ["rows", "categories", "what", "ns_min", "ns_median", "timing", "note"]


@dataclass
class Times:
    """Nanoseconds a call, one number a repetition."""

    samples: list[float]
    timing: str
    note: str = ""


def line(shape: Shape, what: str, times: Times | None = None, note: str = "") -> str:
    """A line of the CSV. Without times, the note says why there are none."""
    if times:
        note = "; ".join(part for part in (f"{len(times.samples)} times", times.note, note) if part)
    # a message of several lines must not become several lines of the file
    note = " ".join(note.split())[:300]
    values = (min(times.samples), statistics.median(times.samples)) if times else ()
    numbers = [f"{value:.0f}" for value in values] or ["", ""]
    text = io.StringIO()
    timing = times.timing if times else ""
    csv.writer(text, lineterminator="\n").writerow([*shape, what, *numbers, timing, note])
    return text.getvalue()


def failure(error: BaseException) -> str:
    """An exception in one line; the first lines of a message say what is wrong."""
    return f"{type(error).__name__}: {error}"


class Report:
    """Writes a family's lines to the process that started it."""

    def __init__(self, out: TextIO) -> None:
        self.out = out

    def time(self, shape: Shape, what: str, times: Times, note: str = "") -> None:
        self._write(line(shape, what, times, note))

    def failed(self, shape: Shape, what: str, error: BaseException | str) -> None:
        note = error if isinstance(error, str) else failure(error)
        print(f"{shape} {what}: {note}", file=sys.stderr)
        self._write(line(shape, what, note=note))

    def comment(self, text: str) -> None:
        self._write(f"# {' '.join(text.split())}\n")

    def _write(self, text: str) -> None:
        # at once, so that no times are lost if the process dies later
        self.out.write(text)
        self.out.flush()


# A peer is timed only if its draws from these have the right frequencies. The first is a short row;
# the second is long enough for peers that cut rows to cut it, and its likely categories lie far
# apart.
SHORT_WEIGHTS = [0, 30, 1, 8, 0, 0.5, 20, 3, 0.1, 12, 5, 0, 7, 2, 10, 0]
LONG = 5003
LONG_WEIGHTS = {
    0: 5.0,
    1: 1.0,
    1023: 2.0,
    1024: 3.0,
    2500: 4.0,
    4096: 0.5,
    4999: 2.5,
    LONG - 1: 2.0,
}


def known_distributions() -> list[list[float]]:
    """Weights whose categories' frequencies are known."""
    # the other categories share one hundredth, so that each can be drawn and none stands out
    rest = 0.01 * sum(LONG_WEIGHTS.values()) / (LONG - len(LONG_WEIGHTS))
    return [list(SHORT_WEIGHTS), [LONG_WEIGHTS.get(i, rest) for i in range(LONG)]]


def kept_weights(weights: Sequence[float], top_k: int, top_p: float) -> list[float]:
    """Weights after top-k, and then top-p of what top-k keeps: 0 for what is cut. Ties with the last that is kept are
    kept, as is the one with which the share is reached."""
    positive = sorted((weight for weight in weights if weight), reverse=True)
    least = positive[min(top_k, len(positive)) - 1]
    kept = [weight for weight in positive if weight >= least]
    total, reached = sum(kept), 0.0
    for weight in kept:
        least = weight
        reached += weight
        if reached >= top_p * total:
            break
    return [weight if weight >= least else 0 for weight in weights]


def log_weights(weights: Sequence[float]) -> list[float]:
    return [math.log(weight) if weight else -math.inf for weight in weights]


WRONG = "wrong draws: "


def complaint(counts: Sequence[int], weights: Sequence[float]) -> str:
    """What is wrong with how often each category was drawn; empty if all are within 5 sigma.

    Categories too rare to be judged by themselves are judged together.
    """
    if len(counts) != len(weights):
        return f"{WRONG}an index beyond the last category"
    draws, total = sum(counts), sum(weights)
    rare_count, rare_weight = 0, 0.0
    for category, (count, weight) in enumerate(zip(counts, weights, strict=True)):
        if weight == 0:
            if count:
                return f"{WRONG}category {category} has probability 0 and came {count} times"
        elif draws * weight / total < 5:
            rare_count, rare_weight = rare_count + count, rare_weight + weight
        elif text := _off(f"category {category}", count, draws, weight / total):
            return text
    return _off("the rare categories", rare_count, draws, rare_weight / total)


def _off(what: str, count: int, draws: int, probability: float) -> str:
    expected = draws * probability
    # one more than 5 sigma: at few expected draws the distribution has a long tail
    if abs(count - expected) <= 5 * math.sqrt(expected * (1 - probability)) + 1:
        return ""
    return f"{WRONG}{what} came {count} times of {draws}, {expected:.1f} expected"
