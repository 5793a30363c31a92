"""The lesson of a noise predictor against the mathematics of the seam."""

import math
from statistics import NormalDist

import pytest
import torch
from torch import Tensor, nn

from inkwash.denoiser import Target, scalings
from inkwash.forward.noising import add_noise, per_image
from inkwash.forward.schedule import DiscreteSchedule, FlowSchedule
from inkwash.training.config import Times
from inkwash.training.dice import dice, even
from inkwash.training.objective import Batch, TellTheNoise, answer, steps, weight
from inkwash.types import TextStates

TARGETS: tuple[Target, ...] = ("epsilon", "v", "x0", "flow")


class Constant(nn.Module):
    """A network that always says the same."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.tensor(value))

    def forward(self, x: Tensor, t: Tensor, text: TextStates) -> Tensor:
        return self.value.expand_as(x)


def batch(count: int, clean: float = 0.0) -> Batch:
    level = torch.tensor([even(0, place) for place in range(count)])
    words = TextStates(torch.zeros(count, 1, 4))
    return Batch(torch.full((count, 2, 4, 4), clean), words, [dice(0, place) for place in range(count)], level)


@pytest.mark.parametrize("target", TARGETS)
def test_a_network_that_answers_rightly_denoises_perfectly(target: Target) -> None:
    clean, eps = torch.randn(2, 5, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    sigma = torch.tensor([0.01, 0.3, 1.0, 8.0, 200.0])
    x = add_noise(clean, sigma, eps)
    c = scalings(target, sigma)
    denoised = c.skip * x + c.out * answer(target, clean, eps, sigma)
    torch.testing.assert_close(denoised, clean, atol=2e-5 * 200, rtol=0)
    torch.testing.assert_close(denoised[:4], clean[:4], atol=1e-5, rtol=1e-5)


def test_the_answers_have_their_well_known_forms() -> None:
    clean, eps = torch.randn(2, 4, 3, 4, 4, generator=torch.Generator().manual_seed(1))
    sigma = torch.tensor([0.05, 0.5, 2.0, 30.0])
    root = (1 + per_image(sigma) ** 2).rsqrt()
    torch.testing.assert_close(answer("epsilon", clean, eps, sigma), eps)
    torch.testing.assert_close(answer("x0", clean, eps, sigma), clean)
    torch.testing.assert_close(answer("flow", clean, eps, sigma), eps - clean)
    torch.testing.assert_close(answer("v", clean, eps, sigma), root * eps - root * per_image(sigma) * clean)


def test_saying_zero_costs_exactly_the_power_of_the_answer() -> None:
    lesson = TellTheNoise(FlowSchedule(), "flow", Times())(Constant(0.0), batch(512))
    assert lesson.loss.mean().item() == pytest.approx(1, abs=0.02)  # E (eps - 0)²
    shifted = TellTheNoise(FlowSchedule(), "flow", Times())(Constant(0.0), batch(512, clean=2.0))
    assert shifted.loss.mean().item() == pytest.approx(5, abs=0.1)  # E (eps - 2)²


def test_a_constant_learns_the_mean_of_its_answers() -> None:
    network, objective = Constant(0.0), TellTheNoise(FlowSchedule(), "flow", Times())
    objective(network, batch(512, clean=1.0)).loss.mean().backward()
    assert network.value.grad is not None
    assert network.value.grad.item() == pytest.approx(2, abs=0.05)  # d/dc E (c - (eps - 1))² at c = 0


def test_steps_follow_the_logit_normal_and_its_even_share() -> None:
    level = (torch.arange(100_000) + 0.5) / 100_000
    told = steps(level, Times(mean=-0.3, std=0.8, uniform_share=0.0)) / 1000
    logits = torch.logit(told.double())
    assert logits.mean().item() == pytest.approx(-0.3, abs=1e-3)
    assert logits.std().item() == pytest.approx(0.8, abs=2e-3)
    flat = steps(level, Times(uniform_share=1.0)) / 1000
    assert flat.mean().item() == pytest.approx(0.5, abs=1e-3)
    mixed = steps(level, Times(uniform_share=0.1)) / 1000
    edge = 1 / (1 + math.exp(3.5))
    share = 0.1 * edge + 0.9 * NormalDist().cdf(-3.5)
    assert (mixed < edge).double().mean().item() == pytest.approx(share, rel=0.01)


def test_min_snr_caps_the_easy_levels() -> None:
    sigma = torch.tensor([0.01, 1.0, 10.0])
    assert weight("epsilon", "min-snr", sigma).tolist() == pytest.approx([5e-4, 1.0, 1.0])
    assert weight("v", "min-snr", sigma).tolist() == pytest.approx([5 / 10_001, 0.5, 1 / 101], rel=1e-4)
    assert weight("x0", "min-snr", sigma).tolist() == pytest.approx([5.0, 1.0, 0.01])
    assert weight("flow", "even", sigma).tolist() == [1, 1, 1]


def test_the_levels_are_those_of_the_schedule() -> None:
    schedule = DiscreteSchedule.scaled_linear()
    lesson = TellTheNoise(schedule, "epsilon", Times(uniform_share=1.0))(Constant(0.0), batch(64))
    assert lesson.sigma.min() >= schedule.sigma_min
    assert lesson.sigma.max() <= schedule.sigma_max
