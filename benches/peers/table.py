#!/usr/bin/env python3
"""Set `gumbel bench --csv` beside peers.py: a Markdown table, and which targets are reached.

    benches/peers/table.py gumbel.csv peers.csv
    benches/peers/table.py --restricted gumbel.csv peers.csv    # of `gumbel bench --restricted`, `peers.py --restricted`

The GPU's times where there are such, the wall clock's, marked, where not. Minima, which is what
`gumbel bench` compares, or medians.
"""

import argparse
import csv
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lines import AMAX, ARGMAX, COPY, FAMILIES, RESTRICTED, TOP_K, TOP_P, Shape

# The most that a draw may cost, in units of an argmax, which reads the logits once.
MOST_OF_ARGMAX = 1.25
# The least rate at which an argmax reads, as a fraction of the rate at which a copy reads and
# writes. bench/src/markdown.rs says why this is the meaning of the target; `gumbel bench` alone
# knows only its own copy, while here torch's counts too where it is faster.
LEAST_OF_COPY = 0.80
MOVED_BY_COPY = 2
# As `gumbel bench`: what else the machine does can only add to a time.
STATISTIC = "min"
# Where no peer may be as fast.
AHEAD_AT = [Shape(256, 128_256), Shape(1_000_000, 16)]

# what a peer is compared with: samplers with sampling
BASELINES = {ARGMAX: "argmax", AMAX: "argmax", COPY: "copy"}
# in gumbel's file, with one cut more: min-p 0.02
ALL_CUTS = "all cuts"


@dataclass
class Time:
    ns: float
    wall: bool = False

    def __str__(self) -> str:
        unit, value = ("ms", self.ns / 1e6) if self.ns >= 999_500 else ("µs", self.ns / 1e3)
        digits = 0 if value >= 99.95 else 1 if value >= 9.995 else 2
        return f"{value:.{digits}f} {unit}{' (wall)' if self.wall else ''}"


@dataclass
class Results:
    """One file: its comments, the times, and why others are missing."""

    comments: list[str] = field(default_factory=list)
    times: dict[tuple[Shape, str], Time] = field(default_factory=dict)
    missing: dict[tuple[Shape, str], str] = field(default_factory=dict)

    def add(self, shape: Shape, what: str, time: Time | None, note: str) -> None:
        key = shape, what
        if time is None:
            self.missing[key] = note or "no reason given"
        elif key not in self.times or self.times[key].wall:
            # the GPU's time, where there is one by the wall clock as well
            self.times[key] = time

    def shapes(self) -> list[Shape]:
        return list(dict.fromkeys(shape for shape, _ in [*self.times, *self.missing]))

    def names(self) -> set[str]:
        return {what for _, what in [*self.times, *self.missing]}


def read(path: Path, columns: set[str]) -> tuple[list[str], list[dict[str, str]]]:
    """Comments and lines of a CSV."""
    text = path.read_text(encoding="utf-8").splitlines()
    comments = [line.lstrip("# ").rstrip() for line in text if line.startswith("#")]
    reader = csv.DictReader(line for line in text if line.strip() and not line.startswith("#"))
    if absent := columns - set(reader.fieldnames or []):
        raise ValueError(f"{path}: no column {', '.join(sorted(absent))}")
    return comments, list(reader)


def number(text: str | None) -> float | None:
    return float(text) if text and float(text) > 0 else None


def read_gumbel(path: Path, statistic: str, formats: Iterable[str]) -> Results:
    """The lines of one format of logits; a copy has none."""
    device, wall = f"device_ns_{statistic}", f"wall_ns_{statistic}"
    comments, rows = read(path, {"rows", "categories", "format", "what", device, wall, "note"})
    results = Results(comments)
    for row in rows:
        if row["format"] in formats:
            ns, wall_ns = number(row[device]), number(row[wall])
            time = Time(ns) if ns else Time(wall_ns, wall=True) if wall_ns else None
            shape = Shape(int(row["rows"]), int(row["categories"]))
            results.add(shape, row["what"], time, row["note"])
    return results


def read_peers(path: Path, statistic: str) -> Results:
    column = f"ns_{statistic}"
    comments, rows = read(path, {"rows", "categories", "what", column, "timing", "note"})
    results = Results(comments)
    for row in rows:
        ns = number(row[column])
        time = Time(ns, wall=row["timing"] == "wall") if ns else None
        shape = Shape(int(row["rows"]), int(row["categories"]))
        results.add(shape, row["what"], time, row["note"])
    return results


