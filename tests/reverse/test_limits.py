"""Guesses within the range of pixels; whole walks with it are `test_golden`'s affair."""

import torch

from inkwash.reverse.ddim import ddim
from inkwash.reverse.euler import euler
from inkwash.reverse.limits import limit_of, limited
from inkwash.rng import NoiseSource
from inkwash.types import Latents, Sigma

FAR = torch.tensor([[[[3.0, -3.0], [0.5, 0.0]]]])
LEVELS = torch.tensor([2.0, 1.0])


def far(_x: Latents, _sigma: Sigma) -> Latents:
    return FAR


def test_only_classes_that_know_a_range_keep_it() -> None:
    said = {"clip_sample": True, "thresholding": True}
    assert limit_of("EulerDiscreteScheduler", said) is None
    assert limit_of("TCDScheduler", said) is None
    assert limit_of("DDIMScheduler", {"clip_sample": False}) is None
    assert limit_of("LCMScheduler", {}) is None


def test_a_range_is_one_unless_told_and_on_in_the_oldest_classes() -> None:
    for config, largest in (({}, 1.0), ({"clip_sample_range": 2.0}, 2.0)):
        limit = limit_of("DDPMScheduler", config)
        assert limit is not None
        assert torch.equal(limit(FAR), FAR.clamp(-largest, largest))


def test_thresholding_squeezes_what_clipping_cuts() -> None:
    limit = limit_of(
        "DDIMScheduler", {"thresholding": True, "sample_max_value": 4.0, "dynamic_thresholding_ratio": 1.0}
    )
    assert limit is not None
    torch.testing.assert_close(limit(FAR), FAR / 3)


def test_a_sampler_walks_toward_the_limited_guess() -> None:
    walk = limited(euler, lambda guess: guess.clamp(-1, 1))
    (step,) = walk(far, torch.zeros_like(FAR), LEVELS, NoiseSource.seeded([0]))
    torch.testing.assert_close(step.x, FAR.clamp(-1, 1) / 2)


def test_ddim_keeps_the_noise_that_was_predicted_before() -> None:
    """x' = limited guess + σ' noise, with the noise of the guess as it was."""
    (step,) = ddim(far, torch.zeros_like(FAR), LEVELS, NoiseSource.seeded([0]), limit=lambda guess: guess.clamp(-1, 1))
    torch.testing.assert_close(step.x, FAR.clamp(-1, 1) - FAR / 2)
