"""`inkwash info`: what a file of weights is, or what was asked when a picture was painted."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional

PICTURES = (".png", ".jpg", ".jpeg", ".webp")


@dataclass(frozen=True)
class InfoOptions:
    """What a checkpoint, an adapter, a folder or a picture is; nothing in it is run."""

    file: Annotated[Path, Positional]
    """safetensors, GGUF, a folder, or a PNG."""
    hash: bool = True
    """Read all of the file for its SHA-256."""
    json: bool = False
    """Print JSON."""


def run(options: InfoOptions) -> None:
    """Look, and print lines of a name and a value."""
    if options.file.suffix.lower() in PICTURES:
        rows = picture(options.file)
    elif (options.file / "model.json").is_file():
        rows = bundle(options.file)
    else:
        rows = weights(options.file, options.hash)
    if options.json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))  # noqa: T201
        return
    width = max(map(len, rows)) + 2
    for name, value in rows.items():
        clean = "".join(letter if letter.isprintable() else " " for letter in value)
        print(f"{name:{width}}{clean}")  # noqa: T201


def weights(path: Path, hashed: bool) -> dict[str, str]:
    """What a file of weights is."""
    from inkwash.weights.facts import facts

    found = facts(path, hashed=hashed)
    one = found.identity
    rows = {
        "file": str(path),
        "kind": one.kind,
        "family": found.title or one.family,
        "task": one.task,
        "predicts": f"{found.told.prediction}, says {found.told.by}" if found.told else "",
        "distilled": f"{found.haste.kind}, says {found.haste.by}" if found.haste else "",
        "container": found.container + (f", {one.layout} names" if one.layout else ""),
        "size": f"{found.size / 1e6:,.1f} MB",
        "tensors": f"{found.tensors:,}, {found.numbers:,} numbers",
        "types": ", ".join(f"{dtype} {count}" for dtype, count in found.dtypes.items()),
        "parts": ", ".join(one.parts),
        **dict(one.details or {}),
        "needs": ", ".join(one.needs()),
        "not known": f"{len(found.unknown)} tensors, {found.unknown[0]} first" if found.unknown else "",
        **found.hashes,
        **found.notes,
        "other notes": str(found.other_notes or ""),
    }
    return {name: value for name, value in rows.items() if value}


def bundle(folder: Path) -> dict[str, str]:
    """What a model is that inkwash has trained."""
    from inkwash.weights.manifest import read_manifest

    found = read_manifest(folder)
    size = f"{found.defaults.width}x{found.defaults.height}"
    rows = {
        "folder": str(folder),
        "kind": "inkwash model",
        "name": found.name,
        "predicts": found.target,
        "paints": size,
    }
    return {**rows, **{f"sha256 of {name}": sha for name, sha in found.files.items()}}


def picture(path: Path) -> dict[str, str]:
    """What a picture says of how it was painted."""
    from inkwash.pictures.photo import opened

    image = opened(path, "file")
    texts = {str(name): value for name, value in image.info.items() if isinstance(value, str)}
    rows = {"file": str(path), "kind": "picture", "size": f"{image.width}x{image.height}", **texts}
    return rows if texts else {**rows, "asked": "it does not say"}
