"""Helping networks under all names that their makers give their tensors."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from inkwash.errors import InvalidRequest
from inkwash.predictor.t2i_adapter import T2IAdapter
from inkwash.predictor.union_controlnet import UnionControlNet
from inkwash.text.vision import VIT_L, VisionEncoder
from inkwash.weights.containers.source import in_memory, open_safetensors
from inkwash.weights.containers.writing import write_source
from inkwash.weights.helpers import read_control, read_ip_adapter, read_vision, vision_spec
from inkwash.weights.names.recipe import recast
from inkwash.weights.names.unet import to_ldm
from tools.helpers import ADAPTERS, TOWER, write_ip_adapter, write_t2i, write_tower, write_union


def original(name: str) -> str:
    """The first makers' name: full adapters number their blocks through, light ones nest them."""
    name = name.removeprefix("adapter.")
    if found := re.fullmatch(r"body\.(\d)\.resnets\.(\d)\.(.+)", name):
        return f"body.{2 * int(found[1]) + int(found[2])}.{found[3]}"
    if found := re.fullmatch(r"body\.(\d)\.in_conv\.(.+)", name):
        return f"body.{2 * int(found[1])}.in_conv.{found[2]}"
    return name


def light(name: str) -> str:
    return re.sub(r"adapter\.body\.(\d)\.(resnets\.)?", lambda at: f"body.{at[1]}." + ("body." if at[2] else ""), name)


@pytest.mark.parametrize("kind", ["sd1", "sdxl", "light"])
def test_adapters_under_old_and_new_names_are_the_same(tmp_path: Path, kind: str) -> None:
    network = T2IAdapter(replace(ADAPTERS[kind], channels=(16, 32, 64, 64)))
    write_source(tmp_path / "new.safetensors", in_memory(network.state_dict()), {})
    modern = open_safetensors(tmp_path / "new.safetensors")
    old = {(light if kind == "light" else original)(name): modern[name] for name in modern}
    write_source(tmp_path / "old.safetensors", in_memory(old), {})
    (one, told), (two, _) = (read_control(tmp_path / f"{name}.safetensors") for name in ("new", "old"))
    assert isinstance(one, T2IAdapter)
    assert isinstance(two, T2IAdapter)
    assert one.spec == two.spec == network.spec
    assert told.kind.startswith("t2i-adapter")
    for name, weight in one.state_dict().items():
        assert torch.equal(weight, two.state_dict()[name]), name


def test_union_controlnets_in_a_folder_and_under_old_names_are_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "union"
    folder.mkdir()
    modern = open_safetensors(write_union(folder / "diffusion_pytorch_model.safetensors"))
    (folder / "config.json").write_text('{"_class_name": "ControlNetUnionModel", "attention_head_dim": [2, 2, 2]}')
    old = recast(modern, to_ldm(list(modern.slots)))
    assert {"input_hint_block.0.weight", "task_embedding"} <= old.slots.keys()
    write_source(tmp_path / "old.safetensors", old, {})
    (one, told), (two, before) = (read_control(path) for path in (folder, tmp_path / "old.safetensors"))
    assert isinstance(one, UnionControlNet)
    assert isinstance(two, UnionControlNet)
    assert (told.kind, told.layout, before.layout) == ("controlnet union", "diffusers", "ldm")
    assert one.spec == replace(two.spec, head_width=32)
    for name, weight in one.state_dict().items():
        assert torch.equal(weight, two.state_dict()[name]), name


def test_a_tower_is_known_by_its_shapes_and_told_by_its_configuration(tmp_path: Path) -> None:
    tower = read_vision(write_tower(tmp_path / "tower.safetensors"))
    assert tower.spec == TOWER
    with torch.device("meta"):
        names = {name: tuple(weight.shape) for name, weight in VisionEncoder(VIT_L).state_dict().items()}
    assert vision_spec(names, {}) == VIT_L
    told = vision_spec(names, {"num_attention_heads": 8, "hidden_act": "gelu"})
    assert (told.heads, told.activation) == (8, "gelu")


def test_pickled_names_with_slashes(tmp_path: Path) -> None:
    source = open_safetensors(write_ip_adapter(tmp_path / "new.safetensors", "sd1", "plain"))
    slashed = {re.sub(r"^(image_proj|ip_adapter)\.", r"\1/", name): source[name] for name in source}
    write_source(tmp_path / "old.safetensors", in_memory(slashed), {})
    one, two = (read_ip_adapter(tmp_path / f"{name}.safetensors") for name in ("new", "old"))
    assert one.spec == two.spec
    with pytest.raises(InvalidRequest, match="an IP-Adapter; this is a t2i-adapter"):
        read_ip_adapter(write_t2i(tmp_path / "t2i.safetensors", "sd1"))
    with pytest.raises(InvalidRequest, match="a vision tower of CLIP; this is a ip-adapter plain"):
        read_vision(tmp_path / "new.safetensors")
