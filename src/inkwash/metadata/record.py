"""How a picture was painted: kept inside its PNG, read back to paint it again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import prod
from pathlib import Path
from typing import Any

from inkwash.errors import InvalidRequest, WeightsError
from inkwash.metadata.script import Side
from inkwash.pictures.photo import opened
from inkwash.request.generate import GenerateRequest
from inkwash.request.jsons import told
from inkwash.weights.bundle import Bundle
from inkwash.weights.choice import ModelChoice
from inkwash.weights.files import file_sha256, sha256
from inkwash.weights.plain import built, plain

CHUNK = "inkwash"
"""Keyword of the PNG text that holds a record."""
MOST_THREADS = 256
MOST_SIDES = 3
LITERAL = "literal"


@dataclass(frozen=True)
class Record:
    """Everything that decides the bytes of a picture.

    A picture is the same bits only in the same company, since sums are ordered by the size of a batch; so the
    record lists all requests of its batch, which of their pictures it is, and how many threads summed.
    """

    version: str
    """Of inkwash."""
    requests: tuple[GenerateRequest, ...]
    """Resolved: without None where the model had to choose."""
    index: int | None = None
    """Which picture of the requests; None: all of them, on a sheet."""
    columns: int | None = None
    """Of the sheet."""
    sides: tuple[Side, ...] = ()
    """Of a grid: what changes along its columns, rows and tables."""
    model: Mapping[str, str] = field(default_factory=dict)
    """sha256 of the model's files."""
    inputs: Mapping[str, str] = field(default_factory=dict)
    """sha256 of the input pictures' files, by path."""
    adapters: Mapping[str, str] = field(default_factory=dict)
    """sha256 of the files that steer or change the model, by path."""
    device: str = "cpu"
    dtype: str = "float32"
    threads: int = 1
    """That shared every sum: another number rounds in another order."""
    widened: str | None = None
    """What was computed once more in float32, because numbers ran out of bounds in `dtype`."""

    def note(self) -> str:
        """One line of JSON; what is None is left out, and so is the mode of prompts that are read literally."""
        whole = plain(replace(self, requests=())) | {"requests": [told(request) for request in self.requests]}
        for name in ("adapters", "sides"):
            if not whole[name]:
                del whole[name]
        for request in whole["requests"]:
            if request["prompt_mode"] == LITERAL:
                del request["prompt_mode"]
        return json.dumps(_filled(whole), ensure_ascii=False, separators=(",", ":"))


def parts_widened(steps: bool, decoding: bool) -> str | None:
    """What was computed once more in float32, in words."""
    return {(True, True): "steps, decoding", (True, False): "steps", (False, True): "decoding"}.get((steps, decoding))


def read_record(path: Path) -> Record:
    """The record inside a PNG.  Raises InvalidRequest if it is no picture, or none that inkwash painted."""
    note = opened(path, "picture").info.get(CHUNK)
    if not isinstance(note, str | bytes):
        raise InvalidRequest("picture", str(path), "a PNG that inkwash painted: this one does not say how it was made")
    try:
        record = built(Record, _literal(json.loads(note)))
    except (ValueError, RecursionError):
        raise InvalidRequest("picture", str(path), "a PNG with a whole record: the one inside is not JSON") from None
    pictures = sum(request.count for request in record.requests)
    if not 0 <= (record.index or 0) < pictures:
        raise InvalidRequest("picture", str(path), "a PNG with a record that has its picture")
    places = prod(len(side.labels) for side in record.sides)
    if record.sides and (places != pictures or len(record.sides) > MOST_SIDES):
        raise InvalidRequest("picture", str(path), "a grid with as many pictures as its sides have places")
    if not 1 <= record.threads <= MOST_THREADS:
        raise InvalidRequest("threads", record.threads, f"a whole number from 1 to {MOST_THREADS}")
    return record


def one_choice(record: Record, path: Path) -> ModelChoice:
    """The model of all its pictures.  Raises InvalidRequest for a sheet along an axis of models."""
    choices = {request.choice for request in record.requests}
    if len(choices) != 1:
        wanted = "one by one model: the pictures of this sheet, in the folder beside it, say how they were painted"
        raise InvalidRequest("picture", str(path), wanted)
    return choices.pop()


def check(record: Record, bundle: Bundle) -> None:
    """See that model and input pictures are still what they were.

    Raises WeightsError for another model, InvalidRequest for another or missing picture.
    """
    for name, was in record.model.items():
        if bundle.files.get(name) != was:
            now = bundle.files.get(name, "missing")
            raise WeightsError(f"it was painted by another {bundle.name}: {name} was {was[:10]} and is {now[:10]}")
    for path, was in record.adapters.items():
        if file_sha256(Path(path)) != was:
            raise WeightsError(f"it was painted with another {path}: its sha256 began with {was[:10]}")
    for path, was in record.inputs.items():
        if fingerprint(Path(path)) != was:
            raise InvalidRequest("image", path, "the picture it was then: its content has changed")


def fingerprint(path: Path) -> str:
    """sha256 of an input picture's file.  Raises InvalidRequest if it cannot be read."""
    try:
        return sha256(path.read_bytes())
    except OSError as error:
        raise InvalidRequest("image", str(path), f"a picture that can be read ({error.strerror})") from None


def _literal(note: Any) -> Any:
    """Where a record names no mode its prompts were read literally: by this version, or by one that knew no other."""
    requests = note.get("requests") if isinstance(note, dict) else None
    for request in requests if isinstance(requests, list) else ():
        if isinstance(request, dict):
            request.setdefault("prompt_mode", LITERAL)
    return note


def _filled(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _filled(each) for key, each in value.items() if each is not None}
    return [_filled(each) for each in value] if isinstance(value, list) else value
