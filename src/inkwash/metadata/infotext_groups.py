"""What groups of options are called in `parameters` texts: written and read by one table."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from inkwash.errors import InvalidRequest
from inkwash.request.generate import GenerateRequest
from inkwash.reverse import names
from inkwash.reverse.names import LABELS
from inkwash.weights.plain import built

CONTENTS: Mapping[str, str] = {"blurred": "fill", "noise": "latent noise", "nothing": "latent nothing"}
"""Our fills, and what stood there in the web UI."""
AROUND: Mapping[str, str] = {"both": "True", "x": "x", "y": "y"}
"""The web UI knows both axes only; a fork names one."""
SPACINGS: Mapping[str, str] = {
    "sgm_uniform": "SGM Uniform",
    "kl_optimal": "KL Optimal",
    "align_your_steps": "Align Your Steps",
    "leading": "DDIM",
    "ddim_uniform": "DDIM",
    "trailing": "Turbo",
    "gits": "Align Your Steps GITS",
}
"""Spacings whose names capitals alone do not make."""


@dataclass(frozen=True)
class Note:
    """A setting of a group, its key, and how its value looks there."""

    group: str
    field: str
    key: str
    written: Callable[[Any], str] = str
    read: Callable[[str], Any] = str


def _yes(word: str) -> Callable[[Any], str]:
    return lambda _: word


def _spacing(name: str) -> str:
    return SPACINGS.get(name, name.capitalize())


def _number(value: float) -> str:
    return f"{value:g}"


def _back(table: Mapping[str, str]) -> Callable[[str], str]:
    return lambda text: next((ours for ours, theirs in table.items() if theirs == text), text)


def _is_true(text: str) -> bool:
    return text.lower() == "true"


NOTES: tuple[Note, ...] = (
    Note("tiling", "seamless", "Tiling", AROUND.__getitem__, _back(AROUND)),
    Note("inpaint", "blur", "Mask blur", str, int),
    Note("inpaint", "fill", "Masked content", CONTENTS.__getitem__, _back(CONTENTS)),
    Note("inpaint", "only_masked", "Inpaint area", _yes("Only masked"), lambda text: text == "Only masked"),
    Note("inpaint", "padding", "Masked area padding", str, int),
    Note("inpaint", "invert", "Mask mode", _yes("Inpaint not masked"), lambda text: text == "Inpaint not masked"),
    Note("inpaint", "soft", "Soft inpainting enabled", str, _is_true),
    Note("hires", "strength", "Denoising strength", _number, float),
    Note("hires", "scale", "Hires upscale", _number, float),
    Note("hires", "steps", "Hires steps", str, int),
    Note("hires", "upscaler", "Hires upscaler"),
    Note(
        "hires", "sampler", "Hires sampler", lambda name: LABELS.get(name, name), lambda name: names.found(name).sampler
    ),
    Note("hires", "spacing", "Hires schedule type", _spacing, lambda name: names.found_spacing(name, "")),
    Note("hires", "guidance", "Hires CFG Scale", _number, float),
    Note("hires", "prompt", "Hires prompt"),
    Note("hires", "negative_prompt", "Hires negative prompt"),
    Note("written", "prompt", "Template"),
    Note("written", "negative_prompt", "Negative Template"),
)


def written(request: GenerateRequest) -> dict[str, str]:
    """The settings of all groups that say something, in the order of other programs."""
    found = {}
    for note in NOTES:
        group = getattr(request, note.group)
        value = getattr(group, note.field)
        if value != getattr(type(group)(), note.field):
            found[note.key] = note.written(value)
    if request.hires.acts and request.hires.scale is None:
        found["Hires resize"] = f"{request.hires.width or 0}x{request.hires.height or 0}"
    return found


def with_groups(request: GenerateRequest, settings: Mapping[str, Any]) -> tuple[GenerateRequest, dict[str, Any]]:
    """`request` with the groups that `settings` tell of, and the settings that no group can hold."""
    rest, found = dict(settings), dict[str, dict[str, Any]]()
    second = {"Hires upscale", "Hires resize"} & settings.keys()
    for note in NOTES:
        if note.key not in rest or (note.group == "hires" and not second):
            continue
        try:
            found.setdefault(note.group, {})[note.field] = note.read(str(rest[note.key]))
        except (ValueError, InvalidRequest):
            continue
        del rest[note.key]
    if size := _size(rest.pop("Hires resize", "")):
        found.setdefault("hires", {}).update(size)
    for group, values in found.items():
        try:
            kept = built(type(getattr(request, group)), values, group)
            request = replace(request, **{group: kept})
        except InvalidRequest:
            keys = {note.field: note.key for note in NOTES if note.group == group}
            rest |= {keys[field]: str(value) for field, value in values.items() if field in keys}
    return request, rest


def _size(written_size: str) -> dict[str, int]:
    numbers = written_size.split("x")
    if len(numbers) != 2 or not all(each.isdigit() for each in numbers):
        return {}
    return {name: int(each) for name, each in zip(("width", "height"), numbers, strict=True) if int(each)}
