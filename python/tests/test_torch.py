"""gumbelmax.torch: needs PyTorch."""

import doctest

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

import gumbelmax  # noqa: E402
import gumbelmax.torch as gt  # noqa: E402


@pytest.fixture
def logits():
    return torch.randn(4, 3, 20, generator=torch.Generator().manual_seed(1))


def test_examples():
    failed, tried = doctest.testmod(gt)
    assert failed == 0
    assert tried >= 10


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_types(logits, dtype):
    logits = logits.to(dtype)
    # every half is a float
    want = gumbelmax.sample(
        logits.to(torch.float64 if dtype == torch.float64 else torch.float32).numpy(), seed=1
    )
    for found in (gt.sample(logits, seed=1), gumbelmax.sample(logits, seed=1)):
        assert isinstance(found, torch.Tensor)
        assert found.dtype == torch.int64
        assert (found.numpy() == want).all()
    assert gumbelmax.sample(logits, seed=1, dtype=torch.int32).dtype == torch.int32


def test_layouts(logits):
    want = gt.sample(logits, seed=1)
    assert (gt.sample(logits.movedim(-1, 0).contiguous(), seed=1, axis=0) == want).all()
    assert (gt.sample(logits.movedim(-1, 0), seed=1, axis=0) == want).all()
    assert (gt.sample(logits.repeat_interleave(2, 0)[::2], seed=1) == want).all()
    assert gt.sample(logits[:1].expand(5, 3, 20), seed=1).shape == (5, 3)


def test_options(logits):
    options = {"seed": 2**64 - 1, "step": 7, "temperature": 0.5, "draws": 6, "first_row": 2**63}
    want = gumbelmax.sample(logits.numpy(), **options)
    assert (gt.sample(logits, **options).numpy() == want).all()
    own = {
        "seed": torch.arange(12).reshape(4, 3),
        "step": torch.arange(3),
        "temperature": torch.tensor([[0.5], [0.0], [1.0], [2.0]]),
        "row_ids": torch.arange(100, 112).reshape(4, 3),
    }
    want = gumbelmax.sample(logits.numpy(), **{name: value.numpy() for name, value in own.items()})
    assert (gt.sample(logits, **own).numpy() == want).all()
    counts = torch.tensor([[1, 0], [0, 3]])
    assert gt.sample(counts, seed=1, weights=True).tolist() == [0, 1]


def test_cuts(logits):
    own = {
        "top_k": torch.tensor([3, 5, 20]),
        "top_p": 0.9,
        "min_p": torch.tensor([[0.01], [0.1], [0.0], [0.2]]),
        "epsilon": 0.001,
        "cut_temperature": 2.0,
        "share": "rest",
    }
    as_numpy = {name: getattr(cut, "numpy", lambda cut=cut: cut)() for name, cut in own.items()}
    booleans = torch.arange(240).reshape(4, 3, 20) % 3 > 0
    words = torch.tensor([0x000DB6DB], dtype=torch.int32)
    for allowed in (None, booleans, booleans[0, 0], words):
        mask = None if allowed is None else allowed.numpy()
        want = gumbelmax.sample(logits.numpy(), seed=1, draws=5, allowed=mask, **as_numpy)
        assert (gt.sample(logits, seed=1, draws=5, allowed=allowed, **own).numpy() == want).all()
        soft = gt.gumbel_softmax(logits, 0.7, seed=1, allowed=allowed, **own)
        want = gumbelmax.gumbel_softmax(logits.numpy(), 0.7, seed=1, allowed=mask, **as_numpy)
        assert (soft.numpy() == want).all()
        assert (soft == 0).any()
    with pytest.raises(ValueError, match="top_p must be above 0"):
        gt.sample(logits, seed=1, top_p=0.0)


def test_bias_and_penalties(logits):
    tokens = torch.arange(60).reshape(4, 3, 5) % 7
    options = {"seed": 1, "bias": {2: 1.5}, "frequency_penalty": torch.tensor([0.5, 1.0, 2.0])}
    found = gumbelmax.sample(logits, history=tokens, **options)
    assert isinstance(found, torch.Tensor)
    as_numpy = {**options, "frequency_penalty": np.array([0.5, 1.0, 2.0])}
    want = gumbelmax.sample(logits.numpy(), history=tokens.numpy(), **as_numpy)
    assert (found.numpy() == want).all()
    assert (want != gumbelmax.sample(logits.numpy(), seed=1)).any()


