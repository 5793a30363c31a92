"""Options of micro-conditioning: what SDXL is told about the picture besides words.  (Podell et al. 2023, 2.2)"""

from dataclasses import dataclass

from inkwash.request.limits import pair, real

FARTHEST = 16384


@dataclass(frozen=True, kw_only=True)
class Micro:
    """The wanted picture as one of the training set.  None: as large as it is painted."""

    original: tuple[int, int] | None = None
    """Width and height it had; small ones make blurred pictures."""
    corner: tuple[int, int] = (0, 0)
    """Pixels that were cut off at the left and at the top."""
    target: tuple[int, int] | None = None
    """Width and height it was brought to."""
    aesthetic: float | None = None
    """How pleasing it is, told to refiners: from 1 to 10. None: 6."""
    aesthetic_away: float | None = None
    """How pleasing the unwanted picture is. None: 2.5."""

    def __post_init__(self) -> None:
        for name, least in (("original", 1), ("corner", 0), ("target", 1)):
            if getattr(self, name) is not None:
                pair(f"micro.{name}", getattr(self, name), least, FARTHEST)
        for name in ("aesthetic", "aesthetic_away"):
            if getattr(self, name) is not None:
                real(f"micro.{name}", getattr(self, name), 0.0, 10.0)
