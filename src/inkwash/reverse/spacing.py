"""Spacings: at which noise levels a sampler stops on its way down."""

from collections.abc import Callable, Mapping
from math import log
from types import MappingProxyType

import torch
from jaxtyping import Float
from torch import Tensor

from inkwash.errors import InvalidRequest
from inkwash.forward.schedule import STEPS, FlowSchedule, Schedule
from inkwash.reverse.beta import beta_quantile
from inkwash.reverse.spacing_tables import AYS, AYS_SVD, AYS_XL, FAR, GITS, GITS_XL, Spacing, from_table, lcm, sd_turbo
from inkwash.types import Sigmas


def karras(schedule: Schedule, steps: int, *, rho: float = 7.0) -> Sigmas:
    """Even in σ^(1/ρ): small steps where the picture settles.  (Karras et al. 2022, eq. 5)"""
    return _between(schedule, steps, lambda sigma: sigma ** (1 / rho), lambda root: root**rho)


def exponential(schedule: Schedule, steps: int) -> Sigmas:
    """Even in log σ: every step removes the same share of the noise.  (Lu et al. 2022a: uniform λ)"""
    return _between(schedule, steps, torch.log, torch.exp)


def polyexponential(schedule: Schedule, steps: int, *, rho: float = 1.0) -> Sigmas:
    """Steps in log σ that grow (`rho` above 1) or shrink (below) on the way down; 1 is `exponential`."""
    top, bottom = min(schedule.sigma_max, FAR), schedule.sigma_min
    return _between(
        schedule,
        steps,
        lambda sigma: ((sigma / bottom).log() / log(top / bottom)).clamp(min=0) ** (1 / rho),
        lambda part: bottom * (part**rho * log(top / bottom)).exp(),
    )


def kl_optimal(schedule: Schedule, steps: int) -> Sigmas:
    """Even in arctan σ: minimises a bound on the divergence of Gaussian data.  (Sabour et al. 2024, eq. 16)"""
    return _between(schedule, steps, torch.atan, torch.tan)


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


def trailing(schedule: Schedule, steps: int) -> Sigmas:
    """Whole steps t, even from the last, so that the first is missed: few-step models'.  (Lin et al. 2023, table 2)"""
    low, high = _ends(schedule)
    t = (_line(high + 1, low, steps, reach=False)).round() - 1
    return _closed(schedule.sigma(t))


def leading(schedule: Schedule, steps: int, *, offset: int = 1) -> Sigmas:
    """Whole steps t, `offset` and every (1000 // steps)-th after it: DDIM's own. Begins below sigma_max."""
    if steps > STEPS - offset:
        raise InvalidRequest("steps", steps, f"at most {STEPS - offset} with the spacing 'leading'")
    _, high = _ends(schedule)
    t = _line(steps - 1, 0, steps) * (STEPS // steps) + offset
    return _closed(schedule.sigma(t.clamp(max=high)))


def linear_quadratic(schedule: Schedule, steps: int, *, threshold: float = 0.025) -> Sigmas:
    """Half of the steps share the first `threshold` of the way, the others grow as a parabola.  (Genmo's Mochi)

    The way is that of s = σ / (1 + σ) for flow models, of σ for others.
    """
    half, k = steps // 2, _line(0, steps, steps, reach=False)
    rest, pace = steps - half, threshold / max(half, 1)
    curve = (1 - pace * steps) / rest**2
    gone = torch.where(k < half, k * pace, threshold * (half > 0) + (k - half) * pace + curve * (k - half) ** 2)
    if isinstance(schedule, FlowSchedule):
        s = (1 - gone) * schedule.sigma_max / (1 + schedule.sigma_max)
        return _closed(s / (1 - s))
    return _closed((1 - gone) * schedule.sigma_max)


def sd3(schedule: Schedule, steps: int) -> Sigmas:
    """Even in s = σ / (1 + σ) between the ends, which are shifted, and then shifted: Stable Diffusion 3's own."""
    shift = schedule.shift if isinstance(schedule, FlowSchedule) else 1.0
    top, bottom = schedule.sigma_max / shift, schedule.sigma_min
    s = _line(top / (1 + top), bottom / (1 + bottom), steps)
    return _closed(shift * s / (1 - s))


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
        "polyexponential": polyexponential,
        "kl_optimal": kl_optimal,
        "uniform": uniform,
        "normal": uniform,
        "simple": simple,
        "sgm_uniform": sgm_uniform,
        "trailing": trailing,
        "leading": leading,
        "ddim_uniform": leading,
        "beta": beta,
        "linear_quadratic": linear_quadratic,
        "sd3": sd3,
        "align_your_steps": from_table(AYS),
        "align_your_steps_xl": from_table(AYS_XL),
        "align_your_steps_svd": from_table(AYS_SVD),
        "gits": from_table(GITS),
        "gits_xl": from_table(GITS_XL),
        "lcm": lcm,
        "sd_turbo": sd_turbo,
    }
)
"""Every spacing; `normal` is the field's other name for `uniform`, `ddim_uniform` for `leading`."""


def discarding(spacing: Spacing) -> Spacing:
    """One step more, and then without the last level but the 0: what web UIs do for DPM2, DPM2 a and DPM++ 3M SDE."""

    def spaced(schedule: Schedule, steps: int) -> Sigmas:
        sigmas = spacing(schedule, steps + 1)
        return torch.cat([sigmas[:-2], sigmas[-1:]])

    return spaced


def karras_between(top: float, bottom: float, steps: int, rho: float = 7.0) -> Sigmas:
    """`karras` between any two levels: `steps` of them, and 0."""
    return _closed(_line(top ** (1 / rho), bottom ** (1 / rho), steps) ** rho)


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
