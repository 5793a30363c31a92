"""What pictures of other programs say about how they were painted, as far as we can say it too.

The web UI and Forge (`parameters`, also in EXIF), ComfyUI, InvokeAI, Fooocus, SwarmUI, NovelAI, Draw Things, Easy
Diffusion, and JSON with the names of diffusers.  A picture is only read: nothing in it is run or followed.
"""

import json
from collections.abc import Container, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

from PIL import Image

from inkwash.errors import InvalidRequest
from inkwash.metadata.comfy import Drawing, from_prompt, from_workflow
from inkwash.metadata.dialects import Dialect, dialect_of, field_values
from inkwash.metadata.infotext_groups import with_groups
from inkwash.metadata.infotext_reading import read_infotext
from inkwash.metadata.invoke import of_invoke
from inkwash.metadata.texts import notes_of
from inkwash.metadata.unsaid import of_comfy, of_web_ui
from inkwash.pictures.photo import opened
from inkwash.request.fields import with_values
from inkwash.request.generate import GenerateRequest
from inkwash.request.limits import checked
from inkwash.request.noise import Noise
from inkwash.text.prompt import render
from inkwash.text.tree import Prompt

NAMED = ("sampler", "spacing")
"""Fields that only a request checks."""
PROGRAMS: Mapping[str, str] = {
    "inkwash": "inkwash",
    "fooocus": "Fooocus",
    "comfyui": "ComfyUI",
    "stable-diffusion.cpp": "stable-diffusion.cpp",
    "f": "Forge",
}
"""How versions begin; all others are the web UI's."""
WEB_UIS = ("AUTOMATIC1111", "Forge")


@dataclass(frozen=True)
class Foreign:
    """A picture's past."""

    program: str
    """Who painted it."""
    request: GenerateRequest
    """What was asked, in our words; what we have no word for, or cannot do, is in `rest`."""
    model: str | None = None
    """What the program called its model."""
    rest: Mapping[str, str] = field(default_factory=dict)
    """Everything else, by its own name."""


def read_foreign(path: Path) -> Foreign:
    """What a picture says.  Raises InvalidRequest if it is no picture, or says nothing."""
    found = foreign_of(opened(path, "picture"))
    if found is None:
        raise InvalidRequest("picture", str(path), "a picture that says how it was painted")
    return found


def foreign_of(image: Image.Image) -> Foreign | None:
    """What an opened picture says; None if it says nothing that we understand."""
    notes = notes_of(image)
    for keyword, text in notes.items():
        if keyword in ("prompt", "workflow"):
            graph = _json(text)
            drawn = from_prompt(graph) if keyword == "prompt" else from_workflow(graph)
            if drawn is not None:
                return _drawn(drawn)
    for text in notes.values():
        values = _json(text)
        if isinstance(values, dict):
            dialect = dialect_of(notes, values)
            found = field_values(values)
            if dialect.program == "NovelAI" and "Description" in notes:
                found.setdefault("prompt", notes["Description"])
            if "prompt" in found or "steps" in found:
                return _told(_foreign(dialect.program, found, dialect), values)
    if "prompt" in notes and {"seed", "num_inference_steps"} & notes.keys():
        return _foreign("Easy Diffusion", field_values(notes), Dialect("Easy Diffusion"))
    return next((from_infotext(text) for key, text in notes.items() if key in ("parameters", "comment")), None)


def from_infotext(text: str) -> Foreign:
    """A `parameters` text as the web UI and its relatives write it; every text has a meaning."""
    found = read_infotext(text)
    version = found.settings.get("Version", "").lower()
    program = next((name for begin, name in PROGRAMS.items() if version.startswith(begin)), "AUTOMATIC1111")
    dialect = Dialect(program, None if program == "inkwash" else "a1111")
    values: dict[str, Any] = {"prompt": found.prompt, "negative_prompt": found.negative_prompt}
    past = _foreign(program, {**field_values(found.settings), **values}, dialect)
    request, rest = with_groups(past.request, past.rest)
    if program in WEB_UIS:
        request = of_web_ui(request, found.settings)
    return replace(past, request=request, rest=rest)


def _told(past: Foreign, values: Mapping[str, Any]) -> Foreign:
    if past.program != "InvokeAI":
        return past
    request, rest = of_invoke(past.request, past.rest, values)
    return replace(past, request=request, rest=rest)


def _drawn(drawing: Drawing) -> Foreign:
    """A graph; what of it has no field is told by the class of its node."""
    past = _foreign("ComfyUI", field_values(drawing.values), Dialect("ComfyUI", "native", "comfy"))
    request, rest = of_comfy(replace(past.request, noise=Noise(rng="batch"))), dict(past.rest)
    for node in drawing.nodes:
        try:
            request = with_values(request, node.fields)
            told = not node.fields
        except InvalidRequest:
            told = True
        if told:
            rest[_free(node.name, rest)] = node.text
    tags = render(Prompt((), drawing.loras))
    try:
        if tags and request.prompt_mode != "literal":
            return replace(past, request=replace(request, prompt=f"{request.prompt} {tags}"), rest=rest)
    except InvalidRequest:
        pass  # too long with them
    return replace(past, request=request, rest=rest | ({"loras": tags} if tags else {}))


def _foreign(program: str, values: Mapping[str, Any], dialect: Dialect) -> Foreign:
    """Values that a request can hold go into it, one by one; all others are kept as text."""
    asked: dict[str, Any] = {}
    rest: dict[str, str] = {}
    known = {each.name for each in fields(GenerateRequest) if not is_dataclass(each.default)} - {
        "model",
        "image",
        "mask",
        "strength",
        "count",
    }
    for name, value in values.items():
        try:
            checked(name, value)
            fits = name in known and (name not in NAMED or GenerateRequest(**{name: value}) is not None)
        except InvalidRequest:
            fits = False
        if fits:
            asked[name] = value
        else:
            rest[name] = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    model = rest.pop("model", None)
    return Foreign(program, _request(asked, dialect), model, rest)


def _request(asked: dict[str, Any], dialect: Dialect) -> GenerateRequest:
    """A prompt that the dialect cannot read is taken literally."""
    try:
        return GenerateRequest(**asked, prompt_mode=dialect.mode, weighting=dialect.weighting)
    except InvalidRequest:
        return GenerateRequest(**asked, prompt_mode="literal")


def _free(name: str, taken: Container[str]) -> str:
    """The name, or with a number where there is one like it."""
    names = (name if number == 1 else f"{name} {number}" for number in count(1))
    return next(each for each in names if each not in taken)


def _json(text: str) -> Any:
    try:
        return json.loads(text) if text.lstrip().startswith("{") else None
    except (ValueError, RecursionError):
        return None
