"""union.json: what a union ControlNet says and paints in diffusers, on the small checkpoint of tests.

python -m tools.golden.union OUT.json   (needs diffusers and transformers)
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import diffusers
import torch
from PIL import Image
from safetensors.torch import load_file

from tools.checkpoints import NARROW
from tools.golden.filling import given
from tools.golden.helped import ROOT, Given, Rival, kept
from tools.helpers import write_picture, write_union

KINDS = 8
CASES: Mapping[str, tuple[tuple[int, ...], tuple[float, ...], bool]] = {
    "one": ((1,), (0.8,), False),
    "soft": ((6,), (0.8,), True),
    "several": ((0, 3, 3), (0.8, 0.3, 1.5), False),
    "several soft": ((7, 2), (0.5, 0.7), True),
}
"""Kinds of hints, their strengths, and whether fine maps are weak (guess mode)."""
STEP = 500.0


def network(rival: Rival) -> Any:
    """The small union ControlNet of tests."""
    config = rival.config
    same = [
        *("block_out_channels", "down_block_types", "cross_attention_dim", "attention_head_dim"),
        *("addition_time_embed_dim", "projection_class_embeddings_input_dim", "transformer_layers_per_block"),
    ]
    found = diffusers.ControlNetUnionModel(
        **{name: config[name] for name in same},
        use_linear_projection=True,
        addition_embed_type="text_time",
        conditioning_embedding_out_channels=(16, 32, 96, 256),
        num_control_type=KINDS,
        num_trans_channel=NARROW[0],
        num_proj_channel=NARROW[0],
    ).eval()
    weights = load_file(write_union(ROOT / "union.safetensors", KINDS))
    found.load_state_dict({name: weight.float() for name, weight in weights.items()})
    return found


def asked(count: int) -> Given:
    """Latents, words and hints for one picture, in both halves of guidance."""
    x, hints = given("union.x", (1, 4, 8, 6)), [given(f"union.{n}", (1, 3, 64, 48)).sigmoid() for n in range(count)]
    states, pooled = given("union.words", (2, 5, 2048)), given("union.pooled", (2, 1280))
    size = torch.tensor([[64.0, 48.0, 0.0, 8.0, 64.0, 48.0]]).expand(2, -1)
    return {"x": x.expand(2, -1, -1, -1), "hints": hints, "states": states, "pooled": pooled, "size": size}


def said(union: Any, kinds: tuple[int, ...], scales: tuple[float, ...], soft: bool) -> list[Given]:
    """Every residual, enough of each to know it by."""
    wanted = asked(len(kinds))
    flags = torch.zeros(1, KINDS).scatter_(1, torch.tensor([kinds]), 1.0).expand(2, -1)
    with torch.no_grad():
        found = union(
            wanted["x"],
            torch.tensor([STEP, STEP]),
            wanted["states"],
            controlnet_cond=[hint.expand(2, -1, -1, -1) for hint in wanted["hints"]],
            control_type=flags,
            control_type_idx=list(kinds),
            conditioning_scale=list(scales),
            added_cond_kwargs={"text_embeds": wanted["pooled"], "time_ids": wanted["size"]},
            guess_mode=soft,
        )
    return [kept(each) for each in (*found.down_block_res_samples, found.mid_block_res_sample)]


def painted(rival: Rival, union: Any, hints: list[Image.Image], case: str) -> Given:
    """A whole way down with as many pictures as the case has; in guess mode with guidance the pipeline fails."""
    kinds, scales, _ = CASES[case]
    call = {"control_image": hints[: len(kinds)], "control_mode": list(kinds)}
    scale = list(scales) if len(scales) > 1 else scales[0]
    found = rival.painted("ControlNetUnion", {"controlnet": union}, {**call, "controlnet_conditioning_scale": scale})
    return {**kept(found), "whole": found.flatten().tolist()}


def main(out: Path) -> None:
    """Ask, paint, and write the numbers."""
    rival = Rival("sdxl")
    union = network(rival)
    hints: list[Image.Image] = [Image.open(write_picture(ROOT / f"hint{n}.png", (128, 128), n)) for n in range(3)]
    table = {
        "said": {case: said(union, *CASES[case]) for case in CASES},
        "painted": {case: painted(rival, union, hints, case) for case in ("one", "several")},
    }
    out.write_text(json.dumps(table) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
