"""One request type for Python, the command line, JSON and the inside of a PNG."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path

from inkwash.errors import InvalidRequest
from inkwash.request.control import Control
from inkwash.request.guidance import PAG, SLG, FreeU, Rules
from inkwash.request.hints import Hints
from inkwash.request.hires import SUFFIX, Hires
from inkwash.request.inpaint import Inpaint, Outpaint
from inkwash.request.library import NOWHERE, Library
from inkwash.request.limits import WHOLE, checked
from inkwash.request.memory import PLENTY, Memory
from inkwash.request.micro import Micro
from inkwash.request.noise import Noise
from inkwash.request.picture_prompt import PicturePrompt
from inkwash.request.refiner import Refiner
from inkwash.request.templates import Templates, Written
from inkwash.request.tiling import Tiling
from inkwash.request.way import Way
from inkwash.reverse.naming import named
from inkwash.text.tree import Mode, Weighting
from inkwash.weights.choice import ModelChoice
from inkwash.weights.families import Distilled, Prediction
from inkwash.weights.plain import plain


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
    """The way down the noise: euler, dpmpp_2m, "DPM++ 2M Karras", UniPCMultistepScheduler …; a wrong name lists all."""
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
    inpaint: Inpaint = Inpaint()
    """How the hole is painted."""
    outpaint: Outpaint = Outpaint()
    """Pixels to add around `image`; width and height follow from them."""
    hires: Hires = Hires()
    """A second pass at a larger size."""
    tiling: Tiling = Tiling()
    """What is done in pieces: seamless, very large, or in little memory."""
    hints: Hints = Hints()
    """What networks of special kinds are told."""
    templates: Templates = Templates()
    """Prompts that stand for many."""
    written: Written = Written()
    """What prompts were before wildcards, choices and styles; filled in by us."""
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
    memory: Memory = PLENTY
    """How to get by with less memory."""

    rules: Rules = Rules()
    """How guidance weighs its two guesses."""
    pag: PAG = PAG()
    """Perturbed-attention guidance."""
    slg: SLG = SLG()
    """Skip-layer guidance."""
    freeu: FreeU = FreeU()
    """Features of the U-Net, scaled."""
    noise: Noise = Noise()
    """Where noise comes from."""
    way: Way = Way()
    """What the sampler leaves open, and whose plan it follows."""
    refiner: Refiner = Refiner()
    """A second model for the end of the way."""
    micro: Micro = Micro()
    """What SDXL is told about the picture besides words."""

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
            if is_dataclass(field.default) and not isinstance(value, type(field.default)):
                raise InvalidRequest(field.name, value, "an object")
            if value is not None and not is_dataclass(value):
                checked(field.name, value)
        named(self.sampler, self.spacing)
        _readable(self)
        if self.mask is not None and self.image is None:
            raise InvalidRequest("mask", str(self.mask), "given together with an image")
        if self.outpaint.acts and self.image is None:
            raise InvalidRequest("outpaint", plain(self.outpaint), "left out, or given together with an image")
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

    @property
    def inputs(self) -> tuple[Path, ...]:
        """Files whose content decides the picture, beside those of the model."""
        network = Path(self.hires.upscaler) if self.hires.acts and self.hires.upscaler.endswith(SUFFIX) else None
        return tuple(path for path in (self.image, self.mask, self.hints.depth, network) if path is not None)

    def singles(self) -> Iterator["GenerateRequest"]:
        """A request for each picture, with its own seed; needs a seed (and a subseed for variations)."""
        for k in range(self.count):
            if self.subseed_strength:
                yield replace(self, subseed=(self.subseed or 0) + k, count=1)
            else:
                yield replace(self, seed=(self.seed or 0) + k, count=1)


def _readable(request: GenerateRequest) -> None:
    """Grammars are loaded only when there is a prompt to read: a list of options has none."""
    from inkwash.text.prompt import parse, parse_unwanted

    parse(request.prompt, request.prompt_mode or "native")
    parse_unwanted(request.negative_prompt or "", request.prompt_mode or "native")
