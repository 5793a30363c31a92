"""DPM-Solver on levels of its own: as many calls as asked for, or as many as an error allows."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import atan, exp, inf, log

import torch

from inkwash.denoiser import Denoiser
from inkwash.reverse.ancestral import split
from inkwash.reverse.exponential import noise_moments, weighed, weights
from inkwash.reverse.step import Step, fresh, moved, toward
from inkwash.rng import NoiseSource
from inkwash.types import Latents, Sigma, Sigmas


@dataclass(frozen=True)
class Leap:
    """Predictions of the noise along one step, in λ since its start: shared by solvers of different order."""

    denoise: Denoiser
    x: Latents
    sigma: Sigma
    denoised: Latents

    def first(self, h: float) -> Latents:
        """Straight along the first prediction over `h`.  (Lu et al. 2022a, eq. 3.7)"""
        return toward(self.x, self.denoised, exp(-h))

    def seen(self, at: float, place: Latents) -> Latents:
        """The noise predicted at `place`, `at` after the start."""
        level = self.sigma * exp(-at)
        return (place - self.denoise(place, level)) / level.item()

    def along(self, h: float, node: float, slope: Latents) -> Latents:
        """Over `h` along the line through the first prediction and the one at `node`.  (eq. 3.8 and B.4)"""
        shares = weights([0.0, node], noise_moments(h, 2))
        begun = (self.x - self.denoised) / self.sigma.item()
        return self.x - self.sigma.item() * exp(-h) * weighed(shares, [begun, slope])

    def blended(self, h: float, node: float, slope: Latents) -> Latents:
        """As `along`, weighing the change as DPM-Solver-2 does.  (Lu et al. 2022a, alg. 1)"""
        begun = (self.x - self.denoised) / self.sigma.item()
        return self.first(h) + self.sigma.item() * (exp(-h) - 1) * h / (2 * node) * (slope - begun)

    def third(self, h: float, early: Latents) -> Latents:
        """The third-order end, with the prediction at h/3 known.  (Lu et al. 2022a, alg. 2)"""
        return self.along(h, 2 * h / 3, self.seen(2 * h / 3, self.along(2 * h / 3, h / 3, early)))


def dpm_fast(denoise: Denoiser, x: Latents, sigmas: Sigmas, noise: NoiseSource, *, eta: float = 0.0) -> Iterator[Step]:
    """As many calls as `sigmas` has steps, in as few steps of third order as possible.  (Lu et al. 2022a, 3.4)

    Only the ends of `sigmas` and their number count; where the last is 0, the last call is the step from the one
    before it.
    """
    to_zero = sigmas[-1].item() == 0 and len(sigmas) > 2
    calls, ends = len(sigmas) - 1 - to_zero, sigmas[[0, -2 if to_zero else -1]]
    orders = _orders(calls) if ends[1] > 0 else [1]
    parts = torch.linspace(0, 1, len(orders) + 1).to(ends)
    levels = torch.cat([ends[0] ** (1 - parts[:-1]) * ends[1] ** parts[:-1], ends[1:]])
    for index, (order, (sigma, lower)) in enumerate(zip(orders, pairwise(levels), strict=True)):
        down, up = split(sigma.item(), lower.item(), eta)
        leap = Leap(denoise, x, sigma, denoise(x, sigma))
        target = _ended(leap, order, log(sigma.item() / down) if down > 0 else inf)
        step = moved(index, (sigma, lower), x, leap.denoised, target, fresh(noise, x, up))
        yield step
        x = step.x
    if to_zero:
        yield _landed(denoise, x, ends[1], len(orders))


def _orders(calls: int) -> list[int]:
    if calls % 3 == 0:
        return [3] * (calls // 3 - 1) + [2, 1]
    return [3] * (calls // 3) + [calls % 3]


def _ended(leap: Leap, order: int, h: float) -> Latents:
    if order == 1:
        return leap.first(h)
    if order == 2:
        return leap.blended(h, h / 2, leap.seen(h / 2, leap.first(h / 2)))
    return leap.third(h, leap.seen(h / 3, leap.first(h / 3)))


def _landed(denoise: Denoiser, x: Latents, sigma: Sigma, index: int) -> Step:
    denoised = denoise(x, sigma)
    return moved(index, (sigma, sigma * 0), x, denoised, denoised)


@dataclass(frozen=True)
class Care:
    """What the adaptive solver watches."""

    relative: float = 0.05
    absolute: float = 0.0078
    first: float = 0.05
    """Length of the first step tried, in log σ."""
    safety: float = 0.81
    """A step is taken unless the next would have to be shorter than this part of it."""


def dpm_adaptive(
    denoise: Denoiser,
    x: Latents,
    sigmas: Sigmas,
    noise: NoiseSource,
    *,
    eta: float = 0.0,
    care: Care = Care(),
) -> Iterator[Step]:
    """Steps as long as second and third order agree, three calls for each one tried.  (Lu et al. 2022a, app. C)

    Only the ends of `sigmas` count. All pictures of a batch take the steps of the hardest.
    """
    to_zero = sigmas[-1].item() == 0 and len(sigmas) > 2
    end, sigma, h, index = sigmas[-2 if to_zero else -1], sigmas[0], care.first, 0
    if end == 0:
        yield _landed(denoise, x, sigma, 0)
        return
    while sigma > end * (1 + 1e-5):
        lower = (sigma * exp(-h)).clamp(min=end.item())
        down, up = split(sigma.item(), lower.item(), eta)
        reach, leap = log(sigma.item() / down), Leap(denoise, x, sigma, denoise(x, sigma))
        early = leap.seen(reach / 3, leap.first(reach / 3))
        low, high = leap.blended(reach, reach / 3, early), leap.third(reach, early)
        scale = (care.relative * low.abs().maximum(x.abs())).clamp(min=care.absolute)
        error = ((low - high) / scale).square().flatten(1).mean(1).sqrt().max().item()
        factor = 1 + atan((error + 1e-8) ** -((1 / 1.5) if eta else 1 / 3) - 1)
        if factor >= care.safety:
            step = moved(index, (sigma, lower), x, leap.denoised, high, fresh(noise, x, up))
            yield step
            x, sigma, index = step.x, lower, index + 1
        h *= factor
    if to_zero:
        yield _landed(denoise, x, end, index)
