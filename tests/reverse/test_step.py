import math

import torch

from inkwash.reverse.step import fresh, gap, moved, toward
from inkwash.rng import NoiseSource

LEVELS = (torch.tensor(4096.0), torch.tensor(0.0))


def test_a_move_keeps_the_digits_of_its_target() -> None:
    target = torch.full((1, 1, 1, 1), 0.123456789)
    step = moved(0, LEVELS, torch.full((1, 1, 1, 1), 4096.7), target, target)
    assert torch.equal(step.x, target)
    assert not step.random.any()


def test_toward_keeps_a_part_of_the_noise_and_lands_exactly() -> None:
    x, clean = torch.full((1, 1, 1, 1), 5.0), torch.full((1, 1, 1, 1), 1.0)
    assert toward(x, clean, 0.25).item() == 2.0
    assert torch.equal(toward(x * 1e9, clean, 0.0), clean)


def test_no_noise_is_not_drawn() -> None:
    noise = NoiseSource.seeded([1])
    assert fresh(noise, torch.zeros(1, 1, 2, 2), 0.0) is None
    assert torch.equal(noise.draw((1, 1, 1)), NoiseSource.seeded([1]).draw((1, 1, 1)))


def test_gap_is_half_the_growth_of_log_snr() -> None:
    assert gap(2.0, 1.0) == math.log(2)
    assert gap(2.0, 0.0) == math.inf
