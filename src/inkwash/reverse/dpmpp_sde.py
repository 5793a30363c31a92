"""DPM++ SDE: a stochastic midpoint step along one Brownian path."""

from collections.abc import Iterator
from itertools import pairwise

import torch

from inkwash.denoiser import Denoiser
from inkwash.reverse.ancestral import split
from inkwash.reverse.step import Step, moved, toward
from inkwash.rng import NoiseSource
from inkwash.types import Latents, Sigma, Sigmas


def dpmpp_sde(denoise: Denoiser, x: Latents, sigmas: Sigmas, noise: NoiseSource, *, eta: float = 1.0) -> Iterator[Step]:
    """Two calls per step, one for the last to 0: ancestral to the middle, then from the start with what was seen there.

    `eta` 0 is DPM-Solver++ (2S), second order.  (Lu et al. 2022b, alg. 1 with r = 1/2; its SDE form, 5)
    Both moves follow the same Brownian path. Its clock is 1/σ², since x/σ² has independent increments there.
    """
    for index, (sigma, lower) in enumerate(pairwise(sigmas)):
        denoised = denoise(x, sigma)
        if lower > 0:
            target, random = _midpoint(denoise, x, denoised, (sigma, lower), (noise, eta))
            step = moved(index, (sigma, lower), x, denoised, target, random)
        else:
            step = moved(index, (sigma, lower), x, denoised, denoised)
        yield step
        x = step.x


def _midpoint(
    denoise: Denoiser, x: Latents, denoised: Latents, levels: tuple[Sigma, Sigma], chance: tuple[NoiseSource, float]
) -> tuple[Latents, Latents | None]:
    (sigma, lower), (noise, eta) = levels, chance
    middle = (sigma * lower).sqrt()
    early = late = torch.zeros_like(x)
    if eta > 0:
        early = noise.between(x, sigma.item(), middle.item())
        late = noise.between(x, middle.item(), lower.item())
    down, up = split(sigma.item(), middle.item(), eta)
    halfway = denoise(toward(x, denoised, down / sigma.item()) + up * early, middle)
    share = (middle**-2 - sigma**-2) / (lower**-2 - sigma**-2)
    whole = share.sqrt().item() * early + (1 - share).sqrt().item() * late
    down, up = split(sigma.item(), lower.item(), eta)
    return toward(x, halfway, down / sigma.item()), up * whole if eta > 0 else None
