"""What nodes of ComfyUI change besides prompts and sampler, as fields of a request."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from inkwash.errors import InvalidRequest
from inkwash.metadata.infotext_values import numbers
from inkwash.request.fields import value_at
from inkwash.request.generate import GenerateRequest
from inkwash.request.guidance import AMOUNTS
from inkwash.text.tags import tags_taken
from inkwash.text.tree import Lora

Inputs = Mapping[str, Any]
NOTHING = GenerateRequest()
LORAS = ("LoraLoader", "LoraLoaderModelOnly")
FREE: Mapping[str, str] = {name: f"freeu.{name}" for name in AMOUNTS}
TAUGHT: Mapping[str, str] = {"eps": "epsilon", "v_prediction": "v_prediction", "x0": "sample"}


@dataclass(frozen=True)
class Kind:
    """A class of nodes."""

    places: Mapping[str, str] = field(default_factory=dict)
    """Inputs, and where they go in a request; two inputs with a comma are a pair."""
    fixed: Mapping[str, Any] = field(default_factory=dict)
    """What the node means by being there."""
    usual: Mapping[str, Any] = field(default_factory=dict)
    """Inputs that no field holds, as they are when they do nothing."""


def _sampler(name: str, *knobs: str) -> Kind:
    return Kind({knob: f"way.{knob}" for knob in knobs}, {"sampler": name})


def _spacing(name: str) -> Kind:
    return Kind(fixed={"spacing": name})


def _skipping(layers: str) -> Mapping[str, str]:
    return {layers: "slg.layers", "scale": "slg.scale", "start_percent": "slg.start", "end_percent": "slg.stop"}


KINDS: Mapping[str, Kind] = {
    "FreeU": Kind(FREE, {"freeu.version": "1"}),
    "FreeU_V2": Kind(FREE, {"freeu.version": "2"}),
    "PerturbedAttentionGuidance": Kind({"scale": "pag.scale"}),
    "SkipLayerGuidanceSD3": Kind(_skipping("layers")),
    "SkipLayerGuidanceDiT": Kind(_skipping("double_layers"), usual={"rescaling_scale": 0}),
    "RescaleCFG": Kind({"multiplier": "rules.rescale"}),
    "APG": Kind(
        {"eta": "rules.parallel", "norm_threshold": "rules.largest", "momentum": "rules.momentum"},
        {"rules.projected": True},
    ),
    "DynamicThresholdingSimple": Kind({"mimic_scale": "rules.mimic", "threshold_percentile": "rules.percentile"}),
    "ModelSamplingDiscrete": Kind({"sampling": "prediction"}, usual={"zsnr": False}),
    "CLIPSetLastLayer": Kind({"stop_at_clip_layer": "clip_skip"}),
    "CLIPTextEncodeSDXL": Kind(
        {
            "width,height": "micro.original",
            "crop_w,crop_h": "micro.corner",
            "target_width,target_height": "micro.target",
        }
    ),
    "CLIPTextEncodeSDXLRefiner": Kind({"ascore": "micro.aesthetic", "width,height": "micro.original"}),
    "TiledDiffusion": Kind(
        {"tile_width": "tiling.window", "tile_overlap": "tiling.overlap"}, usual={"method": "MultiDiffusion"}
    ),
    "VAEDecodeTiled": Kind({"tile_size": "tiling.decode"}),
    "SamplerEulerAncestral": _sampler("euler_ancestral", "eta", "s_noise"),
    "SamplerDPMPP_2S_Ancestral": _sampler("dpmpp_2s_ancestral", "eta", "s_noise"),
    "SamplerDPMPP_2M_SDE": _sampler("dpmpp_2m_sde", "eta", "s_noise"),
    "SamplerDPMPP_3M_SDE": _sampler("dpmpp_3m_sde", "eta", "s_noise"),
    "SamplerDPMPP_SDE": _sampler("dpmpp_sde", "eta", "s_noise"),
    "SamplerLMS": _sampler("lms"),
    "KarrasScheduler": _spacing("karras"),
    "ExponentialScheduler": _spacing("exponential"),
    "PolyexponentialScheduler": _spacing("polyexponential"),
    "AlignYourStepsScheduler": _spacing("align_your_steps"),
    "GITSScheduler": _spacing("gits"),
    "BetaSamplingScheduler": _spacing("beta"),
    "SDTurboScheduler": _spacing("sd_turbo"),
}
READ: Mapping[str, Callable[[Any], Any]] = {
    "slg.layers": lambda value: numbers(str(value).strip()),
    "clip_skip": lambda value: -int(value),
    "prediction": lambda value: TAUGHT[value],
}


def fields_of(kind: str, inputs: Inputs) -> dict[str, Any]:
    """The fields that a node sets; none for a node that we do not know, or whose inputs are none of ours."""
    known = KINDS.get(kind, Kind())
    try:
        found = {
            place: _value(place, names, inputs)
            for names, place in known.places.items()
            if all(name in inputs for name in names.split(","))
        }
    except (ValueError, TypeError, KeyError, OverflowError):
        return {}
    return {**found, **known.fixed}


def unusual(kind: str, inputs: Inputs) -> dict[str, Any]:
    """Inputs that do something for which there is no field."""
    usual = KINDS.get(kind, Kind()).usual
    return {name: inputs[name] for name, value in usual.items() if inputs.get(name, value) != value}


def lora_of(inputs: Inputs) -> Lora | None:
    """The adapter that a loader loads, by its bare name; None if a prompt cannot name it, or it does nothing."""
    name = str(inputs.get("lora_name")).replace("\\", "/").rpartition("/")[2].removesuffix(".safetensors")
    image, text = inputs.get("strength_model", 1.0), inputs.get("strength_clip", 0.0)
    try:
        _, (found,) = tags_taken(f"<lora:{name}:{float(text)}:{float(image)}>", "native")
    except (ValueError, TypeError, InvalidRequest):
        return None
    return found if found.name == name else None


def _value(place: str, names: str, inputs: Inputs) -> Any:
    if "," in names:
        return tuple(int(inputs[name]) for name in names.split(","))
    value = inputs[names]
    if place in READ:
        return READ[place](value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(value)
    return float(value) if isinstance(value_at(NOTHING, place), float) or place == "way.eta" else value
