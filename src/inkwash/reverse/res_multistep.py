"""RES multistep: the prediction as a straight line of log σ, integrated exactly."""

from collections.abc import Iterator
from itertools import pairwise
from math import log

from inkwash.denoiser import Denoiser
from inkwash.reverse.ancestral import split
from inkwash.reverse.exponential import moments, weighed, weights
from inkwash.reverse.step import Step, asked, fresh, moved, toward
from inkwash.rng import NoiseSource
from inkwash.types import Latents, Sigmas


def res_multistep(
    denoise: Denoiser, x: Latents, sigmas: Sigmas, noise: NoiseSource, *, eta: float = 0.0, plus: bool = False
) -> Iterator[Step]:
    """Second order, one call per step; `eta` 1 is ancestral, `plus` CFG++.  (Zhang et al. 2023, refined exponential)

    With CFG++ the line goes through the unguided predictions. Between ancestral steps it is as steep as if the last one
    had ended where it stepped down to: so do the programs that offer it.
    """
    before: tuple[float, Latents] | None = None
    for index, (sigma, lower) in enumerate(pairwise(sigmas)):
        denoised, start = asked(denoise, x, sigma, plus)
        through = denoised - (start - x)
        down, up = split(sigma.item(), lower.item(), eta)
        if down == 0 or before is None:
            target = toward(start, denoised, down / sigma.item())
        else:
            shares = weights([0.0, before[0]], moments(log(sigma.item() / down), 2))
            target = down / sigma.item() * start + weighed(shares, [through, before[1]])
        step = moved(index, (sigma, lower), x, denoised, target, fresh(noise, x, up))
        yield step
        x, before = step.x, (log(down / sigma.item()) if down > 0 else 0.0, through)
