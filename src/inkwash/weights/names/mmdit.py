"""SD 3's transformer: the reference's names <-> those of a diffusers folder.

The reference keeps queries, keys and values in one matrix. Diffusers' last norms want (scale, shift) where the
reference has (shift, scale): the halves of `norm_out` and of the last block's context norm change places.
"""

import re
from collections.abc import Collection, Mapping

from inkwash.weights.names.recipe import Act, Recipe, split

WHOLE: Mapping[str, str] = {
    "x_embedder.proj": "pos_embed.proj", "t_embedder.mlp.0": "time_text_embed.timestep_embedder.linear_1",
    "t_embedder.mlp.2": "time_text_embed.timestep_embedder.linear_2",
    "y_embedder.mlp.0": "time_text_embed.text_embedder.linear_1",
    "y_embedder.mlp.2": "time_text_embed.text_embedder.linear_2", "final_layer.linear": "proj_out",
    "final_layer.adaLN_modulation.1": "norm_out.linear",
}  # fmt: skip
POSITIONS, THEIR_POSITIONS = "pos_embed", "pos_embed.pos_embed"
BLOCK: Mapping[str, str] = {
    "x_block.attn.proj": "attn.to_out.0", "x_block.attn.ln_q": "attn.norm_q", "x_block.attn.ln_k": "attn.norm_k",
    "x_block.attn2.proj": "attn2.to_out.0", "x_block.attn2.ln_q": "attn2.norm_q", "x_block.attn2.ln_k": "attn2.norm_k",
    "x_block.adaLN_modulation.1": "norm1.linear", "x_block.mlp.fc1": "ff.net.0.proj", "x_block.mlp.fc2": "ff.net.2",
    "context_block.attn.proj": "attn.to_add_out", "context_block.attn.ln_q": "attn.norm_added_q",
    "context_block.attn.ln_k": "attn.norm_added_k", "context_block.adaLN_modulation.1": "norm1_context.linear",
    "context_block.mlp.fc1": "ff_context.net.0.proj", "context_block.mlp.fc2": "ff_context.net.2",
}  # fmt: skip
PACKED: Mapping[str, tuple[str, str, str]] = {
    "x_block.attn.qkv": ("attn.to_q", "attn.to_k", "attn.to_v"),
    "x_block.attn2.qkv": ("attn2.to_q", "attn2.to_k", "attn2.to_v"),
    "context_block.attn.qkv": ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"),
}
JOINT = re.compile(r"joint_blocks\.(\d+)\.(.+)\.(weight|bias)")
THEIRS = re.compile(r"transformer_blocks\.(\d+)\.(.+)\.(weight|bias)")


def to_diffusers(names: Collection[str]) -> dict[str, Recipe]:
    """The reference's names, without their prefix -> recipes for a diffusers folder; unknown names stay."""
    last = _last(names, JOINT)
    recipes: dict[str, Recipe] = {}
    for name in names:
        stem, _, end = name.rpartition(".")
        found = JOINT.fullmatch(name)
        if found and found[2] in PACKED:
            q, k, v = (f"transformer_blocks.{found[1]}.{third}.{found[3]}" for third in PACKED[found[2]])
            recipes |= split(name, (q, k, v))
        elif found and found[2] in BLOCK:
            act = _act(BLOCK[found[2]], int(found[1]) == last)
            recipes[f"transformer_blocks.{found[1]}.{BLOCK[found[2]]}.{found[3]}"] = Recipe((name,), act)
        elif stem in WHOLE:
            recipes[f"{WHOLE[stem]}.{end}"] = Recipe((name,), _act(WHOLE[stem], last=False))
        else:
            recipes[THEIR_POSITIONS if name == POSITIONS else name] = Recipe((name,))
    return recipes


def to_reference(names: Collection[str]) -> dict[str, Recipe]:
    """The inverse of `to_diffusers`."""
    last = _last(names, THEIRS)
    whole, block = ({new: old for old, new in table.items()} for table in (WHOLE, BLOCK))
    thirds = {third: (packed, parts) for packed, parts in PACKED.items() for third in parts}
    recipes: dict[str, Recipe] = {}
    for name in names:
        stem, _, end = name.rpartition(".")
        found = THEIRS.fullmatch(name)
        if found and found[2] in thirds:
            packed, parts = thirds[found[2]]
            olds = tuple(f"transformer_blocks.{found[1]}.{part}.{found[3]}" for part in parts)
            recipes[f"joint_blocks.{found[1]}.{packed}.{found[3]}"] = Recipe(olds, "stacked")
        elif found and found[2] in block:
            act = _act(found[2], int(found[1]) == last)
            recipes[f"joint_blocks.{found[1]}.{block[found[2]]}.{found[3]}"] = Recipe((name,), act)
        elif stem in whole:
            recipes[f"{whole[stem]}.{end}"] = Recipe((name,), _act(stem, last=False))
        else:
            recipes[POSITIONS if name == THEIR_POSITIONS else name] = Recipe((name,))
    return recipes


def _last(names: Collection[str], pattern: re.Pattern[str]) -> int:
    return max((int(found[1]) for name in names if (found := pattern.fullmatch(name))), default=-1)


def _act(name: str, last: bool) -> Act:
    return "swapped" if name == "norm_out.linear" or (name == "norm1_context.linear" and last) else "same"
