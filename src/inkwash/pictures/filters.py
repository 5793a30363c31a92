"""Blurs and slopes of pictures, for what finds lines in them."""

from math import ceil

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import conv2d, pad

Planes = Float[Tensor, "n height width"]


def blurred(planes: Planes, sigma: float) -> Planes:
    """Gaussian blur out to four deviations; the picture is mirrored at its edge, which is not repeated."""
    reach = min(ceil(4 * sigma), *(side - 1 for side in planes.shape[1:]))
    places = torch.arange(-reach, reach + 1, dtype=planes.dtype)
    bell = (-0.5 * (places / sigma).square()).exp()
    bell = bell / bell.sum()
    wide = pad(planes[:, None], (reach, reach, 0, 0), mode="reflect")
    high = pad(conv2d(wide, bell.view(1, 1, 1, -1)), (0, 0, reach, reach), mode="reflect")
    return conv2d(high, bell.view(1, 1, -1, 1))[:, 0]


def slopes(planes: Planes) -> tuple[Planes, Planes]:
    """Sobel's derivatives to the right and downwards; the edge is repeated.  (Sobel 1968)"""
    ahead = planes.new_tensor([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    around = pad(planes[:, None], (1, 1, 1, 1), mode="replicate")
    dx, dy = (conv2d(around, kernel[None, None])[:, 0] for kernel in (ahead, ahead.T))
    return dx, dy
