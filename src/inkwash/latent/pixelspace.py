"""Pixel space: an autoencoder that changes nothing, so the same predictor trains and samples on pixels themselves."""

from dataclasses import dataclass

import torch
from torch import nn

from inkwash.rng import NoiseSource
from inkwash.types import Latents, Pixels


@dataclass(frozen=True)
class PixelSpec:
    """What an AutoencoderSpec tells its callers."""

    latent_channels: int = 3
    factor: int = 1
    """Pixels per latent along a side."""


class PixelSpace(nn.Module):
    """The identity, with an autoencoder's methods."""

    def __init__(self) -> None:
        super().__init__()
        self.spec = PixelSpec()

    @property
    def factor(self) -> int:
        """Pixels per latent along a side: 1."""
        return self.spec.factor

    def moments(self, pixels: Pixels) -> tuple[Latents, Latents]:
        """The pixels, and the logarithm of no variance at all."""
        return pixels, torch.full_like(pixels, -30.0)

    def encode(self, pixels: Pixels, noise: NoiseSource | None = None) -> Latents:
        """(b, 3, h, w) in [-1, 1] -> the same; there is nothing to draw."""
        return pixels

    def decode(self, latents: Latents) -> Pixels:
        """(b, 3, h, w) -> the same."""
        return latents
