"""DPM-Solver++ (2S) ancestral: a midpoint step down, then noise back up."""

from collections.abc import Iterator
from itertools import pairwise

from inkwash.denoiser import Denoiser
from inkwash.reverse.ancestral import split
from inkwash.reverse.step import Step, asked, fresh, moved, toward
from inkwash.rng import NoiseSource
from inkwash.types import Latents, Sigmas


def dpmpp_2s_ancestral(
    denoise: Denoiser, x: Latents, sigmas: Sigmas, noise: NoiseSource, *, eta: float = 1.0, plus: bool = False
) -> Iterator[Step]:
    """Second order, two calls per step but one for the last to 0.  (Lu et al. 2022b, alg. 1 with r = 1/2)

    `eta` goes from 0, deterministic, to 1, ancestral; `plus` is CFG++ (`asked`).
    """
    for index, (sigma, lower) in enumerate(pairwise(sigmas)):
        denoised, start = asked(denoise, x, sigma, plus)
        down, up = split(sigma.item(), lower.item(), eta)
        target = denoised
        if down > 0:
            middle = (sigma * down).sqrt()
            halfway = denoise(toward(start, denoised, (middle / sigma).item()), middle)
            target = toward(start, halfway, down / sigma.item())
        step = moved(index, (sigma, lower), x, denoised, target, fresh(noise, x, up))
        yield step
        x = step.x
