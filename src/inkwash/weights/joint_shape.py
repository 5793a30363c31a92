"""ControlNets of Stable Diffusion 3 by the names and shapes of their tensors: whose they are, and their table."""

from collections.abc import Mapping
from typing import Any

from inkwash.errors import WeightsError
from inkwash.predictor.joint_control import JointControlSpec
from inkwash.predictor.mmdit_spec import MMDiTSpec
from inkwash.weights.containers.source import Source

FIRST = "pos_embed_input.proj.weight"
FAMILY_OF: Mapping[tuple[int, bool, bool], str] = {
    (1536, True, False): "sd3-medium",
    (1536, True, True): "sd3.5-medium",
    (2432, False, False): "sd3.5-large",
    (2432, True, True): "sd3.5-large",
}
"""By width, whether it hears words, and whether it norms queries and keys."""
LATENTS = 16


def told_by_shape(part: Source) -> tuple[str, str, dict[str, str]]:
    """Family, layout and details of such a file."""
    width, channels = (*part.shape(FIRST), 0, 0)[:2]
    worded = "context_embedder.weight" in part.slots
    family = FAMILY_OF.get((width, worded, _normed(part)), "sd3.5-large" if width == 2432 else "sd3-cousin")
    layout = "ldm" if any(".attn.qkv." in name for name in part.slots) else "diffusers"
    details = {"blocks": str(len(_blocks(part))), "hears words": "yes" if worded else "no"}
    return family, layout, details | ({"sees": "a picture with a hole"} if channels == LATENTS + 1 else {})


def joint_control_spec(part: Source, config: Mapping[str, Any]) -> JointControlSpec:
    """The table of one under diffusers names; what shapes do not tell, `config` does, or what is usual.

    Raises WeightsError if it is none.
    """
    first, blocks, dual = part.shape(FIRST), _blocks(part), _blocks(part, ".attn2.to_q.weight")
    pooled = part.shape("time_text_embed.text_embedder.linear_1.weight")
    if len(first) != 4 or len(pooled) != 2 or 0 in (*first, *pooled) or blocks != set(range(len(blocks))) or not blocks:
        raise WeightsError(f"{part.what} is no ControlNet of Stable Diffusion 3")
    words, own = part.shape("context_embedder.weight"), part.shape("pos_embed.proj.weight")
    width, told, norm = first[0], config.get("num_attention_heads"), _norm(part)
    usual = width // max(1, norm[0] if norm else 64)
    heads = told if type(told) is int and 0 < told <= width else max(1, usual)
    extra, latents = config.get("extra_conditioning_channels"), own[1] if own else LATENTS
    beside = first[1] - latents if own or not isinstance(extra, int) else extra
    if not 0 <= beside <= 1:
        raise WeightsError(f"{part.what} is shown {beside} channels beside the hint; one, a hole, is known")
    silent = config.get("force_zeros_for_pooled_projection", bool(words))
    spec = MMDiTSpec(
        len(blocks), heads, width // heads, words[1] if words else 0, pooled[1], first[1] - beside, first[1] - beside,
        patch=first[2], positions=round(_places(part) ** 0.5), qk_norm=bool(norm),
        dual=tuple(sorted(dual)),
    )  # fmt: skip
    return JointControlSpec(spec, beside, bool(words), bool(own), silent is True or beside > 0)


def _blocks(part: Source, end: str = "") -> set[int]:
    """The numbers of the blocks that have a tensor whose name ends so; absurd ones are no numbers."""
    inside = (name for name in part.slots if name.startswith("transformer_blocks.") and name.endswith(end))
    numbers = (name.split(".")[1] for name in inside)
    return {int(each) for each in numbers if each.isascii() and each.isdecimal() and len(each) < 4}


def _norm(part: Source) -> tuple[int, ...]:
    return part.shape("transformer_blocks.0.attn.norm_q.weight")


def _normed(part: Source) -> bool:
    return bool(_norm(part))


def _places(part: Source) -> int:
    shape = part.shape("pos_embed.pos_embed")
    return shape[-2] if len(shape) > 1 else 1
