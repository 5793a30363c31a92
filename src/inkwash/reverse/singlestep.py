"""Singlestep DPM-Solver++: groups of up to three steps, each group from its start with all it has seen."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from inkwash.denoiser import Denoiser
from inkwash.reverse.dpmpp_2m_sde import Solver, bend
from inkwash.reverse.exponential import moments, weighed, weights
from inkwash.reverse.step import Step, gap, moved, toward
from inkwash.rng import NoiseSource
from inkwash.types import Latents, Sigmas


def dpmpp_singlestep(
    denoise: Denoiser,
    x: Latents,
    sigmas: Sigmas,
    _: NoiseSource,
    *,
    order: int = 2,
    solver: Solver = "midpoint",
    settle: bool = True,
) -> Iterator[Step]:
    """Up to `order` 3, one call per step.  (Lu et al. 2022b, alg. 1; Lu et al. 2022a, alg. 2)

    The stages of the method lie on the levels themselves: the second step of a group starts where the first did and
    goes twice as far, so levels even in log σ are r = 1/2 and r = 1/3, 2/3. The step to 0 lands on the prediction.
    `solver` says how two guesses are weighed; with three, "midpoint" draws a line through the first and the last.
    Without `settle` the last group is a whole one where the steps divide, which must not end at 0 then.
    """
    known: list[tuple[float, Latents]] = []
    origin = x
    places = groups(len(sigmas) - 1, order, settle)
    for index, ((sigma, lower), place) in enumerate(zip(pairwise(sigmas), places, strict=True)):
        denoised = denoise(x, sigma)
        origin, known = (x, []) if place == 1 else (origin, known)
        known.append((sigma.item(), denoised))
        target = denoised if lower == 0 else _walk(origin, lower.item(), known, solver)
        step = moved(index, (sigma, lower), x, denoised, target)
        yield step
        x = step.x


def groups(steps: int, order: int, settle: bool = True) -> list[int]:
    """The place of every step in its group: whole groups of `order`, and lower ones at the end for what is left.

    With `settle` the last one is a lower one also where nothing is left.
    """
    whole = steps // order
    if not settle and steps % order == 0:
        return list(range(1, order + 1)) * whole
    if order == 3 and steps % 3 == 0:
        return [1, 2, 3] * (whole - 1) + [1, 2, 1]
    if order == 2 and steps % 2 == 0:
        return [1, 2] * (whole - 1) + [1, 1]
    return list(range(1, order + 1)) * whole + list(range(1, steps % order + 1))


def _walk(x: Latents, end: float, known: Sequence[tuple[float, Latents]], solver: Solver) -> Latents:
    """From the level of the first guess to `end`."""
    (level, guess), *_ = known
    used = list(known) if solver == "heun" else [known[0], known[-1]][: len(known)]
    h = gap(level, end)
    if len(known) == 2:
        reach = gap(level, known[1][0])
        return toward(x, guess, end / level) + bend(h, solver) * h / reach * (known[1][1] - guess)
    nodes = [gap(level, each) for each, _ in used]
    return end / level * x + weighed(weights(nodes, moments(h, len(nodes))), [each for _, each in used])
