"""What holds for every sampler: the parts of a move, images apart, any first level, the exact answer for a constant."""

from itertools import pairwise

import pytest
import torch
from torch import Tensor

from inkwash.reverse.registry import SAMPLERS
from inkwash.reverse.step import Sampler, Step
from inkwash.rng import NoiseSource

LEVELS = torch.tensor([14.6, 7.0, 3.0, 1.2, 0.5, 0.2, 0.05, 0.0])
DRAWN = ("ancestral", "sde", "ddpm", "sa_solver", "seeds", "lcm", "tcd")
RANDOM = [name for name in SAMPLERS if any(part in name for part in DRAWN)]
OWN_LEVELS = ("dpm_fast", "dpm_adaptive")
FIXED = [sampler for name, sampler in SAMPLERS.items() if name not in OWN_LEVELS]
EVERY = pytest.mark.parametrize("sampler", SAMPLERS.values(), ids=SAMPLERS.keys())
EVERY_ON_GIVEN_LEVELS = pytest.mark.parametrize(
    "sampler", FIXED, ids=[name for name in SAMPLERS if name not in OWN_LEVELS]
)


def denoise(x: Tensor, sigma: Tensor) -> Tensor:
    return torch.tanh(x / (1 + sigma**2))


def walk(sampler: Sampler, seeds: list[int], sigmas: Tensor = LEVELS) -> tuple[Tensor, list[Step]]:
    noise = NoiseSource.seeded(seeds)
    x = noise.draw((2, 4, 4)) * sigmas[0]
    return x, list(sampler(denoise, x, sigmas, noise))


def test_the_table_cannot_be_changed() -> None:
    assert len(SAMPLERS) == 49
    with pytest.raises(TypeError):
        SAMPLERS["euler"] = SAMPLERS["heun"]  # type: ignore[index]


@EVERY
def test_drift_and_random_sum_to_the_move(sampler: Sampler) -> None:
    x, steps = walk(sampler, [1, 2])
    for step in steps:
        torch.testing.assert_close(x + step.drift + step.random, step.x, rtol=0, atol=4e-7 * x.abs().max().item())
        x = step.x


@EVERY_ON_GIVEN_LEVELS
def test_steps_tell_where_they_are(sampler: Sampler) -> None:
    x, steps = walk(sampler, [1])
    assert [step.index for step in steps] == list(range(7))
    assert [(step.sigma, step.sigma_next) for step in steps] == list(pairwise(LEVELS.tolist()))
    torch.testing.assert_close(steps[0].denoised, denoise(x, LEVELS[0]))


@pytest.mark.parametrize("name", SAMPLERS)
def test_only_stochastic_samplers_draw(name: str) -> None:
    noise, untouched = NoiseSource.seeded([5]), NoiseSource.seeded([5])
    *inner, last = SAMPLERS[name](denoise, torch.ones(1, 2, 4, 4), LEVELS, noise)
    drew = not torch.equal(noise.draw((1, 1, 1)), untouched.draw((1, 1, 1)))
    assert drew == (name in RANDOM)
    always = all if not name.startswith("sa_solver") else any  # its chance acts in the middle
    assert always(bool(step.random.any()) == drew for step in inner)
    assert not last.random.any()


@EVERY
def test_the_last_step_lands_on_the_prediction(sampler: Sampler) -> None:
    _, steps = walk(sampler, [3])
    if sampler not in (SAMPLERS["lms"], SAMPLERS["pndm"]):
        torch.testing.assert_close(steps[-1].x, steps[-1].denoised)


@EVERY_ON_GIVEN_LEVELS
def test_a_picture_does_not_depend_on_its_batch(sampler: Sampler) -> None:
    _, together = walk(sampler, [7, 8, 9])
    _, alone = walk(sampler, [8])
    for many, one in zip(together, alone, strict=True):
        assert torch.equal(many.x[1:2], one.x)
        assert torch.equal(many.random[1:2], one.random)


@EVERY_ON_GIVEN_LEVELS
def test_starts_at_any_level(sampler: Sampler) -> None:
    _, steps = walk(sampler, [1], LEVELS[4:])
    assert len(steps) == 3
    assert steps[-1].x.isfinite().all()


@EVERY
def test_one_step_to_zero_is_the_prediction(sampler: Sampler) -> None:
    x, (step,) = walk(sampler, [1], torch.tensor([2.0, 0.0]))
    torch.testing.assert_close(step.x, denoise(x, torch.tensor(2.0)))


@EVERY
def test_a_denoiser_that_knows_the_picture_gives_it_back(sampler: Sampler) -> None:
    picture = torch.linspace(-1, 1, 32).reshape(1, 2, 4, 4)
    noise = NoiseSource.seeded([4])
    *_, step = sampler(lambda x, _: picture.expand_as(x), picture + 14.6 * noise.draw((2, 4, 4)), LEVELS, noise)
    torch.testing.assert_close(step.x, picture, rtol=0, atol=1e-5)


@EVERY
def test_every_level_is_reached_exactly_when_the_picture_is_known(sampler: Sampler) -> None:
    picture = torch.full((1, 1, 100, 100), 0.5)
    noise = NoiseSource.seeded([4])
    x = picture + LEVELS[0] * noise.draw((1, 100, 100))
    for step in sampler(lambda x, _: picture.expand_as(x), x, LEVELS, noise):
        assert (step.x - picture).std().item() == pytest.approx(step.sigma_next, rel=0.03, abs=1e-5)
