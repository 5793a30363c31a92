"""Heun++: slopes ahead of the step, weighed by their levels."""

from collections.abc import Iterator
from itertools import pairwise

from inkwash.denoiser import Denoiser
from inkwash.reverse.step import Step, moved, toward
from inkwash.rng import NoiseSource
from inkwash.types import Latents, Sigmas


def heunpp2(denoise: Denoiser, x: Latents, sigmas: Sigmas, _: NoiseSource) -> Iterator[Step]:
    """Three calls per step, two for the last but one, one for the last.  (Xia et al. 2023, adopted by web UIs)

    It looks one and two levels ahead; a slope found at level σ counts as σ / (n σ_0), the first takes what is left.
    """
    top, last = sigmas[0].item(), len(sigmas) - 2
    for index, (sigma, lower) in enumerate(pairwise(sigmas)):
        denoised = denoise(x, sigma)
        slopes, place = [(x - denoised) / sigma.item()], x
        ahead = sigmas[index + 1 : min(index + 3, last + 1)]
        for above, level in zip(sigmas[index:], ahead, strict=False):
            place = place + (level - above).item() * slopes[-1]
            slopes.append((place - denoise(place, level)) / level.item())
        shares = [level.item() / (len(slopes) * top) for level in ahead]
        slope = sum(
            (share * each for share, each in zip(shares, slopes[1:], strict=True)), (1 - sum(shares)) * slopes[0]
        )
        target = x + (lower - sigma).item() * slope if lower > 0 else toward(x, denoised, 0.0)
        step = moved(index, (sigma, lower), x, denoised, target)
        yield step
        x = step.x
