"""The parts of a released checkpoint in one place, whatever it lies in: file, folder, or several of them."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from mmap import mmap
from pathlib import Path
from typing import Any

from inkwash.errors import InvalidRequest
from inkwash.ram import GIGA, free_memory
from inkwash.weights.choice import Keeping, ModelChoice
from inkwash.weights.configs import Config, configured
from inkwash.weights.containers.opening import open_source
from inkwash.weights.containers.source import Source, unscaled
from inkwash.weights.distilled import Haste, haste
from inkwash.weights.family import NETWORKS, Identity, identified
from inkwash.weights.names import text
from inkwash.weights.names.recipe import recast
from inkwash.weights.prediction import SCHEDULER, USUAL, Told, prediction
from inkwash.weights.single import Parts, apart

LOG = logging.getLogger(__name__)
SPARE = 2 * GIGA
"""For all that is no weight: the program itself, and what passes through the networks."""


@dataclass(frozen=True)
class Gathered:
    """What a model is made of; no tensor is read yet."""

    path: Path
    identity: Identity
    told: Told
    parts: Mapping[str, Source]
    """unet or transformer, vae, text_encoder, text_encoder_2, text_encoder_3 …, under the names of a folder."""
    configs: Mapping[str, Config]
    """By path in the folder; for what has none, made from the shapes."""
    markers: tuple[str, ...]
    lender: Path | None = None
    haste: Haste | None = None
    """Whether it was taught to need few steps."""

    @property
    def network(self) -> str:
        """The part that predicts noise."""
        return next(name for name in NETWORKS if name in self.parts)

    @property
    def scheduler(self) -> Config:
        """How it is sampled."""
        return self.configs[SCHEDULER]

    def config(self, part: str) -> Config:
        """The configuration of a part."""
        return self.configs.get(f"{part}/config.json", {})

    def files(self) -> dict[str, Path]:
        """Every file that weights come from by a name for records, that of the network first."""
        found: dict[str, Path] = {}
        for name in (self.network, *(part for part in self.parts if part != self.network)):
            if not name.startswith((*NETWORKS, "vae", "text_encoder")):
                continue
            for path in self.parts[name].files:
                inside = path.parent.name == name
                if inside or path.parent.name not in self.parts:
                    found[f"{name}/{path.name}" if inside else path.name] = path
        return found

    def maps(self) -> tuple[mmap, ...]:
        """Every mapped file once."""
        return tuple({id(data): data for part in self.parts.values() for data in part.maps}.values())


def gathered(choice: ModelChoice) -> Gathered:
    """Open what the user chose.

    Raises WeightsError for a file that is broken, InvalidRequest for one that is no checkpoint.
    """
    path = Path(choice.model)
    source = readable(path, choice.variant)
    identity, found = identified(source), apart(source)
    if not set(found.parts) & set(NETWORKS):
        raise InvalidRequest("model", str(path), f"a checkpoint that paints; this is a {identity.kind}")
    hurried = haste(source, choice.distilled)
    told = prediction(source, identity, found, choice.prediction)
    if hurried and (hurried.kind, hurried.steps, told.prediction) == ("lightning", 1, "epsilon") and told.by == USUAL:
        told = Told("sample", hurried.by)  # of all lightnings the one of a single step tells the picture
    parts, notes = dict(found.parts), notes_of(source)
    if choice.base is not None:
        lent = _lent(choice.base, found)
        parts |= lent.parts
        notes = {**lent.configs, **notes}
    configs = {**configured(identity, parts, told.prediction), **notes}
    return Gathered(path, identity, told, parts, configs, found.markers, choice.base, hurried)


def kept(whole: Gathered, keeping: Keeping, room: int | None = None) -> Gathered:
    """The same, its weights to be kept in memory as `keeping` says; auto looks at `room` bytes, None: what is free."""
    if keeping == "auto":
        wide = sum(4 * slot.numel for part in whole.parts.values() for slot in part.slots.values())
        free = free_memory() if room is None else room
        keeping = "float32" if wide + SPARE <= free else "file"
        if keeping == "file":
            numbers = f"in float32 they would take {wide / GIGA:.1f} GB, and {free / GIGA:.1f} are free"
            LOG.warning("weights stay as they are in the file: %s", numbers)
    parts = {name: replace(part, rests=keeping == "file") for name, part in whole.parts.items()}
    return replace(whole, parts=parts)


def readable(path: Path, variant: str | None = None) -> Source:
    """Any container, its tensors in numbers that need no scale beside them, language models under usual names."""
    source = open_source(path, variant)
    if source.container == "GGUF" and any(name.startswith("enc.blk.") for name in source.slots):
        source = recast(source, text.t5_from_llama(list(source.slots)))
    return unscaled(source)


def notes_of(source: Source) -> dict[str, Any]:
    """The configurations that lie in a folder; those that are no objects are not believed."""
    found = {}
    for name, words in source.metadata.items():
        if name.endswith(".json"):
            try:
                table = json.loads(words)
            except (ValueError, RecursionError):
                continue
            if isinstance(table, dict):
                found[name] = table
    return found


@dataclass(frozen=True)
class _Lent:
    parts: Mapping[str, Source]
    configs: Mapping[str, Config]


def _lent(path: Path, borrower: Parts) -> _Lent:
    """Autoencoder and text encoders of another checkpoint, where there is none."""
    source = readable(path)
    around = {"vae", "text_encoder", "text_encoder_2", "text_encoder_3"} - set(borrower.parts)
    parts = {name: part for name, part in apart(source).parts.items() if name in around}
    if not parts:
        raise InvalidRequest("base", str(path), "a checkpoint with an autoencoder or text encoders to lend")
    notes = {name: note for name, note in notes_of(source).items() if name.partition("/")[0] in parts}
    return _Lent(parts, notes)
