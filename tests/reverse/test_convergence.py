"""Halving the step cuts the error by two to the order, against exact solutions."""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

import pytest
import torch
from torch import Tensor

from inkwash.reverse.ancestral import euler_ancestral
from inkwash.reverse.dpmpp_2m_sde import dpmpp_2m_sde
from inkwash.reverse.dpmpp_sde import dpmpp_sde
from inkwash.reverse.registry import SAMPLERS
from inkwash.reverse.step import Sampler
from inkwash.rng import NoiseSource

FIRST, LAST = 10.0, 0.2
PLACES, SPREAD = torch.tensor([-1.0, 1.0], dtype=torch.float64), 0.5
DETERMINISTIC: Mapping[str, tuple[Sampler, int]] = MappingProxyType(
    {
        "euler": (SAMPLERS["euler"], 1),
        "ddim": (SAMPLERS["ddim"], 1),
        "euler_ancestral, eta 0": (partial(euler_ancestral, eta=0.0), 1),
        "heun": (SAMPLERS["heun"], 2),
        "dpmpp_2m": (SAMPLERS["dpmpp_2m"], 2),
        "dpmpp_2m_sde, eta 0": (partial(dpmpp_2m_sde, eta=0.0), 2),
        "dpmpp_2m_sde, eta 0, heun": (partial(dpmpp_2m_sde, eta=0.0, solver="heun"), 2),
        "dpmpp_sde, eta 0": (partial(dpmpp_sde, eta=0.0), 2),
        "lms, order 2": (partial(SAMPLERS["lms"], order=2), 2),
    }
)
EVERY = pytest.mark.parametrize(("sampler", "order"), DETERMINISTIC.values(), ids=DETERMINISTIC.keys())


def gaussian(x: Tensor, sigma: Tensor) -> Tensor:
    """The ideal denoiser of unit Gaussian data."""
    return x / (1 + sigma**2)


def gaussian_end(x: Tensor) -> Tensor:
    """x(σ) keeps x / sqrt(1 + σ²)."""
    return x * ((1 + LAST**2) / (1 + FIRST**2)) ** 0.5


def two_peaks(x: Tensor, sigma: Tensor) -> Tensor:
    """The ideal denoiser of two Gaussian peaks."""
    total = SPREAD**2 + sigma**2
    owner = (-((x[..., None] - PLACES) ** 2) / (2 * total)).softmax(-1)
    return ((PLACES * sigma**2 + x[..., None] * SPREAD**2) / total * owner).sum(-1)


def two_peaks_end(x: Tensor) -> Tensor:
    """In one dimension the probability flow keeps quantiles: F_last(x_last) = F_first(x_first); found by bisection."""

    def below(x: Tensor, sigma: float) -> Tensor:
        return torch.special.ndtr((x[..., None] - PLACES) / (SPREAD**2 + sigma**2) ** 0.5).mean(-1)

    low, high = torch.full_like(x, -9), torch.full_like(x, 9)
    for _ in range(80):
        middle = (low + high) / 2
        short = below(middle, LAST) < below(x, FIRST)
        low, high = torch.where(short, middle, low), torch.where(short, high, middle)
    return low


def error(sampler: Sampler, denoise: Callable[[Tensor, Tensor], Tensor], exact: Tensor, x: Tensor, steps: int) -> float:
    sigmas = torch.logspace(torch.tensor(FIRST).log10(), torch.tensor(LAST).log10(), steps + 1, dtype=torch.float64)
    *_, step = sampler(denoise, x, sigmas, NoiseSource.seeded([0]))
    return (step.x - exact).abs().max().item()


def start() -> Tensor:
    return FIRST * torch.linspace(-1.8, 1.8, 16, dtype=torch.float64).reshape(1, 1, 4, 4)


@EVERY
def test_order_on_gaussian_data(sampler: Sampler, order: int) -> None:
    x = start()
    coarse, fine = (error(sampler, gaussian, gaussian_end(x), x, steps) for steps in (100, 200))
    assert coarse / fine == pytest.approx(2**order, rel=0.15)


@EVERY
def test_order_on_two_peaks(sampler: Sampler, order: int) -> None:
    x = start()
    coarse, fine = (error(sampler, two_peaks, two_peaks_end(x), x, steps) for steps in (160, 320))
    assert coarse / fine == pytest.approx(2**order, rel=0.2)


def test_lms_of_order_four_beats_order_two() -> None:
    x = start()
    second, fourth = (
        error(partial(SAMPLERS["lms"], order=order), two_peaks, two_peaks_end(x), x, 200) for order in (2, 4)
    )
    assert fourth < second / 2


def test_reference_is_the_limit_of_heun() -> None:
    x = start()
    assert error(SAMPLERS["heun"], two_peaks, two_peaks_end(x), x, 1000) < 4e-5
