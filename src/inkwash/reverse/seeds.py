"""SEEDS: exponential Runge-Kutta steps for the stochastic reverse process, all stages on one path of noise."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, expm1, log, sqrt

from inkwash.denoiser import Denoiser
from inkwash.reverse.exponential import moments, weighed, weights
from inkwash.reverse.step import Step, moved
from inkwash.rng import NoiseSource
from inkwash.types import Latents, Sigma, Sigmas


@dataclass(frozen=True)
class Stages:
    """Where a step asks again, as parts of its length in log σ."""

    parts: tuple[float, ...]
    eta: float = 1.0
    """0 is deterministic, 1 the reverse SDE."""
    blend: bool = False
    """Both guesses of two stages are averaged as DPM-Solver++ does, instead of a line through them."""


TWO, THREE = Stages((0.5,), blend=True), Stages((1 / 3, 2 / 3))
HEUN = Stages((1.0,), eta=0.0)


def seeds(denoise: Denoiser, x: Latents, sigmas: Sigmas, noise: NoiseSource, *, stages: Stages = TWO) -> Iterator[Step]:
    """As many calls per step as there are stages and one, but one for the last to 0.  (Gonzalez et al. 2023, 4)"""
    for index, (sigma, lower) in enumerate(pairwise(sigmas)):
        denoised = denoise(x, sigma)
        if lower > 0:
            target, random = _stages(denoise, x, denoised, (sigma, lower), (noise, stages))
            step = moved(index, (sigma, lower), x, denoised, target, random if stages.eta > 0 else None)
        else:
            step = moved(index, (sigma, lower), x, denoised, denoised)
        yield step
        x = step.x


def _stages(
    denoise: Denoiser, x: Latents, denoised: Latents, levels: tuple[Sigma, Sigma], how: tuple[NoiseSource, Stages]
) -> tuple[Latents, Latents]:
    """The deterministic end of the step and its noise."""
    (sigma, lower), (noise, stages) = levels, how
    h, known = log(sigma.item() / lower.item()), [(0.0, denoised)]
    random, before = x * 0, 0.0
    for part in (*stages.parts, 1.0):
        random = _grown(random, (part - before) * h, stages.eta, noise)
        target = _drift(x, part * h, known, stages)
        if len(known) > len(stages.parts):
            break
        level = sigma * exp(-part * h)
        known.append((part * h, denoise(target + level.item() * random, level)))
        before = part
    return target, lower.item() * random


def _grown(random: Latents, h: float, eta: float, noise: NoiseSource) -> Latents:
    """The noise of a stage, in units of its level, carried on by `h` along the same path."""
    if eta == 0 or h == 0:
        return random
    return exp(-eta * h) * random + sqrt(-expm1(-2 * eta * h)) * noise.like(random)


def _drift(x: Latents, h: float, known: Sequence[tuple[float, Latents]], stages: Stages) -> Latents:
    """From the start of the step over `h`, along the line through its first guess and the newest."""
    rate, used = 1 + stages.eta, known if len(known) < 3 else [known[0], known[-1]]
    kept = exp(-rate * h)
    if stages.blend and len(used) == 2:
        half = h / (2 * used[1][0])
        return kept * x + (1 - kept) * ((1 - half) * used[0][1] + half * used[1][1])
    shares = weights([node for node, _ in used], moments(h, len(used), rate))
    return kept * x + weighed(shares, [guess for _, guess in used])
