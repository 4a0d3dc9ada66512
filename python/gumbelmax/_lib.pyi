"""The crate gumbel, as the package calls it. Nothing here is for users: arguments are checked, not explained."""

from typing import Any, Final, TypeAlias, final

import numpy as np
import numpy.typing as npt

__all__ = [
    "Particles",
    "Sequence",
    "Table",
    "__version__",
    "cuts",
    "devices",
    "estimate_log_z",
    "get_num_threads",
    "gumbel_softmax",
    "gumbel_softmax_vjp",
    "log_prob",
    "logsumexp",
    "race",
    "sample",
    "sample_scored",
    "set_num_threads",
]
__version__: Final[str]

# top_k, top_p, min_p, epsilon and cut_temperature, each or None; share; masks and of how many booleans, or None
_Restriction: TypeAlias = tuple[Any, ...]
# a bias or None; the repetition, frequency and presence penalties, each or None; a history or None
_Adjustment: TypeAlias = tuple[Any, ...]
# seed, step, temperature, first_row, row_ids or None, draws or None, method, invalid, device, what may be drawn or
# None, what is added to logits and taken from them or None
_Call: TypeAlias = tuple[
    Any, Any, Any, Any, Any, Any, str, str, str, _Restriction | None, _Adjustment | None
]
_Indices: TypeAlias = npt.NDArray[np.integer[Any]]
_Floats: TypeAlias = npt.NDArray[np.float64]
_Singles: TypeAlias = npt.NDArray[np.float32]

def sample(values: Any, axis: int, weights: bool, call: _Call, dtype: str) -> _Indices: ...
def sample_scored(
    values: Any, axis: int, weights: bool, call: _Call, dtype: str, of: str
) -> tuple[_Indices, _Floats, _Floats]: ...
def race(
    values: Any, axis: int, weights: bool, call: _Call, dtype: str, k: int
) -> tuple[_Indices, _Floats, _Floats]: ...
def log_prob(
    values: Any, axis: int, weights: bool, call: _Call, index: Any, of: str
) -> _Floats: ...
def logsumexp(values: Any, axis: int, weights: bool, call: _Call) -> _Floats: ...
def cuts(
    values: Any, axis: int, weights: bool, call: _Call
) -> tuple[_Floats, _Indices, _Floats]: ...
def estimate_log_z(
    values: Any, axis: int, weights: bool, call: _Call
) -> tuple[_Floats, _Floats]: ...
def gumbel_softmax(values: Any, axis: int, call: _Call, tau: float, hard: bool) -> _Singles: ...
def gumbel_softmax_vjp(
    values: Any, axis: int, call: _Call, tau: float, hard: bool, cotangents: Any
) -> _Singles: ...
def set_num_threads(threads: int) -> None: ...
def get_num_threads() -> int: ...
def devices() -> list[str]: ...

@final
class Table:
    def __new__(cls, values: Any, axis: int, weights: bool, call: _Call) -> Table: ...
    @property
    def categories(self) -> int: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    def sample(self, step: int, draws: int | None, dtype: str) -> _Indices: ...

@final
class Particles:
    def __new__(cls, log_weights: Any) -> Particles: ...
    def __len__(self) -> int: ...
    @property
    def effective_sample_size(self) -> float: ...
    @property
    def logsumexp(self) -> float: ...
    def resample(
        self,
        scheme: str,
        seed: int,
        step: int,
        first_row: int,
        row_ids: Any,
        positions: int | None,
        dtype: str,
    ) -> _Indices: ...

@final
class Sequence:
    def __new__(cls, seed: int, step: int) -> Sequence: ...
    @property
    def seed(self) -> int: ...
    @property
    def step(self) -> int: ...
    def take(self, draws: int | None) -> int: ...
