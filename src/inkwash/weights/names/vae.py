"""Autoencoders: the original code's levels <-> those of a diffusers folder, where the way up is counted from below.

The one attention has 1x1 convolutions here and linear layers there: the same numbers, two axes more or less.
"""

import re
from collections.abc import Collection, Mapping

from inkwash.weights.names.recipe import Act, Recipe

ATTENTION: Mapping[str, str] = {
    "norm": "group_norm", "q": "to_q", "k": "to_k", "v": "to_v", "proj_out": "to_out.0",
}  # fmt: skip
OLDER: Mapping[str, str] = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}
"""What early diffusers folders call them."""
LEVEL = re.compile(r"(encoder|decoder)\.(down|up)\.(\d+)\.(block|attn|downsample|upsample)\.(.+)")
BLOCK = re.compile(r"(encoder|decoder)\.(down|up)_blocks\.(\d+)\.(resnets|downsamplers|upsamplers)\.(.+)")
MIDDLE = re.compile(r"(encoder|decoder)\.mid\.(block_1|block_2|attn_1)\.(.+)")
MID_BLOCK = re.compile(r"(encoder|decoder)\.mid_block\.(resnets\.0|resnets\.1|attentions\.0)\.(.+)")
MIDDLES: Mapping[str, str] = {"block_1": "resnets.0", "block_2": "resnets.1", "attn_1": "attentions.0"}


def to_diffusers(names: Collection[str]) -> dict[str, Recipe]:
    """Names of the original code, without their prefix -> recipes for a diffusers folder; unknown names stay."""
    levels = 1 + max((int(found[3]) for name in names if (found := LEVEL.fullmatch(name))), default=3)
    return {_there(name, levels): Recipe((name,), _act(name, ".mid.attn_1.", "linear")) for name in names}


def to_ldm(names: Collection[str]) -> dict[str, Recipe]:
    """The inverse of `to_diffusers`."""
    levels = 1 + max((int(found[3]) for name in names if (found := BLOCK.fullmatch(name))), default=3)
    modern = {recipe.olds[0]: new for new, recipe in modernised(names).items()}
    return {
        _back(modern[name], levels): Recipe((name,), _act(name, ".mid_block.attentions.0.", "conv")) for name in names
    }


def modernised(names: Collection[str]) -> dict[str, Recipe]:
    """Recipes for today's names of a diffusers folder, from those of any age."""
    recipes = {}
    for name in names:
        stem, _, rest = name.partition(".mid_block.attentions.0.")
        part, _, last = rest.rpartition(".")
        new = f"{stem}.mid_block.attentions.0.{OLDER.get(part, part)}.{last}" if rest else name
        recipes[new] = Recipe((name,), "linear" if rest and not part.endswith("norm") else "same")
    return recipes


def _act(name: str, where: str, act: Act) -> Act:
    """Weights of the attention change their shape, its norm does not."""
    matrix = where in name and name.endswith(".weight") and "norm" not in name.partition(where)[2]
    return act if matrix else "same"


def _there(name: str, levels: int) -> str:
    if found := MIDDLE.fullmatch(name):
        return f"{found[1]}.mid_block.{MIDDLES[found[2]]}.{_inner(found[3], found[2])}"
    if found := LEVEL.fullmatch(name):
        number = int(found[3]) if found[2] == "down" else levels - 1 - int(found[3])
        block = f"{found[1]}.{found[2]}_blocks.{number}"
        if found[4] in ("downsample", "upsample"):
            return f"{block}.{found[4]}rs.0.{found[5]}"
        kind = "resnets" if found[4] == "block" else "attentions"
        return f"{block}.{kind}.{found[5].replace('nin_shortcut', 'conv_shortcut')}"
    return re.sub(r"^(encoder|decoder)\.norm_out\.", r"\1.conv_norm_out.", name)


def _back(name: str, levels: int) -> str:
    if found := MID_BLOCK.fullmatch(name):
        kind = {new: old for old, new in MIDDLES.items()}[found[2]]
        return f"{found[1]}.mid.{kind}.{_outer(found[3], kind)}"
    if found := BLOCK.fullmatch(name):
        number = int(found[3]) if found[2] == "down" else levels - 1 - int(found[3])
        block = f"{found[1]}.{found[2]}.{number}"
        if found[4] == "resnets":
            return f"{block}.block.{found[5].replace('conv_shortcut', 'nin_shortcut')}"
        return f"{block}.{found[4].removesuffix('rs')}.{found[5].removeprefix('0.')}"
    return re.sub(r"^(encoder|decoder)\.conv_norm_out\.", r"\1.norm_out.", name)


def _inner(rest: str, kind: str) -> str:
    stem, _, last = rest.rpartition(".")
    return f"{ATTENTION.get(stem, stem)}.{last}" if kind == "attn_1" else rest


def _outer(rest: str, kind: str) -> str:
    stem, _, last = rest.rpartition(".")
    return f"{ {new: old for old, new in ATTENTION.items()}.get(stem, stem) }.{last}" if kind == "attn_1" else rest
