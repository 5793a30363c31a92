"""A cheap look at latents: one small matrix from their channels to red, green and blue."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from inkwash.types import Latents, Pixels

Matrix = Float[Tensor, "rows 3"]
"""One row for each channel of the latents and a last one for the constant."""


def fit_preview(latents: Latents, pixels: Pixels) -> Matrix:
    """The (c + 1, 3) matrix that tells colours from latents best, in least squares over all places.

    `pixels` are the pictures of `latents`; they are averaged to the latents' resolution first. A thousand places are
    plenty. Where the latents leave the answer open, the smallest matrix is taken.
    """
    small = adaptive_avg_pool2d(pixels, (latents.shape[2], latents.shape[3]))
    rows = _places(latents).double()
    colours = small.permute(0, 2, 3, 1).flatten(0, 2).double()
    return (torch.linalg.pinv(rows) @ colours).float()  # type: ignore[no-any-return]


def preview(latents: Latents, matrix: Matrix) -> Pixels:
    """(b, c, h, w) -> (b, 3, h, w): a picture of one pixel per latent, clamped to [-1, 1]."""
    seen = _places(latents) @ matrix.to(latents)
    return seen.unflatten(0, (len(latents), *latents.shape[2:])).permute(0, 3, 1, 2).clamp(-1, 1)  # type: ignore[no-any-return]


def _places(latents: Latents) -> Float[Tensor, "places rows"]:
    rows = latents.permute(0, 2, 3, 1).flatten(0, 2)
    return torch.cat([rows, rows.new_ones(len(rows), 1)], dim=1)
