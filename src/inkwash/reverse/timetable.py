"""Whole steps t and what a network is told of them, as diffusers' schedulers count."""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from inkwash.errors import InvalidRequest
from inkwash.forward.schedule import STEPS, DiscreteSchedule, Schedule
from inkwash.types import Sigma, Sigmas

Grid = Literal["linspace", "leading", "trailing"]
GRIDS: tuple[Grid, ...] = ("linspace", "leading", "trailing")
NEAR = 1e-5
"""Relative distance within which a level is one of the listed ones."""


def timesteps(grid: Grid, steps: int, *, offset: int = 0, one_more: bool = False) -> Float[Tensor, " {steps}"]:
    """`steps` falling t in float64; with `one_more` the grid is that of another step, which is then left out.

    "linspace" alone may be fractional.
    """
    if not 1 <= steps <= STEPS - one_more:
        raise InvalidRequest("steps", steps, f"from 1 to {STEPS - one_more}")
    count = steps + one_more
    match grid:
        case "linspace":
            rising = torch.arange(count, dtype=torch.float64) * ((STEPS - 1) / max(count - 1, 1))
        case "leading":
            rising = torch.arange(count, dtype=torch.float64) * (STEPS // count) + offset
        case "trailing":
            return (STEPS - torch.arange(steps, dtype=torch.float64) * (STEPS / steps)).round() - 1
    return rising.flip(0)[:steps]


def interpolated(schedule: DiscreteSchedule, t: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
    """Levels in float64 that are linear between whole t, where `DiscreteSchedule.sigma` has log σ linear."""
    table = schedule.sigmas.double()
    low = t.long().clamp(0, len(table) - 2)
    return torch.lerp(table[low], table[low + 1], t - low)


def fractional(schedule: DiscreteSchedule, levels: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
    """`DiscreteSchedule.t` in float64 over a table of logs in float32: cut to whole t, the last digit decides."""
    table, level = schedule.sigmas.log().double(), levels.double().log()
    low = (torch.searchsorted(table, level, right=True) - 1).clamp(0, len(table) - 2)
    return low + ((table[low] - level) / (table[low] - table[low + 1])).clamp(0, 1)


@dataclass(frozen=True)
class Timetable:
    """A schedule whose listed levels are told as listed: rounded, cut, or counted by other rules."""

    inner: Schedule
    levels: Sigmas
    told: Float[Tensor, " listed"]

    @property
    def sigma_min(self) -> float:
        """That of the schedule inside."""
        return self.inner.sigma_min

    @property
    def sigma_max(self) -> float:
        """That of the schedule inside."""
        return self.inner.sigma_max

    def sigma(self, t: Sigma) -> Sigma:
        """Level of step t."""
        return self.inner.sigma(t)

    def t(self, sigma: Sigma) -> Sigma:
        """What the network is told at a level."""
        apart = (self.levels.to(sigma).unsqueeze(-1) / sigma.reshape(1, -1) - 1).abs()
        near, which = apart.min(0)
        listed = self.told.to(sigma.device)[which].float()
        return torch.where(near <= NEAR, listed, self.inner.t(sigma).reshape(-1)).reshape(sigma.shape)
