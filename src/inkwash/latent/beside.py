"""Channels that stand beside the noisy latents: what networks that change pictures are shown of them.

A network has as many of them as its input is wider than the latents.
"""

from collections.abc import Callable
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import interpolate

from inkwash.forward.noising import add_noise, shrink
from inkwash.latent.autoencoder import Autoencoder
from inkwash.latent.pixelspace import PixelSpace
from inkwash.types import Latents, Pixels, Sigma

Hole = Float[Tensor, "#b 1 height width"]
"""In pixels: 1 where the picture is painted anew, 0 where it is kept."""
Depth = Float[Tensor, "b 1 high wide"]
"""Greater is nearer, in any unit; of any size."""
Encode = Callable[[Pixels], Latents]
"""An autoencoder's, whole or in tiles, its mean or a draw."""
Kind = Literal["nothing", "depth", "small", "picture", "hole"]


def kind_beside(channels: int, latents: int) -> Kind | None:
    """What a network with that many input channels wants beside so many latents; None for what is not known."""
    known: dict[int, Kind] = {0: "nothing", 1: "depth", 3: "small", latents: "picture", latents + 1: "hole"}
    return known.get(channels - latents)


def hole_beside(encode: Encode, pixels: Pixels, hole: Hole) -> Float[Tensor, "b extra h w"]:
    """Inpainting: the mask, and latents of the picture that is grey where the mask covers it.

    The mask takes the pixel in the corner of every latent.
    """
    seen = encode(pixels * (hole < 0.5))
    small = interpolate((hole >= 0.5).to(seen), size=seen.shape[2:])
    return torch.cat([small.expand(len(seen), -1, -1, -1), seen], dim=1)


def picture_beside(space: Autoencoder | PixelSpace, seen: Latents) -> Latents:
    """instruct-pix2pix: the picture as the encoder tells it, without the factor that gives latents unit variance.

    `seen` are its latents, with that factor.
    """
    if isinstance(space, PixelSpace):
        return seen
    centre, spread = (torch.tensor(each).to(seen) for each in (space.spec.latent_mean, space.spec.latent_std))
    return seen * spread[:, None, None] + centre[:, None, None]


def depth_beside(depth: Depth, size: tuple[int, int]) -> Float[Tensor, "b 1 h w"]:
    """Depth of every place of the latents (`size` rows and columns), from -1, the farthest, to 1; 0 if all is flat."""
    small = interpolate(depth, size=size, mode="bicubic", align_corners=False)
    low, high = small.amin((1, 2, 3), keepdim=True), small.amax((1, 2, 3), keepdim=True)
    return torch.where(high > low, 2 * (small - low) / (high - low).clamp(min=1e-12) - 1, torch.zeros_like(small))


def small_beside(
    small: Float[Tensor, "#b 3 h w"], noise: Float[Tensor, "b 3 h w"], sigma: Sigma
) -> Float[Tensor, "b 3 h w"]:
    """x4-upscaler: the picture to enlarge, a pixel per latent, under noise of a level, of unit variance then.

    (Ho et al. 2021, Cascaded Diffusion Models, 4.2: noise conditioning augmentation)
    """
    return shrink(sigma) * add_noise(small.expand_as(noise), sigma, noise)
