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


def guidance_features(scale: Float[Tensor, " b"], width: int = 256) -> Float[Tensor, "b width"]:
    """Sines, then cosines, of 1000 (scale - 1): how a consistency model hears of guidance.  (Luo et al. 2023, 4.2)

    Frequencies end at 1 / 10,000 exactly, unlike those of `sinusoidal`.
    """
    half = width // 2
    ramp = torch.arange(half, dtype=torch.float32, device=scale.device) / (half - 1)
    angles = 1000 * (scale.float() - 1)[:, None] * torch.exp(-math.log(10_000) * ramp)
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


class StepEmbedding(nn.Module):
    """Linear, SiLU, Linear: from features of the step to the vector that every block sees.

    `guidance_width` features more may be told (LCM): a third linear layer adds them to those of the step.
    """

    def __init__(self, width_in: int, width: int, guidance_width: int = 0) -> None:
        super().__init__()
        self.linear_1 = nn.Linear(width_in, width)
        self.linear_2 = nn.Linear(width, width)
        if guidance_width:
            self.cond_proj = nn.Linear(guidance_width, width_in, bias=False)

    def forward(
        self, features: Float[Tensor, "b n"], guidance: Float[Tensor, "b m"] | None = None
    ) -> Float[Tensor, "b width"]:
        """(b, n), and (b, guidance_width) for a network that wants them -> (b, width)."""
        if guidance is not None:
            features = features + self.cond_proj(guidance)
        return self.linear_2(nn.functional.silu(self.linear_1(features)))  # type: ignore[no-any-return]
