"""What an adapter does to one weight: a step, and for DoRA a rescaling of its rows or columns afterwards."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from inkwash.weights.deltas import Delta, Shape, flat


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
        """Whether it can change a weight of that shape."""
        if self.delta.size != flat(shape) or 0 in shape:
            return False
        if self.magnitude is None:
            return True
        norms = tuple(self.magnitude.shape)
        return len(shape) > 1 and bool(norms) and self.magnitude.numel() == shape[norms[0] != shape[0]]


Changes = Mapping[str, Change]
"""What an adapter does to a network, by the names of its parameters."""