class Comparison:
    def __init__(self, gumbel: Results, peers: Results) -> None:
        self.gumbel, self.peers = gumbel, peers
        # in the order of the peers' file; what only gumbel has comes last
        self.shapes = list(dict.fromkeys([*peers.shapes(), *gumbel.shapes()]))
        known = [what for names in FAMILIES.values() for what in names]
        found = peers.names()
        self.names = [what for what in known if what in found] + sorted(found - set(known))

    def ratio(self, shape: Shape) -> float | None:
        """Sampling over argmax."""
        sample, argmax = (self.gumbel.times.get((shape, what)) for what in ("sample", "argmax"))
        return sample.ns / argmax.ns if sample and argmax else None

    def copy(self, shape: Shape) -> Time | None:
        """The faster of gumbel's copy and torch's, by the GPU's clock if there is one."""
        copies = self.gumbel.times.get((shape, "copy")), self.peers.times.get((shape, COPY))
        return min((c for c in copies if c), key=lambda c: (c.wall, c.ns), default=None)

    def copy_rate(self, shape: Shape) -> float | None:
        """GB/s that a copy reads and writes."""
        copy = self.copy(shape)
        return MOVED_BY_COPY * shape.bytes / copy.ns if copy else None

    def share(self, shape: Shape) -> float | None:
        """The bytes that argmax reads in a time over those that a copy reads and writes in it."""
        argmax, copy = self.gumbel.times.get((shape, "argmax")), self.copy(shape)
        if not argmax or not copy or argmax.wall != copy.wall:
            return None
        return copy.ns / argmax.ns / MOVED_BY_COPY

    def calls(self) -> list[str]:
        """sample_rows beside a bare upload, as `gumbel bench` has them."""
        head = ["rows × categories", "sample_rows", "logits a second", "of the upload's rate"]
        lines = [[*head, "CPU engine"], ["---"] * 5]
        for shape in self.shapes:
            whats = ("sample_rows", "sample_rows cpu", "upload", "upload direct")
            call, cpu, *uploads = (self.gumbel.times.get((shape, what)) for what in whats)
            if call:
                upload = min((u.ns for u in uploads if u), default=None)
                rate = shape.rows * shape.categories / call.ns * 1e9
                share = show(upload and upload / call.ns, ".0%")
                # all of this is by the wall clock
                shown = [str(Time(t.ns)) if t else "—" for t in (call, cpu)]
                lines.append([name(shape), shown[0], f"{rate / 1e6:,.0f} million", share, shown[1]])
        return [f"| {' | '.join(cells)} |" for cells in lines] if len(lines) > 2 else []

    def peer_ratio(self, shape: Shape, what: str) -> float | None:
        """A peer's time over that of what gumbel has for it: above 1, gumbel is ahead."""
        peer = self.peers.times.get((shape, what))
        ours = self.gumbel.times.get((shape, BASELINES.get(what, "sample")))
        return peer.ns / ours.ns if peer and ours else None

    def table(self) -> list[str]:
        head = ["rows × categories", "gumbel sample", "gumbel argmax", "sample / argmax"]
        head += ["copy GB/s", "argmax / copy", *self.names]
        lines = [head, ["---"] * len(head)]
        for shape in self.shapes:
            ours = [self.gumbel.times.get((shape, what)) for what in ("sample", "argmax")]
            cells = [name(shape), *(str(time) if time else "—" for time in ours)]
            cells.append(show(self.ratio(shape), ".2f"))
            cells.append(show(self.copy_rate(shape), ",.0f"))
            cells.append(show(self.share(shape), ".0%"))
            cells += [self.peer_cell(shape, what) for what in self.names]
            lines.append(cells)
        return [f"| {' | '.join(cells)} |" for cells in lines]

    def peer_cell(self, shape: Shape, what: str) -> str:
        time, ratio = self.peers.times.get((shape, what)), self.peer_ratio(shape, what)
        if not time:
            return "—"
        return f"{time}, {ratio:.2f}" if ratio else str(time)

    def restricted_table(self) -> list[str]:
        """Draws after cuts, and the time of each peer beside gumbel's."""
        names = [what for what in RESTRICTED if what in self.peers.names()]
        cuts = ["sample", "min-p", "top-k", "top-p", ALL_CUTS]
        head = ["rows × categories", *(f"gumbel {what}" for what in cuts), *names]
        lines = [head, ["---"] * len(head)]
        for shape in self.shapes:
            ours = [self.gumbel.times.get((shape, what)) for what in cuts]
            cells = [name(shape), *(str(time) if time else "—" for time in ours)]
            for what in names:
                peer, ratio = self.peers.times.get((shape, what)), None
                if peer and ours[-1]:
                    ratio = peer.ns / ours[-1].ns
                cells.append(f"{peer}, {ratio:.2f}" if ratio else str(peer) if peer else "—")
            lines.append(cells)
        return [f"| {' | '.join(cells)} |" for cells in lines]

    def targets(self) -> list[str]:
        lines = ["| target | verdict | where |", "| --- | --- | --- |"]
        ratios = [(name(s), self.ratio(s), ".2f") for s in self.shapes]
        lines.append(
            verdict(f"sample ≤ {MOST_OF_ARGMAX} × argmax", ratios, lambda r: r <= MOST_OF_ARGMAX)
        )
        shares = [(name(s), self.share(s), ".0%") for s in self.shapes]
        target = f"argmax reads ≥ {LEAST_OF_COPY:.0%} of what the faster copy reads and writes"
        lines.append(verdict(target, shares, lambda share: share >= LEAST_OF_COPY))
        for shape in AHEAD_AT:
            samplers = [what for what in self.names if what not in BASELINES]
            # a peer that could not run is named, but there is no time to compare
            ran = [what for what in samplers if (shape, what) in self.peers.times]
            absent = [what for what in samplers if what not in ran]
            ratios = [(what, self.peer_ratio(shape, what), ".2f") for what in ran]
            target = f"ahead of every peer at {name(shape)}"
            lines.append(verdict(target, ratios, lambda ratio: ratio > 1, absent))
        return lines

    def notes(self) -> list[str]:
        """Why a time is missing, and the same for many shapes once."""
        shapes: dict[tuple[str, str], list[str]] = {}
        for prefix, results in (("gumbel ", self.gumbel), ("", self.peers)):
            for (shape, what), note in results.missing.items():
                if (shape, what) not in results.times:
                    shapes.setdefault((prefix + what, note), []).append(name(shape))
        all_shapes = len(self.shapes)
        return [
            f"* {what}, {'all shapes' if len(at) == all_shapes else ', '.join(at)}: {note}"
            for (what, note), at in shapes.items()
        ]

    def warnings(self) -> list[str]:
        """The two files should come from the same GPU."""
        named = [text for text in self.peers.comments if text.startswith("GPU: ")]
        gpu = named[0].removeprefix("GPU: ").split(",")[0] if named else ""
        if gpu and not any(gpu.lower() in text.lower() for text in self.gumbel.comments):
            return [f"**gumbel's file does not name the peers' GPU, {gpu}: is it the same?**"]
        return []


