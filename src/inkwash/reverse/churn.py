"""Langevin-like churn: add a little noise before each step and remove more of it."""

from dataclasses import dataclass
from math import inf, sqrt

from inkwash.reverse.step import fresh
from inkwash.rng import NoiseSource
from inkwash.types import Latents, Sigma


@dataclass(frozen=True)
class Churn:
    """How much, where, and how strong the added noise is.  (Karras et al. 2022, alg. 2)"""

    amount: float = 0.0
    """S_churn: spread over all steps; 0 keeps the sampler deterministic."""
    low: float = 0.0
    high: float = inf
    """S_tmin and S_tmax: the noise levels between which churn acts."""
    strength: float = 1.0
    """S_noise: standard deviation of the added noise; a little above 1 keeps detail."""


STILL = Churn()


def stirred(x: Latents, sigma: Sigma, steps: int, noise: NoiseSource, churn: Churn) -> tuple[Sigma, Latents | None]:
    """The raised level and the noise that lifts `x` to it (None where nothing is added).  (alg. 2, lines 4 to 6)"""
    if churn.amount <= 0 or not churn.low <= sigma.item() <= churn.high:
        return sigma, None
    raised = sigma * (1 + min(churn.amount / steps, sqrt(2) - 1))
    return raised, fresh(noise, x, churn.strength * sqrt(raised.item() ** 2 - sigma.item() ** 2))
