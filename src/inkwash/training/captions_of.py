"""Captions that come in one file for a whole set."""

import csv
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from inkwash.errors import DataError

Captions = Mapping[str, tuple[str, ...]]


def json_captions(path: Path) -> Captions:
    """A JSON object: key of a picture -> its caption, or a list of them.  Raises DataError."""
    try:
        told = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"cannot read the captions in {path}: {error}") from None
    if not isinstance(told, dict):
        raise DataError(f"{path} must hold a JSON object of key -> captions")
    return {str(key): (value,) if isinstance(value, str) else tuple(map(str, value)) for key, value in told.items()}


def folder_captions(folder: Path) -> Captions:
    """metadata.jsonl or metadata.csv of a Hugging Face image folder: file name -> captions.  Raises DataError."""
    jsonl, table = folder / "metadata.jsonl", folder / "metadata.csv"
    try:
        if jsonl.is_file():
            return _named(json.loads(line) for line in jsonl.read_text("utf-8").splitlines() if line.strip())
        if table.is_file():
            with table.open(encoding="utf-8", newline="") as rows:
                return _named(csv.DictReader(rows))
    except ValueError as error:
        raise DataError(f"cannot read the captions of {folder}: {error}") from None
    return {}


def _named(rows: Iterable[Mapping[str, Any]]) -> Captions:
    found: dict[str, tuple[str, ...]] = {}
    for row in rows:
        name = row.get("file_name")
        caption = row.get("text") or row.get("caption") or row.get("prompt")
        if name and caption:
            found[str(name)] = (caption,) if isinstance(caption, str) else tuple(map(str, caption))
    return found
