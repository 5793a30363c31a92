"""How a noise level, or any other number, is told to a network."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn


def sinusoidal(numbers: Float[Tensor, " b"], width: int, max_period: float = 10_000.0) -> Float[Tensor, "b width"]:
    """Cosines, then sines, at geometrically falling frequencies.  (Ho et al. 2020, app. B; Vaswani et al. 2017, 3.5)"""
    half = width // 2
    ramp = torch.arange(half, dtype=torch.float32, device=numbers.device) / half
    angles = numbers.float()[:, None] * torch.exp(-math.log(max_period) * ramp)
    return torch.cat([angles.cos(), angles.sin()], dim=-1)


class StepEmbedding(nn.Module):
    """Linear, SiLU, Linear: from features of the step to the vector that every block sees."""

    def __init__(self, width_in: int, width: int) -> None:
        super().__init__()
        self.linear_1 = nn.Linear(width_in, width)
        self.linear_2 = nn.Linear(width, width)

    def forward(self, features: Float[Tensor, "b n"]) -> Float[Tensor, "b width"]:
        """(b, n) -> (b, width)."""
        return self.linear_2(nn.functional.silu(self.linear_1(features)))  # type: ignore[no-any-return]
