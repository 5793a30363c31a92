"""Pictures without seams, and pictures larger than a network or the memory can take at once."""

from dataclasses import dataclass
from typing import Literal, get_args

from inkwash.errors import InvalidRequest
from inkwash.request.limits import one_of, whole

Axes = Literal["none", "x", "y", "both"]


@dataclass(frozen=True, kw_only=True)
class Tiling:
    """What is done in pieces.  Raises InvalidRequest, naming field, value and what is wanted."""

    seamless: Axes = "none"
    """Along these axes the picture goes on at its other edge, so that copies of it make a pattern."""
    window: int | None = None
    """Paint in overlapping windows with sides of so many pixels: large pictures of a model that knows small ones."""
    overlap: int | None = None
    """Pixels that neighbouring windows share at least.  None: half a window."""
    decode: int | None = None
    """Encode and decode in tiles with sides of so many pixels: large pictures in little memory."""

    def __post_init__(self) -> None:
        one_of("tiling.seamless", self.seamless, get_args(Axes))
        for name, least in (("window", 16), ("overlap", 0), ("decode", 64)):
            if getattr(self, name) is not None:
                whole(f"tiling.{name}", getattr(self, name), least, 4096)
        if self.overlap is not None and (self.window is None or self.overlap >= self.window):
            raise InvalidRequest("tiling.overlap", self.overlap, "smaller than tiling.window, which must be given")
        for name in ("window", "decode") if self.seamless != "none" else ():
            if getattr(self, name) is not None:
                wanted = "left out: pieces of a seamless picture would have seams"
                raise InvalidRequest(f"tiling.{name}", getattr(self, name), wanted)

    @property
    def around(self) -> tuple[bool, bool]:
        """Does the picture go on at its other edge: in x, in y?"""
        return self.seamless in ("x", "both"), self.seamless in ("y", "both")


WHOLE = Tiling()
"""Everything at once, with edges."""
