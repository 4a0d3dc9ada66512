"""The peers that draw from torch tensors: torch itself, Triton, FlashInfer and vLLM."""

import gc
import statistics
from collections.abc import Callable, Iterator

import torch

import lines
from clock import CudaClock, WallClock
from lines import Report, Shape

# A function from logits to a category for each row; made for one shape.
Sampler = Callable[[torch.Tensor], torch.Tensor]
# A function from a shape to samplers, each with a note about it; the fastest counts.
Make = Callable[[Shape, str], Iterator[tuple[Sampler, str]]]

# The ways in which the Triton kernels may cut the logits: numbers in a tile, and warps. More of
# them would take more time to compile than they are likely to gain.
TILES = [(1024, 4), (2048, 4), (4096, 8)]
# Triton's interpreter takes as long for a small tile as for a large one; the smaller tries merging
INTERPRETED_TILES = [(1 << 15, 4), (2048, 4)]


def multinomial(logits: torch.Tensor) -> torch.Tensor:
    return torch.multinomial(torch.softmax(logits, -1), 1).squeeze(-1)


def exponential(logits: torch.Tensor) -> torch.Tensor:
    probabilities = torch.softmax(logits, -1)
    noise = torch.empty_like(probabilities).exponential_(1)
    return probabilities.div_(noise).argmax(-1)


def make_multinomial(shape: Shape, device: str) -> Iterator[tuple[Sampler, str]]:
    yield multinomial, ""


def make_exponential(shape: Shape, device: str) -> Iterator[tuple[Sampler, str]]:
    yield exponential, ""


def make_compiled(shape: Shape, device: str) -> Iterator[tuple[Sampler, str]]:
    # compiled for each shape by itself: otherwise the second compilation would be for all shapes
    torch._dynamo.reset()
    yield torch.compile(exponential, dynamic=False), ""


def make_triton(four: bool) -> Make:
    def make(shape: Shape, device: str) -> Iterator[tuple[Sampler, str]]:
        from triton_kernel import TritonGumbel

        tiles = TILES if device == "cuda" else INTERPRETED_TILES
        for tile, warps in tiles:
            sampler = TritonGumbel(*shape, device, tile, warps, four)
            yield sampler, f"tile of {tile}, {warps} warps"

    return make


def make_flashinfer(shape: Shape, device: str) -> Iterator[tuple[Sampler, str]]:
    import flashinfer.sampling

    if device != "cuda":
        raise RuntimeError("flashinfer needs CUDA")
    yield flashinfer.sampling.sampling_from_logits, ""


def cut(logits: torch.Tensor) -> torch.Tensor:
    """Cut as the warpers of transformers do, by a sort, and draw from what is left."""
    least = torch.topk(logits, min(lines.TOP_K, logits.shape[-1])).values[:, -1:]
    ascending, order = logits.masked_fill(logits < least, -torch.inf).sort(-1)
    below = ascending.softmax(-1).cumsum(-1)
    is_cut = below <= 1 - lines.TOP_P
    is_cut[:, -1] = False
    kept = ascending.masked_fill(is_cut, -torch.inf)
    return exponential(torch.empty_like(kept).scatter_(-1, order, kept))


def make_cut(shape: Shape, device: str) -> Iterator[tuple[Sampler, str]]:
    yield cut, ""


def make_flashinfer_cut(shape: Shape, device: str) -> Iterator[tuple[Sampler, str]]:
    import flashinfer.sampling

    if device != "cuda":
        raise RuntimeError("flashinfer needs CUDA")
    call, k = flashinfer.sampling.top_k_top_p_sampling_from_logits, min(lines.TOP_K, shape.categories)
    # top-p of what top-k keeps, as the others
    yield lambda logits: call(logits, k, lines.TOP_P, filter_apply_order="top_k_first"), ""


def make_vllm_cut(shape: Shape, device: str) -> Iterator[tuple[Sampler, str]]:
    from vllm.v1.sample.ops.topk_topp_sampler import apply_top_k_top_p, random_sample

    top_k = torch.full((shape.rows,), min(lines.TOP_K, shape.categories), device=device)
    top_p = torch.full((shape.rows,), lines.TOP_P, device=device)

    def draw(logits: torch.Tensor) -> torch.Tensor:
        # vLLM overwrites the logits
        kept = apply_top_k_top_p(logits.clone(), top_k.int(), top_p)
        return random_sample(kept.softmax(-1, dtype=torch.float32), {})

    yield draw, "a copy of the logits among the time"


SAMPLERS: dict[str, Make] = {
    lines.MULTINOMIAL: make_multinomial,
    lines.EXPONENTIAL: make_exponential,
    lines.COMPILED: make_compiled,
    lines.TRITON: make_triton(four=False),
    lines.TRITON_4X: make_triton(four=True),
    lines.FLASHINFER: make_flashinfer,
    lines.TORCH_CUT: make_cut,
    lines.FLASHINFER_CUT: make_flashinfer_cut,
    lines.VLLM_CUT: make_vllm_cut,
}


