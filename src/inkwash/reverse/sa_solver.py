"""SA-Solver: a stochastic Adams method, predictor and corrector, with as much chance as you like at every level."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, expm1, sqrt

from inkwash.denoiser import Denoiser
from inkwash.reverse.exponential import moments, since, weighed, weights
from inkwash.reverse.step import Step, gap, moved, settled
from inkwash.rng import NoiseSource
from inkwash.types import Latents, Sigmas


def between_levels(sigma: float) -> float:
    """τ = 1 where pictures take shape, else 0: the authors' 200 ≤ t ≤ 800 of Stable Diffusion's schedule."""
    return 1.0 if 0.53 <= sigma <= 5.7 else 0.0


@dataclass(frozen=True)
class Adams:
    """Variants of the method.  (Xue et al. 2023)"""

    predictor: int = 2
    corrector: int = 2
    """Orders; a corrector of 0 leaves arrivals as they were predicted."""
    tau: Callable[[float], float] = between_levels
    """How much chance, by the level at the start of a step: 0 is none, 1 the reverse SDE."""
    settle: bool = True
    """The orders of the last steps are at most their number."""
    again: bool = False
    """Ask once more after correcting: PECE, two calls per step."""


def sa_solver(
    denoise: Denoiser,
    x: Latents,
    sigmas: Sigmas,
    noise: NoiseSource,
    *,
    method: Adams = Adams(),
) -> Iterator[Step]:
    """One call per step: it corrects the step before and predicts the next.  (Xue et al. 2023, alg. 1)

    Noise is drawn in every step, used or not: other τ leave the later draws what they were.
    """
    known: deque[tuple[float, Latents]] = deque(maxlen=max(method.predictor, method.corrector - 1, 1))
    origin, random = x, x * 0
    for index, (sigma, lower) in enumerate(pairwise(sigmas)):
        arrived, left = x, len(sigmas) - 1 - index
        denoised = denoise(x, sigma)
        if known and method.corrector:
            used = [(sigma.item(), denoised), *known][: settled(method.corrector, left + 2, method.settle)]
            x = _walk(origin, (known[0][0], sigma.item()), used, method.tau(known[0][0])) + random
            denoised = denoise(x, sigma) if method.again else denoised
        known.appendleft((sigma.item(), denoised))
        tau, fresh = method.tau(sigma.item()), noise.like(x)
        h = gap(sigma.item(), lower.item())
        random = lower.item() * sqrt(-expm1(-2 * tau**2 * h)) * fresh if tau > 0 and lower > 0 else x * 0
        used = list(known)[: settled(method.predictor, left, method.settle)]
        target = denoised if lower == 0 else _walk(x, (sigma.item(), lower.item()), used, tau)
        step = moved(index, (sigma, lower), arrived, denoised, target, random)
        yield step
        origin, x = x, step.x


def _walk(x: Latents, levels: tuple[float, float], used: Sequence[tuple[float, Latents]], tau: float) -> Latents:
    """The deterministic part of a step between two levels, along the polynomial through the guesses.  (eq. 13)"""
    h, rate = gap(*levels), 1 + tau**2
    integrals = moments(h, len(used), rate)
    if len(used) == 2:
        integrals[1] = rate * h**2 / 2  # the authors' code takes the short step's limit here
    shares = weights(since(levels[0], [level for level, _ in used]), integrals)
    return exp(-rate * h) * x + weighed(shares, [guess for _, guess in used])
