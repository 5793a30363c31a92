"""Which weights an adapter's file speaks of: every module of our networks, under all names that trainers give it.

Names are never taken apart: a table of all of them is made from the networks, and looked up.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from torch import nn

from inkwash.weights.names.mmdit import to_reference
from inkwash.weights.names.unet import to_ldm
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
    swapped: bool = False
    """The halves of the rows have each other's place in that naming."""


def places(networks: Mapping[Role, nn.Module], aliases: Aliases | None = None) -> dict[str, Place]:
    """Every name under which a module of `networks` is known -> its place.

    U-Nets and SD 3's transformers are known by the names of the original code too; `aliases` tells those of other
    predictors.
    """
    found: dict[str, Place] = {}
    for role, network in networks.items():
        known: dict[str, Place] = {}
        for module in weighted(network):
            known |= dict.fromkeys(_spellings(role, module), Place(role, (module,)))
        if role == "predictor":
            told = ldm_names(network) if aliases is None else aliases
            known |= {name: Place(role, modules) for name, modules in told.items()} | joint_names(network)
        for name, place in known.items():
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


def ldm_names(network: nn.Module) -> dict[str, tuple[str, ...]]:
    """A U-Net's modules under the names of the original code; empty for other networks."""
    modules = list(weighted(network))
    if not any(name.startswith("down_blocks.0.resnets.") for name in modules):
        return {}
    made = to_ldm([f"{name}.weight" for name in modules])
    ends = ((other, recipe.olds[0]) for other, recipe in made.items())
    return {other.removesuffix(".weight"): (name.removesuffix(".weight"),) for other, name in ends}


def joint_names(network: nn.Module) -> dict[str, Place]:
    """The modules of SD 3's transformer under the names of the reference; empty for other networks.

    There queries, keys and values are one matrix, and some norms are told the shift first.
    """
    modules = list(weighted(network))
    if not any(name.startswith("transformer_blocks.0.attn.add_k_proj") for name in modules):
        return {}
    made = to_reference([f"{name}.weight" for name in modules])
    found = {}
    for name, recipe in made.items():
        olds = tuple(old.removesuffix(".weight") for old in recipe.olds)
        found[name.removesuffix(".weight")] = Place("predictor", olds, recipe.act == "swapped")
    return found
