"""Linear multistep: the slope as a polynomial through the last few."""

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import prod, sqrt

from inkwash.denoiser import Denoiser
from inkwash.reverse.step import Step, moved
from inkwash.rng import NoiseSource
from inkwash.types import Latents, Sigmas


def lms(denoise: Denoiser, x: Latents, sigmas: Sigmas, _: NoiseSource, *, order: int = 4) -> Iterator[Step]:
    """Adams-Bashforth in σ up to `order` 4, one call per step; lower order while history is short.

    x' = x + ∫ p(σ) dσ, p the polynomial through the last slopes.  (Hairer, Nørsett & Wanner 1993, III.5)
    """
    history: deque[tuple[float, Latents]] = deque(maxlen=min(order, 4))
    for index, (sigma, lower) in enumerate(pairwise(sigmas)):
        denoised = denoise(x, sigma)
        history.appendleft((sigma.item(), (x - denoised) / sigma.item()))
        weights = integrals([level for level, _slope in history], lower.item())
        change = sum(weight * slope for weight, (_level, slope) in zip(weights, history, strict=True))
        step = moved(index, (sigma, lower), x, denoised, x + change)
        yield step
        x = step.x


def integrals(levels: Sequence[float], end: float) -> list[float]:
    """∫ of each Lagrange polynomial on `levels` from the newest level to `end`: two Gauss points, exact for cubics."""
    centre, half = (levels[0] + end) / 2, (end - levels[0]) / 2
    nodes = (centre - half / sqrt(3), centre + half / sqrt(3))
    return [half * sum(_lagrange(levels, which, node) for node in nodes) for which in range(len(levels))]


def _lagrange(levels: Sequence[float], which: int, at: float) -> float:
    others = [level for place, level in enumerate(levels) if place != which]
    return prod(((at - level) / (levels[which] - level) for level in others), start=1.0)
