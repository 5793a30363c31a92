"""What steers a picture by its shapes: a ControlNet or T2I-Adapter, the picture it looks at, and how."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

from inkwash.errors import InvalidRequest
from inkwash.request.limits import one_of, one_path, real
from inkwash.weights.control_kinds import checked_kind

Preprocessor = Literal[
    "none", "canny", "lineart", "softedge", "scribble", "threshold", "invert", "grey", "depth", "grid", "tile", "blur"
]
Emphasis = Literal["balanced", "prompt", "control"]
Resize = Literal["crop", "stretch", "pad"]


@dataclass(frozen=True)
class Knob:
    """A number that a preprocessor wants: what it takes unless told, and from where to where it may go."""

    usual: float
    least: float
    most: float


KNOBS: Mapping[str, tuple[Knob, ...]] = {
    "canny": (Knob(100.0, 1.0, 2040.0), Knob(200.0, 1.0, 2040.0)),
    "lineart": (Knob(6.0, 0.1, 32.0), Knob(8.0, 0.0, 32.0)),
    "scribble": (Knob(32.0, 1.0, 64.0),),
    "threshold": (Knob(127.0, 0.0, 255.0),),
    "grid": (Knob(64.0, 1.0, 1024.0),),
    "tile": (Knob(1.0, 1.0, 64.0),),
    "blur": (Knob(9.0, 0.1, 64.0),),
}
"""threshold_a and threshold_b of the preprocessors that have them, under the names and with the values of web UIs."""


@dataclass(frozen=True, kw_only=True)
class Control:
    """One control of a request; several add up.  Raises InvalidRequest, naming field, value and what is wanted."""

    model: Path
    """A ControlNet or T2I-Adapter: a safetensors file, or a folder of diffusers."""
    image: Path
    """What it looks at: a picture of lines, depths …, or one that `preprocessor` makes so."""
    preprocessor: Preprocessor = "none"
    """none: the picture is a hint already."""
    threshold_a: float | None = None
    """Canny's lower threshold; of lineart and blur the radius, of grid the side of a square, of tile the shrinking."""
    threshold_b: float | None = None
    """Canny's upper threshold; of lineart how faint a line may be."""
    weight: float = 1.0
    """How strongly it steers."""
    begin: float = 0.0
    """From which part of the steps ..."""
    end: float = 1.0
    """... to which."""
    mode: Emphasis = "balanced"
    """prompt: weaker on fine maps; control: the same, and the unwanted words go without it."""
    resize: Resize = "crop"
    """How the picture comes to the size that is painted: cut, pulled, or put on black."""
    type: str | None = None
    """What it is a picture of, for union ControlNets: depth, canny … or a number; None: as the preprocessor tells."""

    def __post_init__(self) -> None:
        one_path("control.model", self.model)
        one_path("control.image", self.image)
        one_of("control.preprocessor", self.preprocessor, get_args(Preprocessor))
        one_of("control.mode", self.mode, get_args(Emphasis))
        one_of("control.resize", self.resize, get_args(Resize))
        real("control.weight", self.weight, 0.0, 10.0)
        real("control.begin", self.begin, 0.0, 1.0)
        real("control.end", self.end, self.begin, 1.0)
        checked_knobs("control.", self.preprocessor, self.threshold_a, self.threshold_b)
        if self.type is not None:
            checked_kind("control.type", self.type)


def checked_knobs(where: str, preprocessor: str, *values: float | None) -> None:
    """Raise InvalidRequest for a threshold out of bounds, or one that the preprocessor does not have."""
    knobs = KNOBS.get(preprocessor, ())
    for place, value in enumerate(values):
        name = where + ("threshold_a", "threshold_b")[place]
        if value is None:
            continue
        if place >= len(knobs):
            raise InvalidRequest(name, value, f"left out: {preprocessor} has no such number")
        real(name, value, knobs[place].least, knobs[place].most)


def filled(control: Control) -> Control:
    """With the numbers that its preprocessor takes unless told."""
    usual = [*(knob.usual for knob in KNOBS.get(control.preprocessor, ())), None, None]
    a, b = (now if now is not None else use for now, use in zip(thresholds(control), usual, strict=False))
    return replace(control, threshold_a=a, threshold_b=b)


def thresholds(control: Control) -> tuple[float | None, float | None]:
    """Both numbers of the preprocessor."""
    return control.threshold_a, control.threshold_b
