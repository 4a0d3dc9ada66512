"""A sampler in Triton as one would usually write it: f32 Gumbel noise on each logit, and an argmax.

Two stages: every program takes a tile and finds the best category of each row in it; where a row
has more than one tile, a second kernel merges. Short rows share a tile.
"""

import torch
import triton
import triton.language as tl


@triton.jit
def _noise(seed, first, ROWS: tl.constexpr, COLUMNS: tl.constexpr, FOUR: tl.constexpr):
    """Gumbel noise for the tile whose first logit has this number."""
    if FOUR:
        # one Philox block gives four words; it does not matter which logit gets which
        quads: tl.constexpr = COLUMNS // 4
        row = tl.arange(0, ROWS)[:, None] * quads
        counter = first // 4 + row + tl.arange(0, quads)[None, :]
        a, b, c, d = tl.rand4x(seed, counter)
        uniform = tl.reshape(tl.join(tl.join(a, b), tl.join(c, d)), (ROWS, COLUMNS))
    else:
        row = tl.arange(0, ROWS)[:, None] * COLUMNS
        uniform = tl.rand(seed, first + row + tl.arange(0, COLUMNS)[None, :])
    # a uniform of 0 gives noise of minus infinity: that category is not drawn, and nothing is NaN
    return -tl.log(-tl.log(uniform))


@triton.jit(do_not_specialize=["seed"])
def _best_of_tiles(
    logits,
    values,
    indices,
    seed,
    rows,
    categories,
    tiles,
    ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
    FOUR: tl.constexpr,
    MERGED: tl.constexpr,
):
    """The best value of each row in a tile, and its category; only the category if none follow."""
    program = tl.program_id(0)
    tile = program % tiles
    row = program // tiles * ROWS + tl.arange(0, ROWS)
    column = tile * COLUMNS + tl.arange(0, COLUMNS)
    inside = (row < rows)[:, None] & (column < categories)[None, :]
    at = row[:, None] * categories + column[None, :]
    value = tl.load(logits + at, mask=inside, other=-float("inf"))
    value += _noise(seed, program * ROWS * COLUMNS, ROWS, COLUMNS, FOUR)
    best, place = tl.max(value, axis=1, return_indices=True)
    index = tile * COLUMNS + place
    if MERGED:
        tl.store(indices + row, index, mask=row < rows)
    else:
        tl.store(values + row * tiles + tile, best, mask=row < rows)
        tl.store(indices + row * tiles + tile, index, mask=row < rows)


@triton.jit
def _merge(values, indices, draws, tiles, TILES: tl.constexpr):
    """The best of a row's tiles."""
    row = tl.program_id(0)
    tile = tl.arange(0, TILES)
    value = tl.load(values + row * tiles + tile, mask=tile < tiles, other=-float("inf"))
    _, place = tl.max(value, axis=0, return_indices=True)
    tl.store(draws + row, tl.load(indices + row * tiles + place))


class TritonGumbel:
    """Draws one category a row from logits of one shape."""

    def __init__(
        self, rows: int, categories: int, device: str, tile: int, warps: int, four: bool
    ) -> None:
        whole = max(4, triton.next_power_of_2(categories))
        self.columns = min(whole, tile)
        self.rows_a_tile = tile // self.columns
        self.tiles = triton.cdiv(categories, self.columns)
        self.programs = triton.cdiv(rows, self.rows_a_tile) * self.tiles
        # the numbers of logits and of noise are 32-bit integers, as in most such kernels
        if max(self.programs * tile, rows * categories) >= 1 << 31:
            raise ValueError("more than 2^31 logits")
        self.shape = rows, categories
        self.warps, self.four = warps, four
        self.draws = torch.empty(rows, dtype=torch.int32, device=device)
        self.seed = 0
        if self.tiles > 1:
            self.values = torch.empty(rows, self.tiles, dtype=torch.float32, device=device)
            self.indices = torch.empty(rows, self.tiles, dtype=torch.int32, device=device)
        else:
            self.values, self.indices = self.draws, self.draws

    def __call__(self, logits: torch.Tensor) -> torch.Tensor:
        rows, categories = self.shape
        self.seed += 1
        _best_of_tiles[(self.programs,)](
            logits,
            self.values,
            self.indices,
            self.seed,
            rows,
            categories,
            self.tiles,
            ROWS=self.rows_a_tile,
            COLUMNS=self.columns,
            FOUR=self.four,
            MERGED=self.tiles == 1,
            num_warps=self.warps,
        )
        if self.tiles > 1:
            _merge[(rows,)](
                self.values,
                self.indices,
                self.draws,
                self.tiles,
                TILES=triton.next_power_of_2(self.tiles),
            )
        return self.draws
