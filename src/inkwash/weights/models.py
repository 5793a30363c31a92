"""One door to every model: the shipped ones, folders of our own, and whatever others have released."""

from pathlib import Path

from inkwash.errors import InvalidRequest
from inkwash.weights.adapted import adapted
from inkwash.weights.bundle import Bundle, load_bundle
from inkwash.weights.choice import Keeping, ModelChoice
from inkwash.weights.manifest import MANIFEST, MODELS
from inkwash.weights.released import load_released


def open_model(choice: ModelChoice, keeping: Keeping = "auto", room: int | None = None) -> Bundle:
    """A model ready for use, on the CPU and without gradients.

    `keeping` and `room` (bytes of memory) are for the weights of checkpoints; ours are small. Raises InvalidRequest if
    there is no such model or a choice that it does not leave, WeightsError if one of its files is broken or does not
    fit.
    """
    bundle = _plain(choice, keeping, room)
    for said in choice.lora:
        bundle = adapted(bundle, said)
    return bundle


def _plain(choice: ModelChoice, keeping: Keeping, room: int | None) -> Bundle:
    """The model without adapters."""
    path = Path(choice.model)
    ours = any((folder / MANIFEST).is_file() for folder in (MODELS / choice.model, path))
    if not ours and path.exists():
        return load_released(choice, keeping, room)
    bundle = load_bundle(choice.model)
    for name, value in choice.changes.items():
        raise InvalidRequest(name, str(value), f"left out: {bundle.name} is whole, only checkpoints of others need it")
    return bundle
