"""DEIS: the predicted noise as a polynomial of log σ, integrated exactly."""

from collections import deque
from collections.abc import Iterator
from itertools import pairwise

from inkwash.denoiser import Denoiser
from inkwash.reverse.exponential import noise_moments, since, weighed, weights
from inkwash.reverse.step import Step, gap, moved, settled
from inkwash.rng import NoiseSource
from inkwash.types import Latents, Sigmas


def deis(
    denoise: Denoiser, x: Latents, sigmas: Sigmas, _: NoiseSource, *, order: int = 3, settle: bool = True
) -> Iterator[Step]:
    """Up to `order` 3 and more, one call per step; the step to 0 lands on the prediction.

    x' = x + ∫ p(ln σ) dσ, p the polynomial through the last predictions of the noise.  (Zhang & Chen 2023, eq. 15,
    log ρ) With `settle` the order of the last steps is at most their number.
    """
    known: deque[tuple[float, Latents]] = deque(maxlen=order)
    for index, (sigma, lower) in enumerate(pairwise(sigmas)):
        denoised = denoise(x, sigma)
        known.appendleft((sigma.item(), (x - denoised) / sigma.item()))
        target = denoised
        if lower > 0:
            used = list(known)[: settled(order, len(sigmas) - 1 - index, settle)]
            nodes = since(sigma.item(), [level for level, _ in used])
            shares = weights(nodes, noise_moments(gap(sigma.item(), lower.item()), len(nodes)))
            target = x - lower.item() * weighed(shares, [slope for _, slope in used])
        step = moved(index, (sigma, lower), x, denoised, target)
        yield step
        x = step.x
