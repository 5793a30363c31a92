"""Group normalisation is torch's, whatever the type."""

import pytest
import torch
from torch import nn

from inkwash.nn.norm import GroupNorm


def norms(dtype: torch.dtype) -> tuple[GroupNorm, nn.GroupNorm]:
    """Ours and torch's, with the same weights."""
    chance = torch.Generator().manual_seed(0)
    ours, theirs = GroupNorm(4, 8), nn.GroupNorm(4, 8)
    for norm in (ours, theirs):
        chance.manual_seed(0)
        with torch.no_grad():
            norm.weight.copy_(torch.randn(8, generator=chance))
            norm.bias.copy_(torch.randn(8, generator=chance))
    return ours.to(dtype), theirs.to(dtype)


def pictures(dtype: torch.dtype) -> torch.Tensor:
    return torch.randn(3, 8, 5, 4, generator=torch.Generator().manual_seed(1)).to(dtype)


def test_in_float32_it_is_torch_s_to_the_last_bit() -> None:
    ours, theirs = norms(torch.float32)
    assert torch.equal(ours(pictures(torch.float32)), theirs(pictures(torch.float32)))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_short_floats_are_normed_in_float32_and_come_back_short(dtype: torch.dtype) -> None:
    (ours, _), (_, exact) = norms(dtype), norms(torch.float32)
    exact.load_state_dict(ours.state_dict())
    x = pictures(dtype)
    assert torch.equal(ours(x), exact(x.float()).to(dtype))


def test_under_autocast_they_stay_long_for_the_next_product_to_shorten() -> None:
    ours, theirs = norms(torch.float32)
    x = pictures(torch.bfloat16)
    with torch.autocast("cpu", torch.bfloat16):
        found = ours(x)
    assert found.dtype == torch.float32
    assert torch.equal(found, theirs(x.float()))


def test_gradients_reach_short_pictures_and_long_weights() -> None:
    ours, theirs = norms(torch.float32)
    x, exact = pictures(torch.bfloat16).requires_grad_(), pictures(torch.bfloat16).float().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        ours(x).square().sum().backward()
    theirs(exact).square().sum().backward()
    assert x.grad is not None
    assert exact.grad is not None
    assert torch.equal(x.grad, exact.grad.bfloat16())
    assert torch.equal(ours.weight.grad, theirs.weight.grad)
