"""Control-LoRAs by algebra: made of a ControlNet less its U-Net, they are that ControlNet again."""

from collections.abc import Mapping
from math import prod
from pathlib import Path

import pytest
import torch
from torch import Tensor

from inkwash.errors import InvalidRequest, WeightsError
from inkwash.nn.resting import Resting
from inkwash.predictor.controlnet import ControlNet
from inkwash.predictor.unet import UNet
from inkwash.weights.containers.source import Slot, Source, in_memory
from inkwash.weights.containers.writing import write_source
from inkwash.weights.control_lora import built_on, control_lora
from inkwash.weights.helpers import read_control
from inkwash.weights.packed import Packed
from inkwash.weights.waking import predictor_of
from tools.checkpoints import CHECKPOINTS, parts_of, whispering
from tools.helpers import CONTROLS, low_rank
from tools.topology import XL, Net
from tools.topology import control_lora as slots_of


@pytest.fixture(scope="module")
def base() -> UNet:
    found = predictor_of(parts_of("sdxl")["unet"], {})
    assert isinstance(found, UNet)
    return found


@pytest.fixture(scope="module")
def known() -> Source:
    """A ControlNet that is not near its U-Net at all."""
    return whispering(CONTROLS["sdxl"].slots(), 11)


@pytest.fixture(scope="module")
def tensors(base: UNet, known: Source) -> Mapping[str, Tensor]:
    """The same as a control-LoRA of rank 3."""
    return low_rank(known, base.state_dict(), 3)


def apart(found: ControlNet, wanted: Mapping[str, Tensor]) -> float:
    return max((weight - wanted[name].float()).abs().max().item() for name, weight in found.state_dict().items())


def test_of_full_rank_it_is_the_controlnet_that_it_was_made_of(base: UNet, known: Source, tmp_path: Path) -> None:
    before = {name: weight.clone() for name, weight in base.state_dict().items()}
    file = tmp_path / "lora.safetensors"
    write_source(file, in_memory(low_rank(known, base.state_dict())), {})
    found, told = read_control(file, base)
    assert isinstance(found, ControlNet)
    assert (told.kind, told.family, told.layout) == ("control-lora", "sdxl", "ldm")
    assert apart(found, known.tensors()) < 1e-5
    assert all(torch.equal(weight, before[name]) for name, weight in base.state_dict().items())


def test_of_low_rank_it_is_the_sum(base: UNet, tensors: Mapping[str, Tensor]) -> None:
    found = control_lora(in_memory(tensors), base).state_dict()
    old, new = "input_blocks.4.1.proj_in", "down_blocks.1.attentions.0.proj_in.weight"
    assert tensors[f"{old}.up"].shape[1] == 3
    torch.testing.assert_close(found[new], base.state_dict()[new] + tensors[f"{old}.up"] @ tensors[f"{old}.down"])
    kernel, whole = "input_blocks.3.0.op", "down_blocks.0.downsamplers.0.conv.weight"
    added = torch.einsum("orab,rihw->oihw", tensors[f"{kernel}.up"], tensors[f"{kernel}.down"])
    torch.testing.assert_close(found[whole], base.state_dict()[whole] + added)


def test_what_it_does_not_hold_is_as_in_the_model(base: UNet, tensors: Mapping[str, Tensor]) -> None:
    few = {name: tensor for name, tensor in tensors.items() if not name.startswith(("time_embed.", "middle_block."))}
    found = control_lora(in_memory(few), base).state_dict()
    for name in (
        "time_embedding.linear_1.weight",
        "mid_block.resnets.0.norm1.bias",
        "mid_block.resnets.1.conv2.weight",
    ):
        assert torch.equal(found[name], base.state_dict()[name])


def test_weights_that_rest_are_the_same(base: UNet, tensors: Mapping[str, Tensor]) -> None:
    resting = predictor_of(parts_of("sdxl")["unet"], {})
    for name, weight in list(resting.named_parameters()):
        owner, _, leaf = name.rpartition(".")
        setattr(resting.get_submodule(owner), leaf, Resting(weight.half(), requires_grad=False))
    assert isinstance(resting, UNet)
    wanted = control_lora(in_memory(tensors), base).state_dict()
    assert apart(control_lora(in_memory(tensors), resting), wanted) == 0.0