def verdict(
    target: str,
    values: list[tuple[str, float | None, str]],
    reached: Callable[[float], bool],
    absent: Sequence[str] = (),
) -> str:
    """A line of the targets: reached only if it was measured everywhere."""
    missed = [f"{what} ({show(v, form)})" for what, v, form in values if v and not reached(v)]
    kept = [f"{what} ({show(v, form)})" for what, v, form in values if v and reached(v)]
    open_ = [what for what, v, _ in values if not v]
    word = "missed" if missed else "not measured" if open_ or not kept else "reached"
    parts = {"missed: ": missed, "reached: ": kept, "not measured: ": [*open_, *absent]}
    where = "; ".join(start + ", ".join(listed) for start, listed in parts.items() if listed)
    return f"| {target} | **{word}** | {where or 'nothing to compare'} |"


def name(shape: Shape) -> str:
    return f"{shape.rows:,} × {shape.categories:,}"


def show(value: float | None, form: str) -> str:
    return format(value, form) if value else "—"


def page(comparison: Comparison, statistic: str, form: str) -> str:
    """The whole output."""
    which = {"median": "Medians", "min": "Minima"}[statistic]
    host = comparison.calls()
    if host:
        host = [
            "gumbel from the host's memory and back, by the wall clock. The upload is the same bytes "
            "to the device and nothing else.",
            "",
            *host,
        ]
    parts = [
        [f"* gumbel: {text}" for text in comparison.gumbel.comments]
        + [f"* peers: {text}" for text in comparison.peers.comments],
        comparison.warnings(),
        [
            f"{which}, logits of {form}, one draw a row. Beside a peer's time stands its ratio to "
            "gumbel's sampling (to gumbel's argmax or copy, for those): above 1, gumbel is faster. "
            "A copy's bytes are counted read and written, those of argmax read. (wall): by the "
            "wall clock, host included; all else is the GPU's time."
        ],
        comparison.table(),
        comparison.targets(),
        host,
        comparison.notes(),
    ]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def restricted_page(comparison: Comparison, statistic: str, form: str) -> str:
    """The output for draws after cuts."""
    which = {"median": "Medians", "min": "Minima"}[statistic]
    parts = [
        [f"* gumbel: {text}" for text in comparison.gumbel.comments]
        + [f"* peers: {text}" for text in comparison.peers.comments],
        comparison.warnings(),
        [
            f"{which}, logits of {form}, one draw a row. Peers draw after top-k {TOP_K} and top-p {TOP_P}; beside a "
            f"peer's time stands its ratio to gumbel's draw after {ALL_CUTS}, which are those and min-p 0.02. (wall): by "
            "the wall clock, host included."
        ],
        comparison.restricted_table(),
        comparison.notes(),
    ]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("gumbel", type=Path, help="what gumbel bench --csv wrote")
    parser.add_argument("peers", type=Path, help="what peers.py wrote")
    parser.add_argument("--restricted", action="store_true", help="draws after cuts")
    parser.add_argument("--statistic", choices=["median", "min"], default=STATISTIC)
    parser.add_argument("--format", default="f32", help="of gumbel's logits")
    options = parser.parse_args()
    try:
        gumbel = read_gumbel(options.gumbel, options.statistic, (options.format, ""))
        peers = read_peers(options.peers, options.statistic)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    made = restricted_page if options.restricted else page
    print(made(Comparison(gumbel, peers), options.statistic, options.format), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
