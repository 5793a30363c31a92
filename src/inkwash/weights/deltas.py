"""What adapters add to a weight: low-rank, Hadamard and Kronecker products, and plain differences.

A delta is asked with the shape of the weight and answers in float32, before the user's strength. Kernels are flattened
for the products: a convolution is a matrix of out rows whose columns are (in, height, width). The size of that matrix
is known from the factors' shapes alone, so what does not fit is found before anything is computed.
"""

from dataclasses import dataclass
from math import prod
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

Shape = tuple[int, ...]
Size = tuple[int, int]
"""Rows and columns."""
MISFIT: Size = (0, 0)
"""Of factors that cannot be multiplied."""


@runtime_checkable
class Delta(Protocol):
    """The change of a weight of the given shape."""

    def __call__(self, shape: Shape) -> Tensor: ...  # noqa: D102

    @property
    def size(self) -> Size: ...  # noqa: D102


@dataclass(frozen=True)
class Full:
    """The difference itself."""

    diff: Tensor

    def __call__(self, shape: Shape) -> Tensor:
        """As it is."""
        return self.diff.float().reshape(shape)

    @property
    def size(self) -> Size:
        """Rows and columns."""
        return flat(tuple(self.diff.shape))


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

    @property
    def size(self) -> Size:
        """Rows and columns, or MISFIT."""
        (rows, rank), (other, columns) = flat(tuple(self.up.shape)), flat(tuple(self.down.shape))
        return joined_size((rows, rank), (other, columns), self.mid)


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

    @property
    def size(self) -> Size:
        """Rows and columns, or MISFIT."""
        first = product_size(self.w1_a, self.w1_b, self.t1)
        return first if first == product_size(self.w2_a, self.w2_b, self.t2) else MISFIT


@dataclass(frozen=True)
class Kronecker:
    """scale * w1 ⊗ w2.  (LoKr: Yeh et al. 2024, 3.3)"""

    w1: tuple[Tensor, ...]
    """The factor itself, or two of low rank, or two and a kernel between them."""
    w2: tuple[Tensor, ...]
    scale: float = 1.0

    def __call__(self, shape: Shape) -> Tensor:
        """Every number of w1 times all of w2."""
        w1, w2 = (part[0].float().flatten(1) if len(part) == 1 else product(*part) for part in (self.w1, self.w2))
        return self.scale * torch.kron(w1, w2).reshape(shape)

    @property
    def size(self) -> Size:
        """Rows and columns, or MISFIT."""
        if any(part.ndim < 2 for part in (*self.w1, *self.w2)):
            return MISFIT
        (rows, columns), (more, wider) = (
            flat(tuple(part[0].shape)) if len(part) == 1 else product_size(*part) for part in (self.w1, self.w2)
        )
        return rows * more, columns * wider


@dataclass(frozen=True)
class Rows:
    """One of several weights that another naming keeps in one: a share of its rows."""

    whole: Delta
    index: int
    count: int

    def __call__(self, shape: Shape) -> Tensor:
        """The rows of this weight."""
        return self.whole((shape[0] * self.count, *shape[1:])).chunk(self.count)[self.index]

    @property
    def size(self) -> Size:
        """Rows and columns, or MISFIT."""
        rows, columns = self.whole.size
        return MISFIT if rows % self.count else (rows // self.count, columns)


@dataclass(frozen=True)
class Swapped:
    """Another naming keeps the halves of the rows in each other's place: shift before scale."""

    whole: Delta

    def __call__(self, shape: Shape) -> Tensor:
        """The second half first."""
        return torch.cat(self.whole(shape).chunk(2)[::-1])

    @property
    def size(self) -> Size:
        """Rows and columns, or MISFIT."""
        return self.whole.size


def cut(delta: Delta, rank: int) -> Delta:
    """Of a low-rank change the first `rank` rows, at the scale that it had; of others all."""
    if isinstance(delta, Rows):
        return Rows(cut(delta.whole, rank), delta.index, delta.count)
    if isinstance(delta, Swapped):
        return Swapped(cut(delta.whole, rank))
    if not isinstance(delta, LowRank) or delta.mid is not None:
        return delta
    return LowRank(delta.up[:, :rank], delta.down[:rank], delta.scale)


def product(a: Tensor, b: Tensor, core: Tensor | None = None) -> Tensor:
    """a @ b, or with a kernel between them, which then are (rank, out) and (rank, in)."""
    if core is None:
        return a.float() @ b.float().flatten(1)
    return tucker(core, a.float(), b.float())


def tucker(core: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """(i, j, h, w), (i, out), (j, in) -> (out, in * h * w)."""
    return torch.einsum("ijhw,io,jn->onhw", core.float(), a, b).flatten(1)


def flat(shape: Shape) -> Size:
    """A weight of that shape as a matrix."""
    return (shape[0], prod(shape[1:])) if shape else MISFIT


def product_size(a: Tensor, b: Tensor, core: Tensor | None = None) -> Size:
    """Of `product`, or MISFIT."""
    if a.ndim != 2 or b.ndim < 2 or (core is not None and b.ndim > 2):
        return MISFIT
    rows, columns = flat(tuple(a.shape)), flat(tuple(b.shape))
    return joined_size(rows if core is None else rows[::-1], columns, core)


def joined_size(a: Size, b: Size, core: Tensor | None) -> Size:
    """Of (out, rank) times (rank, in), with or without a kernel between them; or MISFIT."""
    if core is None:
        return (a[0], b[1]) if a[1] == b[0] else MISFIT
    if core.ndim != 4 or tuple(core.shape[:2]) != (a[1], b[0]):
        return MISFIT
    return a[0], b[1] * core.shape[2] * core.shape[3]
