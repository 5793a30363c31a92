"""Lines like `--prompt "a cat" --steps 20 --sampler_name "Euler a"`, as the web UI reads them from files of prompts."""

import shlex
from collections.abc import Callable, Mapping
from typing import Any

from inkwash.errors import InvalidRequest
from inkwash.reverse import names

START = "--"
NUMBERS: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "seed": ("seed", int),
    "subseed": ("subseed", int),
    "subseed_strength": ("subseed_strength", float),
    "steps": ("steps", int),
    "cfg_scale": ("guidance", float),
    "width": ("width", int),
    "height": ("height", int),
}
TEXTS: Mapping[str, str] = {"prompt": "prompt", "negative_prompt": "negative_prompt", "sd_model": "model"}
COUNTS = ("batch_size", "n_iter")
"""Pictures at a time, and times: all that they multiply to."""
IGNORED = ("prompt_for_display", "do_not_save_samples", "do_not_save_grid")
"""What says nothing of a picture."""


def options_of(line: str) -> dict[str, Any]:
    """The fields of a request that a line of options sets.  Raises InvalidRequest for options not known here."""
    found: dict[str, Any] = {}
    for name, value in _pairs(line):
        if name in NUMBERS:
            field, kind = NUMBERS[name]
            try:
                found[field] = kind(value)
            except ValueError:
                raise InvalidRequest(f"{START}{name}", value, "a number") from None
        elif name in TEXTS:
            found[TEXTS[name]] = value
        elif name == "sampler_name":
            named = names.found(value)
            found |= {"sampler": named.sampler} | ({"spacing": named.spacing} if named.spacing else {})
        elif name in COUNTS:
            if not value.isdigit():
                raise InvalidRequest(f"{START}{name}", value, "a whole number")
            found["count"] = found.get("count", 1) * int(value)
        elif name == "tiling":
            found["tiling"] = {"seamless": "both" if value.lower() in ("true", "") else "none"}
        elif name not in IGNORED:
            known = ", ".join((*TEXTS, *NUMBERS, "sampler_name", *COUNTS, "tiling"))
            raise InvalidRequest("option", f"{START}{name}", f"one of {known}")
    return found


def _pairs(line: str) -> list[tuple[str, str]]:
    """Names and values; a value is all words up to the next name."""
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise InvalidRequest("line", line, f"options with quotes that end ({error})") from None
    pairs: list[tuple[str, list[str]]] = []
    for word in words:
        if word.startswith(START):
            pairs.append((word.removeprefix(START), []))
        else:
            pairs[-1][1].append(word)
    return [(name, " ".join(values)) for name, values in pairs]
