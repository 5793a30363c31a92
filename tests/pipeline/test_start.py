import pytest
import torch
from PIL import Image
from scipy.stats import kstest

from inkwash.pipeline.noises import between
from inkwash.pipeline.start import latent_mask, skipped
from inkwash.rng import NoiseSource


def noise(seed: int) -> torch.Tensor:
    return NoiseSource.seeded([seed, seed + 1]).draw((4, 16, 16))


def test_the_ends_of_the_great_circle() -> None:
    assert torch.allclose(between(noise(1), noise(5), 0.0), noise(1), atol=1e-6)
    assert torch.allclose(between(noise(1), noise(5), 1.0), noise(5), atol=1e-6)
    assert torch.allclose(between(noise(1), noise(1), 0.3), noise(1), atol=1e-5)


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_between_two_noises_lies_noise(part: float) -> None:
    mixed = between(noise(1), noise(5), part)
    assert kstest(mixed.flatten().numpy(), "norm").pvalue > 0.01
    straight = torch.lerp(noise(1), noise(5), part)
    assert straight.std() < mixed.std()


def test_the_middle_is_equally_far_from_both_ends() -> None:
    middle = between(noise(1), noise(5), 0.5)
    assert (middle - noise(1)).norm() == pytest.approx((middle - noise(5)).norm().item(), rel=0.05)


@pytest.mark.parametrize(
    ("steps", "strength", "left_out"),
    [(20, 1.0, 0), (20, 0.75, 5), (20, 0.5, 10), (20, 0.01, 19), (1, 0.1, 0), (3, 0.5, 1)],
)
def test_strength_is_the_share_of_steps_walked(steps: int, strength: float, left_out: int) -> None:
    assert skipped(steps, strength) == left_out


def test_a_latent_is_painted_anew_as_soon_as_one_of_its_pixels_is() -> None:
    hole = Image.new("L", (16, 8))
    hole.putpixel((5, 1), 1)
    found = latent_mask(hole, 4)
    assert found.shape == (1, 1, 2, 4)
    assert found.nonzero().tolist() == [[0, 0, 0, 1]]
