#!/usr/bin/env python3
"""Derive the polynomials of src/cpu/bound.rs, INNER and OUTER, EXCESS of src/cpu/vector_value.rs, and those of
shaders/kernel/bound.wgsl, which have one degree more.

Both stand for r(m) = log2 m - (m - 1) on 1 <= m <= 2, what the bits of a float lack to be its
logarithm. OUTER is r itself, and EXCESS as well; INNER is r divided by m - 1, with a root at m = 2 and a small relative
error of -log2 of m / 2, which goes to 0 there. Minimax by Lawson's iteration: least squares whose
weights grow with the error. Prints them in the unit of the filter, 2^-23, highest power first.
"""
import math

POINTS = [0.5 - 0.5 * math.cos(math.pi * (i + 0.5) / 300) for i in range(300)]
POWER = 2.0**23


def r(z):
    return math.log2(1 + z) - z


def solve(matrix, right):
    n = len(right)
    rows = [row[:] + [value] for row, value in zip(matrix, right)]
    for i in range(n):
        pivot = max(range(i, n), key=lambda k: abs(rows[k][i]))
        rows[i], rows[pivot] = rows[pivot], rows[i]
        for k in range(i + 1, n):
            factor = rows[k][i] / rows[i][i]
            rows[k] = [a - factor * b for a, b in zip(rows[k], rows[i])]
    found = [0.0] * n
    for i in reversed(range(n)):
        rest = sum(rows[i][j] * found[j] for j in range(i + 1, n))
        found[i] = (rows[i][n] - rest) / rows[i][i]
    return found


def minimax(basis, importance):
    """The coefficients of r in a basis, and the largest error times its importance."""
    values = [[f(z) * importance(z) for f in basis] for z in POINTS]
    targets = [r(z) * importance(z) for z in POINTS]
    weights = [1 / len(POINTS)] * len(POINTS)
    best = (math.inf, [])
    for _ in range(400):
        count = range(len(basis))
        matrix = [[sum(w * v[a] * v[b] for w, v in zip(weights, values)) for b in count] for a in count]
        right = [sum(w * v[a] * t for w, v, t in zip(weights, values, targets)) for a in count]
        c = solve(matrix, right)
        errors = [abs(sum(x * y for x, y in zip(c, v)) - t) for v, t in zip(values, targets)]
        best = min(best, (max(errors), c))
        total = sum(w * e for w, e in zip(weights, errors))
        weights = [w * e / total for w, e in zip(weights, errors)]
    return best


if __name__ == "__main__":
    def inner_of(degree):
        basis = [lambda z, k=k: z * (1 - z) * z**k for k in range(degree)]
        return minimax(basis, lambda z: 1 / ((1 - z) - r(z)))

    error, (a, b, c) = inner_of(3)
    inner = [a, b - a, c - b, -c]
    print(f"INNER, relative error {error:.2e}:", [round(-x * POWER, 1) for x in reversed(inner)])
    error, outer = minimax([lambda z, k=k: (1 + z) ** k for k in range(4)], lambda z: 1)
    print(f"EXCESS, error {error:.2e} powers:", [float(f"{x:.7g}") for x in reversed(outer)])
    def outer_of(logarithm):
        outer = [-x * POWER for x in logarithm]
        outer[0] += (150 - math.log2(math.log(2))) * POWER
        return [round(x, 1) for x in reversed(outer)]

    print(f"OUTER, error {error:.2e} powers:", outer_of(outer))
    error, inner = inner_of(4)
    # there, r is divided by (m - 1)(2 - m), and the root is in the product with z - z * z
    print(f"inner, relative error {error:.2e}:", [round(-x * POWER, 1) for x in reversed(inner)])
    error, outer = minimax([lambda z, k=k: (1 + z) ** k for k in range(5)], lambda z: 1)
    print(f"outer, error {error:.2e} powers:", outer_of(outer))
