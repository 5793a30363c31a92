"""A model with adapters in it: LoRA and relatives, added to its weights after loading."""

from dataclasses import replace
from math import isfinite
from pathlib import Path

from torch import nn

from inkwash.errors import InvalidRequest
from inkwash.predictor.mmdit import MMDiT
from inkwash.weights.bundle import Bundle
from inkwash.weights.containers.opening import open_source
from inkwash.weights.files import Checkpoint, file_sha256
from inkwash.weights.lora import read_changes
from inkwash.weights.lora_names import Aliases, Role
from inkwash.weights.patch import Patch


def adapted(bundle: Bundle, said: str) -> Bundle:
    """`bundle`, its weights changed in place by the adapter that `said` names as FILE or FILE:STRENGTH.

    Raises InvalidRequest for a strength that is no number, WeightsError for a file that is broken or does not fit.
    """
    path, strength = parted(said)
    source = open_source(path)
    roles: tuple[Role, ...] = ("predictor", "text", "text_2", "text_3")
    parts = bundle.networks()
    networks: dict[Role, nn.Module] = {role: parts[role] for role in roles if role in parts}
    aliases: Aliases | None = {} if isinstance(bundle.predictor, MMDiT) else None
    changes = read_changes(Checkpoint(source.tensors(), source.metadata), networks, str(path), aliases)
    for role, each in changes.items():
        patch = Patch(networks[role])
        patch.add(path.stem, each, strength)
        patch.bake()
    bundle.text.forget()
    return replace(bundle, files={**bundle.files, f"lora/{path.name}": file_sha256(path)})


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