def test_penalties_of_operators(logits):
    history = torch.arange(60).reshape(4, 3, 5) % 7
    penalties = {
        "repetition_penalty": 1.5,
        "frequency_penalty": torch.tensor([0.5, 1.0, 2.0]),
        "presence_penalty": 0.25,
        "top_k": 9,
    }
    as_numpy = {**penalties, "frequency_penalty": np.array([0.5, 1.0, 2.0])}
    for tokens in (history, history[0, 0]):
        want = gumbelmax.sample(
            logits.numpy(), seed=1, draws=50, history=tokens.numpy(), **as_numpy
        )
        found = gt.sample(logits, seed=1, draws=50, history=tokens, **penalties)
        assert (found.numpy() == want).all()
        assert (want != gumbelmax.sample(logits.numpy(), seed=1, draws=50, top_k=9)).any()
        soft = gt.gumbel_softmax(logits, 0.7, seed=1, history=tokens, **penalties)
        want = gumbelmax.gumbel_softmax(
            logits.numpy(), 0.7, seed=1, history=tokens.numpy(), **as_numpy
        )
        assert (soft.numpy() == want).all()
    with pytest.raises(ValueError, match="history says none"):
        gt.sample(logits, seed=1, presence_penalty=1.0)
    with pytest.raises(ValueError, match="these numbers are weights"):
        gt.sample(logits.exp(), seed=1, presence_penalty=1.0, history=history, weights=True)


def test_gradients_with_all_options(logits):
    history = torch.tensor([2, 2, 5])
    options = {
        "top_k": 15,
        "top_p": 0.99,
        "min_p": 1e-6,
        "epsilon": 1e-6,
        "cut_temperature": 1.0,
        "repetition_penalty": 1.5,
        "frequency_penalty": 0.5,
        "presence_penalty": 0.1,
        "allowed": torch.arange(20) != 3,
    }
    logits.requires_grad_()
    soft = gt.gumbel_softmax(logits, 0.7, seed=1, history=history, **options)
    soft[..., 0].sum().backward()
    assert logits.grad.abs().sum() > 0
    again = gt.gumbel_softmax(logits, 0.7, seed=1, history=[2, 2, 5], **options)
    assert torch.equal(soft, again)
    # what has changed since is noticed
    loss = gt.gumbel_softmax(logits, 0.7, seed=1, history=history, **options)[..., 0].sum()
    history += 1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_gradients_of_penalised_logits(logits):
    history = torch.tensor([2, 2, 5])
    logits.requires_grad_()
    y = gt.gumbel_softmax(logits, 0.7, seed=1, repetition_penalty=1.5, history=history)
    (gradient,) = torch.autograd.grad((y**2).sum(), logits)
    y = y.detach()
    factor = torch.where(logits.detach() > 0, 1 / 1.5, 1.5)
    factor[..., [i for i in range(20) if i not in (2, 5)]] = 1.0
    want = factor * y * (2 * y - (2 * y * y).sum(-1, keepdim=True)) / 0.7
    assert torch.allclose(gradient, want, atol=1e-5)


def test_gradients_of_what_is_kept(logits):
    allowed = torch.arange(20) % 3 > 0
    logits.requires_grad_()
    y = gt.gumbel_softmax(logits, 0.7, seed=1, top_k=7, allowed=allowed)
    (gradient,) = torch.autograd.grad(y[..., 1].sum() + (y**2).sum(), logits)
    g = 2 * y.detach() + (torch.arange(20) == 1)
    want = y.detach() * (g - (g * y.detach()).sum(-1, keepdim=True)) / 0.7
    assert torch.allclose(gradient, want, atol=1e-5)
    assert (gradient[..., ~allowed] == 0).all()


def test_errors(logits):
    logits[2, 1, 5] = torch.nan
    with pytest.raises(ValueError, match=r"row 7 \(index \(2, 1\)"):
        gt.sample(logits, seed=1)
    with pytest.raises(ValueError, match="seed must be"):
        gt.sample(logits, seed=-1)
    with pytest.raises(ValueError, match="axis 3 is out of range"):
        gt.sample(logits, seed=1, axis=3)


