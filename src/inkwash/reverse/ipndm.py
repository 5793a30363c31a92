"""iPNDM: Adams-Bashforth on the slope, with the weights of even steps or of the real ones."""

from collections import deque
from collections.abc import Iterator
from itertools import pairwise

from inkwash.denoiser import Denoiser
from inkwash.reverse.exponential import weighed
from inkwash.reverse.lms import integrals
from inkwash.reverse.step import Step, moved
from inkwash.rng import NoiseSource
from inkwash.types import Latents, Sigmas

EVEN = ((1.0,), (3 / 2, -1 / 2), (23 / 12, -16 / 12, 5 / 12), (55 / 24, -59 / 24, 37 / 24, -9 / 24))
"""Adams and Bashforth's weights for even steps, by order."""


def ipndm(
    denoise: Denoiser, x: Latents, sigmas: Sigmas, _: NoiseSource, *, order: int = 4, uneven: bool = False
) -> Iterator[Step]:
    """Up to `order` 4, one call per step; the step to 0 lands on the prediction.  (Zhang & Chen 2023, H.2)

    `uneven` weighs by the levels as they are (iPNDM-v); without it the order holds only for levels that are even in σ.
    """
    known: deque[tuple[float, Latents]] = deque(maxlen=min(order, 4))
    for index, (sigma, lower) in enumerate(pairwise(sigmas)):
        denoised = denoise(x, sigma)
        known.appendleft((sigma.item(), (x - denoised) / sigma.item()))
        length = (lower - sigma).item()
        if uneven:
            shares = integrals([level for level, _ in known], lower.item())
        else:
            shares = [length * share for share in EVEN[len(known) - 1]]
        target = x + weighed(shares, [slope for _, slope in known]) if lower > 0 else denoised
        step = moved(index, (sigma, lower), x, denoised, target)
        yield step
        x = step.x
