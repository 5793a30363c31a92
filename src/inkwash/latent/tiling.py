"""Large pictures in overlapping tiles: the memory of one tile, whatever the picture's size.

Tiles are placed evenly, the doubtful cells at their inner edges are thrown away, and what overlaps is feathered with
weights that sum to one. Where the thrown-away margin is as wide as the network sees, the result is that of the whole
picture exactly; norms and attention over the whole map (Stable Diffusion's autoencoder) make it approximate.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from inkwash.denoiser import NoisePredictor
from inkwash.errors import InvalidRequest
from inkwash.latent.autoencoder import Autoencoder
from inkwash.latent.tiny_autoencoder import TinyAutoencoder
from inkwash.rng import NoiseSource
from inkwash.types import Latents, Pixels, TextStates


@dataclass(frozen=True)
class Tiles:
    """How a picture is cut; all numbers in latents along a side."""

    size: int = 64
    """Side of a tile."""
    overlap: int = 16
    """What neighbours share at least."""
    margin: int = 4
    """What counts for nothing at an inner edge, because the network could not see beyond it."""

    def __post_init__(self) -> None:
        if not 0 <= self.overlap < self.size:
            raise InvalidRequest("tile overlap", self.overlap, f"from 0 to {self.size - 1}, below the tile's size")
        if not 0 <= 2 * self.margin <= self.overlap:
            raise InvalidRequest("tile margin", self.margin, f"from 0 to {self.overlap // 2}, half of the overlap")

    def starts(self, length: int) -> list[int]:
        """Where tiles begin along a side of `length` latents: evenly spread, the last one flush with the end."""
        if length <= self.size:
            return [0]
        gaps = -(-(length - self.size) // (self.size - self.overlap))
        return [round(index * (length - self.size) / gaps) for index in range(gaps + 1)]


def encode_tiled(
    model: Autoencoder | TinyAutoencoder, pixels: Pixels, noise: NoiseSource | None = None, tiles: Tiles | None = None
) -> Latents:
    """`model.encode` tile by tile: (b, 3, h, w) in [-1, 1] -> (b, c, h / factor, w / factor).

    The moments are blended, then one draw is made for the whole picture, so seams leave no trace in the noise.
    """
    factor = model.spec.factor
    moments = _tiled(lambda part: torch.cat(model.moments(part), dim=1), pixels, tiles or Tiles(), (factor, 1))
    mean, logvar = moments.chunk(2, dim=1)
    return mean if noise is None else mean + (0.5 * logvar).exp() * noise.like(mean)


def decode_tiled(model: Autoencoder | TinyAutoencoder, latents: Latents, tiles: Tiles | None = None) -> Pixels:
    """`model.decode` tile by tile: (b, c, h, w) -> (b, 3, factor * h, factor * w)."""
    return _tiled(model.decode, latents, tiles or Tiles(), (1, model.spec.factor))


def windowed(predict: NoisePredictor, tiles: Tiles) -> NoisePredictor:
    """A network for larger pictures than it was taught: asked in overlapping windows, its answers blended smoothly.

    The denoiser made from it is the blend of the windows' denoisers, D = skip x + out F being affine in F, and it is
    the plain one where a window covers all.  (Bar-Tal et al. 2023, MultiDiffusion, eq. 5, with feathered weights)
    """

    def ask(x: Latents, t: Float[Tensor, " b"], text: TextStates) -> Latents:
        if max(x.shape[2:]) <= tiles.size:
            return predict(x, t, text)
        channels = x.shape[1]

        def one(part: Tensor) -> Tensor:
            beside = None if text.beside is None else part[:, channels:]
            return predict(part[:, :channels], t, replace(text, beside=beside))

        return _tiled(one, x if text.beside is None else torch.cat([x, text.beside], dim=1), tiles, (1, 1))

    return ask


def feathers(tiles: Tiles, length: int, finer: int = 1) -> Float[Tensor, "tiles places"]:
    """Weight of every tile at each of `length * finer` places along a side; they sum to 1 at every place.

    A tile counts for nothing in its margins, rises evenly from there to the end of the overlap, and is flat between;
    towards the border of the picture it does not fall.
    """
    place = (torch.arange(length * finer, dtype=torch.float64) + 0.5) / finer
    ramp = max(tiles.overlap - 2 * tiles.margin, 1e-9)
    weights = []
    for start in tiles.starts(length):
        end = start + tiles.size
        rise = (place - start - tiles.margin) / ramp if start else torch.ones_like(place)
        fall = (end - place - tiles.margin) / ramp if end < length else torch.ones_like(place)
        weights.append(torch.minimum(rise, fall).clamp(0, 1))
    stack = torch.stack(weights)
    return (stack / stack.sum(0)).float()


def _tiled(change: Callable[[Tensor], Tensor], x: Tensor, tiles: Tiles, units: tuple[int, int]) -> Tensor:
    """`change` on every tile, blended. `units`: places per latent on the way in and on the way out."""
    into, out = units
    high, wide = (side // into for side in x.shape[2:])
    down, across = feathers(tiles, high, out).to(x), feathers(tiles, wide, out).to(x)
    whole: Tensor | None = None
    for row, top in enumerate(tiles.starts(high)):
        for column, left in enumerate(tiles.starts(wide)):
            found = change(x[:, :, top * into : (top + tiles.size) * into, left * into : (left + tiles.size) * into])
            if whole is None:
                whole = found.new_zeros(*found.shape[:2], high * out, wide * out)
            spot_y = slice(top * out, top * out + found.shape[2])
            spot_x = slice(left * out, left * out + found.shape[3])
            weight = down[row, spot_y, None] * across[column, None, spot_x]
            whole[:, :, spot_y, spot_x] += weight * found
    if whole is None:
        raise InvalidRequest("size", tuple(x.shape[2:]), "at least one latent on each side")
    return whole
