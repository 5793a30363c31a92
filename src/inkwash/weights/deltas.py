"""What adapters add to a weight: low-rank, Hadamard and Kronecker products, plain differences, and DoRA's rescaling.

A delta is asked with the shape of the weight and answers in float32, before the user's strength. Kernels are flattened
for the products: a convolution is a matrix of out rows whose columns are (in, height, width).
"""

from dataclasses import dataclass, fields, replace
from typing import Protocol, TypeVar, runtime_checkable

import torch
from torch import Tensor

Shape = tuple[int, ...]


@runtime_checkable
class Delta(Protocol):
    """The change of a weight of the given shape."""

    def __call__(self, shape: Shape) -> Tensor: ...  # noqa: D102


@dataclass(frozen=True)
class Full:
    """The difference itself."""

    diff: Tensor

    def __call__(self, shape: Shape) -> Tensor:
        """As it is."""
        return self.diff.float().reshape(shape)


@dataclass(frozen=True)
class LowRank:
    """scale * up @ down, scale = alpha / rank.  (LoRA: Hu et al. 2022, 4.1)"""

    up: Tensor
    down: Tensor
    scale: float = 1.0
    mid: Tensor | None = None
    """A kernel between the two, which are 1x1 then (Tucker decomposition)."""

    def __call__(self, shape: Shape) -> Tensor:
        """(out, rank) times (rank, in)."""
        up, down = self.up.float().flatten(1), self.down.float().flatten(1)
        whole = up @ down if self.mid is None else tucker(self.mid, up.T, down)
        return self.scale * whole.reshape(shape)


@dataclass(frozen=True)
class Hadamard:
    """scale * (w1_a @ w1_b) ⊙ (w2_a @ w2_b).  (LoHa: Hyeon-Woo et al. 2022, eq. 3)"""

    w1_a: Tensor
    w1_b: Tensor
    w2_a: Tensor
    w2_b: Tensor
    scale: float = 1.0
    t1: Tensor | None = None
    t2: Tensor | None = None

    def __call__(self, shape: Shape) -> Tensor:
        """The product of two low-rank matrices, number by number."""
        first, second = product(self.w1_a, self.w1_b, self.t1), product(self.w2_a, self.w2_b, self.t2)
        return self.scale * (first * second).reshape(shape)


@dataclass(frozen=True)
class Kronecker:
    """scale * w1 ⊗ w2.  (LoKr: Yeh et al. 2024, 3.3)"""

    w1: Tensor
    w2: Tensor
    scale: float = 1.0

    def __call__(self, shape: Shape) -> Tensor:
        """Every number of w1 times all of w2."""
        return self.scale * torch.kron(self.w1.float(), self.w2.float().flatten(1)).reshape(shape)


@dataclass(frozen=True)
class Rows:
    """One of several weights that another naming keeps in one: a share of its rows."""

    whole: Delta
    index: int
    count: int

    def __call__(self, shape: Shape) -> Tensor:
        """The rows of this weight."""
        return self.whole((shape[0] * self.count, *shape[1:])).chunk(self.count)[self.index]


@dataclass(frozen=True)
class Change:
    """What an adapter does to one weight."""

    delta: Delta
    magnitude: Tensor | None = None
    """DoRA: the norm of every row (out, 1 …) or of every column (1, in …) afterwards."""

    def applied(self, weight: Tensor, strength: float) -> Tensor:
        """`weight` in float32 -> the changed one; strength 0 changes nothing, 1 is what was trained.

        W' = m (W + D) / |W + D|    (DoRA: Liu et al. 2024, eq. 5)
        """
        moved = weight + strength * self.delta(tuple(weight.shape))
        if self.magnitude is None:
            return moved
        rows = self.magnitude.ndim == 1 or self.magnitude.shape[0] == len(moved)
        axes = tuple(axis for axis in range(moved.ndim) if axis != (0 if rows else 1))
        norm = moved.square().sum(axes, keepdim=True).sqrt().clamp(min=torch.finfo(torch.float32).tiny)
        wanted = self.magnitude.float().reshape(norm.shape)
        return moved * (1 + strength * (wanted / norm - 1))

    def fits(self, shape: Shape) -> bool:
        """Whether it can change a weight of that shape; computes nothing."""
        change = _on_meta(self)
        try:
            return change.applied(torch.empty(shape, device="meta"), 1.0).shape == shape
        except (RuntimeError, IndexError, ValueError):
            return False


def product(a: Tensor, b: Tensor, core: Tensor | None = None) -> Tensor:
    """a @ b, or with a kernel between them, which then are (rank, out) and (rank, in)."""
    if core is None:
        return a.float() @ b.float().flatten(1)
    return tucker(core, a.float(), b.float())


def tucker(core: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """(i, j, h, w), (i, out), (j, in) -> (out, in * h * w)."""
    return torch.einsum("ijhw,io,jn->onhw", core.float(), a, b).flatten(1)


Made = TypeVar("Made")


def _on_meta(made: Made) -> Made:
    """The same with the shapes of its tensors only."""
    values = {field.name: getattr(made, field.name) for field in fields(made)}  # type: ignore[arg-type]
    moved = {name: _on_meta(value) if isinstance(value, Delta) else _moved(value) for name, value in values.items()}
    return replace(made, **moved)  # type: ignore[type-var]


def _moved(value: object) -> object:
    return value.to("meta") if isinstance(value, Tensor) else value
