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
        denoised = denoise(start, raised)
        target = toward(start, denoised, (lower / raised).item())
        if lower > 0:
            target = _corrected(denoise, start, target, denoised, (raised, lower))
        step = moved(index, (sigma, lower), x, denoised, target if random is None else target - random, random)
        yield step
        x = step.x


def _corrected(
    denoise: Denoiser, start: Latents, end: Latents, denoised: Latents, levels: tuple[Sigma, Sigma]
) -> Latents:
    sigma, lower = (level.item() for level in levels)
    slope = (start - denoised) / sigma
    slope_there = (end - denoise(end, levels[1])) / lower
    return start + (lower - sigma) * (slope + slope_there) / 2
