"""gumbelmax.jax: needs JAX."""

import doctest

import numpy as np
import pytest

jax = pytest.importorskip("jax", reason="JAX is not installed")

import gumbelmax  # noqa: E402
import gumbelmax.jax as gj  # noqa: E402

jnp = jax.numpy
KEY = jax.random.key(7)
SEED = 7  # the words of this key are 0 and 7


@pytest.fixture
def logits(rng):
    return jnp.asarray(rng.normal(size=(4, 3, 20)).astype("float32"))


def test_examples():
    failed, tried = doctest.testmod(gj)
    assert failed == 0
    assert tried >= 8


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_draws_are_those_of_numpy(logits, dtype, axis):
    logits = logits.astype(dtype)
    want = gumbelmax.sample(np.asarray(logits.astype("float32")), seed=SEED, axis=axis)
    for key in (KEY, jax.random.PRNGKey(7)):
        assert (gj.categorical(key, logits, axis) == want).all()
        assert (jax.jit(gj.categorical, static_argnums=2)(key, logits, axis) == want).all()
    found = gumbelmax.sample(logits, seed=SEED, axis=axis)
    assert isinstance(found, jax.Array)
    assert found.dtype == jnp.int32
    assert (found == want).all()


def test_shapes(logits):
    want = gumbelmax.sample(np.asarray(logits), seed=SEED, draws=10)
    found = gj.categorical(KEY, logits, shape=(2, 5, 4, 3))
    assert (found.reshape(10, 4, 3) == np.moveaxis(want, -1, 0)).all()
    row = logits[0, 0]
    assert (gj.categorical(KEY, row, shape=(10,)) == want[0, 0]).all()
    assert gj.categorical(KEY, row[None], shape=(8,)).shape == (8,)
    assert gj.categorical(KEY, row, shape=(0,)).shape == (0,)
    with pytest.raises(ValueError, match="does not end with the shape of the rows"):
        gj.categorical(KEY, logits, shape=(4, 2))
    # as in JAX
    assert jax.random.categorical(KEY, logits, shape=(2, 5, 4, 3)).shape == found.shape


def test_vmap(logits):
    keys = jax.random.split(KEY, 4)
    each = jnp.stack([gj.categorical(k, x) for k, x in zip(keys, logits, strict=True)])
    assert (jax.vmap(gj.categorical)(keys, logits) == each).all()
    assert (jax.jit(jax.vmap(gj.categorical))(keys, logits) == each).all()
    one_key = jnp.stack([gj.categorical(KEY, x) for x in logits])
    assert (jax.vmap(gj.categorical, (None, 0))(KEY, logits) == one_key).all()
    nested = jax.vmap(lambda k: jax.vmap(lambda x: gj.categorical(k, x, shape=(2, 3)))(logits))(
        keys
    )
    assert nested.shape == (4, 4, 2, 3)
    assert (nested[2, 1] == gj.categorical(keys[2], logits[1], shape=(2, 3))).all()


def test_keys_of_more_words(logits):
    key = jax.random.key(7, impl="rbg")
    assert gj.categorical(key, logits).shape == (4, 3)
    assert (gj.categorical(key, logits) != gj.categorical(jax.random.split(key)[0], logits)).any()


@pytest.mark.parametrize("hard", [False, True])
@pytest.mark.parametrize("axis", [0, -1])
def test_gradients(logits, hard, axis):
    y = gj.gumbel_softmax(KEY, logits, 0.7, axis=axis)
    assert (y.argmax(axis) == gj.categorical(KEY, logits, axis)).all()
    weights = jnp.cos(jnp.arange(240.0)).reshape(4, 3, 20)

    def loss(logits):
        return (gj.gumbel_softmax(KEY, logits, 0.7, hard, axis) * weights).sum()

    want = y * (weights - (weights * y).sum(axis, keepdims=True)) / 0.7
    for gradient in (jax.grad(loss)(logits), jax.jit(jax.grad(loss))(logits)):
        assert jnp.allclose(gradient, want, atol=1e-5)
        assert not jnp.allclose(gradient, 1.01 * want, atol=1e-5)


def test_gradients_under_vmap(logits):
    def loss(key, logits):
        return gj.gumbel_softmax(key, logits, 0.5)[..., 0].sum()

    keys = jax.random.split(KEY, 4)
    each = jnp.stack([jax.grad(loss, 1)(k, x) for k, x in zip(keys, logits, strict=True)])
    assert jnp.allclose(jax.vmap(jax.grad(loss, 1))(keys, logits), each, atol=1e-6)


@pytest.mark.parametrize("axis", [0, -1])
def test_cuts(logits, axis):
    cuts = {"top_k": 9, "top_p": 0.9, "min_p": 0.01, "epsilon": 0.001, "cut_temperature": 2.0}
    cuts["share"] = "all"
    booleans = np.arange(240).reshape(4, 3, 20) % 7 > 1
    words = np.array([0x000DB6DB], "uint32")
    for allowed in (None, booleans, booleans[:, 0, 0] if axis == 0 else booleans[0, 0], words):
        options = {**cuts, "allowed": allowed, "axis": axis}
        want = gumbelmax.sample(np.asarray(logits), seed=SEED, **options)
        assert (gj.categorical(KEY, logits, **options) == want).all()
        drawn = jax.jit(lambda k, x, o=options: gj.categorical(k, x, **o))(KEY, logits)
        assert (drawn == want).all()
        want = gumbelmax.gumbel_softmax(np.asarray(logits), 0.7, seed=SEED, **options)
        soft = gj.gumbel_softmax(KEY, logits, 0.7, **options)
        assert (soft == want).all()
        assert (soft == 0).any()

        def loss(x, options=options):
            return (gj.gumbel_softmax(KEY, x, 0.7, **options) ** 2).sum()

        inner = (2 * want * want).sum(axis, keepdims=True)
        assert jnp.allclose(jax.grad(loss)(logits), want * (2 * want - inner) / 0.7, atol=1e-5)


