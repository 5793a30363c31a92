"""Text encoders: OpenCLIP's names (queries, keys and values in one matrix) <-> those of a `text_encoder/` folder."""

import re
from collections.abc import Collection, Mapping

from inkwash.weights.names.recipe import Recipe, split

WHOLE: Mapping[str, str] = {
    "token_embedding.weight": "text_model.embeddings.token_embedding.weight",
    "positional_embedding": "text_model.embeddings.position_embedding.weight",
    "ln_final.weight": "text_model.final_layer_norm.weight",
    "ln_final.bias": "text_model.final_layer_norm.bias",
}
LAYER: Mapping[str, str] = {
    "ln_1": "layer_norm1", "ln_2": "layer_norm2", "mlp.c_fc": "mlp.fc1", "mlp.c_proj": "mlp.fc2",
    "attn.out_proj": "self_attn.out_proj",
}  # fmt: skip
RESBLOCK = re.compile(r"transformer\.resblocks\.(\d+)\.(.+)")
HF_LAYER = re.compile(r"text_model\.encoder\.layers\.(\d+)\.(.+)")
PROJECTION = "text_projection"
T5: Mapping[str, str] = {
    "attn_q": "layer.0.SelfAttention.q", "attn_k": "layer.0.SelfAttention.k", "attn_v": "layer.0.SelfAttention.v",
    "attn_o": "layer.0.SelfAttention.o", "attn_norm": "layer.0.layer_norm", "ffn_norm": "layer.1.layer_norm",
    "attn_rel_b": "layer.0.SelfAttention.relative_attention_bias", "ffn_gate": "layer.1.DenseReluDense.wi_0",
    "ffn_up": "layer.1.DenseReluDense.wi_1", "ffn_down": "layer.1.DenseReluDense.wo",
}  # fmt: skip
"""What llama.cpp calls the parts of a T5 encoder's block."""


def to_diffusers(names: Collection[str]) -> dict[str, Recipe]:
    """OpenCLIP's names -> recipes for transformers' names; unknown names stay."""
    recipes: dict[str, Recipe] = {}
    for name in names:
        if name == PROJECTION:  # x @ P here, a linear layer there
            recipes["text_projection.weight"] = Recipe((name,), "transposed")
        elif found := RESBLOCK.fullmatch(name):
            recipes |= _layer(name, f"text_model.encoder.layers.{found[1]}", found[2])
        else:
            recipes[WHOLE.get(name, name)] = Recipe((name,))
    return recipes


def to_openclip(names: Collection[str]) -> dict[str, Recipe]:
    """The inverse of `to_diffusers`."""
    recipes: dict[str, Recipe] = {}
    whole = {new: old for old, new in WHOLE.items()}
    layer = {new: old for old, new in LAYER.items()}
    for name in names:
        found = HF_LAYER.fullmatch(name)
        if name == "text_projection.weight":
            recipes[PROJECTION] = Recipe((name,), "transposed")
        elif found is None:
            recipes[whole.get(name, name)] = Recipe((name,))
        elif packed := re.fullmatch(r"self_attn\.[qkv]_proj\.(weight|bias)", found[2]):
            thirds = tuple(f"text_model.encoder.layers.{found[1]}.self_attn.{x}_proj.{packed[1]}" for x in "qkv")
            recipes[f"transformer.resblocks.{found[1]}.attn.in_proj_{packed[1]}"] = Recipe(thirds, "stacked")
        else:
            stem, _, last = found[2].rpartition(".")
            recipes[f"transformer.resblocks.{found[1]}.{layer.get(stem, stem)}.{last}"] = Recipe((name,))
    return recipes


def with_model(names: Collection[str]) -> dict[str, Recipe]:
    """Recipes for transformers' names of any age: `text_model.` before all but the projection."""
    bare = ("embeddings.", "encoder.layers.", "final_layer_norm.")
    return {f"text_model.{name}" if name.startswith(bare) else name: Recipe((name,)) for name in names}


def without_model(names: Collection[str], layers: int | None = None) -> dict[str, Recipe]:
    """Recipes for the names of `inkwash.text.encoder.TextEncoder`, without what it has no use for.

    `layers` leaves out those behind: files of Stable Diffusion 2 hold one more than is used.
    """
    needless = ("position_ids", "logit_scale", "attn_mask")
    recipes = {}
    for name in names:
        found = HF_LAYER.fullmatch(name)
        behind = found is not None and layers is not None and int(found[1]) >= layers
        if not behind and not name.endswith(needless):
            recipes[name.removeprefix("text_model.")] = Recipe((name,))
    return recipes


def t5_from_llama(names: Collection[str]) -> dict[str, Recipe]:
    """llama.cpp's names of a T5 encoder -> recipes for transformers' names; unknown names stay."""
    ends = {"token_embd.weight": "shared.weight", "enc.output_norm.weight": "encoder.final_layer_norm.weight"}
    recipes = {}
    for name in names:
        found = re.fullmatch(r"enc\.blk\.(\d+)\.(\w+)\.weight", name)
        known = found is not None and found[2] in T5
        new = f"encoder.block.{found[1]}.{T5[found[2]]}.weight" if found and known else ends.get(name, name)
        recipes[new] = Recipe((name,))
    return recipes


def _layer(name: str, home: str, rest: str) -> dict[str, Recipe]:
    if found := re.fullmatch(r"attn\.in_proj_(weight|bias)", rest):
        q, k, v = (f"{home}.self_attn.{x}_proj.{found[1]}" for x in "qkv")
        return split(name, (q, k, v))
    stem, _, last = rest.rpartition(".")
    return {f"{home}.{LAYER.get(stem, stem)}.{last}": Recipe((name,))}
