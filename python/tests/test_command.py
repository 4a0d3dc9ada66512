"""Draws, byte for byte those of the command `gumbel`."""

import subprocess

import ml_dtypes
import numpy as np
import pytest

import gumbelmax

SHAPES = [(1, 1), (3, 2), (1000, 16), (65, 1000), (3, 4096), (2, 4097), (2, 20_000)]
TYPES = ["float16", ml_dtypes.bfloat16, "float32", "float64"]


def logits_of(shape, dtype, rng):
    logits = rng.normal(0, 3, shape)
    # -inf is never drawn; the last category stays
    logits[..., :-1][rng.random((shape[0], shape[1] - 1)) < 0.2] = -np.inf
    return logits.astype(dtype)


def run(command, folder, array, *options, values=False):
    """Draws of the command, and the numbers beside them."""
    np.save(folder / "in.npy", array)
    arguments = [command, "sample", folder / "in.npy", "-o", folder / "out.npy", *options]
    if array.dtype == ml_dtypes.bfloat16:
        arguments += ["--dtype", "bf16"]
    if values:
        arguments += ["--with-output", folder / "values.npy"]
    subprocess.run([str(a) for a in arguments], check=True, capture_output=True, timeout=300)
    draws = np.load(folder / "out.npy")
    return (draws, np.load(folder / "values.npy")) if values else draws


def assert_same(got, want):
    assert got.dtype == want.dtype
    assert got.shape == want.shape
    assert got.tobytes() == want.tobytes()


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_and_types(command, tmp_path, rng, shape, dtype):
    logits = logits_of(shape, dtype, rng)
    want = run(command, tmp_path, logits, "--seed", "7")
    got = gumbelmax.sample(logits, seed=7, dtype="uint32")
    assert_same(got, want)
    # the comparison sees another seed, but for rows of one category
    if shape[0] >= 65:
        assert gumbelmax.sample(logits, seed=8, dtype="uint32").tobytes() != want.tobytes()


CUTS = {
    "top-k": (["--top-k", 3], {"top_k": 3}),
    "top-p": (["--top-p", 0.7], {"top_p": 0.7}),
    "min-p": (["--min-p", 0.1], {"min_p": 0.1}),
    "epsilon": (["--epsilon", 0.01], {"epsilon": 0.01}),
    "all cuts": (
        ["--top-k", 20, "--top-p", 0.9, "--min-p", 0.01, "--epsilon", 0.001, "--temperature", 0.8],
        {"top_k": 20, "top_p": 0.9, "min_p": 0.01, "epsilon": 0.001, "temperature": 0.8},
    ),
    "cut temperature": (
        ["--top-p", 0.7, "--temperature", 2, "--cut-temperature", 1],
        {"top_p": 0.7, "temperature": 2, "cut_temperature": 1},
    ),
    "share of all": (
        ["--top-k", 5, "--top-p", 0.6, "--share", "all"],
        {"top_k": 5, "top_p": 0.6, "share": "all"},
    ),
    "share of the rest": (
        ["--min-p", 0.05, "--top-p", 0.6, "--share", "rest"],
        {"min_p": 0.05, "top_p": 0.6, "share": "rest"},
    ),
}

OPTIONS = {
    **CUTS,
    "seed": (["--seed", 2**64 - 1], {"seed": 2**64 - 1}),
    "temperature": (["--temperature", 0.3], {"temperature": 0.3}),
    "greedy": (["--temperature", 0], {"temperature": 0}),
    "first row": (["--first-row", 2**64 - 2], {"first_row": 2**64 - 2}),
    "draws": (["--draws", 5], {"draws": 5}),
    "inverse CDF": (
        ["--draws", 9, "--method", "inverse-cdf"],
        {"draws": 9, "method": "inverse-cdf"},
    ),
    "auto, many": (["--draws", 40, "--method", "auto"], {"draws": 40, "method": "auto"}),
    "auto, few": (["--draws", 3, "--method", "auto"], {"draws": 3, "method": "auto"}),
}


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", [(40, 30), (2, 5000)])
def test_options(command, tmp_path, rng, shape, dtype, name):
    flags, options = OPTIONS[name]
    logits = logits_of(shape, dtype, rng)
    want = run(command, tmp_path, logits, *flags)
    assert_same(gumbelmax.sample(logits, **{"seed": 0, **options}, dtype="uint32"), want)


