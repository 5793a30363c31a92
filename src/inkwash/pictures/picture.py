"""Pixels <-> pictures <-> files.  The only place that turns [-1, 1] into bytes."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from math import ceil, sqrt
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from torch import Tensor

from inkwash.files import atomic
from inkwash.types import Pixels

COMPRESSION = 6  # fixed, so that the same picture is the same file
PAPER = (250, 247, 241)


def pixels_of(images: Sequence[Image.Image]) -> Pixels:
    """RGB pictures of one size -> (b, 3, h, w) in [-1, 1]."""
    stack = np.stack([np.asarray(image, dtype=np.uint8) for image in images])
    return torch.from_numpy(stack).permute(0, 3, 1, 2).float() / 127.5 - 1


def greys(hole: Image.Image) -> Float[Tensor, "1 1 height width"]:
    """A mask as numbers from 0 to 1."""
    return (pixels_of([hole.convert("RGB")])[:, :1] + 1) / 2


def images_of(pixels: Pixels) -> list[Image.Image]:
    """(b, 3, h, w), about [-1, 1] -> RGB pictures; what lies outside is clamped."""
    whole = ((pixels.float().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    return [Image.fromarray(each) for each in whole.permute(0, 2, 3, 1).cpu().contiguous().numpy()]


def png(image: Image.Image, notes: Mapping[str, str]) -> bytes:
    """A PNG file with text chunks; the same picture and notes always give the same bytes."""
    info = PngInfo()
    for key, text in notes.items():
        info.add_text(key, text)
    out = BytesIO()
    image.save(out, "PNG", pnginfo=info, compress_level=COMPRESSION)
    return out.getvalue()


def save(path: Path, data: bytes, *, overwrite: bool = False) -> None:
    """Write a file that is whole or not there.  Raises OutputError if it is taken, or cannot be written."""
    with atomic(path, overwrite=overwrite) as part:
        part.write_bytes(data)


def even_columns(count: int) -> int:
    """About as many columns as rows, or somewhat more where that fills the last row."""
    least = ceil(sqrt(count))
    return next(
        (columns for columns in range(least, count + 1) if not count % columns and columns**2 <= 3 * count), least
    )


def grid(images: Sequence[Image.Image], columns: int | None = None, gap: int = 4) -> Image.Image:
    """Pictures of one size in rows on paper."""
    columns = columns or even_columns(len(images))
    wide, high = (images[0].size[axis] + gap for axis in (0, 1))
    paper = Image.new("RGB", (min(columns, len(images)) * wide + gap, ceil(len(images) / columns) * high + gap), PAPER)
    for index, image in enumerate(images):
        paper.paste(image, (gap + index % columns * wide, gap + index // columns * high))
    return paper
