"""DDPM: draw the cleaner latents from the posterior of the forward process."""

from collections.abc import Iterator
from itertools import pairwise
from math import sqrt

from inkwash.denoiser import Denoiser
from inkwash.reverse.step import Step, fresh, moved, toward
from inkwash.rng import NoiseSource
from inkwash.types import Latents, Sigmas


def ddpm(denoise: Denoiser, x: Latents, sigmas: Sigmas, noise: NoiseSource, *, wide: bool = False) -> Iterator[Step]:
    """q(x' | x, clean) with the prediction for clean; one call per step.  (Ho et al. 2020, alg. 2, eq. 6 and 7)

    The variance is the posterior's, right when the prediction is certain; `wide` takes β instead, right for
    unit Gaussian data (3.2). No noise is added in the step to 0.
    """
    for index, (sigma, lower) in enumerate(pairwise(sigmas)):
        denoised = denoise(x, sigma)
        kept = (lower / sigma).item() ** 2
        mean = toward(x, denoised, kept)
        step = moved(
            index, (sigma, lower), x, denoised, mean, fresh(noise, x, _spread(sigma.item(), lower.item(), wide))
        )
        yield step
        x = step.x


def _spread(sigma: float, lower: float, wide: bool) -> float:
    if lower == 0:
        return 0.0
    beta = (sigma**2 - lower**2) / (1 + sigma**2)
    posterior = (lower / sigma) ** 2 * (sigma**2 - lower**2)
    return sqrt(beta * (1 + lower**2)) if wide else sqrt(posterior)
