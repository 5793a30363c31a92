"""The shape of SD 3's transformer, read from the names and shapes of its tensors alone."""

import re
from dataclasses import dataclass

from inkwash.weights.containers.source import Source


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
