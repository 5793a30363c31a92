import itertools
from functools import partial

import torch
from torch import Tensor

from inkwash.reverse.dpmpp_2m_sde import dpmpp_2m_sde
from inkwash.reverse.sa_solver import Adams, between_levels, sa_solver
from inkwash.reverse.step import Sampler
from inkwash.rng import NoiseSource

LEVELS = torch.tensor([14.6, 7.0, 3.0, 1.2, 0.5, 0.2, 0.05, 0.0], dtype=torch.float64)


def last(sampler: Sampler, calls: list[float] | None = None) -> Tensor:
    def denoise(x: Tensor, sigma: Tensor) -> Tensor:
        (calls if calls is not None else []).append(sigma.item())
        return torch.tanh(x / (1 + sigma**2))

    noise = NoiseSource.seeded([3])
    x = LEVELS[0] * noise.draw((1, 4, 4)).double()
    *_, step = sampler(denoise, x, LEVELS, noise)
    return step.x


def test_with_chance_everywhere_first_order_is_the_sde_solvers() -> None:
    ours = last(partial(sa_solver, method=Adams(1, 0, lambda _: 1.0)))
    noise = NoiseSource.seeded([3])
    x = LEVELS[0] * noise.draw((1, 4, 4)).double()
    for sigma, lower in itertools.pairwise(LEVELS):
        (step,) = dpmpp_2m_sde(lambda x, sigma: torch.tanh(x / (1 + sigma**2)), x, torch.stack([sigma, lower]), noise)
        x = step.x
    torch.testing.assert_close(ours, x)


def test_draws_go_on_whether_they_are_used_or_not() -> None:
    after = []
    for tau in (lambda _: 0.0, between_levels):
        noise = NoiseSource.seeded([5])
        list(sa_solver(lambda x, _: x * 0, torch.ones(1, 1, 2, 2), LEVELS.float(), noise, method=Adams(tau=tau)))
        after.append(noise.draw((1, 2, 2)))
    assert torch.equal(*after)


def test_pece_asks_twice() -> None:
    once: list[float] = []
    twice: list[float] = []
    last(partial(sa_solver, method=Adams()), once)
    last(partial(sa_solver, method=Adams(again=True)), twice)
    assert (len(once), len(twice)) == (7, 13)
