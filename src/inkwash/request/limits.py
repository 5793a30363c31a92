"""What the fields of requests may hold, said once for all of them."""

from collections.abc import Iterable, Mapping
from dataclasses import is_dataclass
from pathlib import Path

from inkwash.errors import InvalidRequest
from inkwash.text.tree import MODES, WEIGHTINGS

WHOLE: Mapping[str, tuple[int, int]] = {
    "width": (8, 4096),
    "height": (8, 4096),
    "steps": (1, 1000),
    "count": (1, 10_000),
    "seed": (-1, 2**63 - 1),
    "subseed": (-1, 2**63 - 1),
    "clip_skip": (1, 64),
}
"""Least and largest of every whole number."""
REAL: Mapping[str, tuple[float, float]] = {
    "guidance": (0.0, 100.0),
    "image_guidance": (0.0, 100.0),
    "guidance_from": (0.0, 1e6),
    "guidance_until": (0.0, 1e6),
    "subseed_strength": (0.0, 1.0),
    "strength": (0.0, 1.0),
}
KINDS: Mapping[str, tuple[type, str]] = {
    **dict.fromkeys(("image", "mask", "vae", "tokenizer", "base"), (Path, "a path")),
    "silence": (bool, "true or false"),
    "lora": (tuple, "a list of FILE or FILE:STRENGTH"),
}
"""What is neither a number nor a text."""
SEVERAL = ("control", "ip_adapter")
"""Lists of dataclasses, which check themselves."""
CHOICES: Mapping[str, tuple[str, ...]] = {
    "prompt_mode": MODES,
    "weighting": WEIGHTINGS,
    "distilled": ("none", "turbo", "lightning", "hyper", "lcm"),
}
LONGEST_TEXT = 10_000


def checked(name: str, value: object) -> None:
    """Raise InvalidRequest unless the field `name` may hold `value`."""
    if name in WHOLE:
        whole(name, value, *WHOLE[name])
    elif name in REAL:
        real(name, value, *REAL[name])
    elif name in KINDS:
        kind, wanted = KINDS[name]
        if not isinstance(value, kind):
            raise InvalidRequest(name, value, wanted)
    elif name in SEVERAL:
        several(name, value)
    elif name in CHOICES:
        one_of(name, value, CHOICES[name])
    else:
        text(name, value)


def whole(name: str, value: object, least: int, most: int) -> None:
    """Raise InvalidRequest unless `value` is a whole number in these bounds."""
    if type(value) is not int or not least <= value <= most:
        raise InvalidRequest(name, value, f"a whole number from {least} to {most}")


def real(name: str, value: object, low: float, high: float) -> None:
    """Raise InvalidRequest unless `value` is a number in these bounds."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:  # nor is nan
        raise InvalidRequest(name, value, f"a number from {low:g} to {high:g}")


def one_of(name: str, value: object, choices: Iterable[str]) -> None:
    """Raise InvalidRequest unless `value` is one of `choices`."""
    if value not in tuple(choices):
        raise InvalidRequest(name, value, f"one of {', '.join(choices)}")


def text(name: str, value: object) -> None:
    """Raise InvalidRequest unless `value` is a text of a sensible length, without halves of letters."""
    if not isinstance(value, str) or len(value) > LONGEST_TEXT:
        raise InvalidRequest(name, value, f"a text of at most {LONGEST_TEXT} characters")
    if any("\ud800" <= letter <= "\udfff" for letter in value):
        raise InvalidRequest(name, value, "valid Unicode")


def pair(name: str, value: object, least: int, most: int) -> None:
    """Raise InvalidRequest unless `value` is two whole numbers in these bounds."""
    if not isinstance(value, tuple) or len(value) != 2:
        raise InvalidRequest(name, value, "two whole numbers")
    for each in value:
        whole(name, each, least, most)


def listed(name: str, value: object, kind: type) -> None:
    """Raise InvalidRequest unless `value` is a list of such things, one at least; texts are not empty."""
    if not isinstance(value, tuple) or not value or not all(type(each) is kind and each != "" for each in value):
        raise InvalidRequest(name, value, f"a list of {'names' if kind is str else 'whole numbers'}, one at least")


def one_path(name: str, value: object) -> None:
    """Raise InvalidRequest unless the value is a path."""
    if not isinstance(value, Path):
        raise InvalidRequest(name, value, "a path")


def flag(name: str, value: object) -> None:
    """Raise InvalidRequest unless the value is true or false."""
    if not isinstance(value, bool):
        raise InvalidRequest(name, value, "true or false")


def several(name: str, value: object) -> None:
    """Raise InvalidRequest unless the value is a tuple of dataclasses."""
    if not isinstance(value, tuple) or not all(map(is_dataclass, value)):
        raise InvalidRequest(name, value, "a list of objects")
