"""The shape of a network, read from the names and shapes of its tensors alone."""

import re
from dataclasses import dataclass

from inkwash.weights.containers.source import Source
from inkwash.weights.families import Depths

BLOCK = re.compile(r"(down|up)_blocks\.(\d+)\.(resnets|attentions)\.(\d+)\.(?:transformer_blocks\.(\d+)\.)?")
MIDDLE = re.compile(r"mid_block\.(resnets|attentions)\.\d+\.(?:transformer_blocks\.(\d+)\.)?")


@dataclass(frozen=True)
class UNetShape:
    """A U-Net or ControlNet, whoever made it."""

    channels_in: int
    channels_out: int
    channels: tuple[int, ...]
    """Of every level, the widest map first."""
    blocks: int
    """Residual blocks per level on the way down."""
    depths: Depths
    """Transformer blocks behind each residual block on the way down, in the middle, and on the way up."""
    words: int
    """Width of the vectors it looks at; 0 if it looks at none."""
    linear: bool
    """Its attention is entered by a linear layer, not by a convolution."""
    added: int
    """Width of pooled prompt and sizes together; 0 for none."""
    labelled: int
    """Width of a picture's vector that joins the step (unCLIP); 0 for none."""
    classes: int
    """Rows of a table of classes (the upscaler's noise levels); 0 for none."""
    guided: int
    """Width of the guidance strength that joins the step (LCM); 0 for none."""


@dataclass(frozen=True)
class MMDiTShape:
    """SD 3's transformer."""

    depth: int
    width: int
    channels: int
    positions: int
    """Rows of the table of positions, a square number."""
    normed: bool
    """Queries and keys pass a norm."""
    dual: tuple[int, ...]
    """Blocks that look at the picture a second time."""
    words: int
    pooled: int


def unet_shape(part: Source) -> UNetShape | None:
    """Of a U-Net under diffusers names; None if it is none."""
    if not part.shape("conv_in.weight") or not any(name.startswith("down_blocks.") for name in part.slots):
        return None
    sites: dict[tuple[str, int, int], int] = {}
    middle, linear, words = -2, False, 0
    for name in part.slots:
        if found := BLOCK.match(name):
            site = found[1], int(found[2]), int(found[4])
            depth = int(found[5]) + 1 if found[5] is not None else 0
            sites[site] = max(sites.get(site, 0), depth)
        elif found := MIDDLE.match(name):
            depth = -1 if found[1] == "resnets" else int(found[2] or 0) + 1
            middle = max(middle, depth)
        if name.endswith("attn2.to_k.weight"):
            words = part.shape(name)[-1]
        linear = linear or (name.endswith(".proj_in.weight") and len(part.shape(name)) == 2)
    down, up = (tuple(sites[site] for site in sorted(sites) if site[0] == side) for side in ("down", "up"))
    levels = 1 + max(level for side, level, _ in sites if side == "down")
    widths = tuple(part.shape(f"down_blocks.{n}.resnets.0.conv1.weight")[:1] for n in range(levels))
    classes = part.shape("class_embedding.weight")
    return UNetShape(
        channels_in=_axis(part, "conv_in.weight", 1),
        channels_out=_axis(part, "conv_out.weight", 0),
        channels=tuple(width[0] if width else 0 for width in widths),
        blocks=len(down) // levels,
        depths=(down, middle, up),
        words=words,
        linear=linear,
        added=_axis(part, "add_embedding.linear_1.weight", 1),
        labelled=_axis(part, "class_embedding.linear_1.weight", 1),
        classes=classes[0] if classes else 0,
        guided=_axis(part, "time_embedding.cond_proj.weight", 1),
    )


def mmdit_shape(part: Source) -> MMDiTShape | None:
    """Of a transformer under diffusers names; None if it is none."""
    blocks = {int(name.split(".")[1]) for name in part.slots if re.match(r"transformer_blocks\.\d+\.", name)}
    if not blocks or not part.shape("pos_embed.proj.weight"):
        return None
    dual = {int(name.split(".")[1]) for name in part.slots if ".attn2.to_q." in name}
    return MMDiTShape(
        depth=len(blocks),
        width=_axis(part, "pos_embed.proj.weight", 0),
        channels=_axis(part, "pos_embed.proj.weight", 1),
        positions=_axis(part, "pos_embed.pos_embed", -2),
        normed=any(name.endswith(".attn.norm_q.weight") for name in part.slots),
        dual=tuple(sorted(dual)),
        words=_axis(part, "context_embedder.weight", 1),
        pooled=_axis(part, "time_text_embed.text_embedder.linear_1.weight", 1),
    )


def _axis(part: Source, name: str, axis: int) -> int:
    shape = part.shape(name)
    return shape[axis] if -len(shape) <= axis < len(shape) else 0
