import pytest
import torch

from inkwash.errors import WeightsError
from inkwash.weights.names.joint_control import TYPE, to_diffusers, to_stability
from inkwash.weights.names.recipe import recast
from tools.joint_controls import drawn


def test_there_and_back_is_the_same() -> None:
    source = drawn("pictures")
    there = recast(source, to_stability(list(source)))
    back = recast(there, to_diffusers([*there, TYPE]))
    assert back.slots == source.slots
    assert all(torch.equal(back[name], source[name]) for name in source)


def test_queries_keys_and_values_are_one_matrix_there() -> None:
    source = drawn("pictures")
    there = recast(source, to_stability(list(source)))
    block = "transformer_blocks.0"
    thirds = [source[f"{block}.attn.to_{third}.weight"] for third in "qkv"]
    assert torch.equal(there[f"{block}.attn.qkv.weight"], torch.cat(thirds))
    wanted = {"attn.qkv", "attn.proj", "adaLN_modulation.1", "mlp.fc1", "mlp.fc2"}
    inside = {name.removeprefix(f"{block}.").rpartition(".")[0] for name in there if name.startswith(block)}
    assert inside == wanted
    assert {name for name in there if not name.startswith(block)} == {
        name for name in source if not name.startswith(block)
    }


def test_networks_that_hear_words_have_one_naming() -> None:
    with pytest.raises(WeightsError, match="have the names of diffusers everywhere"):
        to_stability(list(drawn("worded")))