def test_masks_under_vmap(logits):
    keys = jax.random.split(KEY, 4)
    allowed = jnp.arange(80).reshape(4, 20) % 3 > 0

    def draw(key, row, mask):
        return gj.categorical(key, row, allowed=mask, top_k=5)

    each = jnp.stack([draw(*one) for one in zip(keys, logits, allowed, strict=True)])
    assert (jax.vmap(draw)(keys, logits, allowed) == each).all()
    shared = jax.vmap(draw, (0, 0, None))(keys, logits, allowed[1])
    each = jnp.stack([draw(k, x, allowed[1]) for k, x in zip(keys, logits, strict=True)])
    assert (shared == each).all()


@pytest.mark.parametrize("axis", [0, -1])
def test_penalties(logits, axis):
    rows = np.moveaxis(np.asarray(logits), axis, -1).shape[:-1]
    penalties = {"repetition_penalty": 1.5, "frequency_penalty": 5.0, "presence_penalty": 0.25}
    plain = gumbelmax.sample(np.asarray(logits), seed=SEED, axis=axis)
    assert plain.shape == rows
    each = np.stack([plain, plain, np.full(rows, -1)], -1)
    for history in (each, plain[:, 1]):
        options = {**penalties, "axis": axis}
        want = gumbelmax.sample(np.asarray(logits), seed=SEED, history=history, **options)
        assert (want != plain).any()
        assert (gj.categorical(KEY, logits, history=history, **options) == want).all()
        draw = jax.jit(lambda x, h, o=options: gj.categorical(KEY, x, history=h, **o))
        assert (draw(logits, history) == want).all()
        want = gumbelmax.gumbel_softmax(
            np.asarray(logits), 0.7, seed=SEED, history=history, **options
        )
        assert (gj.gumbel_softmax(KEY, logits, 0.7, history=history, **options) == want).all()
    none = gj.categorical(KEY, logits, axis, history=[], presence_penalty=1.0)
    assert (none == plain).all()
    with pytest.raises(TypeError, match="history must have integers"):
        gj.categorical(KEY, logits, history=jnp.zeros(3), presence_penalty=1.0)


def test_histories_under_vmap(logits):
    keys = jax.random.split(KEY, 4)
    histories = jnp.arange(12).reshape(4, 3) % 5

    def draw(key, row, history):
        return gj.categorical(key, row, history=history, presence_penalty=3.0)

    each = jnp.stack([draw(*one) for one in zip(keys, logits, histories, strict=True)])
    assert (jax.vmap(draw)(keys, logits, histories) == each).all()
    plain = jnp.stack([gj.categorical(*one) for one in zip(keys, logits, strict=True)])
    assert (plain != each).any()


def test_an_invalid_row_is_an_error(logits):
    with pytest.raises(Exception, match=r"row 0 .* has no draw"):
        jax.block_until_ready(gj.categorical(KEY, logits.at[0, 0, 0].set(jnp.nan)))


@pytest.mark.parametrize("name", ["tau", "temperature", "top_k", "top_p", "presence_penalty"])
def test_numbers_that_are_traced_are_refused(logits, name):
    number, words = jnp.asarray(2), f"^{name} must be a number that is known when the function is"
    functions = [gj.gumbel_softmax] if name == "tau" else [gj.gumbel_softmax, gj.categorical]
    for function in functions:

        def draw(number, function=function):
            return function(KEY, logits, history=logits[0, 0, :3].astype(int), **{name: number})

        for traced, given in ((jax.jit(draw), number), (jax.vmap(draw), number[None])):
            with pytest.raises(TypeError, match=words):
                traced(given)
        # known, or static
        assert (draw(2) == jax.jit(draw, static_argnums=0)(2)).all()
    # what the words of the documentation propose
    scaled = jax.jit(lambda t: gj.categorical(KEY, logits / t))(2.0)
    assert (scaled == gj.categorical(KEY, logits, temperature=2.0)).all()


def test_integers_are_logits():
    whole = jnp.array([[3, 0, 1], [0, 2, 2]])
    assert (gj.categorical(KEY, whole) == gj.categorical(KEY, whole.astype(float))).all()
    soft = gj.gumbel_softmax(KEY, whole)
    assert soft.dtype == jnp.float32
    assert (soft == gj.gumbel_softmax(KEY, whole.astype(jnp.float32))).all()


@pytest.mark.parametrize("function", [gj.categorical, gj.gumbel_softmax])
def test_what_is_no_key_or_no_mask(logits, function):
    for key in (1, jnp.zeros(2), "key"):
        with pytest.raises(TypeError, match=r"^key must be a key, as jax\.random\.key makes"):
            function(key, logits)
    for keys in (jax.random.split(KEY, 3), jax.random.split(jax.random.PRNGKey(1), 3)):
        with pytest.raises(ValueError, match=r"^key must be one key, got keys of shape \(3,\)"):
            function(keys, logits)
    with pytest.raises(TypeError, match=r"^allowed must be an array"):
        function(KEY, logits, allowed=True)


def test_a_traced_array_is_refused_outside_this_module(logits):
    with pytest.raises(TypeError, match=r"^logits: expected an array .* gumbelmax\.jax"):
        jax.jit(lambda rows: gumbelmax.sample(rows, seed=1))(logits)
