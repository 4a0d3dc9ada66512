#!/usr/bin/env python3
"""Make data/letters.npy from a list of English words, one a line.

27 x 27 logits, f32: row a, column b is the logarithm of how often letter b follows letter a in the
words, and -inf where it never does. Index 26 is the edge of a word: row 26 holds first letters,
column 26 ends of words. Words with anything but the letters a to z are left out.

    apt-get install wamerican
    scripts/make_letters.py /usr/share/dict/american-english data/letters.npy
"""
import math
import struct
import sys

EDGE = 26


def counts(words):
    table = [[0] * 27 for _ in range(27)]
    for word in words:
        if word.isascii() and word.isalpha() and word.islower():
            path = [EDGE, *(ord(letter) - ord("a") for letter in word), EDGE]
            for before, after in zip(path, path[1:]):
                table[before][after] += 1
    return table


def npy(table):
    """The .npy file, version 1.0: its header is padded to a multiple of 64 bytes."""
    header = "{'descr': '<f4', 'fortran_order': False, 'shape': (27, 27), }"
    header += " " * (63 - (10 + len(header)) % 64) + "\n"
    logits = [math.log(n) if n else -math.inf for row in table for n in row]
    prefix = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header))
    return prefix + header.encode() + struct.pack("<729f", *logits)


if __name__ == "__main__":
    source, target = sys.argv[1:]
    with open(source, encoding="utf-8") as file:
        data = npy(counts(file.read().split()))
    with open(target, "wb") as file:
        file.write(data)
