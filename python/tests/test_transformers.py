"""gumbelmax.transformers: needs HF transformers and PyTorch."""

import doctest

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
transformers = pytest.importorskip("transformers", reason="HF transformers is not installed")

import gumbelmax  # noqa: E402
import gumbelmax.transformers as gh  # noqa: E402

VOCABULARY, NEW = 97, 12
PROMPTS = torch.tensor([[5, 6, 7], [8, 9, 10], [5, 6, 7]])
SEEDS = [17, 99, 17]
CUTS = {"temperature": 0.9, "top_k": 40, "top_p": 0.95}


@pytest.fixture(scope="module")
def model():
    """A language model of random weights, whose logits are far enough apart for cuts to matter."""
    torch.manual_seed(1)
    config = transformers.GPT2Config(
        vocab_size=VOCABULARY,
        n_positions=64,
        n_embd=32,
        n_layer=2,
        n_head=2,
        bos_token_id=0,
        eos_token_id=0,
        # else the likeliest token is always the last one
        tie_word_embeddings=False,
    )
    model = transformers.GPT2LMHeadModel(config).eval()
    with torch.no_grad():
        model.lm_head.weight.mul_(20)
    return model


def generate(model, prompts, sampler):
    tokens = model.generate(
        prompts,
        attention_mask=torch.ones_like(prompts),
        max_new_tokens=NEW,
        min_new_tokens=NEW,
        do_sample=False,
        pad_token_id=0,
        logits_processor=[sampler],
    )
    return tokens[:, prompts.shape[1] :]


def by_hand(model, prompts, **options):
    """The tokens by calls of the model and of `gumbelmax.sample`, without a cache or processors."""
    tokens = prompts
    for step in range(NEW):
        with torch.no_grad():
            logits = model(tokens).logits[:, -1].float()
        logits[:, 0] = -torch.inf  # the end, which min_new_tokens bans
        drawn = gumbelmax.sample(logits, step=step, **options)
        tokens = torch.cat([tokens, drawn[:, None]], 1)
    return tokens[:, prompts.shape[1] :]


def test_examples():
    failed, tried = doctest.testmod(gh)
    assert failed == 0
    assert tried >= 4


def test_tokens_are_gumbels(model):
    options = {"seed": SEEDS, "row_ids": 0, **CUTS}
    want = by_hand(model, PROMPTS, **options)
    sampler = gh.GumbelSampler(**options)
    found = generate(model, PROMPTS, sampler)
    assert (found == want).all()
    assert sampler.step == NEW
    # the comparison sees another seed, and another step
    assert (generate(model, PROMPTS, gh.GumbelSampler(**{**options, "seed": 3})) != want).any()
    assert (generate(model, PROMPTS, gh.GumbelSampler(**options, step=1)) != want).any()


def test_a_request_draws_the_same_alone_and_in_a_batch(model):
    together = generate(model, PROMPTS, gh.GumbelSampler(seed=SEEDS, row_ids=0, **CUTS))
    assert (together[0] == together[2]).all()
    for prompt, seed, tokens in zip(PROMPTS, SEEDS, together, strict=True):
        alone = generate(model, prompt[None], gh.GumbelSampler(seed=seed, **CUTS))
        assert (alone[0] == tokens).all()


def test_what_is_allowed(model):
    def even(input_ids, scores):
        return np.arange(scores.shape[-1]) % 2 == 0

    found = generate(model, PROMPTS, gh.GumbelSampler(seed=1, allowed=even))
    assert (found % 2 == 0).all()
    assert (generate(model, PROMPTS, gh.GumbelSampler(seed=1)) % 2 == 1).any()


def test_errors():
    with pytest.raises(ValueError, match="top_p must be above 0"):
        gh.GumbelSampler(seed=1, top_p=0)(None, torch.zeros(2, 5))
    with pytest.raises(ValueError, match=r"seed of shape \(3,\) does not fit rows of shape \(2,\)"):
        gh.GumbelSampler(seed=SEEDS)(None, torch.zeros(2, 5))
