"""Graphs of ComfyUI: nodes, and the links that lead from one to those before it.  Nothing of a graph is run."""

from collections.abc import Iterator, Mapping
from typing import Any

from inkwash.request.guidance import AMOUNTS

Node = Mapping[str, Any]
Graph = Mapping[str, Node]
MOST_NODES = 10_000
NUMBERS = ("seed", "noise_seed", "value", "int", "float", "Number", "steps", "cfg", "width", "height")
HELD = ("value", "int", "float", "Number")
SCALED = ("upscale_method", "width", "height", "crop")
SCALED_BY = ("upscale_method", "scale_by")
WIDGETS: Mapping[str, tuple[str, ...]] = {
    "KSampler": ("seed", "", "steps", "cfg", "sampler_name", "scheduler", "denoise"),
    "KSamplerAdvanced": (
        *("", "noise_seed", "", "steps", "cfg", "sampler_name", "scheduler"),
        *("start_at_step", "end_at_step"),
    ),
    "SamplerCustom": ("", "noise_seed", "", "cfg"),
    "CLIPTextEncode": ("text",),
    "CLIPTextEncodeSDXL": (
        *("width", "height", "crop_w", "crop_h", "target_width", "target_height"),
        *("text_g", "text_l"),
    ),
    "CheckpointLoaderSimple": ("ckpt_name",),
    "UNETLoader": ("unet_name",),
    "LoraLoader": ("lora_name", "strength_model", "strength_clip"),
    "LoraLoaderModelOnly": ("lora_name", "strength_model"),
    "EmptyLatentImage": ("width", "height", "batch_size"),
    "EmptySD3LatentImage": ("width", "height", "batch_size"),
    "LatentUpscale": SCALED,
    "LatentUpscaleBy": SCALED_BY,
    "ImageScale": SCALED,
    "ImageScaleBy": SCALED_BY,
    "VAEDecodeTiled": ("tile_size", "overlap"),
    "CLIPSetLastLayer": ("stop_at_clip_layer",),
    "ModelSamplingDiscrete": ("sampling", "zsnr"),
    "ModelSamplingSD3": ("shift",),
    "RescaleCFG": ("multiplier",),
    "APG": ("eta", "norm_threshold", "momentum"),
    "PerturbedAttentionGuidance": ("scale",),
    "SkipLayerGuidanceSD3": ("layers", "scale", "start_percent", "end_percent"),
    "SkipLayerGuidanceDiT": (
        *("double_layers", "single_layers", "scale", "start_percent", "end_percent"),
        "rescaling_scale",
    ),
    "FreeU": AMOUNTS,
    "FreeU_V2": AMOUNTS,
    "RandomNoise": ("noise_seed",),
    "KSamplerSelect": ("sampler_name",),
    "BasicScheduler": ("scheduler", "steps", "denoise"),
    "CFGGuider": ("cfg",),
    "PrimitiveNode": ("value",),
}
"""The order of values in the editor's graph, where they have no names; an empty name is skipped."""


def as_prompt(graph: Any) -> Any:
    """A graph as the editor draws it (the chunk `workflow`) -> as it is run (`prompt`): {id: {class_type, inputs}}."""
    if not isinstance(graph, dict) or not isinstance(graph.get("nodes"), list) or len(graph["nodes"]) > MOST_NODES:
        return {}
    links = graph.get("links")
    sources = {row[0]: [str(row[1]), row[2]] for row in links if _is_link_row(row)} if isinstance(links, list) else {}
    drawn = [node for node in graph["nodes"] if isinstance(node, dict) and node.get("mode") not in (2, 4)]
    return {str(node.get("id")): _named(node, sources) for node in drawn}


def nodes_of(graph: Any) -> Graph:
    """The nodes of a graph that have inputs; none for what is no graph."""
    if not isinstance(graph, dict) or len(graph) > MOST_NODES:
        return {}
    return {
        str(key): node for key, node in graph.items() if isinstance(node, dict) and isinstance(node.get("inputs"), dict)
    }


def target(nodes: Graph, value: Any) -> Node | None:
    """The node that a link [id, output] comes from."""
    is_link = isinstance(value, list) and len(value) == 2 and isinstance(value[0], str | int)
    return nodes.get(str(value[0])) if is_link else None


def upstream(nodes: Graph, start: Node) -> Iterator[Node]:
    """Every node that a node depends on, nearest first, each once."""
    seen = {id(start)}
    waiting = [start]
    for node in waiting:  # grows while it is walked
        for value in node["inputs"].values():
            found = target(nodes, value)
            if found is not None and id(found) not in seen:
                seen.add(id(found))
                waiting.append(found)
                yield found


def along(nodes: Graph, start: Node, *names: str) -> Iterator[Node]:
    """From a node back along one input, the first of `names` that is linked; ends in a circle, too."""
    seen, node = {id(start)}, start
    while True:
        links = (target(nodes, node["inputs"].get(name)) for name in names)
        found = next((each for each in links if each is not None), None)
        if found is None or id(found) in seen:
            return
        seen.add(id(found))
        yield found
        node = found


def value_of(nodes: Graph, node: Node, name: str) -> Any:
    """An input, or the number of the node that it is linked to; None where there is neither."""
    value = node["inputs"].get(name)
    linked = target(nodes, value)
    if linked is None:
        return value
    return next((linked["inputs"][each] for each in NUMBERS if each in linked["inputs"]), None)


def inputs_of(nodes: Graph, node: Node) -> dict[str, Any]:
    """The inputs of a node that are values, its own or of nodes that hold nothing but one."""
    found: dict[str, Any] = {}
    for name, value in node["inputs"].items():
        linked = target(nodes, value)
        if linked is not None and any(each in linked["inputs"] for each in HELD):
            found[name] = value_of(nodes, node, name)
        elif isinstance(value, str | int | float):
            found[name] = value
    return found


def kind_of(node: Node) -> str:
    """Its class."""
    return str(node.get("class_type"))


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


def _is_link_row(row: Any) -> bool:
    return isinstance(row, list) and len(row) >= 3 and isinstance(row[0], int) and isinstance(row[1], str | int)
