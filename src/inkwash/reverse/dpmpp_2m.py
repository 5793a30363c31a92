"""DPM-Solver++ (2M): Euler toward a prediction that is extrapolated from the last two."""

from collections.abc import Iterator
from itertools import pairwise

from inkwash.denoiser import Denoiser
from inkwash.reverse.step import Step, asked, gap, moved, toward
from inkwash.rng import NoiseSource
from inkwash.types import Latents, Sigmas


def dpmpp_2m(denoise: Denoiser, x: Latents, sigmas: Sigmas, _: NoiseSource, *, plus: bool = False) -> Iterator[Step]:
    """Second order, one call per step: the prediction is taken as linear in log σ.  (Lu et al. 2022b, alg. 2)

    `plus` is CFG++ (`asked`); the earlier prediction is then the unguided one.
    """
    before: tuple[Latents, float] | None = None
    for index, (sigma, lower) in enumerate(pairwise(sigmas)):
        denoised, start = asked(denoise, x, sigma, plus)
        h = gap(sigma.item(), lower.item())
        middle = denoised
        if before is not None and lower > 0:
            earlier, h_before = before
            middle = denoised + h / (2 * h_before) * (denoised - earlier)
        step = moved(index, (sigma, lower), x, denoised, toward(start, middle, (lower / sigma).item()))
        yield step
        x, before = step.x, (denoised - (start - x), h)
