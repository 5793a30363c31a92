import torch

from inkwash.forward.schedule import DiscreteSchedule
from inkwash.reverse.heun import heun
from inkwash.reverse.restart import Again, legs, restart
from inkwash.reverse.spacing import karras
from inkwash.rng import NoiseSource

PLAIN = DiscreteSchedule.scaled_linear()


def denoise(x: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
    return torch.tanh(x / (1 + sigma**2))


def test_the_number_of_steps_stays() -> None:
    for steps in (19, 20, 25, 35, 36, 50):
        assert len(legs(karras(PLAIN, steps), Again())) == steps


def test_it_jumps_once_from_20_steps_and_twice_from_36() -> None:
    for steps, jumps in ((19, 0), (20, 1), (36, 2)):
        found = list(restart(denoise, torch.ones(1, 1, 4, 4), karras(PLAIN, steps), NoiseSource.seeded([0])))
        assert sum(bool(step.random.any()) for step in found) == jumps


def test_a_jump_starts_where_the_step_before_ended_and_lands_low() -> None:
    found = list(restart(denoise, torch.ones(1, 1, 4, 4), karras(PLAIN, 25), NoiseSource.seeded([0])))
    (jump,) = (step for step in found if step.random.any())
    assert jump.sigma == found[jump.index - 1].sigma_next
    assert abs(jump.sigma - 0.1) < 0.1
    assert jump.sigma < jump.sigma_next < 2.5


def test_few_steps_are_heuns() -> None:
    x, sigmas = torch.ones(1, 1, 4, 4), karras(PLAIN, 10)
    for one, two in zip(
        restart(denoise, x, sigmas, NoiseSource.seeded([0])),
        heun(denoise, x, sigmas, NoiseSource.seeded([0])),
        strict=True,
    ):
        assert torch.equal(one.x, two.x)
