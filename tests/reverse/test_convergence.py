"""Halving the step cuts the error by two to the order, against exact solutions."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType

import pytest
import torch
from torch import Tensor

from inkwash.reverse.ancestral import euler_ancestral
from inkwash.reverse.deis import deis
from inkwash.reverse.dpm2 import dpm2_ancestral
from inkwash.reverse.dpm_solver import Care, dpm_adaptive, dpm_fast
from inkwash.reverse.dpmpp_2m_sde import dpmpp_2m_sde
from inkwash.reverse.dpmpp_2s_ancestral import dpmpp_2s_ancestral
from inkwash.reverse.dpmpp_3m_sde import Habits, dpmpp_3m_sde
from inkwash.reverse.dpmpp_sde import dpmpp_sde
from inkwash.reverse.er_sde import er_sde
from inkwash.reverse.registry import SAMPLERS
from inkwash.reverse.sa_solver import Adams, sa_solver
from inkwash.reverse.seeds import THREE, TWO, seeds
from inkwash.reverse.singlestep import dpmpp_singlestep
from inkwash.reverse.step import Sampler
from inkwash.reverse.unipc import UniPC, unipc
from inkwash.rng import NoiseSource

FIRST, LAST = 10.0, 0.2
PLACES, SPREAD = torch.tensor([-1.0, 1.0], dtype=torch.float64), 0.5
STILL = lambda sigma: 0.0
DETERMINISTIC: Mapping[str, tuple[Sampler, int]] = MappingProxyType(
    {
        **{name: (SAMPLERS[name], 1) for name in ("euler", "ddim", "heunpp2", "gradient_estimation", "euler_cfg_pp")},
        **{name: (SAMPLERS[name], 2) for name in ("heun", "dpm2", "dpmpp_2m", "dpmpp_2s", "dpm2_flow")},
        **{name: (SAMPLERS[name], 2) for name in ("res_multistep", "pndm", "ipndm", "exp_heun_2_x0", "dpmpp_2m_flow")},
        "euler_ancestral, eta 0": (partial(euler_ancestral, eta=0.0), 1),
        "dpm2_ancestral, eta 0": (partial(dpm2_ancestral, eta=0.0), 2),
        "dpmpp_2s_ancestral, eta 0": (partial(dpmpp_2s_ancestral, eta=0.0), 2),
        "dpmpp_2m_sde, eta 0": (partial(dpmpp_2m_sde, eta=0.0), 2),
        "dpmpp_2m_sde, eta 0, heun": (partial(dpmpp_2m_sde, eta=0.0, solver="heun"), 2),
        "dpmpp_3m": (SAMPLERS["dpmpp_3m"], 2),
        "dpmpp_3m_sde, eta 0": (partial(dpmpp_3m_sde, eta=0.0), 2),
        "dpmpp_sde, eta 0": (partial(dpmpp_sde, eta=0.0), 2),
        "lms, order 2": (partial(SAMPLERS["lms"], order=2), 2),
        "unipc, order 1": (partial(unipc, method=UniPC(1)), 2),
        "unipc, bh1, order 1": (partial(unipc, method=UniPC(1, "bh1")), 2),
        "unipc, order 1, uncorrected": (partial(unipc, method=UniPC(1, uncorrected=range(999))), 1),
        "deis, order 1": (partial(deis, order=1), 1),
        "deis, order 2": (partial(deis, order=2), 2),
        "sa_solver, 1": (partial(sa_solver, method=Adams(1, 0, STILL)), 1),
        "sa_solver, 2": (partial(sa_solver, method=Adams(2, 0, STILL)), 2),
        "sa_solver, 2 and 2": (partial(sa_solver, method=Adams(2, 2, STILL)), 2),
        "er_sde, order 1": (partial(er_sde, order=1, scale=lambda sigma: sigma), 1),
        "er_sde, order 2": (partial(er_sde, order=2, scale=lambda sigma: sigma), 2),
        "seeds, two stages": (partial(seeds, stages=replace(TWO, eta=0.0)), 2),
    }
)
"""Multistep samplers of higher order begin with a step of first order, whose error is of second: see `HIGHER`."""
BENT = ("euler", "heun", "dpm2", "dpmpp_2m", "dpmpp_2m_flow", "dpmpp_sde, eta 0", "unipc, order 1", "er_sde, order 2")
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
    coarse, fine = (error(sampler, gaussian, gaussian_end(x), x, steps) for steps in (48, 96))
    assert coarse / fine == pytest.approx(2**order, rel=0.2)


@pytest.mark.parametrize(
    ("sampler", "order"),
    [DETERMINISTIC[name] for name in BENT],
    ids=BENT,
)
def test_order_on_two_peaks(sampler: Sampler, order: int) -> None:
    x = start()
    coarse, fine = (error(sampler, two_peaks, two_peaks_end(x), x, steps) for steps in (90, 180))
    assert coarse / fine == pytest.approx(2**order, rel=0.2)


SINGLE: Mapping[str, Sampler] = MappingProxyType(
    {
        "seeds, three stages": partial(seeds, stages=replace(THREE, eta=0.0)),
        "dpmpp_singlestep, order 3": partial(dpmpp_singlestep, order=3),
        "dpmpp_singlestep, order 3, heun": partial(dpmpp_singlestep, order=3, solver="heun"),
        "dpm_fast": dpm_fast,
    }
)


@pytest.mark.parametrize("sampler", SINGLE.values(), ids=SINGLE.keys())
def test_singlestep_samplers_reach_third_order(sampler: Sampler) -> None:
    """With a number of steps whose last group is of second order, which costs nothing."""
    x = start()
    coarse, fine = (error(sampler, two_peaks, two_peaks_end(x), x, steps) for steps in (29, 59))
    assert coarse / fine > 6.5


def lines(degree: int, x: Tensor, sigma: Tensor) -> Tensor:
    """A prediction that does not listen: λ^degree, with λ = -ln σ."""
    return (-sigma.log()) ** degree + 0 * x


def noises(degree: int, x: Tensor, sigma: Tensor) -> Tensor:
    """A prediction whose noise is (ln σ)^degree."""
    return x - sigma * sigma.log() ** degree


HIGHER: Mapping[str, tuple[Sampler, int, Callable[[int, Tensor, Tensor], Tensor]]] = MappingProxyType(
    {
        "dpmpp_3m_sde": (partial(dpmpp_3m_sde, eta=0.0, habits=Habits(curvature=1.0)), 3, lines),
        "unipc, predicted": (partial(unipc, method=UniPC(3, uncorrected=range(99))), 3, lines),
        "unipc of noise": (partial(unipc, method=UniPC(3, noise=True, uncorrected=range(99))), 3, noises),
        "deis": (partial(deis, order=3, settle=False), 3, noises),
        "deis, order 4": (partial(deis, order=4, settle=False), 4, noises),
        "sa_solver": (partial(sa_solver, method=Adams(3, 0, STILL)), 3, lines),
    }
)


@pytest.mark.parametrize(("sampler", "order", "told"), HIGHER.values(), ids=HIGHER.keys())
def test_multistep_samplers_are_exact_for_polynomials(
    sampler: Sampler, order: int, told: Callable[[int, Tensor, Tensor], Tensor]
) -> None:
    """A middle step of order p has no error where the prediction is a polynomial of degree p - 1 in ln σ."""
    sigmas = torch.tensor([9.0, 7.0, 4.5, 3.5, 2.0, 1.1, 0.8, 0.5, 0.3], dtype=torch.float64)
    part = torch.linspace(0, 1, 20001, dtype=torch.float64)
    for degree in range(order):
        ask = partial(told, degree)
        steps = list(sampler(ask, torch.ones(1, 1, 1, 1, dtype=torch.float64), sigmas, NoiseSource.seeded([0])))
        step, before = steps[5], steps[4]
        levels = step.sigma * (step.sigma_next / step.sigma) ** part
        slope = (before.x.item() - told(degree, before.x, levels)).flatten() / levels
        if told is lines:  # x = σ y with dy/dσ = -D / σ²
            y = before.x.item() / step.sigma + torch.trapezoid((slope - before.x.item() / levels) / levels, levels)
            exact = y * step.sigma_next - before.x.item()
        else:
            exact = torch.trapezoid(slope, levels)
        assert step.drift.item() == pytest.approx(exact.item(), rel=1e-7, abs=1e-9)


def test_half_of_the_curvature_is_not_third_order() -> None:
    """All programs take half of it, and so does inkwash: their pictures are what people know."""
    x = start()
    half, whole = (
        error(partial(dpmpp_3m_sde, eta=0.0, habits=Habits(curvature=part)), two_peaks, two_peaks_end(x), x, 160)
        for part in (0.5, 1.0)
    )
    assert whole < half / 1.5


def test_the_adaptive_solver_keeps_to_its_care() -> None:
    x = start()
    loose, strict = (
        error(partial(dpm_adaptive, care=Care(relative, relative)), two_peaks, two_peaks_end(x), x, 2)
        for relative in (1e-2, 1e-4)
    )
    assert strict < loose / 10 < 1e-2


def test_lms_of_order_four_beats_order_two() -> None:
    x = start()
    second, fourth = (
        error(partial(SAMPLERS["lms"], order=order), two_peaks, two_peaks_end(x), x, 200) for order in (2, 4)
    )
    assert fourth < second / 2


def test_reference_is_the_limit_of_heun() -> None:
    x = start()
    assert error(SAMPLERS["heun"], two_peaks, two_peaks_end(x), x, 1000) < 4e-5
