import torch

from inkwash.reverse.lcm import lcm
from inkwash.rng import NoiseSource


def test_every_level_is_the_guess_and_fresh_noise() -> None:
    noise = NoiseSource.seeded([1])
    steps = list(lcm(lambda x, _: x.tanh(), torch.ones(1, 1, 2, 2), torch.tensor([9.0, 2.0, 0.0]), noise))
    fresh = NoiseSource.seeded([1]).draw((1, 2, 2))
    torch.testing.assert_close(steps[0].x, torch.ones(1, 1, 2, 2).tanh() + 2 * fresh)
    assert torch.equal(steps[1].x, steps[0].x.tanh())
