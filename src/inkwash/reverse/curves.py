"""Levels between two ends along the curves that a diffusers config can name."""

import torch
from jaxtyping import Float
from torch import Tensor

from inkwash.reverse.beta import beta_quantile
from inkwash.reverse.scheduler_class import Config
from inkwash.types import Sigmas

CURVES = ("use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "use_lu_lambdas")


def shifted(s: Float[Tensor, "..."], shift: float) -> Float[Tensor, "..."]:
    """Parts of noise moved up: σ times `shift`, for s = σ / (1 + σ).  (Esser et al. 2024, eq. 23)"""
    moved: Tensor = s * shift / (s * (shift - 1) + 1)
    return moved


def curve_of(config: Config) -> str | None:
    """The curve that is asked for; None for the training schedule's own."""
    return next((each for each in CURVES if config.get(each)), None)


def between(curve: str, top: float, bottom: float, steps: int, rho: float = 7.0) -> Float[Tensor, " {steps}"]:
    """`steps` levels from `top` to `bottom`, in float64."""
    part = torch.linspace(0, 1, steps, dtype=torch.float64)
    match curve:
        case "use_karras_sigmas":
            roots = torch.tensor([top, bottom], dtype=torch.float64) ** (1 / rho)
            return torch.lerp(roots[0], roots[1], part) ** rho
        case "use_beta_sigmas":
            return bottom + beta_quantile(1 - part, 0.6, 0.6) * (top - bottom)
        case _:
            ends = torch.tensor([top, bottom], dtype=torch.float64).log()
            return torch.lerp(ends[0], ends[1], part).exp()


def ended(levels: Float[Tensor, " n"], last: float) -> Sigmas:
    """Levels in single precision, and the last."""
    return torch.cat([levels.float(), torch.tensor([last])])