def printed(command, folder, array, *arguments):
    """The standard output of the command for an array."""
    np.save(folder / "in.npy", array)
    name, *options = arguments
    run = [str(a) for a in (command, name, folder / "in.npy", *options)]
    return subprocess.run(run, check=True, capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize("name", CUTS)
@pytest.mark.parametrize("shape", [(40, 30), (2, 5000)])
def test_cuts(command, tmp_path, rng, shape, name):
    flags, options = CUTS[name]
    logits = logits_of(shape, "float32", rng)
    printed(command, tmp_path, logits, "cuts", *flags, "-o", tmp_path / "out.npy")
    found = gumbelmax.cuts(logits, **options)
    assert_same(np.stack(found, -1), np.load(tmp_path / "out.npy"))
    # every operation is that of what is kept
    draws = gumbelmax.sample(logits, seed=0, draws=3, **options)
    assert (np.take_along_axis(logits, draws, -1) >= found.threshold[:, None]).all()
    assert (found.kept < np.isfinite(logits).sum(-1)).any()


def bits(booleans):
    """Masks of bits, as xgrammar has them."""
    packed = np.zeros((*booleans.shape[:-1], (booleans.shape[-1] + 31) // 32), "int32")
    for category in range(booleans.shape[-1]):
        bit = booleans[..., category].astype("uint32") << (category % 32)
        packed[..., category // 32] |= bit.view("int32")
    return packed


@pytest.mark.parametrize("shape", [(40, 30), (7, 64), (2, 5000)])
def test_masks(command, tmp_path, rng, shape):
    logits = logits_of(shape, "float32", rng)
    booleans = rng.random(shape) < 0.3
    booleans[:, -1] = True
    words = bits(booleans)
    np.save(tmp_path / "mask.npy", words)
    flags = ["--allowed", tmp_path / "mask.npy", "--top-p", 0.9, "--draws", 2]
    want = run(command, tmp_path, logits, *flags)
    assert np.take_along_axis(booleans, want.astype(int), -1).all()
    # one word more in each row, which means nothing, and which lies apart
    wide = np.concatenate([words, np.full_like(words[:, :1], -1)], -1)
    for mask in (
        *(booleans, words, words.view("uint32"), wide, wide[:, : words.shape[1]]),
        *(np.asfortranarray(words), np.asfortranarray(booleans), booleans.tolist()),
    ):
        got = gumbelmax.sample(logits, seed=0, top_p=0.9, draws=2, allowed=mask, dtype="uint32")
        assert_same(got, want)
    for mask in (booleans[0], words[0], words[:1]):
        want = gumbelmax.sample(
            logits, seed=0, draws=2, allowed=np.repeat(words[:1], len(words), 0)
        )
        assert_same(gumbelmax.sample(logits, seed=0, draws=2, allowed=mask), want)
    # a mask along another axis
    got = gumbelmax.sample(logits.T, seed=0, draws=2, axis=0, top_p=0.9, allowed=booleans.T)
    assert_same(got.astype("uint32"), run(command, tmp_path, logits, *flags))


@pytest.mark.parametrize("name", [*OPTIONS, "races"])
def test_digests(command, tmp_path, rng, name):
    logits = logits_of((40, 30), "float32", rng)
    if name == "races":
        flags, draws = ["--without-replacement", 25], gumbelmax.race(logits, 25, seed=0).categories
    else:
        flags, options = OPTIONS[name]
        draws = gumbelmax.sample(logits, **{"seed": 0, **options})
    said = printed(command, tmp_path, logits, "sample", *flags, "--digest").stderr
    assert gumbelmax.digest(draws) in said
    assert gumbelmax.digest(draws.astype("int32")) in said
    assert gumbelmax.digest(draws[::-1]) not in said


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "uint8", "uint32", "int64"])
def test_weights(command, tmp_path, rng, dtype):
    weights = (rng.random((50, 40)) * 100).astype(dtype)
    want = run(command, tmp_path, weights, "--weights", "--seed", "3", "--draws", "4")
    assert_same(gumbelmax.sample_weights(weights, seed=3, draws=4, dtype="uint32"), want)


WEIGHTS = {
    **{name: OPTIONS[name] for name in ("temperature", "greedy", "first row", *CUTS)},
    "inverse CDF at a temperature": (
        ["--draws", 9, "--method", "inverse-cdf", "--temperature", 0.7],
        {"draws": 9, "method": "inverse-cdf", "temperature": 0.7},
    ),
}


@pytest.mark.parametrize("name", WEIGHTS)
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "uint32"])
def test_options_of_weights(command, tmp_path, rng, dtype, name):
    flags, options = WEIGHTS[name]
    weights = (rng.random((50, 40)) ** 4 * 1000).astype(dtype)
    want = run(command, tmp_path, weights, "--weights", *flags)
    got = gumbelmax.sample_weights(weights, **{"seed": 0, **options}, dtype="uint32")
    assert_same(got, want)


