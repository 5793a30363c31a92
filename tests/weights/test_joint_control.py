"""ControlNets of Stable Diffusion 3 in files: told from names and shapes, the same under all names."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from inkwash.errors import InvalidRequest, WeightsError
from inkwash.predictor.joint_control import JointControlNet, JointControlSpec
from inkwash.predictor.mmdit_spec import SD3_MEDIUM, SD35_LARGE, SD35_MEDIUM
from inkwash.weights.containers.source import Slot, Source, in_memory, open_safetensors
from inkwash.weights.containers.writing import write_source
from inkwash.weights.convert import Wishes, convert
from inkwash.weights.family import identified
from inkwash.weights.helpers import read_control
from inkwash.weights.joint_control import read_joint_control
from inkwash.weights.joint_shape import joint_control_spec
from inkwash.weights.names.joint_control import to_diffusers, to_stability
from inkwash.weights.names.recipe import recast
from tools.helpers import write_control
from tools.joint_controls import KINDS, config_of, drawn, write_joint, write_stability

LARGE = replace(SD35_LARGE, depth=19, text_width=0, positions=1, qk_norm=False)
RELEASED = {
    "InstantX": (JointControlSpec(replace(SD3_MEDIUM, depth=6)), "sd3-medium"),
    "alimama": (JointControlSpec(replace(SD3_MEDIUM, depth=23), beside=1), "sd3-medium"),
    "3.5 medium": (JointControlSpec(replace(SD35_MEDIUM, depth=12, dual=tuple(range(12)))), "sd3.5-medium"),
    "Stability": (JointControlSpec(LARGE, worded=False, placed=False, silent=False), "sd3.5-large"),
}


def shapes_of(spec: JointControlSpec) -> Source:
    with torch.device("meta"):
        slots = {name: Slot("F16", tuple(each.shape)) for name, each in JointControlNet(spec).state_dict().items()}
    return Source("here", slots, lambda name: torch.empty(slots[name].shape, device="meta"))


@pytest.mark.parametrize("name", RELEASED)
def test_released_ones_are_told_by_their_shapes(name: str) -> None:
    spec, family = RELEASED[name]
    source = shapes_of(spec)
    found = identified(source)
    assert (found.kind, found.family, found.layout) == ("controlnet", family, "diffusers")
    assert found.details is not None
    assert (found.details["blocks"], "sees" in found.details) == (str(spec.blocks.depth), spec.beside == 1)
    assert joint_control_spec(source, {}) == spec
    assert joint_control_spec(source, config_of(spec)) == spec


def test_a_configuration_tells_what_shapes_do_not() -> None:
    spec = KINDS["worded"]
    source = shapes_of(spec)
    told = {"num_attention_heads": 4, "force_zeros_for_pooled_projection": False}
    found = joint_control_spec(source, told)
    assert (found.blocks.heads, found.blocks.head_width, found.silent) == (4, 32, False)
    foolish = {"num_attention_heads": "many", "extra_conditioning_channels": None}
    assert joint_control_spec(source, foolish) == spec
    with pytest.raises(WeightsError, match="is shown 5 channels beside the hint; one, a hole, is known"):
        joint_control_spec(shapes_of(replace(spec, beside=5)), {})
    with pytest.raises(WeightsError, match="is no ControlNet of Stable Diffusion 3"):
        joint_control_spec(source.renamed({name: name for name in source.slots if "blocks.0" not in name}), {})


def test_stability_s_file_is_the_same_network(tmp_path: Path) -> None:
    folder = write_joint(tmp_path / "blur", "pictures")
    single = write_stability(tmp_path / "it.safetensors", 0.0)
    (one, told), (two, other) = read_joint_control(folder), read_joint_control(single)
    assert (told.layout, other.layout) == ("diffusers", "ldm")
    assert one.spec == two.spec == KINDS["pictures"]
    for name, weight in one.state_dict().items():
        assert torch.equal(weight, two.state_dict()[name]), name
    source = drawn("pictures")
    back = recast(recast(source, to_stability(list(source))), to_diffusers(list(to_stability(list(source)))))
    assert back.slots == source.slots


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
