from functools import partial

import torch
from torch import Tensor

from inkwash.reverse.dpmpp_2m import dpmpp_2m
from inkwash.reverse.euler import euler
from inkwash.reverse.step import Sampler
from inkwash.reverse.unipc import UniPC, unipc
from inkwash.rng import NoiseSource

LEVELS = torch.tensor([14.6, 7.0, 3.0, 1.2, 0.5, 0.2, 0.05, 0.0], dtype=torch.float64)


def last(sampler: Sampler) -> Tensor:
    x = LEVELS[0] * torch.linspace(-1, 1, 16, dtype=torch.float64).reshape(1, 1, 4, 4)
    *_, step = sampler(lambda x, sigma: torch.tanh(x / (1 + sigma**2)), x, LEVELS, NoiseSource.seeded([0]))
    return step.x


def uncorrected(order: int) -> Sampler:
    return partial(unipc, method=UniPC(order, uncorrected=range(99)))


def test_its_predictors_of_low_order_are_known() -> None:
    torch.testing.assert_close(last(uncorrected(1)), last(euler))
    torch.testing.assert_close(last(uncorrected(2)), last(dpmpp_2m))


def test_the_last_step_to_zero_is_finite_in_both_families() -> None:
    """diffusers' bh1 has no number there, nor has its prediction of noise."""
    for method in (UniPC(2, "bh1"), UniPC(2, noise=True), UniPC(3, "bh1", noise=True)):
        assert last(partial(unipc, method=method)).isfinite().all()


def test_the_family_matters_only_where_two_guesses_are_weighed() -> None:
    torch.testing.assert_close(
        last(uncorrected(1)), last(partial(unipc, method=UniPC(1, "bh1", uncorrected=range(99))))
    )
    assert not torch.allclose(last(uncorrected(2)), last(partial(unipc, method=UniPC(2, "bh1", uncorrected=range(99)))))
