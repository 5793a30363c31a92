import itertools

import torch
from torch import Tensor

from inkwash.reverse.dpmpp_2m import dpmpp_2m
from inkwash.reverse.euler import euler
from inkwash.reverse.flow import in_flow
from inkwash.reverse.step import Sampler
from inkwash.rng import NoiseSource

LEVELS = torch.tensor([999.0, 9.0, 2.0, 0.8, 0.3, 0.0], dtype=torch.float64)


def denoise(x: Tensor, sigma: Tensor) -> Tensor:
    return torch.tanh(x / (1 + sigma**2))


def last(sampler: Sampler) -> Tensor:
    x = LEVELS[0] * torch.linspace(-1, 1, 16, dtype=torch.float64).reshape(1, 1, 4, 4)
    *_, step = sampler(denoise, x, LEVELS, NoiseSource.seeded([0]))
    return step.x


def test_first_order_does_not_notice() -> None:
    torch.testing.assert_close(last(in_flow(euler)), last(euler))


def test_two_clocks_of_dpmpp_2m() -> None:
    """SD3's counts -ln s, here written out in its own coordinates; the exact one counts -ln σ."""
    s = LEVELS / (1 + LEVELS)
    x = s[0] * torch.linspace(-1, 1, 16, dtype=torch.float64).reshape(1, 1, 4, 4)
    before: tuple[Tensor, Tensor] | None = None
    for now, lower in itertools.pairwise(s):
        guess = denoise(x / (1 - now), now / (1 - now))
        h = now.log() - lower.log()
        middle = guess if before is None or lower == 0 else guess + h / before[1] / 2 * (guess - before[0])
        x, before = lower / now * x + (1 - lower / now) * middle, (guess, h)
    torch.testing.assert_close(last(in_flow(dpmpp_2m)), x)
    assert not torch.allclose(last(dpmpp_2m), x, rtol=1e-4)
