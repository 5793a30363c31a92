"""Euler: straight at the predicted clean picture."""

from collections.abc import Iterator
from itertools import pairwise

from inkwash.denoiser import Denoiser
from inkwash.reverse.churn import STILL, Churn, stirred
from inkwash.reverse.step import Step, moved, toward
from inkwash.rng import NoiseSource
from inkwash.types import Latents, Sigmas


def euler(denoise: Denoiser, x: Latents, sigmas: Sigmas, noise: NoiseSource, *, churn: Churn = STILL) -> Iterator[Step]:
    """First order, one call per step: dx/dσ = (x - D) / σ held through the step.  (Karras et al. 2022, alg. 1 and 2)"""
    for index, (sigma, lower) in enumerate(pairwise(sigmas)):
        raised, random = stirred(x, sigma, len(sigmas) - 1, noise, churn)
        start = x if random is None else x + random
        denoised = denoise(start, raised)
        target = toward(start, denoised, (lower / raised).item())
        step = moved(index, (sigma, lower), x, denoised, target if random is None else target - random, random)
        yield step
        x = step.x
