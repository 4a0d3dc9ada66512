#!/usr/bin/env python3
"""Writes data/digits.npy from scikit-learn's digits.csv.gz: scripts/make_digits.py digits.csv.gz"""

import gzip
import struct
import sys
from pathlib import Path

with gzip.open(sys.argv[1], "rt") as lines:
    rows = [[int(float(x)) for x in line.split(",")] for line in lines]
assert len(rows) == 1797 and all(len(row) == 65 for row in rows)
assert all(0 <= x <= 16 for row in rows for x in row[:64])

header = "{'descr': '|u1', 'fortran_order': False, 'shape': (1797, 64), }"
header = header.ljust(128 - 10 - 1) + "\n"
target = Path(__file__).parent.parent / "data" / "digits.npy"
with open(target, "wb") as file:
    file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
    for row in rows:
        # the last number is the label
        file.write(bytes(row[:64]))
