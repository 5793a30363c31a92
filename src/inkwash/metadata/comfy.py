"""Graphs that ComfyUI keeps in its pictures: which prompts, seed and settings led to the picture.

Nothing of a graph is run: links are followed from the picture back to the sampler, and from there to its inputs.
"""

from collections.abc import Iterator, Mapping
from typing import Any

Node = Mapping[str, Any]
Graph = Mapping[str, Node]
MOST_NODES = 10_000
SAVERS = ("SaveImage", "PreviewImage", "SaveAnimatedWEBP", "Image Save", "SaveImageWebsocket")
TEXTS = ("text", "text_g", "text_l", "prompt", "clip_l", "t5xxl", "string", "value", "populated_text", "wildcard_text")
MODELS = ("ckpt_name", "unet_name", "model_name", "base_ckpt_name")
NUMBERS = ("seed", "noise_seed", "value", "int", "float", "Number", "steps", "cfg", "width", "height")
WIDGETS: Mapping[str, tuple[str, ...]] = {
    "KSampler": ("seed", "", "steps", "cfg", "sampler_name", "scheduler", "denoise"),
    "KSamplerAdvanced": ("", "noise_seed", "", "steps", "cfg", "sampler_name", "scheduler"),
    "SamplerCustom": ("", "noise_seed", "", "cfg"),
    "CLIPTextEncode": ("text",),
    "CheckpointLoaderSimple": ("ckpt_name",),
    "UNETLoader": ("unet_name",),
    "EmptyLatentImage": ("width", "height", "batch_size"),
    "EmptySD3LatentImage": ("width", "height", "batch_size"),
    "RandomNoise": ("noise_seed",),
    "KSamplerSelect": ("sampler_name",),
    "BasicScheduler": ("scheduler", "steps", "denoise"),
    "CFGGuider": ("cfg",),
    "PrimitiveNode": ("value",),
}
"""The order of values in the editor's graph, where they have no names; an empty name is skipped."""


def from_prompt(graph: Any) -> dict[str, Any]:
    """Settings from the chunk `prompt`: {id: {class_type, inputs}}.  Empty where there is no sampler in it."""
    if not isinstance(graph, dict) or len(graph) > MOST_NODES:
        return {}
    nodes = {str(key): node for key, node in graph.items() if isinstance(node, dict) and _is_table(node, "inputs")}
    sampler = next(iter(_samplers(nodes)), None)
    return {} if sampler is None else _settings(nodes, sampler)


def from_workflow(graph: Any) -> dict[str, Any]:
    """Settings from the chunk `workflow`, the graph as the editor draws it."""
    if not isinstance(graph, dict) or not isinstance(graph.get("nodes"), list) or len(graph["nodes"]) > MOST_NODES:
        return {}
    links = graph.get("links")
    sources = {row[0]: [str(row[1]), row[2]] for row in links if _is_link_row(row)} if isinstance(links, list) else {}
    drawn = [node for node in graph["nodes"] if isinstance(node, dict) and node.get("mode") not in (2, 4)]
    return from_prompt({str(node.get("id")): _named(node, sources) for node in drawn})


def _named(node: Node, sources: Mapping[Any, list[Any]]) -> dict[str, Any]:
    kind, values, inputs = str(node.get("type")), node.get("widgets_values"), node.get("inputs")
    named: dict[str, Any] = {}
    if isinstance(values, list):
        named = {name: value for name, value in zip(WIDGETS.get(kind, ()), values, strict=False) if name}
    elif isinstance(values, dict):
        named = dict(values)
    for each in inputs if isinstance(inputs, list) else ():
        if isinstance(each, dict) and isinstance(each.get("link"), int) and each["link"] in sources:
            named[str(each.get("name"))] = sources[each["link"]]
    return {"class_type": kind, "inputs": named}


def _samplers(nodes: Graph) -> Iterator[Node]:
    """Nodes that make latents under conditions: those nearest to a saved picture first, then the others."""
    savers = [node for node in nodes.values() if node.get("class_type") in SAVERS]
    for node in [each for saver in savers for each in _upstream(nodes, saver)] or nodes.values():
        inputs = node["inputs"]
        if ("positive" in inputs and {"seed", "noise_seed", "steps"} & inputs.keys()) or "guider" in inputs:
            yield node


def _settings(nodes: Graph, sampler: Node) -> dict[str, Any]:
    inputs = sampler["inputs"]
    guider = _target(nodes, inputs.get("guider"))
    around = [sampler] if guider is None else [sampler, guider, *_upstream(nodes, guider)]
    positive = _first(around, "positive") or _first(around, "conditioning")
    found = {
        "prompt": _text(nodes, positive),
        "negative_prompt": _text(nodes, _first(around, "negative")),
        "seed": _near(nodes, sampler, ("seed", "noise_seed")),
        "steps": _near(nodes, sampler, ("steps",)),
        "cfg": _near(nodes, sampler, ("cfg",)),
        "sampler": _near(nodes, sampler, ("sampler_name",)),
        "scheduler": _near(nodes, sampler, ("scheduler",)),
        "denoise": _near(nodes, sampler, ("denoise",)),
        "width": _near(nodes, sampler, ("width",)),
        "height": _near(nodes, sampler, ("height",)),
        "model": _near(nodes, sampler, MODELS),
    }
    return {key: value for key, value in found.items() if value is not None}


def _first(nodes: list[Node], name: str) -> Any:
    return next((node["inputs"][name] for node in nodes if name in node["inputs"]), None)


def _near(nodes: Graph, start: Node, names: tuple[str, ...]) -> Any:
    """The value of the nearest node that has an input of one of the names."""
    for node in (start, *_upstream(nodes, start)):
        for name in names:
            value = node["inputs"].get(name)
            linked = _target(nodes, value)
            if linked is not None:
                value = next((linked["inputs"][each] for each in NUMBERS if each in linked["inputs"]), None)
            if isinstance(value, str | int | float) and not isinstance(value, bool):
                return value
    return None


def _text(nodes: Graph, link: Any) -> str | None:
    """The first text on the way from a link back."""
    start = _target(nodes, link)
    if start is None:
        return link if isinstance(link, str) else None
    for node in (start, *_upstream(nodes, start)):
        for name in TEXTS:
            if isinstance(node["inputs"].get(name), str):
                return str(node["inputs"][name])
    return None


def _upstream(nodes: Graph, start: Node) -> Iterator[Node]:
    """Every node that a node depends on, nearest first, each once."""
    seen = {id(start)}
    waiting = [start]
    for node in waiting:  # grows while it is walked
        for value in node["inputs"].values():
            target = _target(nodes, value)
            if target is not None and id(target) not in seen:
                seen.add(id(target))
                waiting.append(target)
                yield target


def _target(nodes: Graph, value: Any) -> Node | None:
    """The node that a link [id, output] comes from."""
    is_link = isinstance(value, list) and len(value) == 2 and isinstance(value[0], str | int)
    return nodes.get(str(value[0])) if is_link else None


def _is_table(node: Node, name: str) -> bool:
    return isinstance(node.get(name), dict)


def _is_link_row(row: Any) -> bool:
    return isinstance(row, list) and len(row) >= 3 and isinstance(row[0], int) and isinstance(row[1], str | int)
