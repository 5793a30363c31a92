"""Prompt matrix: every combination of the optional parts of a prompt, which stand behind bars."""

from itertools import product

from inkwash.errors import InvalidRequest
from inkwash.text.grammar import partners, scanned

MOST = 10
"""Optional parts: each doubles the pictures."""


def matrix(text: str) -> tuple[str, ...]:
    """ "a cat|asleep|in ink" -> the prompt without, with the first, with the second, and with both parts.

    Bars inside brackets keep their meaning; parts are joined by ", ".  Raises InvalidRequest for more than 10 parts.
    """
    always, *optional = _behind_bars(text)
    if len(optional) > MOST:
        raise InvalidRequest("prompt", text, f"a prompt with at most {MOST} optional parts")
    combinations = product((False, True), repeat=len(optional))
    chosen = ([part for part, on in zip(optional, reversed(row), strict=True) if on] for row in combinations)
    return tuple(", ".join([always, *parts]) for parts in chosen)


def _behind_bars(text: str) -> list[str]:
    pieces = scanned(text)
    closing = partners(pieces)
    parts, inside = [""], 0
    for place, piece in enumerate(pieces):
        inside = max(inside, closing.get(place, 0))
        if place % 2 and piece == "|" and place > inside:
            parts.append("")
        else:
            parts[-1] += piece
    return [part.strip() for part in parts]
