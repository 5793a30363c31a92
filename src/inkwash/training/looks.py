"""What is seen of a state, and left of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from inkwash.device import Compute
from inkwash.training.average import wearing
from inkwash.training.course import Course
from inkwash.training.log import Log
from inkwash.training.sheet import save_sheet
from inkwash.training.state import TrainState
from inkwash.weights.parts import write_part


@dataclass(frozen=True)
class Validation:
    """What an examination on held-out pictures found."""

    images_seen: int
    found: Mapping[str, Any]


@dataclass(frozen=True)
class Saved:
    """A checkpoint is on the disk."""

    images_seen: int
    path: Path


@dataclass(frozen=True)
class Painted:
    """A sample sheet is on the disk."""

    images_seen: int
    path: Path


@dataclass(frozen=True)
class Looks:
    """Always at the narrowest average, not at the weights of the moment."""

    course: Course
    out: Path

    def examined(self, state: TrainState, log: Log) -> Iterator[Validation]:
        """On held-out pictures; written down."""
        with wearing(state.model, best(state)):
            found = self.course.examine(state.model, Compute(torch.device("cpu"), state.precision))
        if found is not None:
            log.write(state.images_seen, "validation", found)
            yield Validation(state.images_seen, found)

    def painted(self, state: TrainState) -> Iterator[Painted]:
        """As a sheet."""
        with wearing(state.model, best(state)):
            pixels = self.course.paint(state.model)
        if pixels is not None:
            path = self.out / "sheets" / f"{state.images_seen:012d}.png"
            save_sheet(pixels, path)
            yield Painted(state.images_seen, path)

    def snapshot(self, state: TrainState) -> None:
        """All averages in half precision, so that a width can be chosen when the run is over."""
        for average in state.averages:
            path = self.out / "snapshots" / f"{state.images_seen:012d}-{average.sigma_rel:.3f}.safetensors"
            write_part(path, {name: weight.half() for name, weight in average.weights.items()}, None)

    def export(self, state: TrainState) -> None:
        """As a part of a bundle."""
        with wearing(state.model, best(state)):
            self.course.export(state.model, best(state), state.images_seen, self.out)


def best(state: TrainState) -> Mapping[str, Tensor]:
    """The weights to look at: the first average, or the weights themselves where none is kept."""
    return state.averages[0].weights if state.averages else state.model.state_dict()
