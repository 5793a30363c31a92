"""Spacings: at which noise levels a sampler stops on its way down."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from jaxtyping import Float
from torch import Tensor

from inkwash.errors import InvalidRequest
from inkwash.forward.schedule import STEPS, Schedule
from inkwash.reverse.beta import beta_quantile
from inkwash.types import Sigmas

Spacing = Callable[[Schedule, int], Sigmas]
"""(schedule, steps) -> steps + 1 levels on the CPU, float32, falling from sigma_max to exactly 0."""

FAR = 80.0
"""Above this level unit-variance latents are noise only: schedules that reach further cross the rest in one step."""


def karras(schedule: Schedule, steps: int, *, rho: float = 7.0) -> Sigmas:
    """Even in σ^(1/ρ): small steps where the picture settles.  (Karras et al. 2022, eq. 5)"""
    return _between(schedule, steps, lambda sigma: sigma ** (1 / rho), lambda root: root**rho)


def exponential(schedule: Schedule, steps: int) -> Sigmas:
    """Even in log σ: every step removes the same share of the noise.  (Lu et al. 2022a: uniform λ)"""
    return _between(schedule, steps, torch.log, torch.exp)


def uniform(schedule: Schedule, steps: int) -> Sigmas:
    """Even in t from the last to the first: as the network was trained.  (Song, Meng & Ermon 2021, D.2)"""
    low, high = _ends(schedule)
    return _closed(schedule.sigma(_line(high, low, steps)))


def sgm_uniform(schedule: Schedule, steps: int) -> Sigmas:
    """Even in t, the first t itself left out: the last step is as long as the others.  (Lin et al. 2023, 3.3)"""
    low, high = _ends(schedule)
    return _closed(schedule.sigma(_line(high, low, steps, reach=False)))


def simple(schedule: Schedule, steps: int) -> Sigmas:
    """Every (count / steps)-th level of the table, from the noisiest; at most one step per level."""
    low, high = _ends(schedule)
    count = high - low + 1
    if steps > count:
        raise InvalidRequest("steps", steps, f"at most {count} with the spacing 'simple'")
    return _closed(schedule.sigma(high - (_line(0, count, steps, reach=False)).floor()))


def beta(schedule: Schedule, steps: int, *, a: float = 0.6, b: float = 0.6, over_sigma: bool = False) -> Sigmas:
    """Quantiles of a beta distribution over t: more steps at both ends.  (Lee et al. 2024)

    `over_sigma` spreads them over σ instead, both ends included, as A1111 and diffusers do.
    """
    if over_sigma:
        part = beta_quantile(_line(1, 0, steps), a, b)
        return _closed(schedule.sigma_min + part * (schedule.sigma_max - schedule.sigma_min))
    low, high = _ends(schedule)
    part = beta_quantile(_line(1, 0, steps, reach=False), a, b)
    return _closed(schedule.sigma(low + part * (high - low)))


SPACINGS: Mapping[str, Spacing] = MappingProxyType(
    {
        "karras": karras,
        "exponential": exponential,
        "uniform": uniform,
        "normal": uniform,
        "simple": simple,
        "sgm_uniform": sgm_uniform,
        "beta": beta,
    }
)
"""Every spacing; `normal` is the field's other name for `uniform`."""


def _between(
    schedule: Schedule, steps: int, warp: Callable[[Tensor], Tensor], unwarp: Callable[[Tensor], Tensor]
) -> Sigmas:
    """Even after `warp` between the ends of the schedule, with one step for all that lies above FAR."""
    top = torch.tensor([schedule.sigma_max], dtype=torch.float64)
    ends = torch.tensor([min(schedule.sigma_max, FAR), schedule.sigma_min], dtype=torch.float64)
    first, last = warp(ends).tolist()
    if schedule.sigma_max <= FAR or steps == 1:
        return _closed(torch.cat([top, unwarp(_line(first, last, steps))[1:]]))
    return _closed(torch.cat([top, unwarp(_line(first, last, steps - 1))]))


def _ends(schedule: Schedule) -> tuple[int, int]:
    """The first whole t with noise, and the first that reaches sigma_max."""
    table = schedule.sigma(torch.arange(STEPS + 1.0))
    return int((table > 0).int().argmax()), int((table >= schedule.sigma_max * (1 - 1e-6)).int().argmax())


def _line(start: float | int, end: float | int, steps: int, *, reach: bool = True) -> Float[Tensor, " {steps}"]:
    """`steps` even values from `start`; the last is `end`, or would be the next."""
    if steps < 1:
        raise InvalidRequest("steps", steps, "at least 1")
    return torch.linspace(start, end, steps if reach else steps + 1, dtype=torch.float64)[:steps]


def _closed(levels: Float[Tensor, " steps"]) -> Sigmas:
    return torch.cat([levels.float().cpu(), torch.zeros(1)])
