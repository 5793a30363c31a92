"""Which weights an adapter's file speaks of: every module of our networks, under all names that trainers give it.

Names are never taken apart: a table of all of them is made from the networks, and looked up.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from torch import nn

from inkwash.weights.packed import Packed

Role = Literal["predictor", "text", "text_2", "text_3"]
"""Which of a model's networks: the predictor, or one of its text encoders."""
Aliases = Mapping[str, tuple[str, ...]]
"""Modules in another naming -> ours; several where that naming keeps their rows in one."""

DOTTED: Mapping[Role, tuple[str, ...]] = {
    "predictor": ("", "unet.", "transformer.", "diffusion_model.", "model.diffusion_model.", "base_model.model."),
    "text": ("text_encoder.", "clip_l.transformer.", "text_encoders.clip_l.transformer."),
    "text_2": ("text_encoder_2.", "clip_g.transformer.", "text_encoders.clip_g.transformer."),
    "text_3": ("text_encoder_3.", "t5xxl.transformer.", "text_encoders.t5xxl.transformer."),
}
FLAT: Mapping[Role, tuple[str, ...]] = {
    "predictor": ("lora_unet_", "lora_transformer_", "lycoris_"),
    "text": ("lora_te_", "lora_te1_"),
    "text_2": ("lora_te2_",),
    "text_3": ("lora_te3_",),
}
"""Prefixes of names whose dots are underscores."""


@dataclass(frozen=True)
class Place:
    """Where a change belongs."""

    role: Role
    modules: tuple[str, ...]
    """Of that network; a change of several is shared out by rows."""


def places(networks: Mapping[Role, nn.Module], aliases: Aliases | None = None) -> dict[str, Place]:
    """Every name under which a module of `networks` is known -> its place.

    U-Nets are known by the names of the original code too; `aliases` tells those of other predictors.
    """
    found: dict[str, Place] = {}
    for role, network in networks.items():
        known: dict[str, tuple[str, ...]] = {}
        for module in weighted(network):
            known |= dict.fromkeys(_spellings(role, module), (module,))
        if role == "predictor":
            known |= ldm_names(network) if aliases is None else aliases
        for name, modules in known.items():
            place = Place(role, modules)
            found |= dict.fromkeys([prefix + name for prefix in DOTTED[role]], place)
            found |= dict.fromkeys([prefix + name.replace(".", "_") for prefix in FLAT[role]], place)
    return found


def weighted(network: nn.Module) -> Iterator[str]:
    """The modules that have a weight of their own."""
    kinds = nn.Parameter, Packed
    return (
        name
        for name, module in network.named_modules()
        if isinstance(getattr(module, "packed", getattr(module, "weight", None)), kinds)
    )


def _spellings(role: Role, module: str) -> Iterator[str]:
    yield module
    if module.endswith(".to_out.0"):
        yield module.removesuffix(".0")
    if role != "predictor":
        yield f"text_model.{module}"  # most files of text encoders have it, ours have not


RESIDUAL = {
    "norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1", "norm2": "out_layers.0",
    "conv2": "out_layers.3", "conv_shortcut": "skip_connection",
}  # fmt: skip
ENDS = {
    "time_embedding.linear_1": "time_embed.0", "time_embedding.linear_2": "time_embed.2",
    "time_embedding.cond_proj": "time_embed.cond_proj", "conv_in": "input_blocks.0.0", "conv_norm_out": "out.0",
    "conv_out": "out.2", "add_embedding.linear_1": "label_emb.0.0", "add_embedding.linear_2": "label_emb.0.2",
    "class_embedding.linear_1": "label_emb.0.0", "class_embedding.linear_2": "label_emb.0.2",
}  # fmt: skip
LEVEL = re.compile(r"(down|up)_blocks\.(\d+)\.(resnets|attentions|downsamplers|upsamplers)\.(\d+)\.(.+)")
BOTTOM = re.compile(r"mid_block\.(resnets|attentions)\.(\d+)\.(.+)")


def ldm_names(network: nn.Module) -> dict[str, tuple[str, ...]]:
    """A U-Net's modules under the names of the original code; empty for other networks."""
    modules = list(weighted(network))
    blocks = sum(name.startswith("down_blocks.0.resnets.") and name.endswith(".conv1") for name in modules)
    return {other: (name,) for name in modules if blocks and (other := _ldm_name(name, blocks, modules))}


def _ldm_name(name: str, blocks: int, modules: list[str]) -> str | None:
    """Blocks are numbered through: `blocks` residuals and a halving per level down, one residual more up."""
    if name in ENDS:
        return ENDS[name]
    if found := BOTTOM.fullmatch(name):
        number = 1 if found[1] == "attentions" else 2 * int(found[2])
        return f"middle_block.{number}.{RESIDUAL.get(found[3], found[3])}"
    if not (found := LEVEL.fullmatch(name)):
        return None
    way, level, kind, rest = found[1], int(found[2]), found[3], RESIDUAL.get(found[5], found[5])
    number = level * (blocks + 1) + int(found[4])
    if kind == "downsamplers":
        return f"input_blocks.{(level + 1) * (blocks + 1)}.0.op"
    if kind == "upsamplers":
        looks = any(module.startswith(f"up_blocks.{level}.attentions.{blocks}.") for module in modules)
        return f"output_blocks.{level * (blocks + 1) + blocks}.{2 if looks else 1}.conv"
    block = f"input_blocks.{number + 1}" if way == "down" else f"output_blocks.{number}"
    return f"{block}.{int(kind == 'attentions')}.{rest}"
