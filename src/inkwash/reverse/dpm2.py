"""DPM2: the slope in the middle of the step, as log σ counts."""

from collections.abc import Iterator
from itertools import pairwise

from inkwash.denoiser import Denoiser
from inkwash.reverse.ancestral import split
from inkwash.reverse.step import Step, fresh, moved, toward
from inkwash.rng import NoiseSource
from inkwash.types import Latents, Sigmas


def dpm2_ancestral(
    denoise: Denoiser, x: Latents, sigmas: Sigmas, noise: NoiseSource, *, eta: float = 1.0
) -> Iterator[Step]:
    """Second order, two calls per step but one for the last to 0; `eta` 0 is DPM2.  (Karras et al. 2022, D.2: α = 1/2)

    x' = x + (σ_down - σ) d(√(σ σ_down)), then noise back up to σ'.
    """
    for index, (sigma, lower) in enumerate(pairwise(sigmas)):
        denoised = denoise(x, sigma)
        down, up = split(sigma.item(), lower.item(), eta)
        if down > 0:
            middle = (sigma * down).sqrt()
            halfway = toward(x, denoised, (middle / sigma).item())
            slope = (halfway - denoise(halfway, middle)) / middle.item()
            target = x + (down - sigma.item()) * slope
        else:
            target = denoised
        step = moved(index, (sigma, lower), x, denoised, target, fresh(noise, x, up))
        yield step
        x = step.x


def dpm2(denoise: Denoiser, x: Latents, sigmas: Sigmas, noise: NoiseSource) -> Iterator[Step]:
    """`dpm2_ancestral` without chance: also known as KDPM2."""
    return dpm2_ancestral(denoise, x, sigmas, noise, eta=0.0)