def test_a_weight_that_stays_packed_is_unpacked_for_the_sum() -> None:
    packed = Packed(lambda: torch.ones(4, 32), Slot("Q8_0", (4, 32)))
    part = in_memory({"a.up": torch.ones(4, 2), "a.down": torch.full((2, 32), 0.5)})
    source = built_on(part, {"a.weight": packed}, {"a.weight": (4, 32)})
    assert source.slots == {"a.weight": Slot("F32", (4, 32))}
    assert torch.equal(source["a.weight"], torch.full((4, 32), 2.0))


def test_an_inpainting_model_lends_what_it_knows_of_latents(tensors: Mapping[str, Tensor]) -> None:
    slots = {**CHECKPOINTS["sdxl"]["unet"], "conv_in.weight": (64, 9, 3, 3)}
    wide = predictor_of(whispering(slots, 0), {})
    assert isinstance(wide, UNet)
    found = control_lora(in_memory(tensors), wide)
    assert found.conv_in.weight.shape == (64, 4, 3, 3)
    change = found.conv_in.weight - wide.conv_in.weight[:, :4]
    assert torch.linalg.matrix_rank(change.flatten(1), atol=1e-4) == 3


def test_last_convolutions_of_low_rank_are_changes_of_nothing(base: UNet, tensors: Mapping[str, Tensor]) -> None:
    odd = {name: tensor for name, tensor in tensors.items() if name != "zero_convs.0.0.weight"}
    odd |= {"zero_convs.0.0.up": torch.ones(64, 1), "zero_convs.0.0.down": torch.ones(1, 64)}
    assert torch.equal(control_lora(in_memory(odd), base).controlnet_down_blocks[0].weight, torch.ones(64, 64, 1, 1))


def test_what_contradicts_itself_or_the_model_is_refused(base: UNet, tensors: Mapping[str, Tensor]) -> None:
    twice = {**tensors, "time_embed.0.weight": torch.zeros(5, 5)}
    with pytest.raises(WeightsError, match=r"unknown time_embedding\.linear_1\.down; unknown .*wanted \(256, 64\)"):
        control_lora(in_memory(twice), base)
    wide = {**tensors, "input_blocks.0.0.down": torch.zeros(3, 9, 3, 3)}
    with pytest.raises(WeightsError, match=r"conv_in\.weight is \(64, 9, 3, 3\), wanted \(64, 4, 3, 3\)"):
        control_lora(in_memory(wide), base)
    flat = {**tensors, "input_hint_block.0.weight": torch.zeros(16)}
    with pytest.raises(WeightsError, match=r"controlnet_cond_embedding\.conv_in\.weight is \(16,\)"):
        control_lora(in_memory(flat), base)


def test_misfits_take_one_line_that_lists_them(base: UNet, tensors: Mapping[str, Tensor], tmp_path: Path) -> None:
    wrong = {name: tensor for name, tensor in tensors.items() if name != "zero_convs.2.0.weight"}
    wrong["input_blocks.4.1.transformer_blocks.7.attn1.to_q.up"] = torch.zeros(64, 3)
    wrong["input_blocks.4.1.transformer_blocks.7.attn1.to_q.down"] = torch.zeros(3, 64)
    wrong["input_blocks.3.0.op.down"] = torch.zeros(3, 32, 3, 3)
    wrong["input_blocks.1.0.emb_layers.1.down"] = torch.zeros(2, 256)
    with pytest.raises(WeightsError) as error:
        control_lora(in_memory(wrong), base)
    line = str(error.value)
    assert line.startswith("here, built on this model, does not fit: missing controlnet_down_blocks.2.weight; ")
    assert "unknown down_blocks.1.attentions.0.transformer_blocks.7.attn1.to_q.weight" in line
    assert "down_blocks.0.downsamplers.0.conv.weight is (64, 32, 3, 3), wanted (64, 64, 3, 3)" in line
    assert "down_blocks.0.resnets.0.time_emb_proj.weight is (64, 3, 2, 256), wanted (64, 256)" in line
    write_source(tmp_path / "lora.safetensors", in_memory(tensors), {})
    with pytest.raises(InvalidRequest, match="this is a control-lora sdxl"):
        read_control(tmp_path / "lora.safetensors")


@pytest.mark.parametrize(("rank", "size"), [(128, 395_733_680), (256, 774_450_192)])
def test_released_files_have_these_tensors(rank: int, size: int) -> None:
    slots = slots_of(Net((320, 640, 1280), XL, 2048, added=2816, up=False), rank)
    header = size - 2 * sum(map(prod, slots.values()))
    assert 80 * len(slots) < header < 150 * len(slots)
