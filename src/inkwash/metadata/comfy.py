"""Graphs that ComfyUI keeps in its pictures: which prompts, seed and settings led to the picture.

Nothing of a graph is run: links are followed from the picture back to the sampler, and from there to its inputs.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from inkwash.metadata.comfy_graph import Graph, Node, along, as_prompt, inputs_of, kind_of, nodes_of, target, upstream
from inkwash.metadata.comfy_nodes import KINDS, LORAS, fields_of, lora_of, unusual
from inkwash.metadata.comfy_passes import Told, is_sampler, later_passes, passes, told_by
from inkwash.metadata.comfy_settings import MODELS, settings_of, zeroed
from inkwash.text.tree import Lora

SAVERS = ("SaveImage", "PreviewImage", "SaveAnimatedWEBP", "Image Save", "SaveImageWebsocket")
DECODER = "VAEDecodeTiled"
"""The one node behind the sampler that counts."""


@dataclass(frozen=True)
class Drawing:
    """What a graph says."""

    values: Mapping[str, Any]
    """Settings of the sampler and its prompts, by ComfyUI's names."""
    nodes: tuple[Told, ...] = ()
    """What else takes part."""
    loras: tuple[Lora, ...] = ()
    """Adapters, by name."""


def from_prompt(graph: Any) -> Drawing | None:
    """Settings from the chunk `prompt`: {id: {class_type, inputs}}.  None where there is no sampler in it."""
    nodes = nodes_of(graph)
    last = next(_samplers(nodes), None)
    if last is None:
        return None
    path = passes(nodes, last)
    first = next(node for node in reversed(path) if is_sampler(node))
    loras = {id(node): lora_of(inputs_of(nodes, node)) for node in upstream(nodes, first) if kind_of(node) in LORAS}
    told = (*_nodes(nodes, first, loras), *later_passes(nodes, path))
    row = [lora for lora in reversed(loras.values()) if lora is not None]  # from the checkpoint on
    return Drawing(settings_of(nodes, first), told, tuple(row))


def from_workflow(graph: Any) -> Drawing | None:
    """Settings from the chunk `workflow`, the graph as the editor draws it."""
    return from_prompt(as_prompt(graph))


def _samplers(nodes: Graph) -> Iterator[Node]:
    """Nodes that make latents under conditions: those nearest to a saved picture first, then the others."""
    savers = [node for node in nodes.values() if node.get("class_type") in SAVERS]
    for node in [each for saver in savers for each in upstream(nodes, saver)] or nodes.values():
        if is_sampler(node):
            yield node


def _nodes(nodes: Graph, sampler: Node, loras: Mapping[int, Lora | None]) -> Iterator[Told]:
    """Nodes that a request has fields for, and those of the model's chain that it has none for."""
    guider = target(nodes, sampler["inputs"].get("guider")) or sampler
    chain = [node for node in along(nodes, guider, "model") if not MODELS.intersection(node["inputs"])]
    named = [key for key, lora in loras.items() if lora is not None]
    set_already: dict[str, Any] = {}
    if zeroed(nodes, guider):
        yield Told("ConditioningZeroOut", "negative", {"silence": True})
    for node in (*upstream(nodes, sampler), *(each for each in nodes.values() if kind_of(each) == DECODER)):
        kind, inputs = kind_of(node), inputs_of(nodes, node)
        fields = fields_of(kind, inputs)
        fresh = {place: value for place, value in fields.items() if place not in set_already}
        set_already |= fresh
        if fresh:
            yield Told(kind, told_by(inputs), fresh)
            yield from (Told(f"{kind} {name}", str(value), {}) for name, value in unusual(kind, inputs).items())
        elif not fields and (kind in KINDS or any(node is each for each in chain)) and id(node) not in named:
            yield Told(kind, told_by(inputs), {})
