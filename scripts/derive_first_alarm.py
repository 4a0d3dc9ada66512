#!/usr/bin/env python3
"""Derive EXCESS and ROOTS of src/noise/groups.rs. Needs mpmath.

    derive_first_alarm.py [DEGREE]

With x = 2u, 16(1 - (1 - u)^(1/16))/u = 1 + x*S(1 - x) on 0 <= x <= 1. S is approximated by a polynomial (Chebyshev) of
degree 9. Prints its coefficients as 0.32 fractions without their signs, which alternate, highest power first; the
largest error of x*S in units of 2^-32; and 2^(-1/16), 2^(-2/16), 2^(-4/16) and 2^(-8/16) as 0.32 fractions.
"""
import sys

from mpmath import chebyfit, mp, mpf, nint, nstr, polyval

mp.dps = 50
ONE = mpf(2) ** 32


def s(w):
    x = 1 - w
    if x < mpf(10) ** -8:
        # the series: (15/16) / 2 * u + (15/16) * (31/16) / 6 * u^2, with u = x / 2
        return mpf(15) / 64 + x * mpf(16) * mpf(15 * 31) / (16**3 * 6 * 4)
    u = x / 2
    return (16 * (1 - (1 - u) ** (mpf(1) / 16)) / u - 1) / x


degree = int(sys.argv[1]) if len(sys.argv) > 1 else 9
words = chebyfit(s, [0, 1], degree + 1)
worst = max(abs(polyval(words, x) - s(x)) * (1 - x) for x in (mpf(i) / 4096 for i in range(4097)))
print("signs", "".join("+" if word >= 0 else "-" for word in words))
print("EXCESS", ", ".join(f"0x{int(nint(abs(word) * ONE)):08x}" for word in words))
print("largest error", nstr(worst * ONE, 3))
print("ROOTS", ", ".join(f"0x{int(nint(mpf(2) ** (-mpf(k) / 16) * ONE)):08x}" for k in (1, 2, 4, 8)))
