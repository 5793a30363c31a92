"""The `parameters` text of the web UI, its forks and imitators, taken apart by the rules by which they read it."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

NEGATIVE = "Negative prompt:"
LEAST = 3
"""A last line with fewer settings is part of the prompt."""
KEY = re.compile(r"\w[\w \-/]+")
KEY_LETTERS = re.compile(r"[\w \-/]")
QUOTED = re.compile(r'"((?:\\.|[^\\"])+)"\s*(?:,|$)')


@dataclass(frozen=True)
class Infotext:
    """Prompts, and settings by their names as they were written."""

    prompt: str
    negative_prompt: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)


def read_infotext(text: str) -> Infotext:
    """Any text reads: what is no setting is prompt."""
    *lines, last = text.strip().split("\n")
    settings = dict(pairs(last))
    if len(settings) < LEAST:
        lines, settings = [*lines, last], {}
    said: dict[bool, list[str]] = {False: [], True: []}
    unwanted = False
    for line in lines:
        words = line.strip()
        if words.startswith(NEGATIVE):
            unwanted, words = True, words[len(NEGATIVE) :].strip()
        said[unwanted].append(words)
    return Infotext("\n".join(said[False]), "\n".join(said[True]), settings)


def pairs(line: str) -> Iterator[tuple[str, str]]:
    """`Key: value` between commas; a value in quotes is JSON and may hold anything.  Takes linear time."""
    place = 0
    while (colon := line.find(":", place)) != -1:
        key = _key(line[max(place, colon - 200) : colon])
        place = colon + 1
        if key is None:
            continue
        while place < len(line) and line[place].isspace():
            place += 1
        quoted = QUOTED.match(line, place) if line.startswith('"', place) else None
        if quoted is not None:
            yield key, _unquoted(quoted.group(1))
            place = quoted.end()
            continue
        comma = line.find(",", place)
        end = len(line) if comma == -1 else comma
        if line[place:end].strip():
            yield key, line[place:end].strip()
        place = end + 1


def _key(before: str) -> str | None:
    """The name that ends right before a colon."""
    start = len(before)
    while start and KEY_LETTERS.match(before[start - 1]):
        start -= 1
    name = before[start:].strip(" -/")
    return name if KEY.fullmatch(name) else None


def _unquoted(inside: str) -> str:
    try:
        return str(json.loads(f'"{inside}"'))
    except ValueError:
        return inside
