"""One request type for Python, the command line, JSON and the inside of a PNG."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from inkwash.errors import InvalidRequest
from inkwash.pipeline.control import Control
from inkwash.pipeline.library import NOWHERE, Library
from inkwash.pipeline.limits import WHOLE, checked
from inkwash.pipeline.picture_prompt import PicturePrompt
from inkwash.text.tree import Mode, Weighting
from inkwash.weights.choice import ModelChoice
from inkwash.weights.families import Distilled, Prediction
from inkwash.weights.plain import built, plain


@dataclass(frozen=True, kw_only=True)
class GenerateRequest:
    """What to paint and how.  None means: as the model likes it best.

    Raises InvalidRequest, naming field, value and what is wanted.
    """

    prompt: str = ""
    """What to paint."""
    negative_prompt: str | None = None
    """What to paint away from."""
    model: str = "pets"
    """A shipped model, a folder with a model.json, or a checkpoint: a diffusers folder, a safetensors or GGUF file."""
    width: int | None = None
    """In pixels; the model says of what it must be a multiple."""
    height: int | None = None
    """In pixels."""
    steps: int | None = None
    """Steps of reverse diffusion."""
    sampler: str | None = None
    """The way down the noise: euler, euler_ancestral, dpmpp_2m, unipc …; a name that is not there lists them all."""
    spacing: str | None = None
    """Where to stop on that way: karras, uniform, sgm_uniform, beta …; a name that is not there lists them all."""
    guidance: float | None = None
    """How far beyond the prompt to go; 1 follows it plainly."""
    guidance_from: float | None = None
    """Guide only at noise levels sigma from here ..."""
    guidance_until: float | None = None
    """... up to here."""
    seed: int | None = None
    """Chooses the noise; picture k takes seed + k. None or -1: any."""
    count: int = 1
    """Pictures to paint."""
    subseed: int | None = None
    """Chooses the noise of variations: picture k takes subseed + k and all take seed. None or -1: any."""
    subseed_strength: float = 0.0
    """Between the noise of seed (0) and of subseed (1)."""
    image: Path | None = None
    """A picture to start from; it is scaled and cropped to width and height."""
    strength: float | None = None
    """How much of the way to paint anew over `image`: 1 is all. None: 0.75, or 1 with a mask."""
    mask: Path | None = None
    """A picture as large as `image`: painted anew where it is white, kept where it is black."""
    image_guidance: float | None = None
    """How closely to keep to `image`, in models that change pictures by instruction. None: 1.5."""
    silence: bool | None = None
    """Nothing unwanted means zeros (SDXL as released) rather than the empty prompt (as web UIs do)."""
    prediction: Prediction | None = None
    """What the checkpoint's network was taught, where its file does not say."""
    variant: str | None = None
    """Which weights of a diffusers folder: fp16, ema …"""
    vae: Path | None = None
    """Another autoencoder, large or tiny, for a checkpoint."""
    tokenizer: Path | None = None
    """A folder with the checkpoint's tokenizer."""
    base: Path | None = None
    """A checkpoint that lends the parts this one lacks."""
    lora: tuple[str, ...] = ()
    """Adapters: FILE or FILE:STRENGTH each."""
    distilled: Distilled | None = None
    """Whether the checkpoint needs few steps: none, turbo, lightning, hyper or lcm, where its file does not say."""

    prompt_mode: Mode | None = None
    """How prompts are read: native, a1111 (as that web UI reads them), or literal (no signs). None: native."""
    weighting: Weighting | None = None
    """What weights of words do: a1111, comfy, plain or compel. None: a1111."""
    clip_skip: int | None = None
    """Take the text encoder's states so many layers from its end. None: as the model was taught."""

    control: tuple[Control, ...] = ()
    """ControlNets and T2I-Adapters, each with its picture; several add up."""
    ip_adapter: tuple[PicturePrompt, ...] = ()
    """IP-Adapters, each with its pictures."""
    library: Library = NOWHERE
    """Where what prompts call by name lies."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is None and field.default is not None:
                raise InvalidRequest(field.name, None, "given")
            if value is not None:
                checked(field.name, value)
        _named(self)
        _readable(self)
        if self.mask is not None and self.image is None:
            raise InvalidRequest("mask", str(self.mask), "given together with an image")
        if self.strength is not None and self.image is None:
            raise InvalidRequest("strength", self.strength, "given together with an image")
        if self.strength == 0:
            raise InvalidRequest("strength", self.strength, "above 0: with 0 nothing would be painted")
        if (self.seed or 0) + self.count - 1 > WHOLE["seed"][1]:
            raise InvalidRequest("seed", self.seed, f"small enough to count {self.count} pictures from it")

    @property
    def choice(self) -> ModelChoice:
        """The model, and what of it is replaced."""
        return ModelChoice(
            self.model, self.variant, self.prediction, self.vae, self.tokenizer, self.base, self.lora, self.distilled
        )

    def singles(self) -> Iterator["GenerateRequest"]:
        """A request for each picture, with its own seed; needs a seed (and a subseed for variations)."""
        for k in range(self.count):
            if self.subseed_strength:
                yield replace(self, subseed=(self.subseed or 0) + k, count=1)
            else:
                yield replace(self, seed=(self.seed or 0) + k, count=1)


def to_json(request: GenerateRequest) -> str:
    """One line that `from_json` reads."""
    return json.dumps(told(request), ensure_ascii=False)


QUIET = ("control", "ip_adapter", "library", "distilled")
"""Fields that no JSON tells of as long as they are off."""


def told(request: GenerateRequest) -> dict[str, Any]:
    """A request as JSON values, without the groups that are off."""
    off = {field.name for field in fields(request) if getattr(request, field.name) == field.default}
    return {name: value for name, value in plain(request).items() if name not in off or name not in QUIET}


def from_json(text: str | bytes) -> GenerateRequest:
    """The inverse of `to_json`.  Raises InvalidRequest for what is not JSON and for unknown fields."""
    try:
        return built(GenerateRequest, json.loads(text))
    except (ValueError, RecursionError):
        raise InvalidRequest("request", text, "JSON") from None


def _readable(request: GenerateRequest) -> None:
    """Grammars are loaded only when there is a prompt to read: a list of options has none."""
    from inkwash.text.prompt import parse, parse_unwanted

    parse(request.prompt, request.prompt_mode or "native")
    parse_unwanted(request.negative_prompt or "", request.prompt_mode or "native")


def _named(request: GenerateRequest) -> None:
    """Samplers and spacings are looked up only when one is named: the tables bring torch with them."""
    if request.sampler is None and request.spacing is None:
        return
    from inkwash.reverse.registry import SAMPLERS
    from inkwash.reverse.spacing import SPACINGS

    for name, value, table in (("sampler", request.sampler, SAMPLERS), ("spacing", request.spacing, SPACINGS)):
        if value is not None and value not in table:
            raise InvalidRequest(name, value, f"one of {', '.join(table)}")
