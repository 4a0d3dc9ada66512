"""What the peers' draws are held against, and the lines they write."""

import csv
import random
import unittest

from lines import (
    COLUMNS,
    LONG_WEIGHTS,
    TOP_K,
    TOP_P,
    WRONG,
    Shape,
    Times,
    complaint,
    kept_weights,
    known_distributions,
    line,
)


def counted(weights: list[float], draws: int, seed: int) -> list[int]:
    counts = [0] * len(weights)
    for category in random.Random(seed).choices(range(len(weights)), weights, k=draws):
        counts[category] += 1
    return counts


class Frequencies(unittest.TestCase):
    def test_right_draws_pass(self) -> None:
        for weights in known_distributions():
            for draws in (400, 20_000):
                self.assertEqual(complaint(counted(weights, draws, draws), weights), "")

    def test_a_bias_is_seen(self) -> None:
        short, long = known_distributions()
        # drawn from halved logits: the weights' square roots
        self.assertIn(WRONG, complaint(counted([w**0.5 for w in short], 20_000, 1), short))
        # a fault that draws no category after the first tile of 4,096
        cut = [weight if i < 4096 else 0.0 for i, weight in enumerate(long)]
        self.assertIn(WRONG, complaint(counted(cut, 400, 2), long))
        # the other categories, each by itself too rare to be judged
        common = [weight if i in LONG_WEIGHTS else 0.0 for i, weight in enumerate(long)]
        self.assertIn("rare", complaint(counted(common, 20_000, 3), long))

    def test_cuts(self) -> None:
        weights = [5.0, 0.0, 1.0, 3.0, 1.0, 2.0]
        # ties with the last are kept
        self.assertEqual(kept_weights(weights, 4, 1.0), weights)
        self.assertEqual(kept_weights(weights, 3, 1.0), [5.0, 0, 0, 3.0, 0, 2.0])
        # the one with which the share is reached is kept
        self.assertEqual(kept_weights(weights, 9, 0.6), [5.0, 0, 0, 3.0, 0, 0])
        self.assertEqual(kept_weights(weights, 9, 0.68), [5.0, 0, 0, 3.0, 0, 2.0])
        # of what top-k keeps: 8 of 10, instead of 8 of 12
        self.assertEqual(kept_weights(weights, 3, 0.75), [5.0, 0, 0, 3.0, 0, 0])
        self.assertEqual(kept_weights(weights, 9, 0.75), [5.0, 0, 0, 3.0, 0, 2.0])
        # cuts that the distributions of the check are far from
        short, long = known_distributions()
        for known, kept in ((short, 7), (long, 6)):
            for top_p in (TOP_P - 0.003, TOP_P + 0.003):
                found = kept_weights(known, TOP_K, top_p)
                self.assertEqual(sum(weight > 0 for weight in found), kept)

    def test_always_the_same_category_is_seen(self) -> None:
        for weights in known_distributions():
            counts = [0] * len(weights)
            counts[1] = 400
            self.assertIn("category", complaint(counts, weights))

    def test_the_impossible_is_seen(self) -> None:
        short, _ = known_distributions()
        counts = counted(short, 20_000, 4)
        counts[0] += 1
        self.assertIn("probability 0", complaint(counts, short))
        self.assertIn("beyond the last", complaint([*counts, 1], short))


class Lines(unittest.TestCase):
    def test_times(self) -> None:
        times = Times([5.0, 3.0, 9.0], "wall", "a, b")
        row = next(csv.DictReader([",".join(COLUMNS), line(Shape(2, 3), "x", times, "c")]))
        self.assertEqual(list(row.values()), ["2", "3", "x", "3", "5", "wall", "3 times; a, b; c"])

    def test_a_reason_is_one_line(self) -> None:
        text = line(Shape.parse("2x3"), "x", note='out of\n"memory"')
        self.assertEqual(text, '2,3,x,,,,"out of ""memory"""\n')

    def test_shapes(self) -> None:
        self.assertEqual(str(Shape.parse("256x128256")), "256x128256")
        for text in ("3", "0x4", "axb", "1x2x3"):
            self.assertRaises(ValueError, Shape.parse, text)


if __name__ == "__main__":
    unittest.main()
