"""Tensors into a network: every one of them, or none."""

from collections.abc import Mapping

from torch import Tensor, nn

from inkwash.errors import WeightsError
from inkwash.weights.containers.source import Slot

Shaped = Mapping[str, Tensor] | Mapping[str, Slot]
"""Tensors, or what they would be: shapes are all that is looked at."""

MOST_LISTED = 8


def fit(module: nn.Module, tensors: Mapping[str, Tensor], what: str = "the checkpoint") -> None:
    """Load strictly, in the module's own precision.

    Raises WeightsError that lists what is missing, unknown or misshapen; the module is unchanged then.
    """
    refuse(module, tensors, what)
    module.load_state_dict(dict(tensors))


def refuse(module: nn.Module, tensors: Shaped, what: str) -> None:
    """Raise WeightsError with a list of what is missing, unknown or misshapen, if anything is."""
    if wrong := misfits(module, tensors):
        more = f" and {len(wrong) - MOST_LISTED} more" if len(wrong) > MOST_LISTED else ""
        raise WeightsError(f"{what} does not fit: {'; '.join(wrong[:MOST_LISTED])}{more}")


def misfits(module: nn.Module, tensors: Shaped) -> list[str]:
    """What keeps `tensors` from being the state of `module`, a line each; empty if nothing."""
    wanted = module.state_dict()
    wrong = [f"missing {name}" for name in sorted(wanted.keys() - tensors.keys())]
    wrong += [f"unknown {name}" for name in sorted(tensors.keys() - wanted.keys())]
    for name in sorted(wanted.keys() & tensors.keys()):
        have, want = tuple(tensors[name].shape), tuple(wanted[name].shape)
        if have != want:
            wrong.append(f"{name} is {have}, wanted {want}")
    return wrong
