"""What differs between the trainings of a predictor and of an autoencoder: the run knows only this."""

from collections.abc import Iterator, Mapping, Sequence, Sized
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from torch import Tensor, nn

from inkwash.device import Compute
from inkwash.training.config import RunConfig
from inkwash.training.objective import Objective
from inkwash.training.workers import Team
from inkwash.types import Pixels


@runtime_checkable
class Course(Protocol):
    """A picklable value: each worker makes its own network and its own lessons from it."""

    @property
    def config(self) -> RunConfig:
        """What is learned, and how long."""
        ...

    def materials(self) -> Mapping[str, str]:
        """Names of what the lessons are made of; a run may not go on with others."""
        ...

    def alone(self) -> "Course":
        """The same without what only the first worker needs."""
        ...

    def network(self) -> nn.Module:
        """A new network, its weights drawn from torch's own stream."""
        ...

    def objective(self) -> Objective:
        """The loss of a part of a batch."""
        ...

    def lessons(self, seen: int, team: Team) -> Iterator[Sequence[Sized]]:
        """This worker's share of every batch after `seen` pictures, in parts."""
        ...

    def examine(self, network: nn.Module, compute: Compute) -> Mapping[str, Any] | None:
        """How good it is on held-out pictures; None if there are none."""
        ...

    def paint(self, network: nn.Module) -> Pixels | None:
        """Something to look at."""
        ...

    def export(self, network: nn.Module, weights: Mapping[str, Tensor], images_seen: int, out: Path) -> None:
        """Write the part of a bundle that was learned. `network` wears the weights."""
        ...
