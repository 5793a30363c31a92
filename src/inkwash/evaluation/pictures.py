"""Pictures as bytes, the way they are stored and judged, and the units of the networks."""

from collections.abc import Iterator

import torch
from jaxtyping import UInt8
from PIL import Image
from torch import Tensor

from inkwash.types import Pixels

Pictures = UInt8[Tensor, "_n 3 _h _w"]
"""RGB pictures, 0 to 255: what a viewer sees, rounding included."""


def as_pixels(pictures: Pictures) -> Pixels:
    """Bytes -> [-1, 1]."""
    return pictures.float() / 127.5 - 1


def as_pictures(pixels: Pixels) -> Pictures:
    """[-1, 1] -> bytes, rounded; what lies outside is clipped."""
    return ((pixels.float().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)


def images(pictures: Pictures) -> list[Image.Image]:
    """Bytes -> one PIL image each."""
    return [Image.fromarray(picture.permute(1, 2, 0).numpy()) for picture in pictures]


def chunks(count: int, size: int) -> Iterator[slice]:
    """0 … count in slices of `size`, the last one shorter."""
    return (slice(start, min(start + size, count)) for start in range(0, count, size))
