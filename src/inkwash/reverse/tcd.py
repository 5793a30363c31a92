"""TCD: jump below the next level, and rise to it by noise."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from math import sqrt

from inkwash.denoiser import Denoiser
from inkwash.forward.schedule import DiscreteSchedule, Schedule
from inkwash.reverse.step import Step, fresh, moved, toward
from inkwash.rng import NoiseSource
from inkwash.types import Latents, Sigma, Sigmas

Below = Callable[[Sigma], float]
"""The level to jump to, by the level to end at."""


def parts_of_t(schedule: Schedule, gamma: float = 0.3) -> Below:
    """Jump to the level of step (1 - γ) t, whole, where t is the step to end at.  (Zheng et al. 2024, alg. 2)"""
    return lambda lower: schedule.sigma(((1 - gamma) * schedule.t(lower).round()).floor()).item()


def tcd(
    denoise: Denoiser, x: Latents, sigmas: Sigmas, noise: NoiseSource, *, below: Below | None = None
) -> Iterator[Step]:
    """For trajectory consistency models, one call per step: strategic stochastic sampling.  (Zheng et al. 2024, 4.3)

    `below` is γ = 0.3 on Stable Diffusion's schedule by default; γ 0 adds no noise, 1 is LCM. No noise is added in the
    last step.
    """
    jump = parts_of_t(DiscreteSchedule.scaled_linear()) if below is None else below
    for index, (sigma, lower) in enumerate(pairwise(sigmas)):
        denoised = denoise(x, sigma)
        down = min(jump(lower), lower.item()) if lower > 0 else 0.0
        up = sqrt(lower.item() ** 2 - down**2)
        step = moved(index, (sigma, lower), x, denoised, toward(x, denoised, down / sigma.item()), fresh(noise, x, up))
        yield step
        x = step.x
