"""SDE-DPM-Solver++ (3M): a parabola through the last three predictions."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, expm1, sqrt

from inkwash.denoiser import Denoiser
from inkwash.reverse.dpmpp_2m_sde import Solver, bend
from inkwash.reverse.exponential import moments
from inkwash.reverse.step import Step, fresh, gap, moved, settled, toward
from inkwash.rng import NoiseSource
from inkwash.types import Latents, Sigmas


@dataclass(frozen=True)
class Habits:
    """What programs do differently in a multistep DPM-Solver++."""

    order: int = 3
    solver: Solver = "heun"
    """How a slope enters where only two predictions are known."""
    settle: bool = False
    """The order of the last steps is at most their number."""
    curvature: float = 0.5
    """How much of the parabola's curvature counts. All programs take half of it; 1 makes the sampler third order."""


def dpmpp_3m_sde(
    denoise: Denoiser,
    x: Latents,
    sigmas: Sigmas,
    noise: NoiseSource,
    *,
    eta: float = 1.0,
    habits: Habits = Habits(),
) -> Iterator[Step]:
    """Up to third order in the drift, one call per step; `eta` 0 is DPM-Solver++ (3M).  (Lu et al. 2022b, 3.3 and 5)"""
    history: deque[tuple[Latents, float]] = deque(maxlen=habits.order)
    for index, (sigma, lower) in enumerate(pairwise(sigmas)):
        denoised, h = denoise(x, sigma), gap(sigma.item(), lower.item())
        history.appendleft((denoised, h))
        target = toward(x, denoised, exp(-h * (1 + eta)))
        order = settled(habits.order, len(sigmas) - 1 - index, habits.settle)
        if lower > 0 and min(order, len(history)) > 1:
            target = target + _curve(list(history)[:order], eta, habits)
        up = lower.item() * sqrt(-expm1(-2 * eta * h)) if eta > 0 else 0.0
        step = moved(index, (sigma, lower), x, denoised, target, fresh(noise, x, up, (sigma, lower)))
        yield step
        x = step.x


def _curve(known: Sequence[tuple[Latents, float]], eta: float, habits: Habits) -> Latents:
    """What slope and curvature of the predictions add; with each comes the length of the step that it began."""
    (now, h), (before, h_before), *oldest = known
    slope = (now - before) / h_before
    if not oldest:
        return bend(h * (1 + eta), habits.solver) * h * slope
    ((earliest, h_earliest),) = oldest
    turn = (slope - (before - earliest) / h_earliest) / (h_before + h_earliest)
    _, first, second = moments(h, 3, 1 + eta)
    return first * (slope + turn * h_before) + habits.curvature * second * turn
