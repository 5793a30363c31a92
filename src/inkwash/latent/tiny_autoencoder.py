"""TAESD: an autoencoder of 2.4 million parameters for quick looks and quick machines.  (Bohan 2023)

It speaks the latents of the large one it was distilled from, already in units of their own variance. Parameter names
are those of the released diffusers folders.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from inkwash.rng import NoiseSource
from inkwash.types import Latents, Pixels


@dataclass(frozen=True)
class TinyAutoencoderSpec:
    """All numbers of a TAESD; tuples begin at the widest map."""

    latent_channels: int = 4
    width: int = 64
    encoder_blocks: tuple[int, ...] = (1, 3, 3, 3)
    decoder_blocks: tuple[int, ...] = (1, 3, 3, 3)

    @property
    def factor(self) -> int:
        """Pixels per latent along a side."""
        return int(2 ** (len(self.encoder_blocks) - 1))


TAESD = TinyAutoencoderSpec()
"""For SD 1 and 2; TAESDXL has the same table and other weights."""
TAESD3 = TinyAutoencoderSpec(latent_channels=16)


class TinyBlock(nn.Module):
    """Three convolutions around a skip; no norms."""

    def __init__(self, width: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for _ in range(3):
            layers += [nn.Conv2d(width, width, 3, padding=1), nn.ReLU()]
        self.conv = nn.Sequential(*layers[:-1])

    def forward(self, x: Tensor) -> Tensor:
        """(b, width, h, w) -> the same shape."""
        return relu(self.conv(x) + x)


class TinyEncoder(nn.Module):
    """Pixels in [-1, 1] -> latents."""

    def __init__(self, spec: TinyAutoencoderSpec) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for index, blocks in enumerate(spec.encoder_blocks):
            if index == 0:
                layers.append(nn.Conv2d(3, spec.width, 3, padding=1))
            else:
                layers.append(nn.Conv2d(spec.width, spec.width, 3, padding=1, stride=2, bias=False))
            layers += [TinyBlock(spec.width) for _ in range(blocks)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(spec.width, spec.latent_channels, 3, padding=1))

    def forward(self, pixels: Pixels) -> Latents:
        """(b, 3, h, w) -> (b, latent_channels, h / factor, w / factor)."""
        return self.layers((pixels + 1) / 2)  # type: ignore[no-any-return]


class TinyDecoder(nn.Module):
    """Latents -> pixels, about [-1, 1]."""

    def __init__(self, spec: TinyAutoencoderSpec) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(spec.latent_channels, spec.width, 3, padding=1), nn.ReLU()]
        for index, blocks in reversed(list(enumerate(spec.decoder_blocks))):
            layers += [TinyBlock(spec.width) for _ in range(blocks)]
            if index:
                layers += [nn.Upsample(scale_factor=2), nn.Conv2d(spec.width, spec.width, 3, padding=1, bias=False)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(spec.width, 3, 3, padding=1))

    def forward(self, latents: Latents) -> Pixels:
        """(b, latent_channels, h, w) -> (b, 3, factor * h, factor * w); latents are bent softly into [-3, 3]."""
        return self.layers(torch.tanh(latents / 3) * 3) * 2 - 1  # type: ignore[no-any-return]


class TinyAutoencoder(nn.Module):
    """An autoencoder's methods, at a thirtieth of the cost."""

    def __init__(self, spec: TinyAutoencoderSpec = TAESD) -> None:
        super().__init__()
        self.spec = spec
        self.encoder, self.decoder = TinyEncoder(spec), TinyDecoder(spec)

    def moments(self, pixels: Pixels) -> tuple[Latents, Latents]:
        """The latents, and the logarithm of no variance at all."""
        latents = self.encoder(pixels)
        return latents, torch.full_like(latents, -30.0)

    def encode(self, pixels: Pixels, noise: NoiseSource | None = None) -> Latents:
        """(b, 3, h, w) in [-1, 1] -> unit-variance latents; there is nothing to draw."""
        return self.encoder(pixels)  # type: ignore[no-any-return]

    def decode(self, latents: Latents) -> Pixels:
        """Unit-variance latents -> (b, 3, h, w), about [-1, 1], not clamped."""
        return self.decoder(latents)  # type: ignore[no-any-return]
