"""Stochastic samplers end with the mean and the variance of the data."""

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType

import pytest
import torch
from torch import Tensor

from inkwash.reverse.churn import Churn
from inkwash.reverse.ddim import ddim
from inkwash.reverse.ddpm import ddpm
from inkwash.reverse.dpmpp_2m_sde import dpmpp_2m_sde
from inkwash.reverse.er_sde import er_sde
from inkwash.reverse.euler import euler
from inkwash.reverse.heun import heun
from inkwash.reverse.registry import SAMPLERS
from inkwash.reverse.sa_solver import Adams, sa_solver
from inkwash.reverse.step import Sampler
from inkwash.rng import NoiseSource

MEAN, SPREAD = 0.7, 0.5
LEVELS = torch.cat([torch.logspace(1.3, -2, 150), torch.zeros(1)])
STOCHASTIC: Mapping[str, Sampler] = MappingProxyType(
    {
        "euler_ancestral": SAMPLERS["euler_ancestral"],
        "ddpm": SAMPLERS["ddpm"],
        "ddpm, wide": partial(ddpm, wide=True),
        "ddim, eta 0.5": partial(ddim, eta=0.5),
        "dpmpp_2m_sde": SAMPLERS["dpmpp_2m_sde"],
        "dpmpp_2m_sde, heun": partial(dpmpp_2m_sde, solver="heun"),
        "dpmpp_2m_sde, eta 0.5": partial(dpmpp_2m_sde, eta=0.5),
        "dpmpp_sde": SAMPLERS["dpmpp_sde"],
        **{name: SAMPLERS[name] for name in ("dpm2_ancestral", "dpmpp_2s_ancestral", "dpmpp_3m_sde", "er_sde")},
        **{name: SAMPLERS[name] for name in ("seeds_2", "seeds_3", "sa_solver", "res_multistep_ancestral", "restart")},
        "sa_solver, chance everywhere": partial(sa_solver, method=Adams(tau=lambda _: 1.0)),
        "er_sde, reverse SDE": partial(er_sde, scale=lambda sigma: sigma**2),
        "euler, churn": partial(euler, churn=Churn(10.0)),
        "heun, churn": partial(heun, churn=Churn(10.0, low=0.05, high=15.0)),
    }
)


def ideal(x: Tensor, sigma: Tensor) -> Tensor:
    """The ideal denoiser of N(MEAN, SPREAD²)."""
    return (SPREAD**2 * x + sigma**2 * MEAN) / (SPREAD**2 + sigma**2)


@pytest.mark.parametrize("sampler", STOCHASTIC.values(), ids=STOCHASTIC.keys())
def test_gaussian_data_is_met(sampler: Sampler) -> None:
    noise = NoiseSource.seeded([11])
    x = MEAN + (SPREAD**2 + LEVELS[0] ** 2).sqrt() * noise.draw((1, 120, 120))
    *_, step = sampler(ideal, x, LEVELS, noise)
    assert step.x.mean().item() == pytest.approx(MEAN, abs=0.02)
    assert step.x.std().item() == pytest.approx(SPREAD, rel=0.06)
