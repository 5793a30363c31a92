"""Which network a file holds, as the value that builds it: read from the names and shapes of its tensors alone.

Names are those of diffusers folders. What shapes cannot tell is a rule of the released networks, said where it is used.
"""

import re
from collections.abc import Mapping
from dataclasses import replace

from inkwash.errors import WeightsError
from inkwash.latent.spec import AutoencoderSpec
from inkwash.predictor.spec import Stage, UNetSpec
from inkwash.weights.containers.source import Source
from inkwash.weights.families import Depths

Shapes = Mapping[str, tuple[int, ...]]
POOLED, SIZE_WIDTH = 1280, 256
"""SDXL's pooled prompt, and features per number about the picture."""
MOST_PARTS = 16
"""Of anything that is counted; SDXL has 10 transformer blocks in a row."""
NUMBER = re.compile(r"(\d{1,4})\.")


def shapes(part: Source) -> dict[str, tuple[int, ...]]:
    """Names and shapes alone."""
    return {name: slot.shape for name, slot in part.slots.items()}


def unet_of(part: Source) -> UNetSpec | None:
    """The table of a U-Net or a ControlNet; None if `part` is none that we can build."""
    try:
        return unet_spec(shapes(part))
    except WeightsError:
        return None


def depths(spec: UNetSpec) -> Depths:
    """Depth of the transformers at every site."""
    levels = range(len(spec.stages))
    down = tuple(depth for level in levels for depth in spec.depths_down(level))
    up = tuple(depth for level in reversed(levels) for depth in spec.depths_up(level))
    return down, spec.mid_depth or (-1 if spec.mid_blocks else -2), up


def words(spec: UNetSpec) -> int:
    """Width of the vectors it looks at; 0 if it looks at none."""
    down, middle, up = depths(spec)
    return spec.text_width if max(*down, middle, *up) > 0 else 0


def unet_spec(shapes: Shapes) -> UNetSpec:
    """The table of a U-Net or a ControlNet.  Raises WeightsError if it is none.

    Heads leave no trace: networks that read CLIP-L (768 wide) and the x4-upscaler have 8, all others heads 64 wide.
    """
    stages, blocks = _stages(shapes)
    looks = [shape[-1] for name, shape in shapes.items() if name.endswith("attn2.to_k.weight") and shape]
    text_width = looks[0] if looks else 768
    told = _axis(shapes, "down_blocks.0.resnets.0.time_emb_proj.weight", 0)
    projections = [shape for name, shape in shapes.items() if name.endswith(".proj_in.weight")]
    labels = _axis(shapes, "class_embedding.weight", 0)
    added = _axis(shapes, "add_embedding.linear_1.weight", 1)
    numbers = max(added - POOLED, 0) // SIZE_WIDTH
    return UNetSpec(
        stages,
        text_width,
        _axis(shapes, "conv_in.weight", 1),
        _axis(shapes, "conv_out.weight", 0) or 4,
        blocks,
        mid_depth=_depth(shapes, "mid_block.attentions.0"),
        mid_blocks=_count(shapes, "mid_block.resnets"),
        heads=8 if text_width == 768 or labels else None,
        linear_projection=any(len(shape) == 2 for shape in projections),
        scale_shift=told == 2 * stages[0].channels,
        pooled_width=added - numbers * SIZE_WIDTH,
        size_numbers=numbers,
        labels=labels,
        label_width=_axis(shapes, "class_embedding.linear_1.weight", 1),
        guidance_width=_axis(shapes, "time_embedding.cond_proj.weight", 1),
    )


def autoencoder_spec(shapes: Shapes, known: AutoencoderSpec) -> AutoencoderSpec:
    """The table of a KL autoencoder in units of `known`, which no file tells.  Raises WeightsError if it is none."""
    levels = _count(shapes, "encoder.down_blocks")
    if not levels or levels != _count(shapes, "decoder.up_blocks"):
        raise WeightsError("this is no KL autoencoder")
    latents = _axis(shapes, "decoder.conv_in.weight", 1)
    return replace(
        known,
        channels=tuple(_axis(shapes, f"encoder.down_blocks.{n}.resnets.0.conv1.weight", 0) for n in range(levels)),
        encoder_blocks=tuple(_count(shapes, f"encoder.down_blocks.{n}.resnets") for n in range(levels)),
        decoder_blocks=tuple(_count(shapes, f"decoder.up_blocks.{n}.resnets") for n in reversed(range(levels))),
        latent_channels=latents,
        patch=round((_axis(shapes, "encoder.conv_in.weight", 1) / 3) ** 0.5),
        groups=32 if "encoder.conv_norm_out.weight" in shapes else 0,
        middle="encoder.mid_block.resnets.0.conv1.weight" in shapes,
        quant_convs="quant_conv.weight" in shapes,
    )


def _stages(shapes: Shapes) -> tuple[tuple[Stage, ...], int]:
    """The stages, and how many residual blocks each has on the way down."""
    count, blocks = _count(shapes, "down_blocks"), _count(shapes, "down_blocks.0.resnets")
    widths = [_axis(shapes, f"down_blocks.{index}.resnets.0.conv1.weight", 0) for index in range(count)]
    if not blocks or "conv_in.weight" not in shapes or not widths or 0 in widths:
        raise WeightsError("this is no U-Net")
    if any(_count(shapes, f"down_blocks.{index}.resnets") != blocks for index in range(count)):
        raise WeightsError("this U-Net has not the same number of blocks at every size")
    return tuple(_stage(shapes, index, count - 1 - index, blocks) for index in range(count)), blocks


def _stage(shapes: Shapes, index: int, up_index: int, blocks: int) -> Stage:
    down = tuple(_depth(shapes, f"down_blocks.{index}.attentions.{block}") for block in range(blocks))
    up = tuple(_depth(shapes, f"up_blocks.{up_index}.attentions.{block}") for block in range(blocks + 1))
    up = up if _count(shapes, "up_blocks") else down[:1] * (blocks + 1)
    channels = _axis(shapes, f"down_blocks.{index}.resnets.0.conv1.weight", 0)
    looks = f"down_blocks.{index}.attentions.0.transformer_blocks.0.attn1.to_k.weight"
    return Stage(
        channels,
        down[0],
        down=() if set(down) == {down[0]} else down,
        up=() if set(up) == {down[0]} else up,
        only_words=_axis(shapes, looks, 1) not in (0, channels),
    )


def _depth(shapes: Shapes, attention: str) -> int:
    return _count(shapes, f"{attention}.transformer_blocks")


def _count(shapes: Shapes, prefix: str) -> int:
    """How many numbered parts there are."""
    begin = len(prefix) + 1
    numbers = (NUMBER.match(name, begin) for name in shapes if name.startswith(f"{prefix}."))
    count = 1 + max((int(found[1]) for found in numbers if found), default=-1)
    if count > MOST_PARTS:
        raise WeightsError(f"it has {count} parts {prefix}; no network of this kind has more than {MOST_PARTS}")
    return count


def _axis(shapes: Shapes, name: str, axis: int) -> int:
    shape = shapes.get(name, ())
    return shape[axis] if axis < len(shape) else 0
