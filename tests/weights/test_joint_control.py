"""ControlNets of Stable Diffusion 3 in files: told from names and shapes, the same under all names."""

from pathlib import Path

import pytest
import torch

from inkwash.errors import InvalidRequest, WeightsError
from inkwash.weights.containers.source import in_memory, open_safetensors
from inkwash.weights.containers.writing import write_source
from inkwash.weights.convert import Wishes, convert
from inkwash.weights.helpers import read_control
from inkwash.weights.joint_control import read_joint_control
from tools.helpers import write_control
from tools.joint_controls import KINDS, drawn, write_joint, write_stability


def test_stability_s_file_is_the_same_network(tmp_path: Path) -> None:
    folder = write_joint(tmp_path / "blur", "pictures")
    single = write_stability(tmp_path / "it.safetensors", 0.0)
    (one, told), (two, other) = read_joint_control(folder), read_joint_control(single)
    assert (told.layout, other.layout) == ("diffusers", "ldm")
    assert one.spec == two.spec == KINDS["pictures"]
    for name, weight in one.state_dict().items():
        assert torch.equal(weight, two.state_dict()[name]), name


def test_edges_are_told_by_their_number_or_by_name(tmp_path: Path) -> None:
    for number, wanted in ((0.0, False), (1.0, True), (2.0, False)):
        file = write_stability(tmp_path / f"canny{number}.safetensors", number)
        assert read_joint_control(file)[0].spec.glaring == wanted
    folder = write_joint(tmp_path / "sd3.5-large-canny", "pictures")
    for path in (folder, folder / "diffusion_pytorch_model.safetensors"):
        assert read_joint_control(path)[0].spec.glaring
    assert not read_joint_control(write_joint(tmp_path / "sd3-canny", "worded"))[0].spec.glaring


def test_weights_may_rest_and_say_the_same(tmp_path: Path) -> None:
    folder = write_joint(tmp_path / "it", "pictures")
    wide, narrow = (read_joint_control(folder, rests=rests)[0] for rests in (False, True))
    name = "transformer_blocks.0.attn.to_q.weight"
    assert (wide.state_dict()[name].dtype, narrow.state_dict()[name].dtype) == (torch.float32, torch.float16)
    block, other = (network.transformer_blocks[0] for network in (wide, narrow))
    x, step = torch.randn(1, 6, 128), torch.randn(1, 128)
    assert torch.equal(block(x, step), other(x, step))


def test_names_are_converted_where_there_are_two(tmp_path: Path) -> None:
    single = write_stability(tmp_path / "it.safetensors", 0.0)
    convert(single, tmp_path / "new.safetensors", Wishes(layout="diffusers"))
    found, wanted = open_safetensors(tmp_path / "new.safetensors"), drawn("pictures")
    assert found.slots.keys() == wanted.slots.keys()
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)
    write_source(tmp_path / "words.safetensors", drawn("worded"), {})
    with pytest.raises(WeightsError, match="have the names of diffusers everywhere"):
        convert(tmp_path / "words.safetensors", tmp_path / "old.safetensors", Wishes(layout="ldm"))


def test_each_reader_refuses_what_is_the_other_s(tmp_path: Path) -> None:
    mine = write_joint(tmp_path / "mine", "worded")
    with pytest.raises(InvalidRequest, match="for a U-Net; this one is for an unknown relative of Stable Diffusion 3"):
        read_control(mine)
    with pytest.raises(InvalidRequest, match="a ControlNet of Stable Diffusion 3; this is a controlnet sd1"):
        read_joint_control(write_control(tmp_path / "sd1.safetensors", "sd1"))
    write_source(tmp_path / "x.safetensors", in_memory({"a": torch.ones(1)}), {})
    with pytest.raises(InvalidRequest, match="a ControlNet of Stable Diffusion 3; this is a unknown"):
        read_joint_control(tmp_path / "x.safetensors")
