"""How holes in pictures are painted, as web UIs have it: their edge, what stands in them, how much is looked at."""

from dataclasses import dataclass
from typing import Literal, get_args

from inkwash.request.limits import flag, one_of, whole

Fill = Literal["original", "blurred", "noise", "nothing"]
FILLS: tuple[Fill, ...] = get_args(Fill)


@dataclass(frozen=True, kw_only=True)
class Inpaint:
    """What else there is to say of a mask.  Raises InvalidRequest, naming field, value and what is wanted."""

    blur: int = 0
    """Softens the mask's edge: standard deviation in pixels of the picture."""
    fill: Fill = "original"
    """What stands in the hole to begin with; it matters at a strength below 1. `blurred` are colours from around it."""
    only_masked: bool = False
    """Paint the part around the hole at the full size, shrink it and put it back: details in large pictures."""
    padding: int = 32
    """So many pixels around the hole are seen, too, where only the masked part is painted."""
    invert: bool = False
    """Paint what is black in the mask, keep what is white."""
    soft: bool = False
    """Greys of the mask are strengths: every pixel is painted anew only as far as it is white."""

    def __post_init__(self) -> None:
        whole("inpaint.blur", self.blur, 0, 512)
        whole("inpaint.padding", self.padding, 0, 4096)
        one_of("inpaint.fill", self.fill, FILLS)
        for name in ("only_masked", "invert", "soft"):
            flag(f"inpaint.{name}", getattr(self, name))


@dataclass(frozen=True, kw_only=True)
class Outpaint:
    """Pixels that are added to a picture, and painted.  Raises InvalidRequest as above."""

    left: int = 0
    """Pixels to add on the left."""
    right: int = 0
    """Pixels to add on the right."""
    up: int = 0
    """Pixels to add on top."""
    down: int = 0
    """Pixels to add below."""

    def __post_init__(self) -> None:
        for name in ("left", "right", "up", "down"):
            whole(f"outpaint.{name}", getattr(self, name), 0, 4096)

    @property
    def acts(self) -> bool:
        """Is there anything to add?"""
        return any((self.left, self.right, self.up, self.down))
