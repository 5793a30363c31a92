from functools import partial

import pytest
import torch

from inkwash.forward.schedule import DiscreteSchedule
from inkwash.reverse.euler import euler
from inkwash.reverse.lcm import lcm
from inkwash.reverse.spacing_tables import lcm as four_of_fifty
from inkwash.reverse.step import Sampler
from inkwash.reverse.tcd import parts_of_t, tcd
from inkwash.rng import NoiseSource

PLAIN = DiscreteSchedule.scaled_linear()
LEVELS = four_of_fifty(PLAIN, 4)


def last(sampler: Sampler) -> torch.Tensor:
    noise = NoiseSource.seeded([1])
    *_, step = sampler(
        lambda x, sigma: torch.tanh(x / (1 + sigma**2)), LEVELS[0] * noise.draw((1, 4, 4)), LEVELS, noise
    )
    return step.x


def test_gamma_zero_adds_nothing() -> None:
    torch.testing.assert_close(last(partial(tcd, below=parts_of_t(PLAIN, 0.0))), last(euler), rtol=1e-4, atol=1e-5)


def test_gamma_one_is_lcm_but_for_the_first_level() -> None:
    torch.testing.assert_close(last(partial(tcd, below=parts_of_t(PLAIN, 1.0))), last(lcm), rtol=0, atol=0.05)


def test_it_jumps_to_a_part_of_the_next_step() -> None:
    assert parts_of_t(PLAIN)(PLAIN.sigma(torch.tensor(759.0))) == pytest.approx(PLAIN.sigma(torch.tensor(531.0)).item())
