"""Stable Diffusion 3 on the command line with what was made for it: ControlNets and LoRAs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from inkwash.weights.containers.source import in_memory, open_safetensors
from inkwash.weights.containers.writing import write_source
from inkwash.weights.family import identified
from tools.checkpoints import Shelf
from tools.helpers import write_control, write_picture
from tools.joint_controls import write_joint, write_stability

Inkwash = Callable[..., Any]
ASKED = ("--width", "32", "--height", "32", "--steps", "2", "--seed", "5", "--device", "cpu", "--preview", "off")
STEM = "joint_blocks_0_x_block_attn_qkv"


def test_controls_are_painted_again_byte_for_byte(inkwash: Inkwash, shelf: Shelf, tmp_path: Path) -> None:
    net, edges = write_joint(tmp_path / "net", "worded"), write_stability(tmp_path / "edges.safetensors", 1.0)
    picture = write_picture(tmp_path / "a.png", (48, 40))
    model = ("--model", shelf("sd3", "folder"))
    controls = (
        "--control",
        f"{net},{picture},weight=0.8,end=0.5",
        "--control",
        f"{edges},{picture},preprocessor=canny",
    )
    done = inkwash("paint", "a cat", *model, *ASKED, *controls)
    assert (done.code, len(done.paths)) == (0, 1), done.err
    again = inkwash("again", done.paths[0], "--preview", "off")
    assert (again.code, "the same file, byte for byte" in again.err) == (0, True), again.err
    plain = inkwash("paint", "a cat", *model, *ASKED)
    assert plain.paths[0].read_bytes() != done.paths[0].read_bytes()
    other = write_control(tmp_path / "sd1.safetensors", "sd1")
    wrong = inkwash("paint", "a cat", *model, *ASKED, "--control", f"{other},{picture}")
    assert (wrong.code, wrong.err.count("\n")) == (2, 1), wrong.err
    assert "as sd3-folder is; this controlnet is for Stable Diffusion 1" in wrong.err


def test_info_tells_what_they_are(inkwash: Inkwash, tmp_path: Path) -> None:
    told = inkwash("info", write_stability(tmp_path / "it.safetensors", 2.0))
    rows = dict(line.split(maxsplit=1) for line in told.out.splitlines())
    assert (told.code, rows["kind"], rows["blocks"]) == (0, "controlnet", "1"), told.err
    assert rows["container"] == "safetensors, ldm names"
    hole = inkwash("info", write_joint(tmp_path / "hole", "hole"))
    assert "a picture with a hole" in hole.out


def test_lora_bake_extract_resize(inkwash: Inkwash, shelf: Shelf, tmp_path: Path) -> None:
    single = shelf("sd3", "single")
    lora = {
        f"lora_unet_{STEM}.lora_up.weight": torch.randn(384, 2),
        f"lora_unet_{STEM}.lora_down.weight": torch.randn(2, 128),
    }
    write_source(tmp_path / "it.safetensors", in_memory(lora), {})
    baked = inkwash(
        "lora", "bake", single, f"{tmp_path / 'it.safetensors'}:0.1", "baked.safetensors", "--dtype", "float32"
    )
    assert (baked.code, baked.out) == (0, "baked.safetensors\n"), baked.err
    taken = inkwash("lora", "extract", "baked.safetensors", single, "taken.safetensors", "--rank", "2")
    assert taken.code == 0, taken.err
    found = open_safetensors(Path("taken.safetensors"))
    thirds = [f"transformer.transformer_blocks.0.attn.to_{third}.lora_{end}.weight" for third in "qkv" for end in "AB"]
    assert sorted(found) == sorted(thirds)
    told = identified(found)
    assert (told.kind, told.family, (told.details or {})["naming"]) == ("lora", "sd3", "diffusers")
    smaller = inkwash("lora", "resize", "taken.safetensors", "smaller.safetensors", "--rank", "1")
    assert smaller.code == 0, smaller.err
    assert open_safetensors(Path("smaller.safetensors")).shape(thirds[0]) == (1, 128)
