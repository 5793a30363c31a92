"""Heun: an Euler step, then the same step with the mean of both slopes."""

from collections.abc import Iterator
from itertools import pairwise

from inkwash.denoiser import Denoiser
from inkwash.reverse.churn import STILL, Churn, stirred
from inkwash.reverse.step import Step, moved, toward
from inkwash.rng import NoiseSource
from inkwash.types import Latents, Sigma, Sigmas


def heun(denoise: Denoiser, x: Latents, sigmas: Sigmas, noise: NoiseSource, *, churn: Churn = STILL) -> Iterator[Step]:
    """Second order, two calls per step but one for the last to 0.  (Karras et al. 2022, alg. 1; with churn, alg. 2)"""
    for index, (sigma, lower) in enumerate(pairwise(sigmas)):
        raised, random = stirred(x, sigma, len(sigmas) - 1, noise, churn)
        start = x if random is None else x + random
        denoised, target = arrived(denoise, start, (raised, lower))
        step = moved(index, (sigma, lower), x, denoised, target if random is None else target - random, random)
        yield step
        x = step.x


def arrived(denoise: Denoiser, x: Latents, levels: tuple[Sigma, Sigma]) -> tuple[Latents, Latents]:
    """The prediction at the first level, and the latents at the second."""
    sigma, lower = levels
    denoised = denoise(x, sigma)
    target = toward(x, denoised, (lower / sigma).item())
    if lower == 0:
        return denoised, target
    slope = (x - denoised) / sigma.item()
    slope_there = (target - denoise(target, lower)) / lower.item()
    return denoised, x + (lower - sigma).item() * (slope + slope_there) / 2
