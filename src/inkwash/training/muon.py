"""Muon: momentum, made orthogonal, for the weights that are matrices.  (Jordan et al. 2024; Liu et al. 2025)"""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim import Optimizer

QUINTIC = (3.4445, -4.7750, 2.0315)
"""Jordan's polynomial: lifts singular values toward 1 quickly, and lets them swing between 0.7 and 1.2."""


def orthogonal(g: Float[Tensor, "rows columns"], rounds: int = 5) -> Float[Tensor, "rows columns"]:
    """The nearest matrix whose singular values are all about 1, by Newton-Schulz iterations."""
    a, b, c = QUINTIC
    tall = g.shape[0] > g.shape[1]
    x: Tensor = g.T if tall else g
    x = x / (x.norm() + 1e-7)
    for _ in range(rounds):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return x.T if tall else x


class Muon(Optimizer):
    """Steps of matrix shape; a convolution counts as (out, in · height · width).

    Scaled so that a step is as long as AdamW's would be (0.2 root-mean-square), hence shares its rate.
    """

    def __init__(self, weights: Iterable[nn.Parameter], rate: float, weight_decay: float, momentum: float = 0.95):
        super().__init__(weights, {"lr": rate, "weight_decay": weight_decay, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """One step for every weight that has a gradient."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    self._move(weight, group)

    def _move(self, weight: nn.Parameter, group: dict[str, Any]) -> None:
        memory = self.state[weight].setdefault("momentum", torch.zeros_like(weight))
        memory.lerp_(weight.grad, 1 - group["momentum"])
        look_ahead = torch.lerp(weight.grad, memory, group["momentum"])  # type: ignore[arg-type]
        step = orthogonal(look_ahead.flatten(1))
        length = 0.2 * max(step.shape) ** 0.5
        weight.mul_(1 - group["lr"] * group["weight_decay"])
        weight.add_(step.view_as(weight), alpha=-group["lr"] * length)
