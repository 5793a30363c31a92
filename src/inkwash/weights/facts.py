"""Everything that can be said of a file without painting with it."""

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from inkwash.errors import WeightsError
from inkwash.weights.containers.opening import open_source
from inkwash.weights.containers.source import Source
from inkwash.weights.distilled import Haste, haste
from inkwash.weights.families import FAMILIES, Prediction
from inkwash.weights.family import NETWORKS, Identity, identified
from inkwash.weights.prediction import Told, prediction
from inkwash.weights.single import apart

CHUNK = 2**22
SHORT = 10
"""Letters of the short hash that other programs write into pictures."""
HEADS = ("modelspec.", "ss_", "general.")
"""Beginnings of notes that are meant to be read."""


@dataclass(frozen=True)
class Facts:
    """What a file is, and what it holds."""

    path: Path
    container: str
    size: int
    """Bytes."""
    identity: Identity
    title: str
    """The family in words; '' where there is none."""
    told: Told | None
    """What the network predicts, of those that have one."""
    haste: Haste | None
    """Whether it was taught to need few steps."""
    tensors: int
    numbers: int
    dtypes: Mapping[str, int]
    """How many tensors of each type."""
    notes: Mapping[str, str]
    """modelspec.*, ss_* and GGUF's general.*; all others are counted only."""
    other_notes: int
    unknown: tuple[str, ...]
    """Tensors of a checkpoint that belong to no part of it."""
    hashes: Mapping[str, str]
    """sha256, its short form, and of safetensors the hash of all behind the header, for each file."""


def facts(path: Path, *, hashed: bool = True, wish: Prediction | None = None) -> Facts:
    """Look at a file or folder; only hashing reads all of it.  Raises WeightsError in one line."""
    source = open_source(path)
    identity = identified(source)
    whole = identity.kind in ("checkpoint", "network")
    parts = apart(source) if whole else None
    network = parts is not None and any(name in parts.parts for name in NETWORKS)
    notes = {key: value for key, value in source.metadata.items() if key.startswith(HEADS)}
    return Facts(
        path=path,
        container=source.container,
        size=sum(file.stat().st_size for file in source.files),
        identity=identity,
        title=FAMILIES[identity.family].title if identity.family in FAMILIES else "",
        told=prediction(source, identity, parts, wish) if parts is not None and network else None,
        haste=haste(source) if network else None,
        tensors=len(source),
        numbers=sum(slot.numel for slot in source.slots.values()),
        dtypes=dict(Counter(slot.dtype for slot in source.slots.values()).most_common()),
        notes=dict(sorted(notes.items())),
        other_notes=len(source.metadata) - len(notes),
        unknown=parts.unknown if parts is not None and network else (),
        hashes=_hashes(source) if hashed and len(source.files) == 1 else {},
    )


def _hashes(source: Source) -> dict[str, str]:
    path = source.files[0]
    whole, behind = hashlib.sha256(), hashlib.sha256()
    try:
        with path.open("rb") as file:
            head = file.read(8)
            head += file.read(int.from_bytes(head, "little")) if source.container == "safetensors" else b""
            whole.update(head)
            while data := file.read(CHUNK):
                whole.update(data)
                behind.update(data)
    except OSError as error:
        raise WeightsError(f"cannot read {path}: {error.strerror}") from None
    found = {"sha256": whole.hexdigest(), "short": whole.hexdigest()[:SHORT]}
    return found | ({"autov3": behind.hexdigest()} if source.container == "safetensors" else {})
