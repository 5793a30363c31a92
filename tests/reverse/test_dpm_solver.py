import pytest
import torch
from torch import Tensor

from inkwash.reverse.dpm_solver import Care, dpm_adaptive, dpm_fast
from inkwash.rng import NoiseSource

LEVELS = torch.logspace(1, -1, 9)
X = 10 * torch.linspace(-1, 1, 16).reshape(1, 1, 4, 4)


class Counting:
    def __init__(self) -> None:
        self.levels: list[float] = []

    def __call__(self, x: Tensor, sigma: Tensor) -> Tensor:
        self.levels.append(sigma.item())
        return torch.tanh(x / (1 + sigma**2))


@pytest.mark.parametrize("calls", [1, 2, 3, 4, 5, 6, 7, 12])
@pytest.mark.parametrize("to_zero", [False, True])
def test_fast_asks_as_often_as_there_are_steps(calls: int, to_zero: bool) -> None:
    sigmas = torch.cat([torch.logspace(1, -1, calls + 1)[: calls + (not to_zero)], torch.zeros(int(to_zero))])
    ask = Counting()
    *_, last = dpm_fast(ask, X, sigmas, NoiseSource.seeded([0]))
    assert len(ask.levels) == calls
    assert last.sigma_next == pytest.approx(sigmas[-1].item(), rel=1e-6)


def test_adaptive_spends_its_steps_where_they_are_needed() -> None:
    ask = Counting()
    steps = list(dpm_adaptive(ask, X, LEVELS, NoiseSource.seeded([0])))
    assert steps[0].sigma == 10
    assert steps[-1].sigma_next == pytest.approx(0.1)
    assert len(ask.levels) >= 3 * len(steps)
    careful = list(
        dpm_adaptive(Counting(), X, LEVELS, NoiseSource.seeded([0]), care=Care(relative=0.001, absolute=1e-4))
    )
    assert len(careful) > len(steps)


def test_adaptive_ends_at_zero_on_the_prediction() -> None:
    sigmas = torch.tensor([10.0, 1.0, 0.0])
    *_, step = dpm_adaptive(Counting(), X, sigmas, NoiseSource.seeded([0]))
    assert (step.sigma_next, torch.equal(step.x, step.denoised)) == (0, True)


def test_both_can_be_ancestral() -> None:
    for sampler in (dpm_fast, dpm_adaptive):
        steps = list(sampler(Counting(), X, LEVELS, NoiseSource.seeded([0]), eta=1.0))
        assert any(bool(step.random.any()) for step in steps)
