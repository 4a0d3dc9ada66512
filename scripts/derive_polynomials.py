#!/usr/bin/env python3
"""Derive the two fixed-point polynomials of src/noise/gumbel.rs.

ln1p(f), 0 <= f < 1        = f * (1 - f * Q(f)),  Q(f) = (f - ln(1 + f)) / f^2
tail(x), 0 <= x = 2p < 1   = x * U(1 - x),        U(1 - x) = ln(-ln(1 - p) / p) / x

Q and U are fitted near-minimax (Chebyshev) and printed as 0.32 fixed-point words, the constant
term last: the order in which Horner's rule takes them. The signs of both alternate, so that every
Horner step is `word - mulhi(sum, argument)` on unsigned words; U is taken in 1 - x for that reason.
Needs mpmath.
"""
import sys
from mpmath import mp, mpf, log, chebyfit, polyval

mp.dps = 50
ONE = mpf(2) ** 32


def ln1p_quotient(f):
    # the series near 0, where the quotient cancels
    if f < mpf(10) ** -8:
        return mpf(1) / 2 - f / 3 + f * f / 4
    return (f - log(1 + f)) / (f * f)


def tail_quotient(w):
    x = 1 - w
    if x < mpf(10) ** -8:
        return mpf(1) / 4 + 5 * x / 96
    p = x / 2
    return log(-log(1 - p) / p) / x


def show(name, function, degree, weight):
    coefficients = chebyfit(function, [0, 1], degree + 1)
    words = [int(mp.nint(abs(c) * ONE)) for c in coefficients]
    signs = "".join("+" if c >= 0 else "-" for c in coefficients)
    worst = max(
        abs(polyval(coefficients, x) - function(x)) * weight(x)
        for x in (mpf(i) / 4096 for i in range(4097))
    )
    print(f"// {name}: degree {degree}, signs {signs}, worst error {mp.nstr(worst * ONE, 3)} * 2^-32")
    print("[" + ", ".join(f"0x{w:08x}" for w in words) + "]")


if __name__ == "__main__":
    d_ln, d_tail = (int(a) for a in sys.argv[1:3]) if len(sys.argv) > 2 else (9, 7)
    show("LN1P", ln1p_quotient, d_ln, lambda f: f * f)
    show("TAIL", tail_quotient, d_tail, lambda x: x)
    print(f"// LN2 = {int(mp.nint(log(2) * ONE))}")
