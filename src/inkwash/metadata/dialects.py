"""Names that programs have for the same settings, and how they read their prompts."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from inkwash.errors import InvalidRequest
from inkwash.metadata.invoke import counted
from inkwash.reverse import names
from inkwash.text.tree import Mode, Weighting


@dataclass(frozen=True)
class Dialect:
    """A program, and how its prompts are read."""

    program: str
    mode: Mode | None = "literal"
    weighting: Weighting | None = None


MARKS: tuple[tuple[str, Dialect], ...] = (
    ("invokeai_metadata", Dialect("InvokeAI")),
    ("sd-metadata", Dialect("InvokeAI")),
    ("fooocus_scheme", Dialect("Fooocus", "a1111", "a1111")),
    ("sui_image_params", Dialect("SwarmUI", "native", "comfy")),
    ("uc", Dialect("NovelAI")),
)
"""Keywords and keys by which a program is known; the first that is there."""
NAMES: Mapping[str, str] = {
    "prompt": "prompt positiveprompt positive c rawprompt",
    "negative_prompt": "negativeprompt negative uc",
    "steps": "steps numinferencesteps",
    "guidance": "cfgscale guidancescale guidance cfg scale",
    "seed": "seed noiseseed",
    "width": "width",
    "height": "height",
    "sampler": "sampler samplername",
    "spacing": "scheduletype scheduler noiseschedule",
    "subseed": "variationseed subseed",
    "subseed_strength": "variationseedstrength subseedstrength",
    "clip_skip": "clipskip",
    "model": "model modelname basemodel usestablediffusionmodel sdmodelname",
}
FIELDS: Mapping[str, str] = {name: field for field, names in NAMES.items() for name in names.split()}
WHOLE = ("steps", "seed", "width", "height", "subseed", "clip_skip")
REAL = ("guidance", "subseed_strength")
SIZES = ("size", "resolution")
NESTED = ("sui_image_params", "image", "v4_prompt", "v4_negative_prompt")
"""Tables inside the table that hold settings, too."""


def dialect_of(notes: Mapping[str, str], values: Mapping[str, Any]) -> Dialect:
    """Who wrote a table of settings."""
    if notes.get("Software") == "NovelAI":
        return Dialect("NovelAI")
    if "c" in values and "uc" in values:
        return Dialect("Draw Things")
    return next((dialect for mark, dialect in MARKS if mark in notes or mark in values), Dialect("JSON"))


def field_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Settings under our names and in our kinds; those we have no name for keep theirs."""
    found: dict[str, Any] = {}
    for key, value in _flat(counted(values)):
        plain = re.sub(r"[^a-z]", "", key.lower()[:100])
        name = FIELDS.get(plain)
        if plain in SIZES and (size := re.fullmatch(r"\D{0,3}(\d{1,6})\D{1,5}(\d{1,6})\D{0,3}", str(value))):
            found |= {"width": int(size.group(1)), "height": int(size.group(2))}
        elif name is None or value is None:
            if value is not None:
                found.setdefault(key, value)
        else:
            _put(found, name, key, value)
    return found


def _put(found: dict[str, Any], name: str, key: str, value: Any) -> None:
    kept = _kind(name, value)
    if kept is None or name in found:
        found.setdefault(key, value)
    elif name == "sampler":
        found |= _ways(str(kept))
    elif name == "spacing" and spacing(str(kept)) is None:
        if _ways(str(kept))["sampler"] in names.LABELS:  # some call the sampler a scheduler
            found |= {key: value for key, value in _ways(str(kept)).items() if key not in found}
        elif str(kept).lower() != "automatic":
            found[key] = value
    else:
        found[name] = spacing(str(kept)) if name == "spacing" else kept


def _ways(written: str) -> dict[str, Any]:
    """Sampler, and the spacing where one name means both, as "DPM++ 2M Karras" does; unknown names as they are."""
    try:
        named = names.found(written.removeprefix("sample_"))
    except InvalidRequest:
        return {"sampler": written}
    return {"sampler": named.sampler} | ({"spacing": named.spacing} if named.spacing else {})


def spacing(written: str) -> str | None:
    """Our name of a spacing: "SGM Uniform" is sgm_uniform; None for a name that nobody uses."""
    try:
        return None if written.strip().lower() == "automatic" else names.found_spacing(written, "")
    except InvalidRequest:
        return None


def _kind(name: str, value: Any) -> Any:
    """The value in the kind of its field; None if it is of no such kind."""
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, dict):
        value = next((value[key] for key in ("name", "model_name", "base_caption", "prompt") if key in value), None)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if name not in WHOLE + REAL:
        return str(value)
    try:
        return float(value) if name in REAL else _whole(value)
    except (ValueError, OverflowError):
        return None


def _whole(value: str | int | float) -> int:
    """Digits are not read as a float, which would round large seeds."""
    number = int(value)
    if isinstance(value, float) and number != value:
        raise ValueError(value)
    return number


def _flat(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if key in NESTED and isinstance(value, dict):
            yield from ((each, inside) for each, inside in value.items() if each not in NESTED)
        else:
            yield key, value