@pytest.mark.parametrize("hard", [False, True])
@pytest.mark.parametrize("dim", [0, 1, -1])
def test_gradients(logits, hard, dim):
    logits.requires_grad_()
    soft = gt.gumbel_softmax(logits, 0.7, seed=1, dim=dim)
    found = gt.gumbel_softmax(logits, 0.7, hard, seed=1, dim=dim)
    assert (found.argmax(dim) == gt.sample(logits, seed=1, axis=dim)).all()
    cotangents = torch.randn(logits.shape, generator=torch.Generator().manual_seed(2))
    (gradient,) = torch.autograd.grad((found * cotangents).sum(), logits)
    y = soft.detach()
    want = y * (cotangents - (cotangents * y).sum(dim, keepdim=True)) / 0.7
    assert torch.allclose(gradient, want, atol=1e-5)
    # the comparison sees a fault
    assert not torch.allclose(gradient, want * 1.01, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_gradients_have_the_type_of_the_logits(logits, dtype):
    logits = logits.to(dtype).requires_grad_()
    gt.gumbel_softmax(logits, seed=1)[..., 0].sum().backward()
    assert logits.grad.dtype == dtype
    assert logits.grad.abs().sum() > 0


@pytest.mark.filterwarnings("ignore:The .grad attribute")
def test_ops(logits):
    op = torch.ops.gumbelmax
    numbers = (1, None, 0, None, 1.0, None, 0, None)
    nothing = ([None] * 11, "top-k")
    allowed = torch.arange(20) % 3 > 0
    cuts = [torch.tensor(9), torch.full((4, 3), 0.9), *[None] * 3]
    penalties = [
        torch.tensor(1.5),
        torch.full((4, 3), 0.2),
        None,
        torch.arange(60).view(4, 3, 5) % 20,
    ]
    given = ([*cuts, *penalties, allowed, None], "all")
    torch.library.opcheck(op.sample, (logits, False, *numbers, None, -1, "gumbel", "raise", *given))
    torch.library.opcheck(op.sample, (logits, False, *numbers, 5, 0, "auto", "mark", *nothing))
    for dim, restrict in ((0, nothing), (-1, given)):
        tau, temperature = torch.tensor(0.7), torch.tensor(1.0)
        options = (tau, False, 1, None, 0, None, temperature, 0, None, dim, *restrict)
        torch.library.opcheck(op.gumbel_softmax, (logits.clone().requires_grad_(), *options))
        torch.library.opcheck(op.gumbel_softmax_vjp, (logits, logits, *options))


@pytest.mark.parametrize("backend", ["eager", "aot_eager", "inductor"])
@pytest.mark.filterwarnings("ignore")
def test_compiled(logits, backend):
    def step(logits, seed):
        soft = gt.gumbel_softmax(logits * 2, 0.5, seed=seed, top_k=9)
        drawn = gt.sample(logits * 2, seed=seed, draws=3, top_p=0.9)
        penalised = gt.sample(logits, seed=seed, frequency_penalty=1.0, history=drawn)
        return torch.cat([drawn, penalised[..., None]], -1), (soft * logits).sum()

    want, loss = step(logits, 5)
    logits.requires_grad_()
    found, compiled_loss = torch.compile(step, backend=backend, fullgraph=True)(logits, 5)
    assert (found == want).all()
    assert torch.allclose(compiled_loss, loss)
    compiled_loss.backward()
    assert logits.grad.abs().sum() > 0


@pytest.mark.filterwarnings("ignore")
def test_numbers_that_change_are_not_compiled_again(logits):
    """As tensors: for each float, torch.compile compiles a function once more."""
    compiled = 0

    def backend(graph, _):
        nonlocal compiled
        compiled += 1
        return graph.forward

    def step(logits, number, seed):
        soft = gt.gumbel_softmax(logits, number, seed=seed, temperature=number)
        return soft, gt.sample(logits, seed=seed, temperature=number, top_p=number)

    torch._dynamo.reset()
    once = torch.compile(step, backend=backend, fullgraph=True)
    for turn, number in enumerate((0.5, 0.6, 0.7, 0.8)):
        soft, drawn = once(logits, torch.tensor(number), torch.tensor(turn))
        options = {"seed": turn, "temperature": number}
        want = gumbelmax.gumbel_softmax(logits.numpy(), number, **options)
        assert np.allclose(soft.numpy(), want, atol=1e-6)
        want = gumbelmax.sample(logits.numpy(), **options, top_p=np.float32(number))
        assert (drawn.numpy() == want).all()
    assert compiled == 1
    torch._dynamo.reset()


def test_soft_samples_of_rows_with_seeds_of_their_own(logits):
    own = {
        "seed": torch.arange(12).reshape(4, 3),
        "step": torch.arange(3),
        "temperature": torch.tensor([[0.5], [0.3], [1.0], [2.0]]),
        "row_ids": torch.arange(100, 112).reshape(4, 3),
    }
    logits.requires_grad_()
    soft = gt.gumbel_softmax(logits, torch.tensor(0.7, dtype=torch.float64), **own)
    as_numpy = {name: value.numpy() for name, value in own.items()}
    want = gumbelmax.gumbel_softmax(logits.detach().numpy(), 0.7, **as_numpy)
    assert (soft.detach().numpy() == want).all()
    assert (soft.argmax(-1) == gt.sample(logits, **own)).all()
    (gradient,) = torch.autograd.grad(soft[..., 0].sum(), logits)
    cotangents = np.zeros((4, 3, 20), "float32")
    cotangents[..., 0] = 1
    want = gumbelmax.gumbel_softmax_vjp(cotangents, logits.detach().numpy(), 0.7, **as_numpy)
    assert (gradient.numpy() == want).all()


def test_what_has_no_gradient_says_so(logits):
    for name in ("tau", "temperature"):
        number = torch.tensor(0.7, requires_grad=True)
        with pytest.raises(
            ValueError, match=rf"{name} has no gradient here: give {name}.detach\(\)"
        ):
            gt.gumbel_softmax(logits, **{"seed": 1, name: number})
    with pytest.raises(ValueError, match=r"tau must be one number, got a tensor of shape \(3,\)"):
        gt.gumbel_softmax(logits, torch.ones(3), seed=1)


def test_what_is_no_tensor_of_floats_says_so(logits):
    for function in (gt.sample, gt.gumbel_softmax):
        with pytest.raises(TypeError, match=r"^logits must be a tensor, got ndarray"):
            function(logits.numpy(), seed=1)
    # samples of integers would be 0
    with pytest.raises(TypeError, match=r"^logits must be floats, .* got torch.int64"):
        gt.gumbel_softmax(logits.long(), seed=1)
    assert (gt.sample(logits.long(), seed=1) == gt.sample(logits.long().double(), seed=1)).all()
    with pytest.raises(TypeError, match=r"^logits: .*\.detach\(\)"):
        gumbelmax.sample([logits[0, 0].clone().requires_grad_()] * 2, seed=1)


def test_draws_take_what_asks_for_a_gradient(logits):
    numbers = {"temperature": torch.linspace(0.5, 2, 3), "top_p": torch.tensor(0.75)}
    want = gt.sample(logits, seed=1, **numbers)
    asking = {name: number.clone().requires_grad_() for name, number in numbers.items()}
    for function in (gt.sample, gumbelmax.sample):
        assert (function(logits.clone().requires_grad_(), seed=1, **asking) == want).all()
    log_weights = torch.zeros(3, requires_grad=True)
    assert gumbelmax.resample(log_weights, seed=1).tolist() == [0, 1, 2]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_cotangents_of_all_types_along_all_axes(logits, dtype):
    cotangents = logits.cos().to(dtype)
    for axis in (0, 1, -1):
        want = gumbelmax.gumbel_softmax_vjp(
            cotangents.float().numpy(), logits.numpy(), seed=1, axis=axis
        )
        found = gumbelmax.gumbel_softmax_vjp(cotangents, logits, seed=1, axis=axis)
        assert (found.numpy() == want).all()


def test_categorical(logits):
    ours = gt.Categorical(logits=logits, seed=3)
    theirs = torch.distributions.Categorical(logits=logits)
    draws = ours.sample((2, 5))
    want = gumbelmax.sample(logits.numpy(), seed=3, draws=10)
    assert draws.shape == (2, 5, 4, 3)
    assert (draws.reshape(10, 4, 3).numpy() == np.moveaxis(want, -1, 0)).all()
    assert torch.equal(ours.log_prob(draws), theirs.log_prob(draws))
    assert torch.equal(ours.entropy(), theirs.entropy())
    # the next call goes on
    assert (ours.sample().numpy() == gumbelmax.sample(logits.numpy(), seed=3, step=10)).all()
    assert ours.step == 11
    assert ours.expand((6, 4, 3)).sample((7,)).shape == (7, 6, 4, 3)
    by_probs = gt.Categorical(logits.exp(), seed=3)
    assert (
        by_probs.sample().numpy() == gumbelmax.sample_weights(logits.exp().numpy(), seed=3)
    ).all()
    assert ours.sample((0,)).shape == (0, 4, 3)
