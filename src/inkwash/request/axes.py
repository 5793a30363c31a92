"""Axes of a grid: a field of the request and its values, as the X/Y/Z plot of the web UI writes them."""

import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from io import StringIO
from types import NoneType
from typing import Any, get_args, get_type_hints

from inkwash.errors import InvalidRequest
from inkwash.request.generate import GenerateRequest
from inkwash.weights.plain import built, plain

SEARCH = "replace"
"""The axis whose first value is looked for in the prompts, and replaced by each."""
NUMBER = r"([+-]?\d+(?:\.\d+)?)"
STEPPED = re.compile(rf"\s*{NUMBER}\s*-\s*{NUMBER}\s*(?:\(\s*{NUMBER}\s*\)\s*)?")
COUNTED = re.compile(rf"\s*{NUMBER}\s*-\s*{NUMBER}\s*\[\s*(\d{{1,4}})\s*\]\s*")
MOST = 1000
"""Values along an axis."""


@dataclass(frozen=True)
class Axis:
    """What changes along a side of the grid."""

    field: str
    """A field of the request, `group.field` for one of a group, or `replace`."""
    values: tuple[Any, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """What stands beside each value."""
        if self.field in (SEARCH, "prompt"):
            return tuple(str(value) for value in self.values)
        return tuple(f"{self.field} {said(value)}" for value in self.values)


def axis_of(text: str) -> Axis:
    """An axis from "steps=10, 20", "guidance=1-5 (+0.5)", "hires.strength=0.3-0.7 [3]", "replace=cat, dog".

    Values are separated by commas, with quotes around those that hold some; whole ranges count by 1 unless they say
    more.  Raises InvalidRequest for a field that is not there, and for values that are not of its kind.
    """
    name, sign, listed = text.partition("=")
    name = name.strip().lower().replace("-", "_")
    if not sign or not listed.strip():
        raise InvalidRequest("axis", text, 'a field and its values: "steps=10, 20, 40"')
    words = next(csv.reader(StringIO(listed.strip().replace("\n", " ")), skipinitialspace=True))
    if name == SEARCH:
        return Axis(name, tuple(word.strip() for word in words))
    kind = _kind(name)
    values = tuple(value for word in words for value in _values(name, word.strip(), kind))
    if len(values) > MOST:
        raise InvalidRequest(name, f"{len(values)} values", f"at most {MOST}")
    return Axis(name, values)


def cells(request: GenerateRequest, axes: tuple[Axis, ...]) -> Iterator[GenerateRequest]:
    """A request for every cell: the last axis changes slowest, the first fastest.

    Raises InvalidRequest for words to replace that are in no prompt, and for values that the request cannot hold.
    """
    if not axes:
        yield request
        return
    *inner, last = axes
    for value in last.values:
        changed = (
            _replaced(request, last.values[0], value) if last.field == SEARCH else _with(request, last.field, value)
        )
        yield from cells(changed, tuple(inner))


def _with(request: GenerateRequest, name: str, value: Any) -> GenerateRequest:
    group, dot, field = name.partition(".")
    told = plain(request)
    change = {group: {**told.get(group, {}), field: value}} if dot else {name: value}
    return built(GenerateRequest, {**told, **change})


def _replaced(request: GenerateRequest, old: str, new: str) -> GenerateRequest:
    prompt, negative = request.prompt, request.negative_prompt or ""
    if old not in prompt and old not in negative:
        raise InvalidRequest(SEARCH, old, "words that are in the prompt")
    unwanted = negative.replace(old, new) if request.negative_prompt is not None else None
    return replace(request, prompt=prompt.replace(old, new), negative_prompt=unwanted)


def _kind(name: str) -> Any:
    """The kind of a field's values: int, float, str …"""
    owner: Any = GenerateRequest
    *groups, last = name.split(".")
    for group in groups:
        owner = get_type_hints(owner).get(group)
    hints = get_type_hints(owner) if is_dataclass(owner) else {}
    if last not in hints or is_dataclass(hints[last]):
        known = [field.name for field in fields(GenerateRequest)]
        raise InvalidRequest("axis", name, f"{SEARCH}, or a field of a request: {', '.join(known)}")
    kinds = [kind for kind in get_args(hints[last]) if kind is not NoneType]
    return kinds[0] if len(kinds) == 1 else hints[last]


def _values(name: str, word: str, kind: Any) -> list[Any]:
    if kind in (int, float):
        return _range(name, word, kind)
    if kind is bool:
        if word.lower() not in ("true", "false"):
            raise InvalidRequest(name, word, "true or false")
        return [word.lower() == "true"]
    return [[word] if getattr(kind, "__origin__", None) is tuple else word]


def _range(name: str, word: str, kind: Callable[[str], Any]) -> list[Any]:
    """A number, or a range of them; ends count."""
    try:
        if counted := COUNTED.fullmatch(word):
            first, last, count = kind(counted[1]), kind(counted[2]), max(int(counted[3]), 1)
            found = [first + (last - first) * index / max(count - 1, 1) for index in range(min(count, MOST + 1))]
            return [kind(value) if kind is int else round(value, 6) for value in found]
        if stepped := STEPPED.fullmatch(word):
            first, last = kind(stepped[1]), kind(stepped[2])
            step = kind(stepped[3]) if stepped[3] else kind("1") if last >= first else kind("-1")
            if not step or (last - first) * step < 0:
                raise InvalidRequest(name, word, "a range whose step leads to its end")
            count = int((last - first) / step + 1e-6) + 1
            return [round(first + step * index, 6) for index in range(min(count, MOST + 1))]
        return [kind(word)]
    except ValueError:
        raise InvalidRequest(name, word, "numbers, or ranges like 1-5, 1-5 (+2), 1-10 [5]") from None


def said(value: Any) -> str:
    """A value as people write it."""
    return f"{value:g}" if isinstance(value, float) else ", ".join(value) if isinstance(value, list) else str(value)
