"""Gradient estimation: Euler, with the slope corrected by its last change."""

from collections.abc import Iterator
from itertools import pairwise

from inkwash.denoiser import Denoiser
from inkwash.reverse.step import Step, asked, moved, toward
from inkwash.rng import NoiseSource
from inkwash.types import Latents, Sigmas


def gradient_estimation(
    denoise: Denoiser, x: Latents, sigmas: Sigmas, _: NoiseSource, *, gamma: float = 2.0, plus: bool = False
) -> Iterator[Step]:
    """First order, one call per step: d̄ = γ d + (1 - γ) d before.  (Permenter & Yuan 2024, alg. 1); `plus` is CFG++."""
    before: Latents | None = None
    for index, (sigma, lower) in enumerate(pairwise(sigmas)):
        denoised, start = asked(denoise, x, sigma, plus)
        slope = (start - denoised) / sigma.item()
        target = toward(start, denoised, (lower / sigma).item())
        if before is not None and lower > 0:
            target = target + (lower - sigma).item() * (gamma - 1) * (slope - before)
        step = moved(index, (sigma, lower), x, denoised, target)
        yield step
        x, before = step.x, slope
