"""A model with adapters in it: LoRA and relatives, added to its weights after loading."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from math import isfinite
from pathlib import Path

from torch import nn

from inkwash.errors import InvalidRequest
from inkwash.predictor.mmdit import MMDiT
from inkwash.weights.bundle import Bundle
from inkwash.weights.change import Changes
from inkwash.weights.containers.opening import open_source
from inkwash.weights.deltas import cut
from inkwash.weights.files import Checkpoint, file_sha256
from inkwash.weights.lora import read_changes
from inkwash.weights.lora_names import Aliases, Role
from inkwash.weights.patch import Patch


def adapted(bundle: Bundle, said: str) -> Bundle:
    """`bundle`, its weights changed in place by the adapter that `said` names as FILE or FILE:STRENGTH.

    Raises InvalidRequest for a strength that is no number, WeightsError for a file that is broken or does not fit.
    """
    path, strength = parted(said)
    for role, each in changes_of(bundle, path).items():
        patch = Patch(changeable(bundle)[role])
        patch.add(path.stem, each, strength)
        patch.bake()
    bundle.text.forget()
    return replace(bundle, files={**bundle.files, f"lora/{path.name}": file_sha256(path)})


def changeable(bundle: Bundle) -> dict[Role, nn.Module]:
    """The networks that adapters change."""
    roles: tuple[Role, ...] = ("predictor", "text", "text_2", "text_3")
    parts = bundle.networks()
    return {role: parts[role] for role in roles if role in parts}


def changes_of(bundle: Bundle, path: Path) -> dict[Role, Changes]:
    """What an adapter's file does to the networks of a model.  Raises WeightsError if it is broken or does not fit."""
    source = open_source(path)
    aliases: Aliases | None = {} if isinstance(bundle.predictor, MMDiT) else None
    return read_changes(Checkpoint(source.tensors(), source.metadata), changeable(bundle), str(path), aliases)


Said = tuple[Path, float, float, int | None]
"""An adapter's file, how strong it is in text encoders and in the predictor, and the rank it is cut down to."""


@contextmanager
def patched(bundle: Bundle, adapters: Sequence[Said]) -> Iterator[None]:
    """Inside the block adapters act; afterwards every weight is the bits it was.  Raises as `adapted` does."""
    networks = changeable(bundle) if adapters else {}
    patches = {role: Patch(network) for role, network in networks.items()}
    try:
        for number, (path, text, image, rank) in enumerate(adapters):
            for role, changes in changes_of(bundle, path).items():
                strength = image if role == "predictor" else text
                if strength:
                    patches[role].add(f"{path.stem} {number}", lowered(changes, rank), strength)
        if adapters:
            bundle.text.forget()
        yield
    finally:
        for patch in patches.values():
            patch.restore()
        if adapters:
            bundle.text.forget()


def lowered(changes: Changes, rank: int | None) -> Changes:
    """Low-rank changes cut down to the first `rank` of their rows; all others as they are."""
    if rank is None:
        return changes
    return {name: replace(change, delta=cut(change.delta, rank)) for name, change in changes.items()}


def parted(said: str) -> tuple[Path, float]:
    """The file and how strongly it acts: 1 where nothing is said."""
    name, colon, number = said.rpartition(":")
    if not colon or Path(said).exists():
        return Path(said), 1.0
    try:
        strength = float(number)
    except ValueError:
        strength = float("nan")
    if not isfinite(strength):
        raise InvalidRequest("lora", said, "a file, or FILE:STRENGTH with a number")
    return Path(name), strength
