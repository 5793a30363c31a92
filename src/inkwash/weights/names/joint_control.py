"""ControlNets of Stable Diffusion 3.5 large: the names of Stability's single files <-> those of a diffusers folder.

Only the insides of blocks differ: there queries, keys and values are one matrix.
"""

import re
from collections.abc import Collection, Mapping

from inkwash.errors import WeightsError
from inkwash.weights.names.recipe import Recipe, split

TYPE = "control_type"
"""A single number in Stability's files: 0 blur, 1 edges, 2 depth."""
BLOCK: Mapping[str, str] = {
    "attn.proj": "attn.to_out.0", "adaLN_modulation.1": "norm1.linear", "mlp.fc1": "ff.net.0.proj",
    "mlp.fc2": "ff.net.2",
}  # fmt: skip
QKV = "attn.qkv"
THIRDS = ("attn.to_q", "attn.to_k", "attn.to_v")
INSIDE = re.compile(r"(transformer_blocks\.\d+)\.(.+)\.(weight|bias)")


def to_diffusers(names: Collection[str]) -> dict[str, Recipe]:
    """Stability's names -> recipes for those of a folder, without the number that tells the type."""
    recipes: dict[str, Recipe] = {}
    for name in names:
        found = INSIDE.fullmatch(name)
        if found and found[2] == QKV:
            q, k, v = (f"{found[1]}.{third}.{found[3]}" for third in THIRDS)
            recipes |= split(name, (q, k, v))
        elif found:
            recipes[f"{found[1]}.{BLOCK.get(found[2], found[2])}.{found[3]}"] = Recipe((name,))
        elif name != TYPE:
            recipes[name] = Recipe((name,))
    return recipes


def to_stability(names: Collection[str]) -> dict[str, Recipe]:
    """The inverse; the type is not made up.  Raises WeightsError for networks that hear words: they never had any."""
    if any(".attn.add_q_proj." in name for name in names):
        raise WeightsError("ControlNets of Stable Diffusion 3 that hear words have the names of diffusers everywhere")
    olds = {new: old for old, new in BLOCK.items()}
    recipes: dict[str, Recipe] = {}
    for name in names:
        found = INSIDE.fullmatch(name)
        if found and found[2] in THIRDS:
            three = tuple(f"{found[1]}.{third}.{found[3]}" for third in THIRDS)
            recipes[f"{found[1]}.{QKV}.{found[3]}"] = Recipe(three, "stacked")
        elif found:
            recipes[f"{found[1]}.{olds.get(found[2], found[2])}.{found[3]}"] = Recipe((name,))
        else:
            recipes[name] = Recipe((name,))
    return recipes
