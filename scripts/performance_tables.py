#!/usr/bin/env python3
"""Write the tables of README.md and docs/performance.md from the files in benches/results.

    scripts/performance_tables.py           rewrites the tables
    scripts/performance_tables.py --check   fails if a table is not what its file says

A line `<!-- TABLE FILE -->` and an empty one stand before each table, and an empty one after the table: Markdown takes a
line that follows a table for a row of the table. TABLE names a function below, and FILE is a file in benches/results.
Needs nothing but Python's own library.
"""

import csv
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benches" / "results"
PAGES = [ROOT / "README.md", ROOT / "docs" / "performance.md"]
MARK = re.compile(r"<!-- (\w+) (\S+) -->\n\n(?:\|.*\n)*\n*")

MAXIMA = ["maximum of all logits", "maximum of each row"]
PEERS = ["inverse CDF in f64", "inverse CDF in f32", "noise on each logit"]
# The shapes in the README's table, on two threads.
FEW = [("256", "128256", "1"), ("65536", "1024", "1"), ("1000000", "16", "1"), ("1", "128256", "1")]
# The shapes that grow: the numbers of rows of 1,024 categories, and the numbers of categories in 16 rows.
GROWING = {"1024": ["1024", "16384", "131072", "1048576"], "16": ["65536", "1048576", "8388608", "67108864"]}


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(cells) + " |\n" for cells in lines)


def digits(number):
    """Three significant digits."""
    return "" if number is None else f"{number:#.3g}".rstrip(".")


def grouped(number):
    return f"{int(number):,}"


def name(shape):
    rows, categories, draws = shape
    name = f"{grouped(rows)} × {grouped(categories)}"
    return name if draws == "1" else f"{name}, {grouped(draws)} draws"


class Cpu:
    """A CSV file of `cargo bench --bench cpu`."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            # earlier results call the instruction set a form
            self.lines = [{"form": line.get("isa"), **line} for line in csv.DictReader(file)]

    def shapes(self):
        """The shapes that all forms have been timed in, with each number of threads."""
        for line in self.lines:
            if line["what"] == "gumbel" and line["form"] == "portable":
                yield (line["rows"], line["categories"], line["draws"]), line["threads"]

    def of(self, column, shape, threads, what, form=None):
        """A number, of the fastest form if none is given: forms stand in the order of their speed."""
        for line in self.lines:
            if (line["rows"], line["categories"], line["draws"]) == shape \
                    and (line["threads"], line["what"]) == (threads, what) and form in (None, line["form"]):
                return float(line[column])
        return None

    def ns(self, *of):
        return self.of("ns per logit", *of)


def summary(path):
    """gumbel beside its peers, in a few shapes."""
    cpu = Cpu(path)
    rows = []
    for shape in FEW:
        maxima = [cpu.ns(shape, "2", what) for what in MAXIMA]
        cells = [cpu.ns(shape, "2", "gumbel"), min(ns for ns in maxima if ns is not None)]
        cells += [cpu.ns(shape, "2", peer) for peer in PEERS]
        rows.append([name(shape), *map(digits, cells)])
    return table(["rows × categories", "gumbel", "maximum", *PEERS], rows)


def cpu(path):
    """gumbel beside its peers, in all shapes."""
    cpu = Cpu(path)
    columns = ["gumbel", *MAXIMA, *PEERS]
    rows = []
    for shape, threads in cpu.shapes():
        ns = [cpu.ns(shape, threads, what) for what in columns]
        ratio = cpu.of("ratio to the max-reduction", shape, threads, "gumbel")
        rows.append([name(shape), threads, digits(ns[0]), f"{ratio:.2f}", *map(digits, ns[1:])])
    return table(["rows × categories", "threads", "gumbel", "× maximum", *columns[1:]], rows)


def forms(path):
    """The engine's instruction sets, on one thread."""
    cpu = Cpu(path)
    columns = ["AVX-512", "AVX2", "portable"]
    rows = []
    for shape, threads in cpu.shapes():
        if threads == "1":
            rows.append([name(shape), *(digits(cpu.ns(shape, threads, "gumbel", form)) for form in columns)])
    return table(["rows × categories", *columns], rows)


def growth(path):
    """Sizes that grow from 10^6 to 10^9 logits."""
    cpu = Cpu(path)
    cases = [[(rows, "1024", "1") for rows in GROWING["1024"]], [("16", n, "1") for n in GROWING["16"]]]
    rows = []
    for shapes in cases:
        for threads in ["1", "2"]:
            ns = [cpu.ns(shape, threads, "gumbel") for shape in shapes]
            rows.append([f"{name(shapes[0])} to {name(shapes[-1])}", threads, *map(digits, ns),
                         f"{100 * (max(ns) / min(ns) - 1):.0f} %"])
    return table(["rows × categories", "threads", "10⁶ logits", "10⁷", "10⁸", "10⁹", "largest to smallest"], rows)


def markdown(path, first):
    """The table of a Markdown file that has such a first cell in its head."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    start = next(i for i, line in enumerate(lines) if line.startswith("| ") and first in line)
    found = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        found.append(line)
    return "".join(found)


def operations(path):
    return markdown(path, "logits, ns a category")


def per_row(path):
    return markdown(path, "the same for all rows")


def resample(path):
    return markdown(path, "10⁶ from 10⁶")


def first_call(path):
    return markdown(path, "first call, ms")


def cdf(path):
    return markdown(path, "alias")


def methods(path):
    return markdown(path, "1 draw")


def device(path):
    return markdown(path, "× argmax")


def host(path):
    return markdown(path, "sample_rows, ms")


def waves(path):
    return markdown(path, "opening, exact")


def turns(path):
    return markdown(path, "units a logit of a turn")


def web(path):
    return markdown(path, "64 × 128,256")


TABLES = {f.__name__: f for f in [
    summary, cpu, forms, growth, operations, per_row, first_call, resample, cdf, methods, device, host, waves, turns, web
]}


def rewritten(text):
    def write(match):
        make, file = match.groups()
        return f"<!-- {make} {file} -->\n\n{TABLES[make](RESULTS / file)}\n"

    return MARK.sub(write, text)


def main():
    check = sys.argv[1:] == ["--check"]
    if sys.argv[1:] and not check:
        sys.exit(__doc__)
    stale = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        new = rewritten(text)
        if new != text:
            stale.append(page.name)
            if not check:
                page.write_text(new, encoding="utf-8")
    if check and stale:
        sys.exit(f"not what benches/results says: the tables of {', '.join(stale)}; run scripts/performance_tables.py")


if __name__ == "__main__":
    main()
