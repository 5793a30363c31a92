"""Three names of one algorithm, and both variances of DDPM in the cases where each is exact."""

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor

from inkwash.reverse.ancestral import euler_ancestral, split
from inkwash.reverse.ddim import ddim
from inkwash.reverse.ddpm import ddpm
from inkwash.reverse.step import Sampler, Step
from inkwash.rng import NoiseSource

LEVELS = torch.tensor([8.0, 2.0, 0.7, 0.1, 0.0])


def walk(sampler: Sampler, denoise: Callable[[Tensor, Tensor], Tensor], spread: float = 8.0) -> list[Step]:
    noise = NoiseSource.seeded([1])
    return list(sampler(denoise, spread * noise.draw((1, 120, 120)), LEVELS, noise))


@pytest.mark.parametrize("other", [euler_ancestral, partial(ddim, eta=1.0)], ids=["euler_ancestral", "ddim, eta 1"])
def test_ancestral_sampling_has_three_names(other: Sampler) -> None:
    for one, two in zip(walk(ddpm, lambda x, _: x.tanh()), walk(other, lambda x, _: x.tanh()), strict=True):
        torch.testing.assert_close(one.x, two.x, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(one.random, two.random, rtol=1e-5, atol=1e-6)


def test_the_posterior_variance_is_exact_for_a_known_picture() -> None:
    for step in walk(ddpm, lambda x, _: torch.zeros_like(x)):
        assert step.x.std().item() == pytest.approx(step.sigma_next, rel=0.02)


def test_the_wide_variance_is_exact_for_unit_gaussian_data() -> None:
    *steps, _ = walk(partial(ddpm, wide=True), lambda x, sigma: x / (1 + sigma**2), spread=65**0.5)
    for step in steps:
        assert step.x.std().item() == pytest.approx((1 + step.sigma_next**2) ** 0.5, rel=0.02)


@pytest.mark.parametrize("eta", [0.0, 0.4, 1.0])
def test_down_and_up_are_the_sides_of_the_level(eta: float) -> None:
    down, up = split(3.0, 2.0, eta)
    assert down**2 + up**2 == pytest.approx(4.0)
    assert up == pytest.approx(eta * split(3.0, 2.0, 1.0)[1])
    assert split(3.0, 0.0, eta) == (0.0, 0.0)
