"""Quantiles of the beta distribution, without SciPy."""

from math import exp, lgamma

import torch
from jaxtyping import Float
from torch import Tensor

TERMS = 64
"""Of the power series: at x = 1/2 each adds a bit, so double precision is full."""


def beta_cdf(x: Float[Tensor, " n"], a: float, b: float) -> Float[Tensor, " n"]:
    """I_x(a, b), the chance that a beta variable is below `x` in [0, 1], float64.  (DLMF 8.17.2, 8.17.4, 8.17.7)"""
    x = x.double()
    low, high = _below_half(x.clamp(max=0.5), a, b), 1 - _below_half((1 - x).clamp(max=0.5), b, a)
    return torch.where(x <= 0.5, low, high)


def beta_quantile(p: Float[Tensor, " n"], a: float, b: float) -> Float[Tensor, " n"]:
    """The x below which a beta variable falls with chance `p`: `beta_cdf` inverted by bisection, float64.

    Halving the logit range instead of [0, 1] itself keeps relative accuracy near both ends.
    """
    low, high = torch.full_like(p, -700.0, dtype=torch.float64), torch.full_like(p, 700.0, dtype=torch.float64)
    for _ in range(64):
        middle = (low + high) / 2
        below = beta_cdf(middle.sigmoid(), a, b) < p
        low, high = torch.where(below, middle, low), torch.where(below, high, middle)
    return torch.where(p <= 0, 0.0, torch.where(p >= 1, 1.0, ((low + high) / 2).sigmoid()))


def _below_half(x: Float[Tensor, " n"], a: float, b: float) -> Float[Tensor, " n"]:
    k = torch.arange(TERMS, dtype=torch.float64)
    rising = torch.cat([torch.ones(1, dtype=torch.float64), ((k + 1 - b) / (k + 1))[:-1].cumprod(0)])
    series = x[:, None] ** k @ (rising / (a + k))
    return x**a * series * exp(lgamma(a + b) - lgamma(a) - lgamma(b))
