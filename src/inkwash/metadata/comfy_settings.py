"""What every sampler of ComfyUI is told: prompts, seed, steps, names, size, model."""

from typing import Any

from inkwash.metadata.comfy_graph import Graph, Node, along, kind_of, target, upstream, value_of

TEXTS = ("text", "text_g", "text_l", "prompt", "clip_l", "t5xxl", "string", "value", "populated_text", "wildcard_text")
MODELS = frozenset(("ckpt_name", "unet_name", "model_name", "base_ckpt_name"))
LATENTS = ("latent_image", "samples", "pixels", "image", "images")
"""Inputs along which pictures and latents come."""
SILENT = "ConditioningZeroOut"


def settings_of(nodes: Graph, sampler: Node) -> dict[str, Any]:
    """The settings by their names in ComfyUI; those that are not told are left out."""
    around = around_of(nodes, sampler)
    positive = _first(around, "positive") or _first(around, "conditioning")
    found = {
        "prompt": text_of(nodes, positive),
        "negative_prompt": "" if zeroed(nodes, around[0]) else text_of(nodes, _first(around, "negative")),
        "seed": near(nodes, sampler, "seed", "noise_seed"),
        "steps": near(nodes, sampler, "steps"),
        "cfg": near(nodes, sampler, "cfg"),
        "sampler": near(nodes, sampler, "sampler_name"),
        "scheduler": near(nodes, sampler, "scheduler"),
        "denoise": near(nodes, sampler, "denoise"),
        "width": _side(nodes, sampler, "width"),
        "height": _side(nodes, sampler, "height"),
        "model": near(nodes, sampler, *sorted(MODELS)),
    }
    return {key: value for key, value in found.items() if value is not None}


def around_of(nodes: Graph, sampler: Node) -> list[Node]:
    """The nodes that may hold a sampler's conditions, the one that does mostly first."""
    guider = target(nodes, sampler["inputs"].get("guider"))
    return [sampler] if guider is None else [guider, sampler, *upstream(nodes, guider)]


def zeroed(nodes: Graph, guider: Node) -> bool:
    """Whether nothing is unwanted, and that is told by zeros."""
    silent = target(nodes, guider["inputs"].get("negative"))
    return silent is not None and kind_of(silent) == SILENT


def near(nodes: Graph, start: Node, *names: str) -> Any:
    """The value of the nearest node that has an input of one of the names."""
    for node in (start, *upstream(nodes, start)):
        value = _value(nodes, node, *names)
        if value is not None:
            return value
    return None


def text_of(nodes: Graph, link: Any) -> str | None:
    """The first text on the way from a link back."""
    start = target(nodes, link)
    if start is None:
        return link if isinstance(link, str) else None
    for node in (start, *upstream(nodes, start)):
        for name in TEXTS:
            if isinstance(node["inputs"].get(name), str):
                return str(node["inputs"][name])
    return None


def _side(nodes: Graph, sampler: Node, name: str) -> Any:
    """Of the latents that it begins with, not of what is told of sizes elsewhere."""
    way = [*along(nodes, sampler, *LATENTS)]
    sides = (_value(nodes, node, name) for node in way)
    return next((side for side in sides if side is not None), None if way else near(nodes, sampler, name))


def _first(nodes: list[Node], name: str) -> Any:
    return next((node["inputs"][name] for node in nodes if name in node["inputs"]), None)


def _value(nodes: Graph, node: Node, *names: str) -> Any:
    for name in names:
        value = value_of(nodes, node, name)
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            return value
    return None
