"""Muon: momentum, made orthogonal, for the weights that are matrices.  (Jordan et al. 2024; Liu et al. 2025)"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim import Optimizer

QUINTIC = (3.4445, -4.7750, 2.0315)
"""Jordan's polynomial: lifts singular values toward 1 quickly, and lets them swing between 0.7 and 1.2."""

SHORT_WIDE = 5
"""From this width over height on the way by the square is the quicker one even where short floats are twice as fast, by
the number of its products."""

Turn = Callable[[Sequence[Tensor]], Sequence[Tensor]]
"""Matrices -> their orthogonal likenesses."""


def orthogonal(
    g: Float[Tensor, "rows columns"], rounds: int = 5, precision: torch.dtype = torch.float32
) -> Float[Tensor, "rows columns"]:
    """The nearest matrix whose singular values are all about 1, by Newton-Schulz iterations.

    `precision` is of the products that bear it: Jordan iterates in bfloat16, but the square of a matrix must not lose
    its small singular values.
    """
    tall = g.shape[0] > g.shape[1]
    x: Tensor = g.T if tall else g
    x = x / (x.norm() + 1e-7)
    short = precision != torch.float32
    wide = x.shape[1] >= (SHORT_WIDE if short else 2) * x.shape[0]
    x = _by_its_square(x, rounds, precision) if wide else _by_itself(x.to(precision), rounds)
    return (x.T if tall else x).to(g.dtype)


def _by_itself(x: Tensor, rounds: int) -> Tensor:
    a, b, c = QUINTIC
    for _ in range(rounds):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return x


def _by_its_square(x: Tensor, rounds: int, precision: torch.dtype) -> Tensor:
    """The same for wide matrices: iterate on the small x xᵀ, whose polynomials commute, and multiply x once."""
    a, b, c = QUINTIC
    square, whole = x @ x.T, None
    for round_ in range(rounds):
        turn = b * square + c * square @ square
        turn.diagonal().add_(a)
        whole = turn if whole is None else turn @ whole
        if round_ < rounds - 1:
            square = turn @ square @ turn
    return x if whole is None else whole.to(precision) @ x.to(precision)


class Muon(Optimizer):
    """Steps of matrix shape; a convolution counts as (out, in · height · width).

    Scaled so that a step is as long as AdamW's would be (0.2 root-mean-square), hence shares its rate.
    `turn` may be replaced, by one that several workers share.
    """

    def __init__(
        self,
        weights: Iterable[nn.Parameter],
        rate: float,
        weight_decay: float,
        momentum: float = 0.95,
        precision: torch.dtype = torch.float32,
    ):
        super().__init__(weights, {"lr": rate, "weight_decay": weight_decay, "momentum": momentum})
        self.orthogonal = partial(orthogonal, precision=precision)
        self.turn: Turn = lambda matrices: [self.orthogonal(matrix) for matrix in matrices]

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """One step for every weight that has a gradient."""
        for group in self.param_groups:
            weights = [weight for weight in group["params"] if weight.grad is not None]
            steps = self.turn([_as_it_lies(self._ahead(weight, group["momentum"])).flatten(1) for weight in weights])
            for weight, step in zip(weights, steps, strict=True):
                weight.mul_(1 - group["lr"] * group["weight_decay"])
                lying = _as_it_lies(weight)
                lying.add_(step.view_as(lying), alpha=-group["lr"] * 0.2 * max(step.shape) ** 0.5)

    def _ahead(self, weight: nn.Parameter, momentum: float) -> Tensor:
        """Nesterov's look ahead: the gradient, drawn toward its running mean."""
        grad = weight.grad if weight.grad is not None else torch.zeros_like(weight)
        slots = self.state[weight]
        if "momentum" not in slots:
            slots["momentum"] = torch.zeros_like(weight)
        memory: Tensor = slots["momentum"].lerp_(grad, 1 - momentum)
        return torch.lerp(grad, memory, momentum)


def _as_it_lies(weight: Tensor) -> Tensor:
    """A convolution in channels-last memory as (out, height, width, in): to be a matrix then costs no copy.

    In which order the columns stand makes no difference to what is orthogonal.
    """
    return weight.permute(0, 2, 3, 1) if weight.ndim == 4 else weight
