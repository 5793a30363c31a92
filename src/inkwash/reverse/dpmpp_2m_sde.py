"""SDE-DPM-Solver++ (2M): the multistep solver for the stochastic reverse process."""

from collections.abc import Iterator
from itertools import pairwise
from math import exp, expm1, sqrt
from typing import Literal

from inkwash.denoiser import Denoiser
from inkwash.reverse.step import Step, fresh, gap, moved, toward
from inkwash.rng import NoiseSource
from inkwash.types import Latents, Sigmas

Solver = Literal["midpoint", "heun"]


def dpmpp_2m_sde(
    denoise: Denoiser, x: Latents, sigmas: Sigmas, noise: NoiseSource, *, eta: float = 1.0, solver: Solver = "midpoint"
) -> Iterator[Step]:
    """Second order in the drift, one call per step; `eta` 0 is DPM-Solver++ (2M).  (Lu et al. 2022b, 5)

    `solver` says how the slope of the last two predictions enters: by the middle of the step, or integrated exactly.
    """
    before: tuple[Latents, float] | None = None
    for index, (sigma, lower) in enumerate(pairwise(sigmas)):
        denoised, h = denoise(x, sigma), gap(sigma.item(), lower.item())
        target = toward(x, denoised, exp(-h * (1 + eta)))
        if before is not None and lower > 0:
            earlier, h_before = before
            target = target + bend(h * (1 + eta), solver) * h / h_before * (denoised - earlier)
        up = lower.item() * sqrt(-expm1(-2 * eta * h)) if eta > 0 else 0.0
        step = moved(index, (sigma, lower), x, denoised, target, fresh(noise, x, up, (sigma, lower)))
        yield step
        x, before = step.x, (denoised, h)


def bend(reach: float, solver: Solver) -> float:
    """What a slope of the predictions adds to a step, in units of their change over it; `reach` is h (1 + η)."""
    approached = -expm1(-reach)
    return approached / 2 if solver == "midpoint" else 1 - approached / reach
