"""Euler ancestral: step further down than asked, then add noise to come back up."""

from collections.abc import Iterator
from itertools import pairwise
from math import sqrt

from inkwash.denoiser import Denoiser
from inkwash.reverse.step import Step, asked, fresh, moved, toward
from inkwash.rng import NoiseSource
from inkwash.types import Latents, Sigmas


def euler_ancestral(
    denoise: Denoiser, x: Latents, sigmas: Sigmas, noise: NoiseSource, *, eta: float = 1.0, plus: bool = False
) -> Iterator[Step]:
    """First order, one call per step; `eta` goes from 0, Euler, to 1, ancestral.  (Song et al. 2021, eq. 47)

    `plus` is CFG++ (`asked`).
    """
    for index, (sigma, lower) in enumerate(pairwise(sigmas)):
        denoised, start = asked(denoise, x, sigma, plus)
        down, up = split(sigma.item(), lower.item(), eta)
        target = toward(start, denoised, down / sigma.item())
        step = moved(index, (sigma, lower), x, denoised, target, fresh(noise, x, up, (sigma, lower)))
        yield step
        x = step.x


def split(sigma: float, lower: float, eta: float) -> tuple[float, float]:
    """(down, up) with down² + up² = lower²: how far to step, and how much noise to add again."""
    up = min(lower, eta * lower * sqrt(1 - (lower / sigma) ** 2))
    return sqrt(lower**2 - up**2), up
