"""Pixels to latents and back, as a request wants it: whole, in tiles, or around the edges."""

from contextlib import nullcontext
from dataclasses import dataclass, replace

from inkwash.latent.pixelspace import PixelSpace
from inkwash.latent.tiling import Tiles, decode_tiled, encode_tiled
from inkwash.nn.circular import circular
from inkwash.request.generate import GenerateRequest
from inkwash.request.tiling import Tiling
from inkwash.types import Latents, Pixels
from inkwash.weights.bundle import Bundle


def space_of(bundle: Bundle, asked: GenerateRequest) -> "Space":
    """The model's autoencoder as a request wants it; in little memory in tiles, unless edges must meet."""
    own = asked.tiling
    if asked.memory.tiled and own.decode is None and not any(own.around):
        own = replace(own, decode=Tiles().size * int(bundle.autoencoder.spec.factor))
    return Space(bundle, own)


@dataclass(frozen=True)
class Space:
    """An autoencoder, and what is done in pieces."""

    bundle: Bundle
    tiling: Tiling

    @property
    def factor(self) -> int:
        """Pixels per latent along a side."""
        return int(self.bundle.autoencoder.spec.factor)

    def encode(self, pixels: Pixels) -> Latents:
        """(b, 3, h, w) in [-1, 1] -> the mean of their unit-variance latents."""
        model = self.bundle.autoencoder
        with circular(model, *self.tiling.around) if any(self.tiling.around) else nullcontext():
            if self.tiling.decode is None or isinstance(model, PixelSpace):
                return model.encode(pixels)
            return encode_tiled(model, pixels, tiles=self._tiles)

    def decode(self, latents: Latents) -> Pixels:
        """Unit-variance latents -> (b, 3, h, w), about [-1, 1], not clamped."""
        model = self.bundle.autoencoder
        with circular(model, *self.tiling.around) if any(self.tiling.around) else nullcontext():
            if self.tiling.decode is None or isinstance(model, PixelSpace):
                return model.decode(latents)
            return decode_tiled(model, latents, self._tiles)

    @property
    def _tiles(self) -> Tiles:
        size = max((self.tiling.decode or 0) // self.factor, 8)
        return Tiles(size, size // 4, size // 16)
