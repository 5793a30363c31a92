"""What a sheet of a grid says of itself: its sides, under the names of the web UI's X/Y/Z plot."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from inkwash.metadata.infotext_values import sampler_written, spacing_written
from inkwash.request.axes import SEARCH, Axis, said

TITLE = "X/Y/Z plot"
TYPES: Mapping[str, str] = {
    SEARCH: "Prompt S/R",
    "steps": "Steps",
    "guidance": "CFG Scale",
    "image_guidance": "Image CFG Scale",
    "seed": "Seed",
    "subseed": "Var. seed",
    "subseed_strength": "Var. strength",
    "sampler": "Sampler",
    "spacing": "Schedule type",
    "model": "Checkpoint name",
    "vae": "VAE",
    "clip_skip": "Clip skip",
    "strength": "Denoising",
    "hires.strength": "Denoising",
    "hires.steps": "Hires steps",
    "hires.upscaler": "Hires upscaler",
    "hires.sampler": "Hires sampler",
    "way.eta": "Eta",
    "way.s_churn": "Sigma Churn",
    "way.s_tmin": "Sigma min",
    "way.s_tmax": "Sigma max",
    "way.s_noise": "Sigma noise",
    "way.discard": "Always discard next-to-last sigma",
    "noise.rng": "RNG source",
    "refiner.model": "Refiner checkpoint",
    "refiner.switch_at": "Refiner switch at",
}
"""Fields that the web UI has an axis for; others go by their own names."""
NAMES = {"sampler": sampler_written, "hires.sampler": sampler_written, "spacing": spacing_written}


@dataclass(frozen=True)
class Side:
    """A side of a sheet, as its record keeps it."""

    field: str
    labels: tuple[str, ...]
    """What stands at the edge."""
    values: str
    """All values, between commas."""


def side_of(axis: Axis) -> Side:
    """A side from what changes along it."""
    written = NAMES.get(axis.field, said)
    return Side(axis.field, axis.labels, ", ".join(_quoted(written(value)) for value in axis.values))


def script(sides: Iterable[Side]) -> dict[str, str]:
    """The keys of a sheet in `parameters`, beside those of its first picture."""
    found = {"Script": TITLE}
    for letter, side in zip("XYZ", sides, strict=False):
        found |= {f"{letter} Type": TYPES.get(side.field, side.field), f"{letter} Values": side.values}
    return found


def _quoted(value: str) -> str:
    """A value of a table of values between commas."""
    return '"' + value.replace('"', '""') + '"' if set(value) & set(',"') else value
