"""Changes to a network's weights that can be scaled, taken back, or made to stay; the network's file is not edited.

The first change of a weight puts it aside. All changes are computed from it in float32, in the order in which they
came, so scaling never adds up errors, and taking the last one back restores every bit. A weight that rests in a file
(`nn.resting`) is changed into one of float32, so that it says the same as one that was widened on loading.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from inkwash.errors import InvalidRequest, WeightsError
from inkwash.nn.resting import Resting
from inkwash.weights.change import Change, Changes
from inkwash.weights.fit import MOST_LISTED
from inkwash.weights.packed import Packed, packed_weights


@dataclass
class Added:
    """An adapter that acts."""

    changes: Changes
    strength: float


class Patch:
    """The adapters of one network.

    After a text encoder was changed, what a Conditioner remembers must be forgotten.
    """

    def __init__(self, network: nn.Module) -> None:
        self._weights: dict[str, Tensor | Packed] = {
            **dict(network.named_parameters()),
            **dict(packed_weights(network)),
        }
        self._kept: dict[str, Tensor] = {}
        self._added: dict[str, Added] = {}

    @property
    def strengths(self) -> Mapping[str, float]:
        """The adapters by name, in order, and how strongly they act."""
        return {name: added.strength for name, added in self._added.items()}

    def add(self, name: str, changes: Changes, strength: float = 1.0) -> None:
        """Let an adapter act.

        Raises InvalidRequest if there is one of that name, WeightsError for changes that do not fit; nothing is
        changed then.
        """
        if name in self._added:
            raise InvalidRequest("adapter", name, "a new name: there is one of that name already")
        if wrong := [line for path, change in changes.items() if (line := self._misfit(path, change))]:
            more = f" and {len(wrong) - MOST_LISTED} more" if len(wrong) > MOST_LISTED else ""
            raise WeightsError(f"{name} does not fit: {'; '.join(wrong[:MOST_LISTED])}{more}")
        self._added[name] = Added(changes, strength)
        self._refresh(changes)

    def scale(self, name: str, strength: float) -> None:
        """Let it act more or less strongly.  Raises InvalidRequest if there is no such adapter."""
        added = self._found(name)
        added.strength = strength
        self._refresh(added.changes)

    def remove(self, name: str) -> None:
        """Take it back.  Raises InvalidRequest if there is no such adapter."""
        changes = self._found(name).changes
        del self._added[name]
        self._refresh(changes)

    @torch.no_grad()
    def restore(self) -> None:
        """Take all adapters back: every weight is the bits it was."""
        paths = {path for added in self._added.values() for path in added.changes}
        self._added.clear()
        self._refresh(paths)

    def bake(self) -> None:
        """Make all changes stay: the weights remain as they are now, and nothing is kept for going back."""
        self._added.clear()
        self._kept.clear()

    def _found(self, name: str) -> Added:
        if name not in self._added:
            raise InvalidRequest("adapter", name, f"one of {', '.join(self._added) or '(none is there)'}")
        return self._added[name]

    def _misfit(self, path: str, change: Change) -> str:
        if path not in self._weights:
            return f"unknown {path}"
        shape = tuple(self._weights[path].shape)
        return "" if change.fits(shape) else f"{path} is {shape}"

    @torch.no_grad()
    def _refresh(self, paths: Iterable[str]) -> None:
        """Compute these weights anew."""
        for path in paths:
            weight = self._weights[path]
            acting = [added for added in self._added.values() if path in added.changes]
            if isinstance(weight, Packed):
                weight.changed = _changed(path, weight.fetch(), acting) if acting else None
                continue
            kept = self._kept.setdefault(path, weight.data)
            if not acting:
                weight.data = self._kept.pop(path)
                continue
            dtype = torch.float32 if isinstance(weight, Resting) else kept.dtype
            changed = _changed(path, kept, acting)
            weight.data = torch.empty_like(kept, dtype=dtype).copy_(changed)  # never into memory of a mapped file


def _changed(path: str, weight: Tensor, acting: Iterable[Added]) -> Tensor:
    """In float32, as all that act on it want it."""
    changed = weight.float()
    for added in acting:
        changed = added.changes[path].applied(changed, added.strength)
    return changed
