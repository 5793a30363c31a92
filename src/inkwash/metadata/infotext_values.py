"""How values look in `parameters` texts, and back: numbers, sizes, lists, and the words of other programs."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from inkwash.errors import InvalidRequest
from inkwash.request.generate import GenerateRequest
from inkwash.reverse import names
from inkwash.text.prompt import is_plain

CONTENTS: Mapping[str, str] = {"blurred": "fill", "noise": "latent noise", "nothing": "latent nothing"}
"""Our fills, and what stood there in the web UI."""
AROUND: Mapping[str, str] = {"both": "True", "x": "x", "y": "y"}
"""The web UI knows both axes only; a fork names one."""
SPACINGS: Mapping[str, str] = {
    "sgm_uniform": "SGM Uniform",
    "kl_optimal": "KL Optimal",
    "align_your_steps": "Align Your Steps",
    "leading": "DDIM",
    "ddim_uniform": "DDIM Uniform",
    "trailing": "Turbo",
    "gits": "Align Your Steps GITS",
}
"""Spacings whose names capitals alone do not make."""
RNGS: Mapping[str, str] = {"cpu": "CPU", "philox": "NV", "batch": "Batch"}
"""The web UI has the first two; its third, GPU, is philox again."""
OF_GPU = ("GPU", "cuda")
"""What the web UI and stable-diffusion.cpp call the noise of a GPU."""
EMPHASES: Mapping[str, str] = {"plain": "No norm", "comfy": "Comfy", "compel": "Compel"}
"""The web UI has the first; its Original is what we take unless told."""
FILE = re.compile(r"(.+?)(?: \[([0-9a-f]{1,64})\])?")
"""A model's name, and the beginning of its sha256."""


def number(value: float) -> str:
    """As short as it can be without becoming another number."""
    short = f"{value:g}"
    return short if float(short) == value else repr(value)


def sized(value: tuple[int, int]) -> str:
    """Width and height, as 512x768."""
    return f"{value[0]}x{value[1]}"


def size(text: str) -> tuple[int, int]:
    """The inverse.  Raises ValueError."""
    width, _, height = text.partition("x")
    return int(width), int(height)


def is_true(text: str) -> bool:
    """Raises KeyError for what is neither True nor False."""
    return {"true": True, "false": False}[text.lower()]


def back(table: Mapping[str, str]) -> Callable[[str], str]:
    """Their words for ours.  What it gives raises KeyError for a word that is not there."""
    return {theirs: ours for ours, theirs in table.items()}.__getitem__


def row(values: tuple[int, ...]) -> str:
    """As stable-diffusion.cpp lists layers."""
    return f"[{', '.join(map(str, values))}]"


def numbers(text: str) -> tuple[int, ...]:
    """The inverse.  Raises ValueError for a list without an end: commas cut it where nobody wrote quotes."""
    if not re.fullmatch(r"\[?\d+([,;\s]+\d+)*[,\s]*\]?", text) or text.startswith("[") != text.endswith("]"):
        raise ValueError(text)
    return tuple(map(int, re.findall(r"\d+", text)))


def words(text: str) -> tuple[str, ...]:
    """Names between semicolons."""
    return tuple(word.strip() for word in text.split(";"))


def spacing_written(name: str) -> str:
    """As web UIs show it."""
    return SPACINGS.get(name, name.capitalize())


def sampler_written(name: str) -> str:
    """As web UIs show it."""
    return names.LABELS.get(name, name)


def refiner_written(request: GenerateRequest) -> str | None:
    """Its name, and the beginning of its sha256 where that is known."""
    refiner = request.refiner
    if not refiner.model:
        return None
    return Path(refiner.model).stem + (f" [{refiner.sha256[:10]}]" if refiner.sha256 else "")


def refiner_read(text: str) -> dict[str, Any]:
    """The inverse.  Raises ValueError for a text that is no name."""
    found = FILE.fullmatch(text)
    if found is None:
        raise ValueError(text)
    return {"refiner.model": found[1], "refiner.sha256": found[2] or ""}


def resized_written(request: GenerateRequest) -> str | None:
    """The size of a second pass that has no scale; 0 for a side that follows from the other."""
    own = request.hires
    return f"{own.width or 0}x{own.height or 0}" if own.acts and own.scale is None else None


def resized_read(text: str) -> dict[str, Any]:
    """The inverse.  Raises ValueError for what is no size."""
    sides = dict(zip(("hires.width", "hires.height"), size(text), strict=True))
    return {name: side for name, side in sides.items() if side}


def parser_written(request: GenerateRequest) -> str | None:
    """How prompts were read, where a reader would not find out: native is what we take, plain ones have no signs."""
    if request.prompt_mode != "literal":
        return "a1111" if request.prompt_mode == "a1111" else None
    try:
        return None if all(is_plain(each or "") for each in (request.prompt, request.negative_prompt)) else "literal"
    except InvalidRequest:
        return "literal"
