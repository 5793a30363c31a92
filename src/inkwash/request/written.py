"""Groups of a request in one word of the command line: MODEL,PICTURE,weight=0.8, or an object of JSON."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from inkwash.errors import InvalidRequest
from inkwash.weights.plain import built, plain

Kind = TypeVar("Kind")


def read_group(kind: type[Kind], text: str, where: str) -> Kind:
    """What stands before the first = fills the fields in order, the last of them as often as there are words.

    A path with a comma in it is written as JSON: '{"model": "a,b.safetensors", …}'. Raises InvalidRequest.
    """
    if text.lstrip().startswith("{"):
        try:
            return built(kind, json.loads(text), where)
        except (ValueError, RecursionError):
            raise InvalidRequest(where, text, "JSON") from None
    hints = get_type_hints(kind)
    placed: list[str] = []
    values: dict[str, Any] = {}
    for piece in (piece.strip() for piece in text.split(",")):
        name, sign, value = piece.partition("=")
        if sign and name in hints:
            values[name] = _value(hints[name], value)
        elif sign and not Path(piece).exists():
            raise InvalidRequest(where, piece, f"one of {', '.join(f'{each}=…' for each in hints)}")
        else:
            placed.append(piece)
    first, second, *_ = (field.name for field in fields(kind))  # type: ignore[arg-type]
    many = hints[second] == tuple[Path, ...]
    if len(placed) > 2 and not many:
        raise InvalidRequest(where, placed[2], f"left out: a {where} has one {first} and one {second}")
    names = [name for name in (first, second) if name not in values]
    values |= dict(
        zip(names, [placed[0], placed[1:] if many else placed[1]] if len(placed) > 1 else placed, strict=False)
    )
    return built(kind, values, where)


def written_group(group: object) -> str:
    """The inverse, as JSON."""
    return json.dumps(plain(group), ensure_ascii=False)


def _value(kind: Any, text: str) -> Any:
    """A number where one is wanted."""
    if float in (kind, *getattr(kind, "__args__", ())):
        try:
            return float(text)
        except ValueError:
            return text
    return [text] if kind == tuple[Path, ...] else text
