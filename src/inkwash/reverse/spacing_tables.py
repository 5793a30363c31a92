"""Spacings that were found by search, and those of models trained to take few steps."""

from collections.abc import Callable
from math import log

import torch

from inkwash.errors import InvalidRequest
from inkwash.forward.schedule import STEPS, Schedule
from inkwash.types import Sigmas

Spacing = Callable[[Schedule, int], Sigmas]
"""(schedule, steps) -> steps + 1 levels on the CPU, float32, falling from sigma_max to exactly 0."""
FAR = 80.0
"""Above this level unit-variance latents are noise only: schedules that reach further cross the rest in one step."""

Table = tuple[float, ...]
AYS: Table = (14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.029)
AYS_XL: Table = (14.615, 6.315, 3.771, 2.181, 1.342, 0.862, 0.555, 0.380, 0.234, 0.113, 0.029)
AYS_SVD: Table = (700.0, 54.5, 15.886, 7.977, 4.248, 1.789, 0.981, 0.403, 0.173, 0.034, 0.002)
"""Align Your Steps for Stable Diffusion 1, XL and Video.  (Sabour et al. 2024, table 4)"""
GITS: Table = (14.615, 4.617, 2.507, 1.236, 0.702, 0.402, 0.240, 0.156, 0.104, 0.094, 0.029)
GITS_XL: Table = (14.615, 4.734, 2.567, 1.529, 0.987, 0.652, 0.418, 0.268, 0.179, 0.127, 0.029)
"""Geometry-inspired time steps, coefficient 1.2.  (Chen et al. 2024)"""
ROUNDED = 0.01
"""Ends that differ by less are the same end: tables are printed with three digits."""


def from_table(table: Table) -> Spacing:
    """The levels of a table of ten steps; other numbers are interpolated in log σ, the last level becomes 0.

    For a schedule with other ends than the table's, log σ is stretched from end to end.
    """

    def spaced(schedule: Schedule, steps: int) -> Sigmas:
        if steps < 1:
            raise InvalidRequest("steps", steps, "at least 1")
        known = torch.tensor(table, dtype=torch.float64).log()
        place = torch.linspace(0, len(table) - 1, steps + 1, dtype=torch.float64)
        low = place.long().clamp(max=len(table) - 2)
        levels = torch.lerp(known[low], known[low + 1], place - low)
        top, bottom = log(min(schedule.sigma_max, FAR)), log(schedule.sigma_min)
        if max(abs(top - known[0].item()), abs(bottom - known[-1].item())) > ROUNDED:
            levels = bottom + (levels - known[-1]) / (known[0] - known[-1]) * (top - bottom)
        start = torch.tensor([schedule.sigma_max])
        return torch.cat([start, levels[1:-1].exp().float(), torch.zeros(1)])

    return spaced


def lcm(schedule: Schedule, steps: int, *, taught: int = 50) -> Sigmas:
    """Some of the `taught` whole steps t that latent consistency models know.  (Luo et al. 2023, 5.1)"""
    if steps < 1:
        raise InvalidRequest("steps", steps, "at least 1")
    taught = max(taught, steps)
    which = torch.linspace(0, taught, steps + 1, dtype=torch.float64)[:-1].floor()
    t = (taught - which) * (STEPS // taught) - 1
    return _falling(schedule, t)


def sd_turbo(schedule: Schedule, steps: int) -> Sigmas:
    """The first of ten even steps t, 999, 899, …: SD-Turbo was taught at these.  (Sauer et al. 2023, 3.2)"""
    if steps < 1:
        raise InvalidRequest("steps", steps, "at least 1")
    return _falling(schedule, STEPS - 1 - torch.arange(steps, dtype=torch.float64) * (STEPS // max(steps, 10)))


def _falling(schedule: Schedule, t: torch.Tensor) -> Sigmas:
    levels = schedule.sigma(t).float()
    levels[0] = schedule.sigma_max
    return torch.cat([levels, torch.zeros(1)])
