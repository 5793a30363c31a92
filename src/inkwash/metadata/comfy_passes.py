"""Graphs of ComfyUI with several samplers, one behind the other: an enlarged second pass, or a refiner."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from inkwash.errors import InvalidRequest
from inkwash.metadata.comfy_graph import Graph, Node, along, inputs_of, kind_of, target
from inkwash.metadata.comfy_settings import LATENTS, settings_of
from inkwash.reverse import names

LATENT: Mapping[str, str] = {
    "bilinear": "Latent",
    "bicubic": "Latent (bicubic)",
    "nearest-exact": "Latent (nearest-exact)",
}
PIXELS: Mapping[str, str] = {"lanczos": "Lanczos", "nearest-exact": "Nearest"}
ENLARGERS: Mapping[str, Mapping[str, str]] = {
    "LatentUpscale": LATENT,
    "LatentUpscaleBy": LATENT,
    "ImageScale": PIXELS,
    "ImageScaleBy": PIXELS,
}
"""Nodes that enlarge, and what their ways are called here."""
NETWORK = "ImageUpscaleWithModel"
SAME: Mapping[str, str] = {"cfg": "guidance", "prompt": "prompt", "negative_prompt": "negative_prompt"}


@dataclass(frozen=True)
class Told:
    """A node, or several."""

    name: str
    text: str
    """Its inputs, for people."""
    fields: Mapping[str, Any]
    """What it sets in a request, by place; nothing where there are no fields for it."""


def is_sampler(node: Node) -> bool:
    """Whether it makes latents under conditions."""
    inputs = node["inputs"]
    return ("positive" in inputs and bool({"seed", "noise_seed", "steps"} & inputs.keys())) or "guider" in inputs


def told_by(inputs: Mapping[str, Any]) -> str:
    """Inputs in a line."""
    return ", ".join(f"{name}={value}" for name, value in inputs.items())


def passes(nodes: Graph, last: Node) -> list[Node]:
    """The last sampler and all before it, with what stands between them."""
    path = [last, *along(nodes, last, *LATENTS)]
    first = max(place for place, node in enumerate(path) if is_sampler(node))
    return path[: first + 1]


def later_passes(nodes: Graph, path: list[Node]) -> Iterator[Told]:
    """What follows on the first sampler: fields where it is one pass that we know."""
    places = [place for place, node in enumerate(path) if is_sampler(node)]
    for number, (place, before) in enumerate(zip(places[-2::-1], places[:0:-1], strict=True), 2):
        last, between, first = path[place], path[place + 1 : before], path[before]
        steps = [*reversed(between), last]
        text = "; ".join(f"{kind_of(node)}: {told_by(inputs_of(nodes, node))}" for node in steps)
        fields: dict[str, Any] = {}
        if len(places) == 2:
            fields = _second(nodes, last, between, first) if between else _refiner(nodes, last, first)
        yield Told(f"pass {number}", text, fields)


def _second(nodes: Graph, last: Node, between: list[Node], first: Node) -> dict[str, Any]:
    """A second pass; nothing where it begins in something that we cannot make."""
    before, after = settings_of(nodes, first), settings_of(nodes, last)
    try:
        fields = {**_enlarged(nodes, between), **_walked(inputs_of(nodes, last), after)}
        if after.get("sampler") != before.get("sampler"):
            fields["hires.sampler"] = names.found(str(after.get("sampler"))).sampler
        if after.get("scheduler") != before.get("scheduler"):
            fields["hires.spacing"] = names.found_spacing(str(after.get("scheduler")), "")
    except (KeyError, TypeError, ValueError, ZeroDivisionError, OverflowError, InvalidRequest):
        return {}
    differ = {name: after[name] for name in SAME if name in after and after[name] != before.get(name)}
    return {**fields, **{f"hires.{SAME[name]}": value for name, value in differ.items()}}


def _enlarged(nodes: Graph, between: list[Node]) -> dict[str, Any]:
    """Size and upscaler.  Raises KeyError or ValueError for an order of nodes that we cannot repeat."""
    by_network = [node for node in between if kind_of(node) == NETWORK]
    (scaling,) = (node for node in between if kind_of(node) in ENLARGERS)
    kind, inputs = kind_of(scaling), inputs_of(nodes, scaling)
    if by_network:
        loader = target(nodes, by_network[0]["inputs"].get("upscale_model"))
        if loader is None or kind != "ImageScale" or len(by_network) > 1:
            raise ValueError(kind)
        upscaler = str(loader["inputs"]["model_name"])
    else:
        upscaler = ENLARGERS[kind][inputs["upscale_method"]]
    if kind.endswith("By"):
        return {"hires.upscaler": upscaler, "hires.scale": float(inputs["scale_by"])}
    sides = {name: int(inputs[name]) for name in ("width", "height")}
    return {"hires.upscaler": upscaler, **{f"hires.{name}": side for name, side in sides.items() if side}}


def _walked(inputs: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Steps and strength: told, or by the steps that are left out."""
    steps = int(settings["steps"])
    if "start_at_step" in inputs:
        walked = steps - int(inputs["start_at_step"])
        return {"hires.steps": walked, "hires.strength": walked / steps}
    return {"hires.steps": steps, "hires.strength": float(settings["denoise"])}


def _refiner(nodes: Graph, last: Node, first: Node) -> dict[str, Any]:
    """A second model that goes on with the latents, from where it begins."""
    before, after, inputs = settings_of(nodes, first), settings_of(nodes, last), inputs_of(nodes, last)
    if "model" not in after or after["model"] == before.get("model"):
        return {}
    try:
        part = int(inputs["start_at_step"]) / int(after["steps"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError, OverflowError):
        return {}
    return {"refiner.model": str(after["model"]), "refiner.switch_at": part}
