"""What other networks add to a U-Net while it runs: lists of maps, no change to the U-Net itself.

To SD 3's transformer they add lists of tokens, which are `skips` here (joint_steered.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor

from inkwash.errors import InvalidRequest
from inkwash.forward.schedule import Schedule
from inkwash.types import Latents, Sigmas, TextStates


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
ALWAYS = (0.0, 1000.0)
"""All steps t."""
NEVER = (float("inf"), 0.0)


@runtime_checkable
class Helper(Protocol):
    """Anything that adds to a U-Net, asked the same as the U-Net: a ControlNet or a T2I-Adapter with its hint."""

    def residuals(self, x: Latents, t: Float[Tensor, " b"], text: TextStates) -> Residuals: ...  # noqa: D102


@runtime_checkable
class Helped(Protocol):
    """A network that lets others add: the U-Net."""

    def __call__(  # noqa: D102
        self, x: Latents, t: Float[Tensor, " b"], text: TextStates, added: Residuals = NOTHING
    ) -> Latents: ...


@dataclass(frozen=True)
class Steered:
    """A U-Net and all that helps it, as one noise predictor."""

    network: Helped
    helpers: Sequence[Helper]

    def __call__(self, x: Latents, t: Float[Tensor, " b"], text: TextStates) -> Latents:
        """As the U-Net alone."""
        added = NOTHING
        for helper in self.helpers:
            added = added + helper.residuals(x, t, text)
        return self.network(x, t, text, added)


def summed(maps: tuple[Tensor, ...], added: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Map by map; an empty list is a list of zeros.  Raises InvalidRequest if the two do not match."""
    if not maps or not added:
        return maps or added
    if len(maps) != len(added) or not all(map(_match, maps, added)):
        have, want = ([tuple(each.shape[1:]) for each in part] for part in (added, maps))
        raise InvalidRequest("residuals", have, f"maps of {want}: those networks were not made for one another")
    return tuple(each + more for each, more in zip(maps, added, strict=True))


def as_many(maps: Tensor, count: int) -> Tensor:
    """A map for each of `count` pictures, which may be the same ones several times; one for all stays one."""
    if len(maps) == 1:
        return maps
    if count % len(maps):
        raise InvalidRequest("hint", f"for {len(maps)} pictures", f"for 1 or for each of {count}")
    return maps.repeat(count // len(maps), *[1] * (maps.ndim - 1))


def acting(t: Float[Tensor, " b"], interval: tuple[float, float]) -> bool:
    """Whether the step is one at which to act."""
    return interval[0] <= t.max().item() <= interval[1]


def window(schedule: Schedule, sigmas: Sigmas, start: float, stop: float) -> tuple[float, float]:
    """Steps t of those moves between levels that lie between `start` and `stop` whole; both are parts of their number.

    What diffusers calls the start and the end of control guidance.
    """
    moves = len(sigmas) - 1
    inside = [i for i in range(moves) if i / moves >= start and (i + 1) / moves <= stop]
    told = schedule.t(sigmas[inside]).tolist()
    return (min(told), max(told)) if told else NEVER


def _match(one: Tensor, more: Tensor) -> bool:
    """Same channels, and the same places unless one holds for all."""
    return one.shape[1] == more.shape[1] and more.shape[2:] in (one.shape[2:], (1, 1))
