"""ControlNets of Stable Diffusion 3 in small for tests, as their makers write them: folders, and Stability's file."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from inkwash.predictor.joint_control import JointControlNet, JointControlSpec
from inkwash.predictor.mmdit_spec import MMDiTSpec
from inkwash.weights.containers.source import Source, in_memory, joined
from inkwash.weights.containers.writing import write_source
from inkwash.weights.names.joint_control import TYPE, to_stability
from inkwash.weights.names.recipe import recast
from tools.checkpoints import whispering

BLOCKS = MMDiTSpec(1, 2, positions=16)
"""As wide as the small Stable Diffusion 3 of `checkpoints`."""
KINDS: Mapping[str, JointControlSpec] = {
    "worded": JointControlSpec(BLOCKS),
    "loud": JointControlSpec(BLOCKS, silent=False),
    "hole": JointControlSpec(BLOCKS, beside=1),
    "pictures": JointControlSpec(replace(BLOCKS, text_width=0, positions=1), worded=False, placed=False, silent=False),
}
SEED = 11


def drawn(kind: str, seed: int = SEED) -> Source:
    """Its tensors."""
    with torch.device("meta"):
        slots = {name: tuple(each.shape) for name, each in JointControlNet(KINDS[kind]).state_dict().items()}
    return whispering(slots, seed)


def config_of(spec: JointControlSpec) -> dict[str, Any]:
    """Of an SD3ControlNetModel."""
    blocks = spec.blocks
    return {
        "_class_name": "SD3ControlNetModel", "sample_size": 16, "patch_size": blocks.patch,
        "in_channels": blocks.channels_in, "num_layers": blocks.depth, "attention_head_dim": blocks.head_width,
        "num_attention_heads": blocks.heads, "joint_attention_dim": blocks.text_width if spec.worded else None,
        "caption_projection_dim": blocks.width, "pooled_projection_dim": blocks.pooled_width,
        "out_channels": blocks.channels_in, "pos_embed_max_size": blocks.positions if spec.placed else None,
        "extra_conditioning_channels": spec.beside, "dual_attention_layers": list(blocks.dual),
        "qk_norm": "rms_norm" if blocks.qk_norm else None, "use_pos_embed": spec.placed,
        "pos_embed_type": "sincos" if spec.placed else None, "force_zeros_for_pooled_projection": spec.silent,
    }  # fmt: skip


def write_joint(folder: Path, kind: str, seed: int = SEED) -> Path:
    """One as diffusers writes it."""
    folder.mkdir(parents=True)
    write_source(folder / "diffusion_pytorch_model.safetensors", drawn(kind, seed), {})
    (folder / "config.json").write_text(json.dumps(config_of(KINDS[kind])))
    return folder


def write_stability(path: Path, type_: float, seed: int = SEED) -> Path:
    """The one of pictures alone as Stability writes it: one file, and in it the number of its type."""
    part = drawn("pictures", seed)
    mark = in_memory({TYPE: torch.tensor(type_)})
    write_source(path, joined("it", [recast(part, to_stability(list(part.slots))), mark]), {})
    return path
