#!/usr/bin/env python3
"""Derive the fixed-point polynomial of src/noise/exp.rs.

2^-f, 0 <= f < 1 = 1 - f * Q(f),  Q(f) = (1 - 2^-f) / f

Q is fitted near-minimax (Chebyshev) and printed as 0.32 fixed-point words, the constant term last: the
order in which Horner's rule takes them. Its signs alternate, so that every Horner step is
`word - (mulhi(sum, argument) >> shift)` on unsigned words. Each word is shifted up until its leading bit
is set, and the shift of a step is what its word was shifted less than the one before: so the roundings
of all steps but the last two hardly count. As they are towards 0, the last word in use is one more than
what is printed. Needs mpmath.
"""
import sys
from mpmath import mp, mpf, chebyfit, expm1, log, polyval

mp.dps = 50
ONE = mpf(2) ** 32
LN2 = log(2)


def quotient(f):
    return LN2 if f == 0 else -expm1(-f * LN2) / f


if __name__ == "__main__":
    degree = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    coefficients = chebyfit(quotient, [0, 1], degree + 1)
    ups = [int(-mp.floor(mp.log(abs(c), 2))) - 1 for c in coefficients]
    words = [int(mp.nint(abs(c) * ONE * 2**up)) for c, up in zip(coefficients, ups)]
    shifts = [a - b for a, b in zip(ups, ups[1:])]
    signs = "".join("+" if c >= 0 else "-" for c in coefficients)
    worst = max(
        abs(polyval(coefficients, x) - quotient(x)) * x for x in (mpf(i) / 4096 for i in range(4097))
    )
    print(f"// EXP2: degree {degree}, signs {signs}, worst error {mp.nstr(worst * ONE, 3)} * 2^-32")
    print("[" + ", ".join(f"0x{w:08x}" for w in words) + "]")
    print(f"// shifts {shifts}")
    print(f"// LOG2_E = {hex(int(mp.nint(2 ** 63 / LN2)))}, in 2^-63")
