"""Errors: of the right kind, with what was given, what was expected, and which row."""

import numpy as np
import pytest

import gumbelmax
from gumbelmax import sample, sample_scored, sample_weights

NAN, INF = np.nan, np.inf
ROW = np.zeros(3)
ROWS = np.zeros((4, 5, 3))
BAD = ROWS.copy()
BAD[2, 1, 0] = NAN

TABLE = [
    # the call, the exception, and words of it
    (
        lambda: sample([[0, 1], [NAN, 0]], seed=1),
        ValueError,
        "row 1 has no draw: its logit of category 0 is NaN",
    ),
    (
        lambda: sample([[0, INF]], seed=1),
        ValueError,
        r"row 0 has no draw: its logit of category 1 is \+infinity",
    ),
    (
        lambda: sample([[-INF, -INF]], seed=1),
        ValueError,
        "row 0 has no draw: all its logits are -infinity",
    ),
    (
        lambda: sample(BAD, seed=1),
        ValueError,
        r"row 11 \(index \(2, 1\) of rows of shape \(4, 5\)\) has no draw",
    ),
    (
        lambda: sample_weights([1.0, -2], seed=1),
        ValueError,
        "row 0 has no draw: its weight of category 1 is -2",
    ),
    (
        lambda: sample_weights([[1, 2], [3, -1]], seed=1),
        ValueError,
        "row 1, category 1: a count is from 0 to 4294967295",
    ),
    (
        lambda: sample_weights([[1, 2**32]], seed=1),
        ValueError,
        "row 0, category 1: a count .* got 4294967296",
    ),
    (
        lambda: sample(5.0, seed=1),
        ValueError,
        "logits: expected an array with an axis of categories, got a single number",
    ),
    (
        lambda: sample(np.zeros((3, 0)), seed=1),
        ValueError,
        "a row must have 1 to 4294967295 categories, got 0",
    ),
    (
        lambda: sample(ROWS, seed=1, axis=3),
        ValueError,
        "axis 3 is out of range for logits of 3 dimensions",
    ),
    (lambda: sample(ROWS, seed=1, axis=-4), ValueError, "axis -4 is out of range"),
    (lambda: sample(["a"], seed=1), TypeError, "logits: expected numbers of .* got ndarray of <U1"),
    (lambda: sample(np.zeros(3, complex), seed=1), TypeError, "logits: expected numbers of"),
    (lambda: sample(np.zeros(3, ">f4"), seed=1), TypeError, "byte order"),
    (
        lambda: sample(np.ma.masked_array(ROW, [0, 0, 1]), seed=1),
        TypeError,
        "^logits: a masked array is read without its mask: .* filled with",
    ),
    (lambda: sample(None, seed=1), TypeError, "logits: expected numbers of"),
    (
        lambda: sample(ROW, seed=-1),
        ValueError,
        "seed must be an integer from 0 to 18446744073709551615, got -1",
    ),
    (lambda: sample(ROW, seed=2**64), ValueError, "seed must be .* got 18446744073709551616"),
    (lambda: sample(ROW, seed=1.5), TypeError, "seed must be an integer .* got 1.5"),
    (lambda: sample(ROW, seed="1"), TypeError, "seed must be an integer .* got '1'"),
    (
        lambda: sample(ROWS, seed=[1, 2]),
        ValueError,
        r"seed of shape \(2,\) does not fit rows of shape \(4, 5\)",
    ),
    (
        lambda: sample(np.zeros((2, 3)), seed=[1, -2]),
        ValueError,
        "row 1: seed must be integers from 0",
    ),
    (
        lambda: sample(ROW, seed=1, step=2**31),
        ValueError,
        r"step \+ draws must not exceed 2147483648",
    ),
    (lambda: sample(ROW, seed=1, step=2**31 - 1, draws=2), ValueError, "got 2147483647 \\+ 2"),
    (
        lambda: sample(ROW, seed=1, step=2**40),
        ValueError,
        "step must be an integer from 0 to 4294967295",
    ),
    (lambda: sample(ROW, seed=1, draws=0), ValueError, "no draws"),
    (lambda: sample(ROW, seed=1, draws=-1), ValueError, "draws must be an integer from 0"),
    (lambda: sample(ROW, seed=1, temperature=-1), ValueError, "temperature must be 0 .* got -1"),
    (lambda: sample(ROW, seed=1, temperature=NAN), ValueError, "temperature must be 0 .* got NaN"),
    (lambda: sample(ROW, seed=1, temperature=1e-60), ValueError, "temperature must be 0"),
    (lambda: sample(ROW, seed=1, temperature="hot"), TypeError, "temperature must be a number"),
    (
        lambda: sample(np.zeros((2, 3)), seed=1, temperature=[1, -3]),
        ValueError,
        "row 1: the temperature must be",
    ),
    (
        lambda: sample(ROW, seed=1, method="cdf"),
        ValueError,
        'a method is gumbel, inverse-cdf or auto, got "cdf"',
    ),
    (
        lambda: sample(ROW, seed=1, invalid="ignore"),
        ValueError,
        'invalid must be "raise" or "mark", got "ignore"',
    ),
    (
        lambda: sample(ROW, seed=1, dtype="int8"),
        ValueError,
        'dtype must be "int64", "int32" or "uint32", got "int8"',
    ),
    (
        lambda: sample(ROW, seed=1, row_ids=[1, 2]),
        ValueError,
        r"row_ids of shape \(2,\) does not fit rows of shape \(\)",
    ),
    (
        lambda: sample(ROWS, seed=1, row_ids=-np.ones((4, 5), int)),
        ValueError,
        "row 0 .*row_ids must be integers from 0",
    ),
    (
        lambda: sample(ROWS, seed=1, row_ids=np.ones((4, 5))),
        TypeError,
        "row_ids must be integers, got floats",
    ),
    (lambda: sample(ROW, seed=1, first_row=-1), ValueError, "first_row must be an integer from 0"),
    (
        lambda: sample(np.zeros((2**20, 3), "f4"), seed=1, draws=2**31),
        MemoryError,
        "Unable to allocate",
    ),
    (lambda: sample(ROW, seed=1, top_k=0), ValueError, "top_k must be 1 or more, got 0"),
    (lambda: sample(ROW, seed=1, top_k=1.5), TypeError, "top_k must be an integer .* got 1.5"),
    (lambda: sample(ROW, seed=1, top_k=-1), ValueError, "top_k must be an integer .* got -1"),
    (
        lambda: sample(np.zeros((3, 2)), seed=1, top_k=[5, 1, 0]),
        ValueError,
        "row 2: top_k must be 1 or more, got 0",
    ),
    (lambda: sample(ROW, seed=1, top_p=0), ValueError, "top_p must be above 0 .* got 0"),
    (lambda: sample(ROW, seed=1, top_p=NAN), ValueError, "top_p must be above 0 .* got NaN"),
    (lambda: sample(ROW, seed=1, top_p="all"), TypeError, "top_p must be a number, .* got 'all'"),
    (
        lambda: gumbelmax.logsumexp(ROWS, top_p=np.linspace(1, -0.01, 20).reshape(4, 5)),
        ValueError,
        r"row 19 \(index \(3, 4\) of rows of shape \(4, 5\)\): top_p must be above 0 .* got -0.01",
    ),
    (
        lambda: sample(ROWS, seed=1, top_p=[0.5, 0.6]),
        ValueError,
        r"top_p of shape \(2,\) does not fit rows of shape \(4, 5\)",
    ),
    (lambda: gumbelmax.cuts(ROW, min_p=2), ValueError, "min_p must be from 0 to 1, got 2"),
    (lambda: gumbelmax.cuts(ROW, epsilon=-1), ValueError, "epsilon must be from 0 to 1, got -1"),
    (
        lambda: gumbelmax.race(ROW, 1, seed=1, top_k=1, cut_temperature=0),
        ValueError,
        r"cut_temperature must be from 7.9e-31 \(2\^-100\) to .*, got 0",
    ),
    (
        lambda: sample_weights(ROW, seed=1, top_k=1, cut_temperature=1e-9),
        ValueError,
        r"cut_temperature must be from 9.5e-7 \(2\^-20\) to .* with weights, got 1e-9",
    ),
    (
        lambda: sample(ROW, seed=1, top_p=0.5, share="most"),
        ValueError,
        'share must be "top-k", "all" or "rest", got "most"',
    ),
    (
        lambda: sample_scored(ROW, seed=1, log_probs_of="all"),
        ValueError,
        'log_probs_of must be "kept" or "allowed", got "all"',
    ),
    (
        lambda: gumbelmax.log_prob(ROW, 0, log_probs_of=None),
        TypeError,
        "log_probs_of must be a str, got NoneType",
    ),
    (
        lambda: gumbelmax.log_prob(ROW, 0, top_p=0, log_probs_of="allowed"),
        ValueError,
        "top_p must be above 0 .* got 0",
    ),
    (
        lambda: sample(ROW, seed=1, allowed=[True, False]),
        ValueError,
        "allowed has 2 booleans for a row of 3 categories",
    ),
    (
        lambda: sample(np.zeros(70), seed=1, allowed=np.zeros(2, "int32")),
        ValueError,
        "allowed has 2 words of 32 bits for a row of 70 categories, which needs 3",
    ),
    (
        lambda: sample(ROWS, seed=1, allowed=np.zeros((5, 4, 1), "uint32")),
        ValueError,
        r"allowed has masks of shape \(5, 4\), which does not fit rows of shape \(4, 5\)",
    ),
    (
        lambda: sample(ROW, seed=1, allowed=[1, 0, 1]),
        TypeError,
        "allowed must be booleans, or uint32 or int32 words of 32 bits, got int64",
    ),
    (
        lambda: sample(ROW, seed=1, allowed=True),
        TypeError,
        "allowed must be booleans",
    ),
    (
        lambda: sample(np.zeros((2, 2)), seed=1, allowed=[[True, True], [False, False]]),
        ValueError,
        "row 1 has no draw",
    ),
    (
        lambda: gumbelmax.log_prob(
            np.zeros((2, 2)), [0, 0], allowed=[[True, True], [False, False]]
        ),
        ValueError,
        "row 1 has no draw",
    ),
    (
        lambda: sample(ROW, seed=1, bias=[1.0, 2.0, 3.0]),
        TypeError,
        "bias must be a list of dicts or None, got float",
    ),
    (lambda: sample(ROW, seed=1, bias=ROW), TypeError, r"got ndarray: .* logits \+ bias"),
    (lambda: sample(ROW, seed=1, bias={"a": 1}), TypeError, "integers as categories, got 'a'"),
    (lambda: sample(ROW, seed=1, bias={0: "a"}), TypeError, r"bias must be numbers, got \['a'\]"),
    (lambda: sample(ROW, seed=1, bias={-1: 1}), ValueError, "bias has the category -1, and"),
    (
        lambda: sample(ROW, seed=1, bias={3: 1}),
        ValueError,
        "category 3 of rows of 3, numbered from 0",
    ),
    (lambda: sample(ROW, seed=1, bias={0: INF}), ValueError, "a finite number or -inf, got inf"),
    (
        lambda: sample(ROWS, seed=1, bias=[{}] * 19),
        ValueError,
        "bias is a list of 19, for 20 rows",
    ),
    (
        lambda: sample(ROWS, seed=1, bias=[{}] * 11 + [{0: NAN}] + [{}] * 8),
        ValueError,
        r"row 11 \(index \(2, 1\) of rows of shape \(4, 5\)\): a bias .* got NaN",
    ),
    (lambda: sample_scored([[1, 2]], seed=1, bias={0: 1}, weights=True), ValueError, "logits"),
    (
        lambda: sample(ROW, seed=1, presence_penalty=1.0),
        ValueError,
        "penalties are of the categories that rows had before, and history says none",
    ),
    (
        lambda: sample(ROW, seed=1, repetition_penalty=0, history=[1]),
        ValueError,
        "a repetition penalty .* a finite number above 0, got 0",
    ),
    (
        lambda: sample(np.zeros((2, 3)), seed=1, frequency_penalty=[1, INF], history=[1]),
        ValueError,
        "row 1: a frequency penalty",
    ),
    (
        lambda: sample(ROWS, seed=1, presence_penalty=[1, 2], history=[1]),
        ValueError,
        r"presence_penalty of shape \(2,\) does not fit rows of shape \(4, 5\)",
    ),
    (
        lambda: sample(ROWS, seed=1, presence_penalty=1, history=np.zeros((5, 4, 2), int)),
        ValueError,
        r"history is of tokens of rows of shape \(5, 4\), which does not fit rows of shape \(4, 5\)",
    ),
    (
        lambda: sample(np.zeros((2, 3)), seed=1, presence_penalty=1, history=[[0], [0, 3]]),
        ValueError,
        "row 1: a history: category 3 of rows of 3, numbered from 0",
    ),
    (
        lambda: sample(np.zeros((2, 3)), seed=1, presence_penalty=1, history=np.array([[0], [-2]])),
        ValueError,
        "row 1: history has tokens from 0 on, or -1 for none, got -2",
    ),
    (
        lambda: gumbelmax.log_prob(ROW, 0, presence_penalty=1, history=[3]),
        ValueError,
        "category 3 of rows of 3",
    ),
    (
        lambda: sample(ROW, seed=1, presence_penalty=1, history={0: -1}),
        ValueError,
        "history must have counts that are integers from 0",
    ),
    (
        lambda: sample(ROW, seed=1, presence_penalty=1, history=np.array([0.5])),
        TypeError,
        "history must be integers, got floats",
    ),
    (
        lambda: sample(ROW, seed=1, presence_penalty=1, history=[0, 0.5]),
        TypeError,
        "history must have integers as categories, got 0",
    ),
    (lambda: sample(ROW, seed=1, presence_penalty=1, history=5), TypeError, "history"),
    (
        lambda: sample(ROW, seed=1, bias={0: -INF, 1: -INF, 2: -INF}),
        ValueError,
        "row 0 has no draw",
    ),
    (lambda: gumbelmax.digest([0.5]), ValueError, "draws must be integers, got float64"),
    (lambda: gumbelmax.digest([2**32]), ValueError, "draws must be from -1"),
    (lambda: gumbelmax.race(ROW, 0, seed=1), ValueError, "k is 1 or more"),
    (
        lambda: gumbelmax.race(ROW, 1, seed=1, temperature=0),
        ValueError,
        "no meaning at temperature 0",
    ),
    (lambda: gumbelmax.race(ROW, 2**31, seed=1, draws=2**31), ValueError, "array is too big"),
    (lambda: gumbelmax.gumbel_softmax(ROW, 0.0, seed=1), ValueError, "tau must be from .* got 0"),
    (
        lambda: gumbelmax.gumbel_softmax(ROW, seed=1, temperature=0),
        ValueError,
        "temperature above 0",
    ),
    (
        lambda: gumbelmax.gumbel_softmax_vjp(np.zeros(4), ROW, seed=1),
        ValueError,
        r"cotangents of shape \(4,\) does not fit",
    ),
    (
        lambda: gumbelmax.log_prob(ROWS, np.zeros(3, int)),
        ValueError,
        "does not begin with the shape of the rows",
    ),
    (lambda: gumbelmax.log_prob([ROW, ROW], [0, 3]), ValueError, "row 1: an index is from 0 to 2"),
    (
        lambda: gumbelmax.log_prob([ROW, ROW], [0.0, 1.0]),
        TypeError,
        "^index must be integers, got floats",
    ),
    (
        lambda: sample([[1, 2], [3]], seed=1),
        ValueError,
        "^logits: NumPy makes no array of this list: .* inhomogeneous",
    ),
    (
        lambda: sample(ROWS, seed=1, allowed=np.ones((4, 5, 3), bool), axis=3),
        ValueError,
        "^axis 3 is out of range for allowed of 3 dimensions",
    ),
    (
        lambda: gumbelmax.gumbel_softmax_vjp(ROWS, ROWS, seed=1, axis=-4),
        ValueError,
        "^axis -4 is out of range for logits of 3 dimensions",
    ),
    (
        lambda: gumbelmax.gumbel_softmax_vjp(np.zeros((5, 4)), ROWS, seed=1, axis=0),
        ValueError,
        r"^cotangents of shape \(5, 4\) does not fit samples of shape \(4, 5, 3\)",
    ),
    (
        lambda: gumbelmax.resample(ROW, seed=1, row_ids=[1, 2]),
        ValueError,
        r"^row_ids of shape \(2,\) does not fit positions of shape \(3,\)",
    ),
    (lambda: gumbelmax.log_prob([ROW, ROW], [0, -1]), ValueError, "row 1: an index is from 0 to 2"),
    (
        lambda: gumbelmax.log_prob(BAD, np.zeros((4, 5), int)),
        ValueError,
        r"row 11 \(index \(2, 1\)",
    ),
    (
        lambda: gumbelmax.log_prob(ROW, 0, temperature=0),
        ValueError,
        "^a log-probability has no meaning at temperature 0",
    ),
    (
        lambda: gumbelmax.log_prob([ROW, ROW], [0, 0], temperature=[1, 0]),
        ValueError,
        "^a log-probability has no meaning at temperature 0",
    ),
    (
        lambda: gumbelmax.log_prob(ROW, 0, temperature=-1),
        ValueError,
        "temperature must be 0 .* got -1",
    ),
    (
        lambda: gumbelmax.log_prob([ROW, ROW], [0, 0], temperature=[1, NAN]),
        ValueError,
        "row 1: the temperature must be 0 .* got NaN",
    ),
    (
        lambda: gumbelmax.log_prob(np.zeros((0, 3)), np.zeros(0, int), temperature=1e-40),
        ValueError,
        "temperature must be 0",
    ),
    (
        lambda: gumbelmax.log_prob([[0.0, -1.0]], [0], weights=True),
        ValueError,
        "row 0 has no draw: its weight of category 1 is -1",
    ),
    (
        # of a later piece of the call
        lambda: gumbelmax.log_prob(
            np.broadcast_to(ROW, (6_000_000, 3)),
            np.zeros(6_000_000, int),
            temperature=np.arange(5_999_999, -1, -1) - 0.5,
        ),
        ValueError,
        "^row 5999999: the temperature must be 0 .* got -0.5",
    ),
    (
        lambda: gumbelmax.log_prob(np.zeros((2, 0)), [0, 0]),
        ValueError,
        "1 to 4294967295 categories, got 0",
    ),
    (
        lambda: gumbelmax.gumbel_softmax(np.zeros((2, 0)), seed=1),
        ValueError,
        "1 to 4294967295 categories, got 0",
    ),
    (
        lambda: gumbelmax.InverseCdf(np.zeros((0, 0)), seed=1),
        ValueError,
        "1 to 4294967295 categories, got 0",
    ),
    (lambda: gumbelmax.logsumexp(BAD), ValueError, r"row 11 \(index \(2, 1\)"),
    (lambda: gumbelmax.InverseCdf(BAD, seed=1), ValueError, "row 11"),
    (
        lambda: gumbelmax.InverseCdf(np.zeros((2, 3)), seed=[1, 2]),
        ValueError,
        "^InverseCdf takes one seed",
    ),
    (lambda: gumbelmax.InverseCdf(ROW, seed=1).sample(2**31 + 1), ValueError, "step"),
    (lambda: gumbelmax.resample([0.0, NAN], seed=1), ValueError, "log-weight of particle 1 is NaN"),
    (lambda: gumbelmax.resample([-INF], seed=1), ValueError, "all log-weights are -infinity"),
    (lambda: gumbelmax.resample([], seed=1), ValueError, "1 to 4294967295 particles, got 0"),
    (
        lambda: gumbelmax.resample(ROWS, seed=1),
        ValueError,
        r"expected one dimension.* got the shape \(4, 5, 3\)",
    ),
    (
        lambda: gumbelmax.resample(ROW, seed=1, scheme="best"),
        ValueError,
        'scheme must be .* got "best"',
    ),
    (lambda: gumbelmax.Generator(-1), ValueError, "seed must be"),
    (
        lambda: gumbelmax.Generator(1, step=2**31 + 1),
        ValueError,
        "step must be from 0 to 2147483648",
    ),
    (
        lambda: gumbelmax.Generator(1).sample(ROW, seed=1),
        TypeError,
        "a Generator has the seed of its own",
    ),
    (
        lambda: gumbelmax.Generator(1, step=2**31).sample(ROW),
        ValueError,
        "go on with a sequence of another seed",
    ),
    (lambda: gumbelmax.set_num_threads(-1), ValueError, "threads must be an integer from 0"),
    (lambda: gumbelmax.set_num_threads(2**16), ValueError, "from 0 to 65535, got 65536"),
]


@pytest.mark.parametrize("row", range(len(TABLE)))
def test_errors(row):
    call, kind, words = TABLE[row]
    with pytest.raises(kind, match=words):
        call()


def test_the_row_is_named_in_later_pieces_too():
    # so many logits that the call goes in pieces
    rows = np.zeros((40_000, 4000), "float16")
    rows[39_999, 5] = NAN
    with pytest.raises(ValueError, match="row 39999 has no draw: its logit of category 5 is NaN"):
        sample(rows, seed=1)
