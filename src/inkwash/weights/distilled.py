"""Models taught to need few steps. Their networks have the shape of what they come from; here is who is believed.

The user, then the scheduler of a folder, then notes that the file brings, and at last the file's name: makers write
"turbo", "lightning", "hyper" or "lcm" into both, and often the number of steps.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from inkwash.weights.containers.source import Source
from inkwash.weights.families import Distilled
from inkwash.weights.prediction import SCHEDULER

WORD = re.compile(r"(?<![a-z])((?i:turbo|lightning|hyper|lcm))(?![a-z])")
"""As a word of its own: XLTurbo_v2 and turboDPM, but not hyperrealistic."""
STEPS = re.compile(r"(?<![0-9])([0-9]{1,2})[-_ ]?steps?(?![a-z])")
NOTES = ("modelspec.architecture", "modelspec.title", "ss_base_model_version", "general.name")
MOST_STEPS = 16


@dataclass(frozen=True)
class Haste:
    """How a model came to need few steps, how many, and who says so."""

    kind: Distilled
    by: str
    steps: int | None = None
    """None: as is usual for the kind."""


@dataclass(frozen=True)
class Habit:
    """How such a model is sampled."""

    steps: int
    sampler: str
    spacing: str
    size: int | None = None
    """Of its pictures, where it is not that of the family."""


HABITS: Mapping[str, Habit] = {
    "turbo": Habit(4, "euler", "trailing", 512),
    "lightning": Habit(4, "euler", "trailing"),
    "hyper": Habit(8, "ddim", "trailing"),
    "lcm": Habit(4, "lcm", "lcm"),
}
"""By kind; none of them is guided. (ADD: Sauer et al. 2023; Lightning: Lin et al. 2024; Hyper-SD: Ren et al. 2024; LCM:
Luo et al. 2023)"""
LARGE = {"turbo": "euler_ancestral"}
"""Samplers that XL takes instead."""


def haste(source: Source, wish: Distilled | None = None) -> Haste | None:
    """What hurries a model; None if nothing does, or if a folder's scheduler has the word."""
    name = source.files[0].name if len(source.files) == 1 else ""
    told = _steps(name)
    if wish is not None:
        return Haste(wish, "the user", told)
    if SCHEDULER in source.metadata:
        return None
    for key in NOTES:
        if found := _kind(source.metadata.get(key, "")):
            return Haste(found, key, _steps(source.metadata[key]) or told)
    found = _kind(name)
    return None if found is None else Haste(found, "the file's name", told)


def _kind(text: str) -> Distilled | None:
    found = WORD.search(text)
    return next((kind for kind in get_args(Distilled) if found and kind == found[1].lower()), None)


def _steps(text: str) -> int | None:
    found = STEPS.search(text.lower())
    return int(found[1]) if found and 0 < int(found[1]) <= MOST_STEPS else None
