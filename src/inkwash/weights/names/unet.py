"""U-Nets and ControlNets: numbered blocks of the original code <-> levels and layers of a diffusers folder.

With L residual blocks per level, input block i >= 1 is layer (i-1) mod (L+1) of level (i-1) div (L+1), the last layer
of a level halving the map; output block i is layer i mod (L+1) of level i div (L+1). Only names change.
"""

import re
from collections.abc import Collection, Mapping

from inkwash.weights.names.recipe import Recipe, renamed

RESIDUAL: Mapping[str, str] = {
    "in_layers.0": "norm1", "in_layers.2": "conv1", "emb_layers.1": "time_emb_proj", "out_layers.0": "norm2",
    "out_layers.3": "conv2", "skip_connection": "conv_shortcut",
}  # fmt: skip
HINTS: Mapping[str, str] = {f"input_hint_block.{2 * n + 2}": f"controlnet_cond_embedding.blocks.{n}" for n in range(6)}
ENDS: Mapping[str, str] = {
    "time_embed.0": "time_embedding.linear_1", "time_embed.2": "time_embedding.linear_2",
    "time_embed.cond_proj": "time_embedding.cond_proj", "input_blocks.0.0": "conv_in", "out.0": "conv_norm_out",
    "out.2": "conv_out", "label_emb": "class_embedding", "middle_block_out.0": "controlnet_mid_block",
    "input_hint_block.0": "controlnet_cond_embedding.conv_in",
    "input_hint_block.14": "controlnet_cond_embedding.conv_out",
    **HINTS,
}  # fmt: skip
LABELS: Mapping[str, str] = {"label_emb.0.0": "{}.linear_1", "label_emb.0.2": "{}.linear_2"}
"""Of SDXL's sizes and pooled prompt (add_embedding), or of unCLIP's picture (class_embedding)."""
MIDDLES: Mapping[str, str] = {"0": "resnets.0", "1": "attentions.0", "2": "resnets.1"}
BACK: Mapping[str, str] = {new: old for old, new in RESIDUAL.items()}


def to_diffusers(names: Collection[str]) -> dict[str, Recipe]:
    """Names of the original code, without their prefix -> recipes for a diffusers folder; unknown names stay."""
    layers = _layers(names)
    labels = "class_embedding" if any(name.startswith("input_blocks.1.1.") for name in names) else "add_embedding"
    ends = {**ENDS, **{old: new.format(labels) for old, new in LABELS.items()}}
    return renamed(names, lambda name: _there(name, layers, ends))


def to_ldm(names: Collection[str]) -> dict[str, Recipe]:
    """The inverse of `to_diffusers`."""
    layers = 1 + max((int(found[1]) for name in names if (found := DOWN_RESNET.match(name))), default=1)
    ends = {new: old for old, new in ENDS.items()}
    ends |= {new.format(kind): old for old, new in LABELS.items() for kind in ("add_embedding", "class_embedding")}
    looking = {found[2] for name in names if (found := LEVEL.fullmatch(name)) and _last_look(found, layers)}
    return renamed(names, lambda name: _back(name, layers, ends, looking))


DOWN_RESNET = re.compile(r"down_blocks\.0\.resnets\.(\d+)\.")
HALVING = re.compile(r"input_blocks\.(\d+)\.0\.op\.")
NUMBERED = re.compile(r"(input|output)_blocks\.(\d+)\.(\d+)\.(.+)")
MIDDLE = re.compile(r"middle_block\.(\d+)\.(.+)")
ZERO = re.compile(r"zero_convs\.(\d+)\.0\.(.+)")
LEVEL = re.compile(r"(down|up)_blocks\.(\d+)\.(resnets|attentions|downsamplers|upsamplers)\.(\d+)\.(.+)")
MID_BLOCK = re.compile(r"mid_block\.(resnets|attentions)\.(\d+)\.(.+)")
CONTROL = re.compile(r"controlnet_down_blocks\.(\d+)\.(.+)")


def _layers(names: Collection[str]) -> int:
    """L, from where the map is halved first; 2 where it never is."""
    return min((int(found[1]) for name in names if (found := HALVING.match(name))), default=3) - 1


def _there(name: str, layers: int, ends: Mapping[str, str]) -> str:
    stem, _, last = name.rpartition(".")
    if stem in ends:
        return f"{ends[stem]}.{last}"
    if found := ZERO.fullmatch(name):
        return f"controlnet_down_blocks.{found[1]}.{found[2]}"
    if found := MIDDLE.fullmatch(name):
        return f"mid_block.{MIDDLES.get(found[1], found[1])}.{_inner(found[2], RESIDUAL)}"
    if found := NUMBERED.fullmatch(name):
        return _levelled(found[1], int(found[2]), int(found[3]), found[4], layers)
    return name


def _levelled(side: str, number: int, place: int, rest: str, layers: int) -> str:
    """A name inside input block or output block `number`."""
    level, layer = divmod(number - 1 if side == "input" else number, layers + 1)
    if side == "input" and rest.startswith("op."):
        return f"down_blocks.{level}.downsamplers.0.conv.{rest.removeprefix('op.')}"
    if side == "output" and place and rest.startswith("conv."):
        return f"up_blocks.{level}.upsamplers.0.{rest}"
    kind = "attentions" if place else "resnets"
    return f"{'down' if side == 'input' else 'up'}_blocks.{level}.{kind}.{layer}.{_inner(rest, RESIDUAL)}"


def _back(name: str, layers: int, ends: Mapping[str, str], looking: Collection[str]) -> str:
    stem, _, last = name.rpartition(".")
    if stem in ends:
        return f"{ends[stem]}.{last}"
    if found := CONTROL.fullmatch(name):
        return f"zero_convs.{found[1]}.0.{found[2]}"
    if found := MID_BLOCK.fullmatch(name):
        place = 1 if found[1] == "attentions" else 2 * int(found[2])
        return f"middle_block.{place}.{_inner(found[3], BACK)}"
    if found := LEVEL.fullmatch(name):
        return _numbered(found, layers, found[2] in looking)
    return name


def _last_look(found: re.Match[str], layers: int) -> bool:
    """Is it the attention of a level's last block on the way up?"""
    return (found[1], found[3], int(found[4])) == ("up", "attentions", layers)


def _numbered(found: re.Match[str], layers: int, looks: bool) -> str:
    """A name inside level `found[2]`; its last block `looks` at words or does not."""
    side, level, kind, layer, rest = found[1], int(found[2]), found[3], int(found[4]), found[5]
    first = level * (layers + 1)
    if kind == "downsamplers":
        return f"input_blocks.{first + layers + 1}.0.op.{rest.removeprefix('conv.')}"
    if kind == "upsamplers":
        return f"output_blocks.{first + layers}.{2 if looks else 1}.{rest}"
    block = f"input_blocks.{first + layer + 1}" if side == "down" else f"output_blocks.{first + layer}"
    return f"{block}.{int(kind == 'attentions')}.{_inner(rest, BACK)}"


def _inner(rest: str, table: Mapping[str, str]) -> str:
    """A name inside a residual block; transformers are called the same here and there."""
    stem, _, last = rest.rpartition(".")
    return f"{table[stem]}.{last}" if stem in table else rest
