import pytest
import torch
from torch import Tensor, nn

from inkwash.errors import InvalidRequest, WeightsError
from inkwash.weights.extract import extracted
from inkwash.weights.files import Checkpoint
from inkwash.weights.lora import read_changes
from inkwash.weights.patch import Patch


def network(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    parts = {"conv": nn.Conv2d(3, 8, 3), "norm": nn.GroupNorm(2, 8), "linear": nn.Linear(6, 5), "same": nn.Linear(2, 2)}
    module = nn.ModuleDict(parts)
    nn.init.normal_(module["norm"].weight)
    nn.init.zeros_(module["same"].weight)
    nn.init.zeros_(module["same"].bias)
    return module


def made(rank: int) -> tuple[nn.Module, nn.Module, dict[str, Tensor]]:
    tuned, base = network(1), network(2)
    return tuned, base, extracted(tuned.state_dict(), base.state_dict(), rank, "lora_unet_")


def test_with_all_of_the_rank_the_base_becomes_the_tuned_one() -> None:
    tuned, base, tensors = made(rank=100)
    Patch(base).add("it", read_changes(Checkpoint(tensors, {}), {"predictor": base})["predictor"])
    torch.testing.assert_close(base.state_dict(), tuned.state_dict(), atol=1e-5, rtol=1e-5)


def test_what_did_not_change_is_left_out() -> None:
    assert not any("same" in name for name in made(rank=2)[2])


def test_what_a_rank_cannot_hold_is_what_the_smaller_singular_values_hold() -> None:
    tuned, base, tensors = made(rank=2)
    change = (tuned["linear"].weight - base["linear"].weight).detach()
    near = tensors["lora_unet_linear.lora_up.weight"] @ tensors["lora_unet_linear.lora_down.weight"]
    lost = torch.linalg.svdvals(change)[2:].square().sum().sqrt()
    torch.testing.assert_close(torch.linalg.norm(change - near), lost)


def test_kernels_keep_their_shapes() -> None:
    tensors = made(rank=2)[2]
    assert tensors["lora_unet_conv.lora_down.weight"].shape == (2, 3, 3, 3)
    assert tensors["lora_unet_conv.lora_up.weight"].shape == (8, 2, 1, 1)


def test_networks_of_two_kinds_are_refused() -> None:
    one, two = network(1).state_dict(), nn.Linear(2, 2).state_dict()
    with pytest.raises(WeightsError, match="the two are not of one kind: they differ in bias, conv"):
        extracted(one, two, 2, "lora_unet_")
    with pytest.raises(InvalidRequest, match="rank is 0, but must be at least 1"):
        extracted(one, one, 0, "lora_unet_")
