"""Tags in prompts: <lora:name:0.8> and its like."""

import re

from inkwash.errors import InvalidRequest
from inkwash.text.tree import Lora, Mode, bounded

NATIVE = re.compile(r"(\\*)<(\w+):([^<>]+)>")
ODD = re.compile(r"()<(\w+):([^>]+)>")
LORAS = ("lora", "lyco")
HYPERNETWORKS = ("hypernet",)
LONGEST_NAME = 255
LARGEST_RANK = 4096


def tags_taken(text: str, mode: Mode) -> tuple[str, tuple[Lora, ...]]:
    """The prompt without tags, and the adapters they ask for.

    A tag of an unknown kind stays text; the web UI takes it away.  Raises InvalidRequest for a tag that is no tag of
    its kind, and for a hypernetwork.
    """
    words: list[str] = []
    loras: list[Lora] = []
    place = 0
    pattern = NATIVE if mode == "native" else ODD
    for tag in pattern.finditer(text, 0, text.rfind(">") + 1):  # beyond the last > none ends
        kind = tag.group(2).lower()
        if len(tag.group(1)) % 2:  # a backslash makes it plain, unless it is plain itself
            continue
        if kind in HYPERNETWORKS:
            raise InvalidRequest("prompt", tag.group(), "free of hypernetworks: no model here can follow one")
        if kind in LORAS:
            loras.append(_lora(tag.group(3), tag.group()))
        elif mode == "native":
            continue
        words.append(text[place : tag.end(1)])
        place = tag.end()
    return "".join([*words, text[place:]]), tuple(loras)


def _lora(inside: str, tag: str) -> Lora:
    """name, weight in both or in the text encoder, weight in the predictor, rank; by place, or te=, unet=, dyn=."""
    pieces = inside.split(":")
    named = dict(piece.split("=", 1) for piece in pieces[1:] if "=" in piece)
    placed = [piece for piece in pieces if "=" not in piece or piece is pieces[0]]
    name = placed[0].strip()
    if not name or len(name) > LONGEST_NAME or set(name) & set("/\\\0") or name.startswith("."):
        raise InvalidRequest("prompt", tag, "a tag with the bare name of an adapter")
    both = _weight(placed[1], tag) if len(placed) > 1 else 1.0
    image = _weight(placed[2], tag) if len(placed) > 2 else both
    rank = named.get("dyn", placed[3] if len(placed) > 3 else None)
    return Lora(
        name,
        _weight(named["te"], tag) if "te" in named else both,
        _weight(named["unet"], tag) if "unet" in named else image,
        None if rank is None else _rank(rank, tag),
    )


def _weight(text: str, tag: str) -> float:
    try:
        return bounded(float(text), tag)
    except ValueError:
        raise InvalidRequest("prompt", tag, "a tag with numbers for weights") from None


def _rank(text: str, tag: str) -> int:
    if not text.strip().isdecimal() or not 1 <= int(text[:10]) <= LARGEST_RANK:
        raise InvalidRequest("prompt", tag, f"a tag with a rank from 1 to {LARGEST_RANK}")
    return int(text)