@pytest.mark.parametrize("dtype", [d for d in TYPES if d != ml_dtypes.bfloat16])
def test_row_ids(command, tmp_path, rng, dtype):
    """Ids from a column of a table: of text, which every build of the command reads."""
    logits, ids = logits_of((40, 30), dtype, rng), rng.integers(0, 2**63, 40)
    names = ",".join(f"p{i}" for i in range(30))
    lines = [
        ",".join([str(row_id), *(repr(float(logit)) for logit in row)])
        for row_id, row in zip(ids, logits, strict=True)
    ]
    path = tmp_path / "in.csv"
    path.write_text("\n".join([f"row_id,{names}", *lines]) + "\n")
    short = {"float16": "f16", "float32": "f32", "float64": "f64"}[dtype]
    table = [command, "sample", path, "--row-id", "row_id", "--columns", "p0..p29"]
    arguments = [*table, "--dtype", short, "--draws", 3, "-o", tmp_path / "out.npy"]
    subprocess.run([str(a) for a in arguments], check=True, capture_output=True, timeout=300)
    got = gumbelmax.sample(logits, seed=0, row_ids=ids, draws=3, dtype="uint32")
    assert_same(got, np.load(tmp_path / "out.npy"))
    assert (got != gumbelmax.sample(logits, seed=0, draws=3)).any()


@pytest.mark.parametrize("with_values", ["time", "max"])
def test_races(command, tmp_path, rng, with_values):
    logits = logits_of((20, 50), "float32", rng)
    flags = ["--without-replacement", 7, "--draws", 2, "--with", with_values]
    draws, values = run(command, tmp_path, logits, *flags, values=True)
    got = gumbelmax.race(logits, 7, seed=0, draws=2, dtype="uint32")
    assert_same(got.categories, draws)
    assert_same(got.times if with_values == "time" else got.perturbed_logits, values)


def test_log_probs(command, tmp_path, rng):
    logits = logits_of((30, 70), "float64", rng)
    draws, values = run(command, tmp_path, logits, "--with", "logprob", values=True)
    got = gumbelmax.sample_scored(logits, seed=0, dtype="uint32", device="cpu")
    assert_same(got.draws, draws)
    assert np.abs(got.log_probs - values).max() < 5e-5


@pytest.mark.parametrize("name", CUTS)
def test_sums_of_what_is_kept(command, tmp_path, rng, name):
    flags, options = CUTS[name]
    logits = logits_of((20, 90), "float32", rng)
    lines = printed(command, tmp_path, logits, "logz", "--engine", "cpu", *flags).stdout.split()
    assert gumbelmax.logsumexp(logits, **options).tolist() == [float(line) for line in lines]


def test_soft_samples(command, tmp_path, rng):
    logits = rng.normal(size=(10, 30)).astype("float32")
    np.save(tmp_path / "in.npy", logits)
    arguments = [
        command,
        "soften",
        tmp_path / "in.npy",
        "-o",
        tmp_path / "out.npy",
        "--engine",
        "cpu",
        "--tau",
        "0.7",
    ]
    subprocess.run([str(a) for a in arguments], check=True, capture_output=True, timeout=300)
    got = gumbelmax.gumbel_softmax(logits, 0.7, seed=0, device="cpu")
    assert_same(got, np.load(tmp_path / "out.npy"))
