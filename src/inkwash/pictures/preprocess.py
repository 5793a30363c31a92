"""Pictures made into hints for ControlNets and T2I-Adapters, without any network.

Names and numbers are those that web UIs have for the same.
"""

from collections.abc import Callable, Mapping

import torch
from jaxtyping import Float
from PIL import Image, ImageOps
from torch import Tensor

from inkwash.pictures.canny import canny
from inkwash.pictures.filters import blurred, slopes
from inkwash.pictures.photo import Size, fitted
from inkwash.pictures.picture import pixels_of
from inkwash.request.control import Control, Resize, filled, thresholds

Planes = Float[Tensor, "n height width"]
Numbers = tuple[float, float]
FAINT, LEAST, BRIGHT = 8.0, 16.0, 127.0
"""Of lineart: what is no line, the least contrast that counts as usual, and how bright the usual line is."""
NARROW, WIDE = 0.5, 5.0
"""Blurs of scribble, whose difference is a line."""


def prepared(picture: Image.Image, control: Control, size: Size | None = None) -> Image.Image:
    """The hint that `control` makes of an RGB picture, at its own size or brought to `size` first."""
    picture = picture if size is None else brought(picture, size, control.resize)
    a, b = thresholds(filled(control))
    return MAKERS[control.preprocessor](picture, (a or 0.0, b or 0.0))


def brought(picture: Image.Image, size: Size, how: Resize) -> Image.Image:
    """To a size: cut, pulled, or put on black."""
    if picture.size == size:
        return picture
    if how == "crop":
        return fitted(picture, size)
    if how == "pad":
        return ImageOps.pad(picture, size, Image.Resampling.LANCZOS)
    return picture.resize(size, Image.Resampling.LANCZOS)


def _edges(picture: Image.Image, numbers: Numbers) -> Image.Image:
    return shown(255.0 * canny(_bytes(picture).byte(), *numbers))


def _lineart(picture: Image.Image, numbers: Numbers) -> Image.Image:
    """What is darker than its surroundings, its usual contrast half bright; for drawings of dark lines."""
    radius, faint = numbers
    planes = _bytes(picture)
    lines = (blurred(planes, radius) - planes).amin(0).clamp(0, 255)
    drawn = lines[lines > faint]
    usual = drawn.median().item() if len(drawn) else 0.0
    return shown((lines / max(LEAST, usual) * BRIGHT).clamp(0, 255))


def _softedge(picture: Image.Image, _: Numbers) -> Image.Image:
    """The length of the slope, the steepest place white."""
    dx, dy = slopes(blurred(_bytes(picture), 1.0))
    steep = (dx.square() + dy.square()).sqrt().amax(0)
    return shown(255 * steep / steep.max().clamp(min=1))


def _scribble(picture: Image.Image, numbers: Numbers) -> Image.Image:
    """The difference of two blurs, white where it is dark enough.  (Winnemöller et al. 2012)"""
    planes = _bytes(picture)
    dark = (blurred(planes, WIDE) - blurred(planes, NARROW)).amin(0).clamp(0, 255)
    return shown(255.0 * (2 * dark.floor() > numbers[0]))


def _threshold(picture: Image.Image, numbers: Numbers) -> Image.Image:
    return shown(255.0 * (_grey(picture) > numbers[0]))


def _depth(picture: Image.Image, _: Numbers) -> Image.Image:
    """A map made elsewhere, its nearest place white and its farthest black."""
    near = _grey(picture)
    low, high = near.min(), near.max()
    return shown(255 * (near - low) / (high - low).clamp(min=1))


def _grid(picture: Image.Image, numbers: Numbers) -> Image.Image:
    """One colour for every square."""
    wide, high = (max(1, round(side / numbers[0])) for side in picture.size)
    small = picture.resize((wide, high), Image.Resampling.BOX)
    return small.resize(picture.size, Image.Resampling.NEAREST)


def _tile(picture: Image.Image, numbers: Numbers) -> Image.Image:
    """Without what is finer than so many pixels."""
    if numbers[0] <= 1:
        return picture
    wide, high = (max(1, round(side / numbers[0])) for side in picture.size)
    small = picture.resize((wide, high), Image.Resampling.BOX)
    return small.resize(picture.size, Image.Resampling.BICUBIC)


def _blur(picture: Image.Image, numbers: Numbers) -> Image.Image:
    return shown(blurred(_bytes(picture), numbers[0]))


MAKERS: Mapping[str, Callable[[Image.Image, Numbers], Image.Image]] = {
    "none": lambda picture, _: picture,
    "canny": _edges,
    "lineart": _lineart,
    "softedge": _softedge,
    "scribble": _scribble,
    "threshold": _threshold,
    "invert": lambda picture, _: ImageOps.invert(picture),
    "grey": lambda picture, _: picture.convert("L").convert("RGB"),
    "depth": _depth,
    "grid": _grid,
    "tile": _tile,
    "blur": _blur,
}


def shown(plane: Tensor) -> Image.Image:
    """(h, w) or (3, h, w) in bytes' range -> an RGB picture."""
    whole = plane.round().clamp(0, 255).to(torch.uint8)
    return Image.fromarray((whole if whole.ndim == 2 else whole.permute(1, 2, 0)).contiguous().numpy()).convert("RGB")


def _bytes(picture: Image.Image) -> Planes:
    """(3, h, w), 0 to 255."""
    return ((pixels_of([picture])[0] + 1) * 127.5).round()


def _grey(picture: Image.Image) -> Float[Tensor, "height width"]:
    return _bytes(picture.convert("L").convert("RGB"))[0]
