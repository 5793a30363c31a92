"""UniPC: predict with a polynomial through earlier guesses, then correct with the guess found on arrival."""

from collections import deque
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import expm1, log
from typing import Literal

from inkwash.denoiser import Denoiser
from inkwash.reverse.exponential import moments, noise_moments, weighed, weights
from inkwash.reverse.step import Step, moved, settled, toward
from inkwash.rng import NoiseSource
from inkwash.types import Latents, Sigmas

Family = Literal["bh1", "bh2"]
Guess = tuple[float, Latents]
"""A level and what was guessed there."""


@dataclass(frozen=True)
class UniPC:
    """Variants of the method.  (Zhao et al. 2023)"""

    order: int = 3
    family: Family = "bh2"
    """B(h), which matters where two guesses are weighed: e^h - 1 in bh2, h in bh1."""
    noise: bool = False
    """The polynomial is one of the predicted noise instead of the predicted picture."""
    uncorrected: Collection[int] = ()
    """Steps whose arrival is taken as it was predicted."""


def unipc(
    denoise: Denoiser,
    x: Latents,
    sigmas: Sigmas,
    _: NoiseSource,
    *,
    method: UniPC = UniPC(),
) -> Iterator[Step]:
    """One call per step: it corrects the step before and predicts the next.  (Zhao et al. 2023, alg. 5 to 8)

    The corrector adds an order to the predictor's. As each call serves twice, a step ends as predicted, and its
    correction is the beginning of the next step's drift; order 3 is reached in the middle, the last steps settle.
    """
    known: deque[Guess] = deque(maxlen=method.order)
    origin, order = x, 1
    for index, (sigma, lower) in enumerate(pairwise(sigmas)):
        arrived, denoised = x, denoise(x, sigma)
        guess = (sigma.item(), (x - denoised) / sigma.item() if method.noise else denoised)
        if known and index - 1 not in method.uncorrected:
            x = _walk(origin, sigma.item(), known[0], [guess, *list(known)[1:order]], method)
        known.appendleft(guess)
        order = min(settled(method.order, len(sigmas) - 1 - index), len(known))
        target = denoised if lower == 0 else _walk(x, lower.item(), guess, list(known)[1:order], method)
        step = moved(index, (sigma, lower), arrived, denoised, target)
        yield step
        origin, x = x, step.x


def _walk(x: Latents, end: float, base: Guess, others: Sequence[Guess], method: UniPC) -> Latents:
    """From the level of `base` to `end` along the polynomial through all guesses."""
    level, guess = base
    h, nodes = log(level / end), [log(level / each) for each, _ in others]
    if len(others) > 1:
        integrals = (noise_moments if method.noise else moments)(h, len(others) + 1)
        shares = weights([0.0, *nodes], integrals)
        summed = weighed(shares, [guess, *(each for _, each in others)])
        return x - end * summed if method.noise else end / level * x + summed
    straight = x + (end - level) * guess if method.noise else toward(x, guess, end / level)
    if not others:
        return straight
    if method.noise:
        bend = -end * (h if method.family == "bh1" else expm1(h)) / 2
    else:
        bend = (h if method.family == "bh1" else -expm1(-h)) / 2
    return straight + bend * h / nodes[0] * (others[0][1] - guess)
