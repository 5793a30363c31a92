"""Diffusers folders: a subfolder per part, weights in one file or in shards with an index, in several variants."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from inkwash.errors import InvalidRequest, WeightsError, shown
from inkwash.weights.containers.source import Source, joined, open_safetensors

STEMS = ("diffusion_pytorch_model", "model")
NOTES = ("config.json", "scheduler_config.json", "model_index.json", "preprocessor_config.json")
LARGEST_NOTE = 2**20
SHARD = re.compile(r"(.+)-\d{5}-of-\d{5}\.safetensors|(.+)\.safetensors")
PICKLES = (".bin", ".ckpt", ".pt", ".pth")


def open_folder(folder: Path, variant: str | None = None) -> Source:
    """A folder with parts, tensors named part/name; or the folder of one part, tensors under their own names.

    `variant` (fp16, bf16, ema …) chooses among files that lie side by side; left out, the plain ones come first.
    Configurations become metadata, by their path. Raises WeightsError, InvalidRequest for an unknown variant.
    """
    if not folder.is_dir():
        raise WeightsError(f"{folder} is no folder")
    parts = [place for place in sorted(folder.iterdir()) if place.is_dir() and weights_of(place)]
    notes = _notes(folder, [folder, *(place for place in sorted(folder.iterdir()) if place.is_dir())])
    if not parts and not weights_of(folder):
        pickled = any(path.suffix in PICKLES for path in [*folder.iterdir(), *folder.glob("*/*")])
        why = "; the pickles in it are read one by one by inkwash convert" if pickled else ""
        raise WeightsError(f"{folder} holds no safetensors{why}")
    if not parts:
        return replace(_part(folder, variant), metadata=notes, container="folder")
    sources = []
    for place in parts:
        part = _part(place, variant)
        sources.append(part.renamed({f"{place.name}/{name}": name for name in part.slots}))
    return replace(joined(str(folder), sources), metadata=notes, container="folder")


def weights_of(folder: Path) -> dict[str, list[Path]]:
    """The files of every variant of a part; '' is the plain one."""
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.glob("*.safetensors")):
        match = SHARD.fullmatch(path.name)
        stem, _, variant = str(match and (match[1] or match[2])).partition(".")
        variant = re.sub(r"-\d{5}-of-\d{5}$", "", variant)
        if stem in STEMS:
            found.setdefault(variant, []).append(path)
    return found


def _part(folder: Path, variant: str | None) -> Source:
    known = weights_of(folder)
    chosen = variant if variant is not None else next(name for name in ("", "fp16", *known) if name in known)
    if chosen not in known:
        raise InvalidRequest("variant", chosen, f"one of {', '.join(name or 'the plain one' for name in known)}")
    shards = known[chosen]
    whole = joined(str(folder), [open_safetensors(path) for path in shards])
    index = next((path for path in folder.glob("*.index*.json") if _index_variant(path) == chosen), None)
    if index is not None and len(shards) > 1:
        _indexed(index, whole, shards)
    elif any("-of-" in path.name for path in shards):
        _complete(folder, shards)
    return whole


def _index_variant(path: Path) -> str:
    """model.safetensors.index.json, or with a variant before or after `index`."""
    middle = path.name.removesuffix(".json").partition(".")[2].split(".")
    return ".".join(word for word in middle if word not in ("safetensors", "index"))


def _indexed(index: Path, whole: Source, shards: list[Path]) -> None:
    """See that the shards hold what their index promises, no more and no less."""
    table = read_json(index).get("weight_map")
    if not isinstance(table, dict) or not all(isinstance(name, str) for name in table.values()):
        raise WeightsError(f"{index} has no weight_map")
    there = {path.name for path in shards}
    if away := sorted(set(table.values()) - there):
        raise WeightsError(f"{index} names files that are not there: {', '.join(away[:3])}")
    if wrong := sorted(table.keys() ^ whole.slots.keys()):
        raise WeightsError(f"{index} and the files beside it differ in {len(wrong)} tensors, {shown(wrong[0])} first")


def _complete(folder: Path, shards: list[Path]) -> None:
    """Without an index, the names of the shards say how many there are."""
    wanted = int(shards[0].name.partition("-of-")[2][:5])
    if len(shards) != wanted:
        raise WeightsError(f"{folder} holds {len(shards)} of {wanted} shards")


def read_json(path: Path) -> dict[str, object]:
    """An object of a small file.  Raises WeightsError."""
    try:
        if path.stat().st_size > 32 * LARGEST_NOTE:
            raise WeightsError(f"{path} is too large to be read")
        table = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise WeightsError(f"cannot read {path}: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise WeightsError(f"{path} is not JSON") from None
    if not isinstance(table, dict):
        raise WeightsError(f"{path} is not an object")
    return table


def _notes(folder: Path, places: list[Path]) -> Mapping[str, str]:
    """The configurations, as texts."""
    found = {}
    for place in places:
        for name in NOTES:
            path = place / name
            if path.is_file() and path.stat().st_size <= LARGEST_NOTE:
                found[path.relative_to(folder).as_posix()] = path.read_text("utf-8", errors="replace")
    return found
