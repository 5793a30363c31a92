"""Settings of a request in `parameters` texts, there and back; what does not fit is left as it was."""

from collections.abc import Mapping
from typing import Any

from inkwash.errors import InvalidRequest
from inkwash.metadata.infotext_keys import EVERY_STEP, HIGHEST, LOWEST, NOTES, ZEROS
from inkwash.metadata.infotext_note import Note, Switch
from inkwash.metadata.infotext_values import number
from inkwash.request.fields import with_values
from inkwash.request.generate import GenerateRequest
from inkwash.weights.manifest import ABOVE_ALL, Defaults

SECOND_PASS = ("Hires upscale", "Hires resize")
"""There is one as soon as the text has one of these."""
Found = list[tuple[str, Mapping[str, Any]]]
"""Keys, and the fields that they set."""


def written(request: GenerateRequest) -> dict[str, str]:
    """All that a request says beside prompts and the settings that every picture has, in the order of the table."""
    found: dict[str, str] = {}
    for note in NOTES:
        switch = note.switch
        if switch is not None and not switch.acts(request):
            continue
        if switch is not None:
            found.setdefault(switch.key, "True")
        if (value := note.written(request)) is not None:
            found[note.key] = value
        if switch is not None:
            fixed = {key: found.pop(key, value) for key, value in switch.fixed.items()}
            found |= fixed  # they come last
    return found


def against(request: GenerateRequest, own: Defaults) -> dict[str, str]:
    """What a resolved request leaves off though its model would do it by itself."""
    found: dict[str, str] = {}
    if own.guidance_from and not request.guidance_from:
        found |= {EVERY_STEP.key: "True", LOWEST: "0"}
    if own.guidance_until < ABOVE_ALL <= (request.guidance_until or ABOVE_ALL):
        found[HIGHEST] = number(ABOVE_ALL)
    if own.silence and request.silence is False and not request.negative_prompt:
        found[ZEROS] = "False"
    return found


def with_groups(request: GenerateRequest, settings: Mapping[str, Any]) -> tuple[GenerateRequest, dict[str, Any]]:
    """`request` with the settings that it can hold, and those that are left."""
    rest = dict(settings)
    groups: dict[str, Found] = {}
    for note in NOTES:
        for key in (note.key, *note.others):
            values = _values(note, key, settings)
            same = groups.setdefault(next(iter(values), "").partition(".")[0], [])
            if values and not any(_differ(values, others) for _, others in same):
                same.append((key, values))
    for group, found in groups.items():
        request, taken = _taken(request, found, whole=group == "hires")
        for key in taken:
            del rest[key]
    for switch in {id(note.switch): note.switch for note in NOTES if note.switch is not None}.values():
        if _is_on(switch, settings) and not any(note.key in rest for note in NOTES if note.switch is switch):
            for key in (switch.key, *switch.fixed):
                rest.pop(key, None)
    return request, rest


def _values(note: Note, key: str, settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """The fields that a key sets; none if it is not there, switched off, or nothing that we know."""
    if key not in settings or (note.switch is not None and not _is_on(note.switch, settings)):
        return {}
    try:
        values = note.read(str(settings[key]))
    except (ValueError, KeyError, OverflowError, InvalidRequest):
        return {}
    second = any(place.startswith("hires.") for place in values)
    return {} if second and not any(each in settings for each in SECOND_PASS) else values


def _differ(values: Mapping[str, Any], others: Mapping[str, Any]) -> bool:
    """Whether they set one field to two values."""
    return any(others.get(place, value) != value for place, value in values.items())


def _is_on(switch: Switch, settings: Mapping[str, Any]) -> bool:
    fixed = all(settings.get(key, value) == value for key, value in switch.fixed.items())
    return fixed and settings.get(switch.key) == "True"


def _taken(request: GenerateRequest, found: Found, *, whole: bool) -> tuple[GenerateRequest, list[str]]:
    """The request with all that is found, and the keys of it; or with as much as it can hold, unless `whole`."""
    try:
        everything = {place: value for _, values in found for place, value in values.items()}
        return with_values(request, everything), [key for key, _ in found]
    except InvalidRequest:
        pass
    taken: list[str] = []
    for key, values in () if whole else found:
        try:
            request = with_values(request, values)
        except InvalidRequest:
            continue
        taken.append(key)
    return request, taken
