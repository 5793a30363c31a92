"""DDIM: keep the predicted noise, or replace a part of it by new noise."""

from collections.abc import Iterator
from itertools import pairwise
from math import sqrt

from inkwash.denoiser import Denoiser
from inkwash.reverse.limits import Limit
from inkwash.reverse.step import Step, fresh, moved
from inkwash.rng import NoiseSource
from inkwash.types import Latents, Sigmas


def ddim(
    denoise: Denoiser,
    x: Latents,
    sigmas: Sigmas,
    noise: NoiseSource,
    *,
    eta: float = 0.0,
    limit: Limit | None = None,
) -> Iterator[Step]:
    """First order, one call per step; `eta` 0 is deterministic, 1 is DDPM.  (Song, Meng & Ermon 2021, eq. 12 and 16)

    Divided by sqrt(ᾱ), eq. 12 reads: predicted clean + what is kept of the predicted noise + new noise.
    The noise is the predicted one also where the guess is brought within a `limit`.
    """
    for index, (sigma, lower) in enumerate(pairwise(sigmas)):
        denoised = denoise(x, sigma)
        predicted_noise = (x - denoised) / sigma.item()
        new = eta * lower.item() * sqrt(1 - (lower / sigma).item() ** 2)
        kept = sqrt(lower.item() ** 2 - new**2)
        denoised = denoised if limit is None else limit(denoised)
        step = moved(index, (sigma, lower), x, denoised, denoised + kept * predicted_noise, fresh(noise, x, new))
        yield step
        x = step.x
