"""What a sampler yields: one reverse step, its drift and its randomness apart."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import inf, log

import torch

from inkwash.denoiser import Denoiser, halves
from inkwash.rng import NoiseSource
from inkwash.types import Latents, Sigma, Sigmas


@dataclass(frozen=True)
class Step:
    """One move from level `sigma` down to `sigma_next`: x after = x before + drift + random."""

    index: int
    sigma: float
    sigma_next: float
    x: Latents
    """Where the step arrived: clean + sigma_next * eps."""
    denoised: Latents
    """The clean latents as predicted at the start of the step."""
    drift: Latents
    """The deterministic part of the move."""
    random: Latents
    """The stochastic part of the move; zeros for deterministic samplers."""


Sampler = Callable[[Denoiser, Latents, Sigmas, NoiseSource], Iterator[Step]]
"""Walks from latents at the first level to the last; the caller drives, and stops by dropping the iterator."""


def moved(
    index: int,
    levels: tuple[Sigma, Sigma],
    before: Latents,
    denoised: Latents,
    target: Latents,
    random: Latents | None = None,
) -> Step:
    """The step from `before` to the deterministic `target` plus `random`, between two `levels`.

    The new latents are target + random, not before + drift + random: small next to the noise they leave, they would
    lose digits.
    """
    after = target if random is None else target + random
    stirred = torch.zeros_like(before) if random is None else random
    return Step(index, levels[0].item(), levels[1].item(), after, denoised, target - before, stirred)


def toward(x: Latents, clean: Latents, ratio: float) -> Latents:
    """Keep `ratio` of the noise that separates `x` from `clean`: the exact move if the guess never changed."""
    return clean + ratio * (x - clean)


def fresh(noise: NoiseSource, x: Latents, amount: float, levels: tuple[Sigma, Sigma] | None = None) -> Latents | None:
    """New noise with standard deviation `amount`, that of the move between `levels`; None, and no draw, for 0."""
    if amount <= 0:
        return None
    return amount * (noise.like(x) if levels is None else noise.between(x, levels[0].item(), levels[1].item()))


def gap(sigma: float, lower: float) -> float:
    """h = ln(sigma / lower): half of what a step adds to the log of the signal-to-noise ratio; ∞ down to 0."""
    return log(sigma / lower) if lower > 0 else inf


def asked(denoise: Denoiser, x: Latents, sigma: Sigma, plus: bool = False) -> tuple[Latents, Latents]:
    """The guess, and where a move toward it starts: `x`, or with `plus` the place that CFG++ starts from.

    x + guided - unguided: noise is then what separates x from the *unguided* guess.  (Chung et al. 2024, alg. 2)
    """
    if not plus:
        return denoise(x, sigma), x
    guess = halves(denoise, x, sigma)
    return guess.guided, x + (guess.guided - guess.unguided)


def settled(order: int, left: int, settle: bool = True) -> int:
    """The order of a multistep sampler with `left` steps to go: with `settle` at most their number."""
    return min(order, left) if settle else order