def check_sampler(what: str, make: Make, device: str) -> str:
    """What is wrong with a sampler's draws, in every form that it has; empty if nothing is."""
    draws = 1_000_000 if device == "cuda" else 20_000
    for weights in lines.known_distributions():
        rows = max(200, 16 * draws // len(weights))
        row = torch.tensor(lines.log_weights(weights), dtype=torch.float32, device=device)
        logits = row.repeat(rows, 1)
        for sampler, form in make(Shape(rows, len(weights)), device):
            # a clone, since a sampler may give the same tensor again
            first, second = sampler(logits).long().clone(), sampler(logits).long().clone()
            both = torch.cat([first, second])
            if both.shape != (2 * rows,):
                return f"{lines.WRONG}{tuple(both.shape)} instead of two draws a row"
            if torch.equal(first, second):
                return f"{lines.WRONG}the same in two calls"
            if int(both.min()) < 0:
                return f"{lines.WRONG}an index below 0"
            counts = torch.bincount(both, minlength=len(weights)).tolist()
            is_cut = what in lines.RESTRICTED
            kept = lines.kept_weights(weights, lines.TOP_K, lines.TOP_P) if is_cut else weights
            if text := lines.complaint(counts, kept):
                return f"{text} ({form})" if form else text
    return ""


def check_baseline(what: str, device: str) -> str:
    logits = torch.randn(100, 3001, device=device)
    best = torch.arange(100, device=device) * 30
    logits[torch.arange(100, device=device), best] = 99.0
    if what == lines.ARGMAX:
        right = torch.equal(baseline(what, logits)(logits), best)
    elif what == lines.AMAX:
        right = bool((baseline(what, logits)(logits) == 99.0).all())
    else:
        right = torch.equal(baseline(what, logits)(logits), logits)
    return "" if right else f"wrong: {what} does not do what its name says"


def baseline(what: str, like: torch.Tensor) -> Sampler:
    if what == lines.ARGMAX:
        return lambda logits: torch.argmax(logits, -1)
    if what == lines.AMAX:
        return lambda logits: torch.amax(logits, -1)
    target = torch.empty_like(like)
    return lambda logits: target.copy_(logits)


def inputs(shape: Shape, device: str, rotate_bytes: int) -> list[torch.Tensor]:
    """Logits, in as many sets as it takes to be out of the cache when their turn comes again."""
    sets = max(1, -(-rotate_bytes // shape.bytes))
    logits = torch.randn(sets, *shape, device=device).mul_(3)
    return list(logits.unbind(0))


def time_one(
    what: str, shape: Shape, logits: list[torch.Tensor], clock: CudaClock | WallClock, device: str
) -> tuple[lines.Times, str]:
    """The times of the fastest form."""

    def measure(sampler: Sampler, seconds: float | None = None) -> lines.Times:
        return clock.measure(lambda i: sampler(logits[i % len(logits)]), seconds)

    if what not in SAMPLERS:
        times, form = measure(baseline(what, logits[0])), ""
    else:
        forms = list(SAMPLERS[what](shape, device))
        if len(forms) > 1:
            forms.sort(key=lambda form: statistics.median(measure(form[0], 0.03).samples))
        sampler, form = forms[0]
        times = measure(sampler)
    if what == lines.COPY:
        read = shape.bytes / statistics.median(times.samples)
        form = f"{2 * read:.1f} GB/s read and written, {read:.1f} GB/s read"
    sets = "one input" if len(logits) == 1 else f"{len(logits)} inputs in turn"
    return times, "; ".join(part for part in (form, sets) if part)


def run(
    names: list[str],
    shapes: list[Shape],
    device: str,
    seconds: float,
    rotate_bytes: int,
    report: Report,
) -> None:
    # the same logits in every run
    torch.manual_seed(1)
    clock = CudaClock(seconds) if device == "cuda" else WallClock(seconds)
    if device == "cuda" and lines.COPY in names:
        empty = statistics.median(clock.measure(lambda _: None).samples)
        report.comment(f"two events with nothing between: {empty:.0f} ns")
    usable = []
    for what in names:
        try:
            make = SAMPLERS.get(what)
            wrong = check_sampler(what, make, device) if make else check_baseline(what, device)
        except Exception as error:
            wrong = lines.failure(error)
        if wrong:
            for shape in shapes:
                report.failed(shape, what, wrong)
        else:
            usable.append(what)
        free(device)
    for shape in shapes if usable else []:
        try:
            logits = inputs(shape, device, rotate_bytes)
        except Exception as error:
            for what in usable:
                report.failed(shape, what, error)
            free(device)
            continue
        for what in usable:
            try:
                report.time(shape, what, *time_one(what, shape, logits, clock, device))
            except Exception as error:
                report.failed(shape, what, error)
            free(device)
        del logits
        free(device)


def free(device: str) -> None:
    """Give memory back, so that the next one finds as much as the first did."""
    gc.collect()
    if device == "cuda":
        torch.cuda.empty_cache()
