"""Pixel space: an autoencoder's methods that change nothing."""

import torch

from inkwash.latent.pixelspace import PixelSpace
from inkwash.rng import NoiseSource


def test_there_and_back_is_the_very_same_picture() -> None:
    space, pixels = PixelSpace(), torch.rand(2, 3, 5, 7) * 2 - 1
    assert torch.equal(space.decode(space.encode(pixels)), pixels)
    assert (space.spec.factor, space.spec.latent_channels) == (1, 3)
    assert not list(space.parameters())


def test_there_is_nothing_to_draw() -> None:
    space, pixels = PixelSpace(), torch.rand(1, 3, 4, 4)
    mean, logvar = space.moments(pixels)
    assert torch.equal(mean, pixels)
    assert (0.5 * logvar).exp().max() < 1e-6
    assert torch.equal(space.encode(pixels, NoiseSource.seeded([1])), pixels)
