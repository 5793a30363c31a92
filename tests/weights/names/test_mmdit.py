import pytest
import torch

from inkwash.weights.names.mmdit import to_diffusers, to_reference
from inkwash.weights.names.recipe import recast
from tools.topology import crc, differing, filled, mmdit

RELEASED = {
    "sd3": (mmdit(24, 192), 683, 1118784246, 491),
    "sd3.5-medium": (mmdit(24, 384, normed=True, dual=13), 909, 1136881263, 665),
    "sd3.5-large": (mmdit(38, 192, normed=True), 1227, 686267083, 923),
}
NARROW = {
    "sd3": mmdit(4, 8, head=16, words=32),
    "sd3.5-medium": mmdit(4, 8, normed=True, dual=2, head=16, words=32),
    "sd3.5-large": mmdit(5, 8, normed=True, head=16, words=32),
}


@pytest.mark.parametrize("name", RELEASED)
def test_the_names_here_are_those_of_the_released_folders(name: str) -> None:
    slots, count, checksum, reference = RELEASED[name]
    assert (len(slots), crc(slots), len(to_reference(list(slots)))) == (count, checksum, reference)


@pytest.mark.parametrize("name", NARROW)
def test_there_and_back_is_the_same(name: str) -> None:
    folder = filled(NARROW[name])
    single = recast(folder, to_reference(list(folder.slots)))
    assert not [each for each in single.slots if "transformer_blocks" in each or "time_text" in each]
    assert list(differing(recast(single, to_diffusers(list(single.slots))), folder)) == []


def test_shift_and_scale_change_places_where_diffusers_wants_them_so() -> None:
    folder = filled(NARROW["sd3"])
    single = recast(folder, to_reference(list(folder.slots)))

    def swapped(name: str) -> torch.Tensor:
        return torch.cat(folder[name].chunk(2)[::-1])

    assert torch.equal(single["final_layer.adaLN_modulation.1.weight"], swapped("norm_out.linear.weight"))
    last, first = (f"transformer_blocks.{n}.norm1_context.linear.bias" for n in (3, 0))
    assert torch.equal(single["joint_blocks.3.context_block.adaLN_modulation.1.bias"], swapped(last))
    assert torch.equal(single["joint_blocks.0.context_block.adaLN_modulation.1.bias"], folder[first])


def test_queries_keys_and_values_are_one_matrix_there() -> None:
    folder = filled(NARROW["sd3.5-medium"])
    single = recast(folder, to_reference(list(folder.slots)))
    for packed, names in (
        ("x_block.attn2.qkv", ("attn2.to_q", "attn2.to_k", "attn2.to_v")),
        ("context_block.attn.qkv", ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj")),
    ):
        parts = [folder[f"transformer_blocks.1.{name}.weight"] for name in names]
        assert torch.equal(single[f"joint_blocks.1.{packed}.weight"], torch.cat(parts))
    assert torch.equal(single["pos_embed"], folder["pos_embed.pos_embed"])
