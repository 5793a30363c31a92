"""LCM: jump to the predicted picture, and noise it again for the next level."""

from collections.abc import Iterator
from itertools import pairwise

from inkwash.denoiser import Denoiser
from inkwash.reverse.step import Step, fresh, moved
from inkwash.rng import NoiseSource
from inkwash.types import Latents, Sigmas


def lcm(denoise: Denoiser, x: Latents, sigmas: Sigmas, noise: NoiseSource) -> Iterator[Step]:
    """For consistency models, one call per step: x' = D + σ' ε.  (Song et al. 2023, alg. 1; Luo et al. 2023)"""
    for index, (sigma, lower) in enumerate(pairwise(sigmas)):
        denoised = denoise(x, sigma)
        step = moved(index, (sigma, lower), x, denoised, denoised, fresh(noise, x, lower.item()))
        yield step
        x = step.x
