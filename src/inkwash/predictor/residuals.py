"""What other networks add to a U-Net while it runs: lists of maps, no change to the U-Net itself."""

from dataclasses import dataclass

from torch import Tensor

from inkwash.errors import InvalidRequest


@dataclass(frozen=True)
class Residuals:
    """Maps to be added inside a U-Net; empty ones add nothing."""

    skips: tuple[Tensor, ...] = ()
    """To every map that crosses from the way down to the way up, in order of their birth (ControlNet)."""
    middle: Tensor | None = None
    """To the map at the bottom (ControlNet)."""
    stages: tuple[Tensor, ...] = ()
    """To the last map of every stage before it shrinks, and one more to the bottom (T2I-Adapter)."""

    def __add__(self, other: "Residuals") -> "Residuals":
        """Both at once: maps in the same place are summed.  Raises InvalidRequest if they do not match."""
        if self.middle is None or other.middle is None:
            middle = other.middle if self.middle is None else self.middle
        else:
            middle = self.middle + other.middle
        return Residuals(summed(self.skips, other.skips), middle, summed(self.stages, other.stages))


NOTHING = Residuals()


def summed(maps: tuple[Tensor, ...], added: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Map by map; an empty list is a list of zeros.  Raises InvalidRequest if the two do not match."""
    if not maps or not added:
        return maps or added
    have, want = [tuple(each.shape[1:]) for each in added], [tuple(each.shape[1:]) for each in maps]
    if have != want:
        raise InvalidRequest("residuals", have, f"maps of {want}: those networks were not made for one another")
    return tuple(each + more for each, more in zip(maps, added, strict=True))
