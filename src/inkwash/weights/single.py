"""One file that holds a whole model, and the parts in it under the names of a diffusers folder; both ways exact."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from inkwash.errors import WeightsError, shown
from inkwash.weights.containers.source import Slot, Source, joined
from inkwash.weights.names import mmdit, text, unet, vae
from inkwash.weights.names.recipe import Recipe, recast, renamed

Naming = Callable[[Collection[str]], Mapping[str, Recipe]]
Base = Literal["sd1", "sd2", "sdxl", "refiner", "sd3"]


def kept(names: Collection[str]) -> Mapping[str, Recipe]:
    """As they are."""
    return renamed(names, lambda name: name)


@dataclass(frozen=True)
class Place:
    """Where a part lies in a single file, and how its tensors are called there."""

    part: str
    prefix: str
    there: Naming = kept
    """To the names of a folder."""
    back: Naming = kept
    marks: tuple[str, ...] = ("",)
    """How names of the part begin, behind the prefix; a part without any of them is not there."""


UNET = Place("unet", "model.diffusion_model.", unet.to_diffusers, unet.to_ldm, ("input_blocks.",))
MMDIT = Place("transformer", "model.diffusion_model.", mmdit.to_diffusers, mmdit.to_reference, ("joint_blocks.",))
VAE = Place("vae", "first_stage_model.", vae.to_diffusers, vae.to_ldm, ("encoder.", "decoder."))
PLACES: tuple[Place, ...] = (
    UNET,
    MMDIT,
    replace(UNET, prefix=""),
    replace(MMDIT, prefix=""),
    Place("unet", "", marks=("time_embedding.",)),
    Place("transformer", "", marks=("time_text_embed.",)),
    VAE,
    Place("text_encoder", "cond_stage_model.transformer.", text.with_model),
    Place("text_encoder", "cond_stage_model.model.", text.to_diffusers, text.to_openclip),
    Place("text_encoder", "conditioner.embedders.0.transformer.", text.with_model),
    Place("text_encoder_2", "conditioner.embedders.0.model.", text.to_diffusers, text.to_openclip),
    Place("text_encoder_2", "conditioner.embedders.1.model.", text.to_diffusers, text.to_openclip),
    Place("text_encoder", "text_encoders.clip_l.transformer.", text.with_model),
    Place("text_encoder_2", "text_encoders.clip_g.transformer.", text.with_model),
    Place("text_encoder_3", "text_encoders.t5xxl.transformer."),
    Place("depth_estimator", "depth_model.model."),
    Place("image_encoder", "embedder.model."),
    Place("image_normalizer", "noise_augmentor."),
)
OLDER: Mapping[str, Naming] = {
    "vae": vae.modernised,
    "text_encoder": text.with_model,
    "text_encoder_2": text.with_model,
}
"""Parts whose names in a folder depend on its age."""
TEXTS: Mapping[Base, Mapping[str, str]] = {
    "sd1": {"text_encoder": "cond_stage_model.transformer."},
    "sd2": {"text_encoder": "cond_stage_model.model."},
    "sdxl": {
        "text_encoder": "conditioner.embedders.0.transformer.",
        "text_encoder_2": "conditioner.embedders.1.model.",
    },
    "refiner": {"text_encoder_2": "conditioner.embedders.0.model."},
    "sd3": {
        "text_encoder": "text_encoders.clip_l.transformer.",
        "text_encoder_2": "text_encoders.clip_g.transformer.",
        "text_encoder_3": "text_encoders.t5xxl.transformer.",
    },
}
"""Where text encoders lie; all else lies in one place."""
MARKERS = ("v_pred", "ztsnr", "edm_mean", "edm_std", "edm_vpred.sigma_max", "edm_vpred.sigma_min")
"""Tensors whose presence alone says how the model was trained."""
NEEDLESS = re.compile(
    r"(betas|alphas_cumprod.*|sqrt_.*|log_one_minus_.*|posterior_.*|logvar|model_ema\..*|denoiser\..*|loss\..*"
    r"|optimizer.*|scaled_fp8|lora_controlnet|.*logit_scale|.*position_ids|global_step|first_stage_model\.loss\..*"
    r"|first_stage_model\.scale_factor|scale_factor|model\.diffusion_model\.scaled_fp8"
    r"|cond_stage_model\.transformer\.vision_model\..*|low_scale_model\..*)"
)
"""What a single file may hold beside the parts, and nobody misses."""


@dataclass(frozen=True)
class Parts:
    """The parts of a model, each under the names of a diffusers folder, and what is left."""

    parts: Mapping[str, Source]
    markers: tuple[str, ...] = ()
    needless: tuple[str, ...] = ()
    unknown: tuple[str, ...] = field(default=())

    def one(self, *names: str) -> Source | None:
        """The first of the parts that is there."""
        return next((self.parts[name] for name in names if name in self.parts), None)


def apart(source: Source) -> Parts:
    """The parts of a single file or of a folder.  Raises WeightsError if two tensors would get one name."""
    if any("/" in name for name in source.slots):
        return _of_folder(source)
    parts: dict[str, Source] = {}
    taken: set[str] = set()
    for place in PLACES:
        inside = {name for name in source.slots if name.startswith(place.prefix)}
        bare = {name.removeprefix(place.prefix) for name in inside}
        if place.part in parts or inside & taken or not any(name.startswith(place.marks) for name in bare):
            continue
        if not place.prefix:  # all of the file is the network
            inside = {name for name in inside if not NEEDLESS.fullmatch(name) and name not in MARKERS}
        part = source.renamed({name.removeprefix(place.prefix): name for name in source.slots if name in inside})
        parts[place.part] = recast(part, place.there(list(part.slots)))
        taken |= inside
    rest = [name for name in source.slots if name not in taken]
    markers = tuple(name for name in rest if name in MARKERS)
    needless = tuple(name for name in rest if NEEDLESS.fullmatch(name))
    unknown = tuple(name for name in rest if name not in MARKERS and name not in needless)
    return Parts(parts, markers, needless, unknown)


def together(parts: Mapping[str, Source], base: Base, markers: Mapping[str, Source] | None = None) -> Source:
    """The inverse of `apart`: one source under the names of a single file.

    Raises WeightsError for a part that such a file has no place for.
    """
    sources = []
    for name, part in parts.items():
        place = _home(name, base)
        made = recast(part, place.back(list(part.slots)))
        sources.append(made.renamed({place.prefix + old: old for old in made.slots}))
    return joined("the model", [*sources, *(markers or {}).values()])


def base_of(parts: Mapping[str, Source]) -> Base:
    """Which of the five layouts a single file with these parts has.  Raises WeightsError if that cannot be told."""
    if "transformer" in parts:
        return "sd3"
    if "text_encoder_2" in parts:
        return "sdxl" if "text_encoder" in parts else "refiner"
    if "text_encoder" not in parts and "unet" not in parts:
        return "sd1"
    source = parts.get("unet") or parts["text_encoder"]
    look = next((n for n in source.slots if n.endswith(("attn2.to_k.weight", "token_embedding.weight"))), "")
    width = source.shape(look)[-1] if look else 0
    bases: Mapping[int, Base] = {768: "sd1", 1024: "sd2", 2048: "sdxl", 1280: "refiner"}
    if width not in bases:
        raise WeightsError(f"{source.what}: a network that looks at words {width} wide is of no known family")
    return bases[width]


def _home(part: str, base: Base) -> Place:
    prefix = TEXTS[base].get(part)
    for place in PLACES:
        if place.part == part and place.prefix and prefix in (None, place.prefix):
            return place
    raise WeightsError(f"a single file of {base} has no place for {shown(part)}")


def _of_folder(source: Source) -> Parts:
    names = dict.fromkeys(name.partition("/")[0] for name in source.slots)
    parts = {}
    for name in names:
        part = source.under(f"{name}/")
        parts[name] = recast(part, OLDER.get(name, kept)(list(part.slots)))
    return Parts(parts)


def empty_marker(name: str) -> Source:
    """A marker as a source of its own."""
    import torch

    return Source("markers", {name: Slot("F32", (0,))}, lambda _: torch.empty(0))
