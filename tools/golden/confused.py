"""Habits of diffusers that inkwash does not share, as denoisers and schedules that make up for them.

DDIM and PNDM on linspace, and on trailing steps that do not share 1000, take steps that end elsewhere than the next
one begins.

A step from t ends at t - 1000 // n, and its latents are then taken to be at the next t of the list, which is another
where that list does not fall by 1000 // n. inkwash's samplers walk from each level to the next, and differ. To follow
diffusers all the same, latents are counted in units that change with each confusion: in these its walk is an ordinary
one, over levels that never were.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count, cycle

import torch
from torch import Tensor

from inkwash.denoiser import Denoiser
from inkwash.forward.noising import shrink
from inkwash.forward.schedule import STEPS, Schedule
from inkwash.reverse.exponential import weighed
from inkwash.reverse.ipndm import EVEN
from inkwash.reverse.scheduler_config import Walk
from inkwash.types import Latents, Sigma

AWAY = 1000.0
"""The lowest of the levels that never were: none is negative, and only their differences count."""


@dataclass(frozen=True)
class Legs:
    """Where each step of n begins, where it ends, and in which units latents are counted between."""

    begin: Tensor
    end: Tensor
    units: Tensor
    """(n + 1,): counted latents are true ones times this."""
    levels: Tensor
    """(n + 1,): the levels that never were, for the sampler."""


def legs(walk: Walk, schedule: Schedule, told: Tensor, *, pndm: bool) -> Legs:
    """The steps of a walk as diffusers takes them; `told` are its t."""
    length = STEPS // len(told)
    begin = walk.sigmas[:-1].double()
    end = torch.where(told < length, walk.sigmas[-1], schedule.sigma((told - length).clamp(min=0))).double()
    if pndm:  # the first step is taken again from what its start would have been for the right end
        begin, end = begin.clone(), end.clone()
        begin[0], end[0] = schedule.sigma(told[1] + length).double(), begin[1]
    kept = torch.ones(len(begin), dtype=torch.float64)
    kept[:-1] = shrink(end[:-1]) / shrink(walk.sigmas[1:-1].double())
    entry = shrink(walk.sigmas[:1].double()) / shrink(begin[:1])
    units = torch.cat([torch.ones(1, dtype=torch.float64), 1 / (entry * kept.cumprod(0))])
    moves = torch.cat([1 / entry, units[1:-1]]) * (end - begin).clamp(max=0)
    return Legs(begin, end, units, _never(moves))


@dataclass(frozen=True)
class Confused:
    """A denoiser for the levels that never were."""

    walk: Walk
    inner: Denoiser
    steps: Legs
    plain: Legs
    """The steps without PNDM's second thought about the first."""
    pndm: bool
    asked: list[Tensor] = field(default_factory=list)

    def __call__(self, x: Latents, sigma: Sigma) -> Latents:
        """What makes the sampler move along the noise that the network predicts at the true latents."""
        index = int((self.steps.levels[:-1] - sigma).abs().argmin())
        true = x / self.steps.units[index]
        if self.pndm and len(self.asked) == 2:
            begun, noise = self.asked
            true = (begun + (self.plain.end[0] - self.plain.begin[0]) * noise) / self.plain.units[1]
        level = self.walk.sigmas[index].double()
        noise = (true - self.inner(true, level)) / level
        self.asked.extend([true, noise])
        return x - sigma * noise


@dataclass(frozen=True)
class OfV:
    """PNDM of networks that tell v: diffusers' weighs what was told, and makes noise of the mean.

    The paper weighs the noise, and so does inkwash. This denoiser answers so that the weighed noise is diffusers'.
    """

    inner: Denoiser
    first: Tensor
    """The level at which the first step's second thought is turned into noise."""
    told: list[Tensor] = field(default_factory=list)
    answers: list[Tensor] = field(default_factory=list)
    start: list[Tensor] = field(default_factory=list)

    def __call__(self, x: Latents, sigma: Sigma) -> Latents:
        """x - σ e with Σ weight · e the noise that diffusers makes of Σ weight · v."""
        v = (shrink(sigma) ** 2 * x - self.inner(x, sigma)) / (sigma * shrink(sigma))
        if len(self.start) == 1:
            noise = self._noise(self.start.pop(), self.first, (self.told[0] + v) / 2)
            self.start.extend([x, x])
            return x - sigma * (2 * noise - self.answers[0])
        if not self.start:
            self.start.append(x * shrink(sigma) / shrink(self.first))
        self.told[:] = [v, *self.told[:3]]
        weights = EVEN[len(self.told) - 1]
        noise = self._noise(x, sigma, weighed(weights, self.told))
        before = sum((weight * each for weight, each in zip(weights[1:], self.answers, strict=False)), x * 0)
        self.answers[:] = [(noise - before) / weights[0], *self.answers[:2]]
        return x - sigma * self.answers[0]

    def _noise(self, x: Latents, sigma: Sigma, v: Latents) -> Latents:
        return shrink(sigma) * v + sigma * shrink(sigma) ** 2 * x


def by_turns(*denoisers: Denoiser) -> Denoiser:
    """KDPM2 ancestral asks in the middle of a step at the level where it ends, and tells what was not rounded."""
    turns = cycle(denoisers)

    def ask(x: Latents, sigma: Sigma) -> Latents:
        return next(turns)(x, sigma)

    return ask


@dataclass(frozen=True)
class Overtaken:
    """PNDM begun from a picture: diffusers cuts its list of t where the second one is not yet asked twice.

    The first step is taken twice all the same, with t of the next for the second time, and then that t is left out:
    its latents are taken to be at the one after it. They are counted in two units, before and after, over levels that
    never were.
    """

    inner: Denoiser
    asked: Tensor
    """(calls,): the level of every call."""
    units: Tensor
    """(calls,): counted latents are true ones times this."""
    levels: Tensor
    """(steps + 1,): the levels that never were, for the sampler."""
    last: Sigma
    calls: Iterator[int] = field(default_factory=count)

    @classmethod
    def of(cls, walk: Walk, inner: Denoiser) -> "Overtaken":
        """For a walk down levels of which the second is the one left out."""
        sigmas = walk.sigmas.double()
        unit = shrink(sigmas[2]) / shrink(sigmas[1])
        begin, end = torch.cat([sigmas[:1], sigmas[2:-1]]), torch.cat([sigmas[1:2], sigmas[3:]])
        units = torch.cat([unit.new_ones(1), unit.expand(len(begin) - 1)])
        levels = _never(units * (end - begin))
        return cls(inner, sigmas[:-1], torch.cat([units[:1], units]), levels, sigmas[-1])

    def __call__(self, x: Latents, sigma: Sigma) -> Latents:
        """What makes the sampler move along the noise that the network predicts at the true latents."""
        call = next(self.calls)
        true, level = x / self.units[call], self.asked[call]
        return x - sigma * (true - self.inner(true, level)) / level

    def true(self, x: Latents) -> Latents:
        """The last latents with unit variance."""
        return x / self.units[-1] * shrink(self.last)


def _never(moves: Tensor) -> Tensor:
    """Levels that differ by `moves`, none of which goes up."""
    return AWAY - moves.sum() + torch.cat([moves.new_zeros(1), moves.cumsum(0)])
