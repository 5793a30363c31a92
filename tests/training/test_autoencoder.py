"""What the autoencoder is taught, against closed forms and against eyes that are really there."""

import math

import pytest
import torch
from torch import Tensor

from inkwash.latent.autoencoder import Autoencoder
from inkwash.latent.spec import TINY
from inkwash.nn.imagenet import ImageNet, classifier
from inkwash.training.autoencoder import (
    ReconstructionWeights,
    divergence,
    lesson,
    likeness,
    mistaken,
    perceptual,
    spectral,
)

BLOCKS = (2, 4, 10)


@pytest.fixture(scope="module")
def eyes() -> ImageNet:
    return classifier("lite0")


def pictures(count: int = 2, side: int = 32) -> Tensor:
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_a_picture_is_not_mistaken_for_itself(eyes: ImageNet) -> None:
    assert mistaken(pictures(), pictures(), eyes).item() == pytest.approx(0, abs=1e-5)


def test_to_be_mistaken_counts_features_and_answers(eyes: ImageNet) -> None:
    wanted, found = pictures(), pictures().flip(0)
    a, b = (eyes.pooled(one) for one in (wanted, found))
    angle = 1 - (a * b).sum(1) / (a.norm(dim=1) * b.norm(dim=1))
    p, q = (torch.distributions.Categorical(logits=eyes.logits(one)) for one in (wanted, found))
    expected = angle.mean() + 0.1 * torch.distributions.kl_divergence(p, q).mean()
    torch.testing.assert_close(mistaken(wanted, found, eyes), expected, rtol=1e-4, atol=1e-6)


def test_answers_pull_the_picture_towards_what_it_is_taken_for(eyes: ImageNet) -> None:
    found = pictures().flip(0).requires_grad_(True)
    weights = ReconstructionWeights(fourier=0.0, perceptual=0.0, answers=1.0)
    plain = (pictures() - found).abs().mean()
    (likeness(pictures(), found, eyes, weights) - plain).backward()  # type: ignore[no-untyped-call]
    assert found.grad is not None
    closer = (found - 0.05 * found.grad / found.grad.abs().max()).detach()
    assert mistaken(pictures(), closer, eyes) < mistaken(pictures(), found.detach(), eyes)


def test_divergence_of_the_prior_from_itself_is_zero() -> None:
    assert divergence(torch.zeros(2, 4, 3, 3), torch.zeros(2, 4, 3, 3)).item() == 0


@pytest.mark.parametrize(("mean", "logvar"), [(1.0, 0.0), (-0.5, 1.0), (2.0, -3.0)])
def test_divergence_is_that_of_torchs_distributions(mean: float, logvar: float) -> None:
    shape = (2, 4, 3, 3)
    found = divergence(torch.full(shape, mean), torch.full(shape, logvar))
    known = torch.distributions.kl_divergence(
        torch.distributions.Normal(mean, math.exp(logvar / 2)), torch.distributions.Normal(0.0, 1.0)
    )
    torch.testing.assert_close(found, known)


def test_spectrum_of_a_constant_difference_sits_in_one_place() -> None:
    """A difference d everywhere has the orthonormal spectrum d * sqrt(h w) at zero and nothing elsewhere."""
    high, wide, off = 8, 16, 0.25
    wanted = pictures(1, 8).repeat(1, 1, 1, 2)
    found = spectral(wanted, wanted + off).item()
    assert found == pytest.approx(off * math.sqrt(high * wide) / (high * (wide // 2 + 1)), rel=1e-4)


def test_spectrum_of_a_wave_is_its_amplitude() -> None:
    """A cosine of amplitude a along w has modulus a/2 * sqrt(h w) at one of the stored frequencies."""
    side, amplitude = 16, 0.3
    wave = amplitude * torch.cos(2 * math.pi * 3 * torch.arange(side) / side).expand(1, 3, side, side)
    found = spectral(torch.zeros(1, 3, side, side), wave).item()
    assert found == pytest.approx(amplitude / 2 * side / (side * (side // 2 + 1)), rel=1e-4)


def test_a_picture_is_like_itself(eyes: ImageNet) -> None:
    same = pictures()
    assert spectral(same, same).item() == 0
    assert perceptual(same, same, eyes, BLOCKS).item() == 0
    assert likeness(same, same, eyes, ReconstructionWeights()).item() == 0


def test_features_are_compared_relative_to_their_size(eyes: ImageNet) -> None:
    wanted, found = pictures(), pictures().flip(3)
    parts = []
    for block in BLOCKS:
        (a,), (b,) = eyes.maps(wanted, (block,)), eyes.maps(found, (block,))
        parts.append(((a - b).abs().sum() / a.abs().sum()).item())
    assert perceptual(wanted, found, eyes, BLOCKS).item() == pytest.approx(sum(parts) / 3, rel=1e-5)


def test_eyes_mind_a_blur_more_than_an_equal_change_of_light(eyes: ImageNet) -> None:
    """Why the loss exists: of two changes of equal L1, the one that loses structure costs more."""
    sharp = (pictures(1, 16) > 0).float().repeat_interleave(4, 2).repeat_interleave(4, 3) * 1.4 - 0.7
    blurred = torch.nn.functional.avg_pool2d(sharp, 5, 1, 2, count_include_pad=False)
    lighter = sharp + (blurred - sharp).abs().mean()
    assert perceptual(sharp, blurred, eyes, BLOCKS) > perceptual(sharp, lighter, eyes, BLOCKS)


def test_likeness_adds_its_weighted_parts(eyes: ImageNet) -> None:
    wanted, found = pictures(), pictures().flip(2)
    weights = ReconstructionWeights(fourier=0.3, perceptual=0.7)
    parts = (wanted - found).abs().mean() + 0.3 * spectral(wanted, found)
    parts = parts + 0.7 * perceptual(wanted, found, eyes, BLOCKS)
    torch.testing.assert_close(likeness(wanted, found, eyes, weights), parts)


def test_gradients_reach_the_picture_and_not_the_eyes(eyes: ImageNet) -> None:
    found = pictures().flip(2).requires_grad_()
    perceptual(pictures(), found, eyes, BLOCKS).backward()
    assert found.grad is not None
    assert found.grad.abs().max() > 0
    assert all(weight.grad is None for weight in eyes.parameters())


@pytest.mark.parametrize("halved", [False, True])
def test_a_lesson_is_one_backward_pass_away_from_every_weight(eyes: ImageNet, halved: bool) -> None:
    torch.manual_seed(0)
    model, pixels = Autoencoder(TINY), pictures()
    taught = lesson(model, pixels, torch.randn(2, 4, 8, 8), eyes, ReconstructionWeights(), halved=halved)
    assert taught.found.shape == pixels.shape
    assert taught.kl.item() >= 0
    taught.loss.backward()
    assert all(weights.grad is not None for weights in model.parameters())


def test_without_noise_and_halving_a_lesson_is_likeness_and_divergence(eyes: ImageNet) -> None:
    torch.manual_seed(0)
    model, pixels, weights = Autoencoder(TINY), pictures(), ReconstructionWeights(kl=0.5)
    with torch.no_grad():
        taught = lesson(model, pixels, torch.zeros(2, 4, 8, 8), eyes, weights, halved=False)
        mean, logvar = model.moments(pixels)
        found = model.decode(mean)
        known = likeness(pixels, found, eyes, weights) + 0.5 * divergence(mean, logvar)
    torch.testing.assert_close(taught.found, found)
    torch.testing.assert_close(taught.loss, known)
