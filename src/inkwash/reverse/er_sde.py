"""ER-SDE: an extended reverse process whose amount of chance is a function of the level."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from math import exp, sqrt

from inkwash.denoiser import Denoiser
from inkwash.reverse.step import Step, fresh, moved, toward
from inkwash.rng import NoiseSource
from inkwash.types import Latents, Sigmas

POINTS = 200
"""At which the integrals are summed, at the middles of equal parts."""


def fifth(sigma: float) -> float:
    """φ(σ) = σ (e^(σ^0.3) + 10): the authors' best.  (Cui et al. 2023, ER-SDE 5)"""
    return sigma * (exp(sigma**0.3) + 10)


def er_sde(
    denoise: Denoiser,
    x: Latents,
    sigmas: Sigmas,
    noise: NoiseSource,
    *,
    order: int = 3,
    scale: Callable[[float], float] = fifth,
) -> Iterator[Step]:
    """Up to third order, one call per step.  (Cui et al. 2023, alg. 3 to 5)

    `scale` is the noise scale function φ: σ itself is the deterministic flow, σ² the reverse SDE.
    """
    known: list[tuple[float, Latents]] = []
    slope_before: Latents | None = None
    for index, (sigma, lower) in enumerate(pairwise(sigmas)):
        denoised, now, end = denoise(x, sigma), sigma.item(), lower.item()
        target, up = denoised, 0.0
        if end > 0:
            kept = scale(end) / scale(now)
            target, up = toward(x, denoised, kept), sqrt(max(end**2 - (now * kept) ** 2, 0.0))
            first, second = _integrals(now, end, scale)
            if known and order > 1:
                slope = (denoised - known[-1][1]) / (now - known[-1][0])
                target = target + first * slope
                if slope_before is not None and order > 2:
                    target = target + second * 2 * (slope - slope_before) / (now - known[-2][0])
                slope_before = slope
        step = moved(index, (sigma, lower), x, denoised, target, fresh(noise, x, up))
        yield step
        x, known = step.x, [*known[-1:], (now, denoised)]


def _integrals(now: float, end: float, scale: Callable[[float], float]) -> tuple[float, float]:
    """What a slope and half a curvature of the prediction over σ add to a step."""
    width = (now - end) / POINTS
    places = [end + (part + 0.5) * width for part in range(POINTS)]
    first = sum(1 / scale(place) for place in places) * width
    second = sum((place - now) / scale(place) for place in places) * width
    return (end - now) + first * scale(end), (end - now) ** 2 / 2 + second * scale(end)
